"""Model providers of the desk: setting and removing them, and what an evaluation is given of them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from cuelight.contract.canonical import canonical_text
from cuelight_server.audit.verbs import Verb
from cuelight_server.control.desk import Desk
from cuelight_server.control.door import Work, act
from cuelight_server.control.replay.providers import sealed_digest
from cuelight_server.db.engine import reading
from cuelight_server.kernel import ids
from cuelight_server.kernel.actor import SYSTEM, Actor
from cuelight_server.kernel.errors import Invalid, NotFound, Unavailable
from cuelight_server.outbound import Network, check_url
from cuelight_server.outbound.guard import MOST_URL
from cuelight_server.providers import KEYED, Provider, connect
from cuelight_server.vault import store
from cuelight_server.vault.model import Connection, SetProvider, seen
from cuelight_server.vault.sealing import SealingKeys, is_current, seal, unseal

__all__ = ["MOST_KEY", "MOST_URL", "Connected", "remove_provider", "reseal", "sealing_or_refuse", "set_provider"]

MOST_KEY, MOST_OPTIONS = 4096, 40_000
NO_OPTIONS: Mapping[str, Any] = MappingProxyType({})
_RATES = {"requests_a_minute": 1_000_000, "tokens_a_minute": 1_000_000_000, "at_once": 64}
_SHAPE = frozenset({"template", "answer", "input_tokens", "output_tokens", "key_header"})


def set_provider(
    desk: Desk,
    keys: SealingKeys,
    actor: Actor,
    name: str,
    base_url: str,
    key: str | None,
    options: Mapping[str, Any] = NO_OPTIONS,
) -> SetProvider:
    """Say where a provider answers, and give its key, or None where it needs none. Invalid for what cannot be one.

    `options` are limits of its pace (requests_a_minute, tokens_a_minute, at_once), and for `http` its template and paths.

    It counts from the next evaluation on, before what the server's own settings say.
    """
    _check_name(name)
    address, secret, told = check_url(base_url), _checked_key(key), _checked_options(name, options)
    with act(desk, actor, Verb.PROVIDER_SET, name, workflow="") as work:
        sealed = seal(keys, _place(name), secret, ids.nonce()) if secret is not None else None
        new = Connection(
            provider=name,
            base_url=address,
            sealed=sealed,
            actor=work.actor.id,
            updated_at=work.at_text,
            options=told,
        )
        store.save(work.sql, new)
        work.note(base_url=address, sealed=sealed_digest(sealed), **({"options": told} if told else {}))
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

    def __init__(
        self,
        desk: Desk,
        keys: SealingKeys | None,
        fixed: Mapping[str, Provider],
        allowed: Sequence[Network] = (),
    ) -> None:
        """`keys` None: this process has no sealing key, so what is set on the desk is Unavailable and says so.

        `allowed` are the private networks that a provider's name may lead to.
        """
        self._desk, self._keys, self._fixed, self._allowed = desk, keys, fixed, tuple(allowed)
        self._made: dict[str, tuple[Connection, Provider]] = {}

    def __getitem__(self, name: str) -> Provider:
        """The provider; KeyError where there is none, Unavailable where its key cannot be unsealed."""
        with reading(self._desk.registry) as sql:
            found = store.connection(sql, name)
        if found is None:
            return self._fixed[name]
        made = self._made.get(name)
        if made is None or made[0] != found:
            options = json.loads(found.options) if found.options else {}
            made = found, connect(name, found.base_url, self._key(found), options, self._allowed)
            self._made[name] = made
        return made[1]

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


def _checked_options(name: str, options: Mapping[str, Any]) -> str | None:
    """The options as they are kept; None where there are none. Invalid names the one that is wrong."""
    given = {option: value for option, value in options.items() if value not in (None, "")}
    odd = sorted(given.keys() - _RATES.keys() - (_SHAPE if name == "http" else set()))
    if odd:
        raise Invalid(f"{name} takes no {odd[0]}", f"there are {', '.join([*_RATES, *sorted(_SHAPE)])}")
    for option, most in _RATES.items():
        value = given.get(option, 1)
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
            raise Invalid(f"{option} is {value!r}", f"give a whole number from 1 to {most}")
    connect(name, "https://example.org", None, given)  # what cannot be made is refused here, and not in a run
    text = canonical_text(given)
    if len(text) > MOST_OPTIONS:
        raise Invalid("the options are too long", f"at most {MOST_OPTIONS} characters")
    return text if given else None
