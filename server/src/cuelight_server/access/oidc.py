"""Signing in at an OpenID provider: what is sent there, what has to come back, and who that is here; pure."""

import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode, urlsplit

from cuelight_server.access.claims import subject_of
from cuelight_server.kernel.names import ID, MOST, display_name

FLOW_LASTS = timedelta(minutes=10)
MOST_FLOWS, MOST_FLOWS_OF_SOURCE = 10_000, 200
ADMIN, AUDITOR = "admin", "auditor"  # what groups can give
_ADDRESS = re.compile(r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-z0-9-]+(\.[a-z0-9-]+)+")
_MOST_GROUPS = 1000


class Newcomers(StrEnum):
    """What happens to somebody whom the provider knows and this desk does not."""

    DENY = "deny"
    ADD = "add"  # an account without any right


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """The provider at which people sign in, and what its word counts for; `repr` never shows the secret.

    `member_groups` empty = everybody it knows may come. `trusts_email`: whom it calls the owner of an address is that
    person.
    """

    issuer: str
    client_id: str
    client_secret: str | None = field(default=None, repr=False)
    name: str = "single sign-on"
    scopes: str = "openid email profile"
    groups_claim: str = "groups"
    member_groups: frozenset[str] = frozenset()
    admin_groups: frozenset[str] = frozenset()
    auditor_groups: frozenset[str] = frozenset()
    newcomers: Newcomers = Newcomers.DENY
    trusts_email: bool = False


@dataclass(frozen=True, slots=True)
class Secrets:
    """What belongs to one sign-in; all of it follows from the cookie, so only the browser that began can end it."""

    state: str
    nonce: str
    verifier: str

    def __repr__(self) -> str:
        return "Secrets()"

    @property
    def challenge(self) -> str:
        """The verifier's S256, as PKCE sends it (RFC 7636)."""
        return urlsafe_b64encode(sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Who came, as the provider says: `email` only where it calls it verified, and in small letters."""

    issuer: str
    subject: str
    email: str | None
    name: str
    username: str
    groups: frozenset[str]


def secrets_of(cookie: str) -> Secrets:
    """State, nonce and PKCE verifier of a sign-in."""
    state, nonce, verifier = (
        hmac.digest(cookie.encode(errors="replace"), what, sha256).hex() for what in (b"state", b"nonce", b"verifier")
    )
    return Secrets(state, nonce, verifier)


def authorization(endpoint: str, provider: Provider, secrets: Secrets, redirect: str) -> str:
    """Where the browser is sent."""
    asked = {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": redirect,
        "scope": provider.scopes,
        "state": secrets.state,
        "nonce": secrets.nonce,
        "code_challenge": secrets.challenge,
        "code_challenge_method": "S256",
    }
    return with_query(endpoint, asked)


def with_query(address: str, more: Mapping[str, str]) -> str:
    """The address with these parameters behind those that it has."""
    return f"{address}{'&' if urlsplit(address).query else '?'}{urlencode(more)}"


def known(claims: Mapping[str, Any], provider: Provider) -> Known:
    """Who came, out of verified claims. Unfit where they say nobody."""
    address = claims.get("email")
    plain = address.strip().lower() if isinstance(address, str) and len(address) <= 254 else ""
    verified = claims.get("email_verified")  # some providers write the word
    good = (verified is True or verified == "true") and _ADDRESS.fullmatch(plain)
    return Known(
        issuer=provider.issuer,
        subject=subject_of(claims),
        email=plain if good else None,
        name=_text(claims, "name"),
        username=_text(claims, "preferred_username") or plain.partition("@")[0],
        groups=groups_in(claims, provider.groups_claim),
    )


def groups_in(claims: Mapping[str, Any], claim: str) -> frozenset[str]:
    """The groups: the claim of that name, or by a path with dots such as `realm_access.roles`."""
    found: Any = claims.get(claim)
    if found is None and "." in claim:
        found = claims
        for step in claim.split("."):
            found = found.get(step) if isinstance(found, Mapping) else None
    several = [found] if isinstance(found, str) else found
    if not isinstance(several, list):
        return frozenset()
    return frozenset(one for one in several[:_MOST_GROUPS] if isinstance(one, str))


def may_come(who: Known, provider: Provider) -> bool:
    """Whether the provider's groups let them in at all."""
    return not provider.member_groups or bool(provider.member_groups & who.groups)


def given(who: Known, provider: Provider) -> tuple[str, ...]:
    """What their groups give them here."""
    groups = ((ADMIN, provider.admin_groups), (AUDITOR, provider.auditor_groups))
    return tuple(what for what, those in groups if those & who.groups)


def id_wished(who: Known) -> str | None:
    """The id of a new account: their user name there, in the letters that an id has; None where nothing is left."""
    plain = re.sub(r"[^a-z0-9._-]+", "-", who.username.lower().partition("@")[0]).strip("-._")[:50]
    return plain if ID.fullmatch(plain) else None


def name_wished(who: Known, id: str) -> str:
    """The name of a new account: theirs there, as far as it can be shown, else the id."""
    shown = "".join(one if one.isprintable() else " " for one in who.name)[: MOST - len(id) - 3]
    return display_name(shown) if any(one.isalnum() for one in shown) else id


def _text(claims: Mapping[str, Any], name: str) -> str:
    found = claims.get(name)
    return found[:200] if isinstance(found, str) else ""
