"""What the pages know of the house they stand in: its address, how passwords are kept, how long one stays."""

from dataclasses import dataclass, field

from cuelight_server.access.model import SessionRules
from cuelight_server.access.passwords import Passwords
from cuelight_server.control.oidc import SingleSignOn

SIGN_IN_AT = "/signin/oidc"


@dataclass(frozen=True, slots=True)
class Other:
    """Another way to sign in, as a button on the sign-in page."""

    words: str
    address: str


def at_provider(sso: SingleSignOn) -> Other:
    """The way in by the organisation's own provider."""
    return Other(f"Sign in with {sso.provider.name}", SIGN_IN_AT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """`host` is where the server listens, `public_url` where people find it; one with https makes cookies https only."""

    passwords: Passwords
    host: str = ""
    public_url: str = ""
    rules: SessionRules = field(default_factory=SessionRules)
    others: tuple[Other, ...] = ()
    sso: SingleSignOn | None = None  # the organisation's own provider, where it has one
