"""Model providers of the desk: setting and removing them, and what an evaluation is given of them."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from cuelight_server.audit.verbs import Verb
from cuelight_server.control.desk import Desk
from cuelight_server.control.door import Work, act
from cuelight_server.control.replay.providers import sealed_digest
from cuelight_server.db.engine import reading
from cuelight_server.kernel import ids
from cuelight_server.kernel.actor import SYSTEM, Actor
from cuelight_server.kernel.errors import Invalid, NotFound, Unavailable
from cuelight_server.providers import KEYED, OpenAI, Provider
from cuelight_server.vault import store
from cuelight_server.vault.model import Connection, SetProvider, seen
from cuelight_server.vault.sealing import SealingKeys, is_current, seal, unseal

MOST_KEY, MOST_URL = 4096, 500


def set_provider(desk: Desk, keys: SealingKeys, actor: Actor, name: str, base_url: str, key: str | None) -> SetProvider:
    """Say where a provider answers, and give its key, or None where it needs none. Invalid for what cannot be one.

    It counts from the next evaluation on, before what the server's own settings say.
    """
    _check_name(name)
    address, secret = _checked_url(base_url), _checked_key(key)
    with act(desk, actor, Verb.PROVIDER_SET, name, workflow="") as work:
        sealed = seal(keys, _place(name), secret, ids.nonce()) if secret is not None else None
        new = Connection(provider=name, base_url=address, sealed=sealed, actor=work.actor.id, updated_at=work.at_text)
        store.save(work.sql, new)
        work.note(base_url=address, sealed=sealed_digest(sealed))
    return seen(new)


def remove_provider(desk: Desk, actor: Actor, name: str) -> None:
    """Take a provider and its sealed key out of the desk; the server's own settings count again. NotFound."""
    with act(desk, actor, Verb.PROVIDER_REMOVE, name, workflow="") as work:
        if store.connection(work.sql, name) is None:
            raise NotFound(f"{name} is not set on this desk", "see: cuelight providers")
        store.remove(work.sql, name)


def reseal(desk: Desk, keys: SealingKeys) -> tuple[str, ...]:
    """Seal every key anew under the current sealing key; the names of those that were under an older one."""
    with reading(desk.registry) as sql:
        if not _older(store.connections(sql), keys):
            return ()
    with act(desk, SYSTEM, Verb.PROVIDER_RESEAL, "providers", workflow="") as work:
        old = _older(store.connections(work.sql), keys)
        told = {one.provider: sealed_digest(_sealed_anew(work, keys, one)) for one in old}
        work.note(sealed=told)
    return tuple(told)


def sealing_or_refuse(keys: SealingKeys | None) -> SealingKeys:
    """The sealing keys; Unavailable where this server has none."""
    if keys is None:
        raise Unavailable(
            "this server has no sealing key, so it keeps no key of a provider", "set CUELIGHT_SEALING_KEYS"
        )
    return keys


class Connected(Mapping[str, Provider]):
    """The providers that an evaluation may use now: those set on the desk, then those of the server's settings.

    A key is unsealed when an evaluation asks for its provider, and lives no longer than the connection made with it.
    """

    def __init__(self, desk: Desk, keys: SealingKeys | None, fixed: Mapping[str, Provider]) -> None:
        """`keys` None: this process has no sealing key, so what is set on the desk is Unavailable and says so."""
        self._desk, self._keys, self._fixed = desk, keys, fixed
        self._made: tuple[Connection, Provider] | None = None

    def __getitem__(self, name: str) -> Provider:
        """The provider; KeyError where there is none, Unavailable where its key cannot be unsealed."""
        with reading(self._desk.registry) as sql:
            found = store.connection(sql, name)
        if found is None:
            return self._fixed[name]
        if self._made is None or self._made[0] != found:
            self._made = (found, OpenAI(found.base_url, self._key(found)))
        return self._made[1]

    def __iter__(self) -> Iterator[str]:
        """The names."""
        with reading(self._desk.registry) as sql:
            names = {one.provider for one in store.connections(sql)}
        return iter(sorted(names | self._fixed.keys()))

    def __len__(self) -> int:
        """How many there are."""
        return len(list(iter(self)))

    def _key(self, found: Connection) -> str | None:
        if found.sealed is None:
            return None
        return unseal(sealing_or_refuse(self._keys), _place(found.provider), found.sealed)


def _place(name: str) -> str:
    return f"provider {name}"


def _older(found: list[Connection], keys: SealingKeys) -> list[Connection]:
    return [one for one in found if one.sealed is not None and not is_current(keys, one.sealed)]


def _sealed_anew(work: Work, keys: SealingKeys, one: Connection) -> str:
    place = _place(one.provider)
    fresh = seal(keys, place, unseal(keys, place, one.sealed or ""), ids.nonce())
    store.save(work.sql, replace(one, sealed=fresh))
    return fresh


def _check_name(name: str) -> None:
    if name not in KEYED:
        raise Invalid(f"{name!r} is no provider that can be set", f"choose one of {', '.join(KEYED)}")


def _checked_key(key: str | None) -> str | None:
    if key is None:
        return None
    text = key.strip()
    if not text or len(text) > MOST_KEY or not text.isascii() or not text.isprintable():
        raise Invalid(
            "the key is empty, too long or not in plain characters", "copy it again, as the provider shows it"
        )
    return text


def _checked_url(text: str) -> str:
    """Http only to this machine; never an address that belongs to the cloud machine itself (169.254.…)."""
    try:
        parts = urlsplit(text.strip())
        host, plain = parts.hostname or "", parts.scheme == "http"
        whole = (
            parts.port != 0 and bool(host) and not (parts.username or parts.password or parts.query or parts.fragment)
        )
    except ValueError:
        host, plain, whole, parts = "", False, False, urlsplit("")
    if not whole or len(text) > MOST_URL or parts.scheme not in ("http", "https") or _inner(host):
        raise Invalid("the base URL is no web address of a provider", "give one like https://api.openai.com/v1")
    if plain and not _loopback(host):
        raise Invalid("a key would go over the wire in the clear", "use https; http is for this machine only")
    return text.strip().rstrip("/")


def _inner(host: str) -> bool:
    address = _address(host)
    return address is not None and (address.is_link_local or address.is_multicast or address.is_unspecified)


def _loopback(host: str) -> bool:
    address = _address(host)
    return host == "localhost" or (address is not None and address.is_loopback)


def _address(host: str) -> Any:
    try:
        return ip_address(host)
    except ValueError:
        return None
