"""What a verified token has to say before it counts: for whom, by whom, when; pure."""

import hmac
import math
import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256, sha384, sha512
from typing import Any

from cuelight_server.access.jose import Unfit

SKEW = timedelta(seconds=60)  # how far the clocks of an issuer and ours may be apart
LONGEST = timedelta(hours=24)  # a token that lasts longer is none for coming in
MOST = 255  # characters of an issuer, audience or subject
_HASHES = {"256": sha256, "384": sha384, "512": sha512}
_CLEAN = re.compile(r"[\x21-\x7e]{1,255}")

Claims = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a token has to say; `nonce` and `access_token` where it answers a sign-in."""

    issuer: str
    audience: str
    now: datetime
    nonce: str | None = None
    access_token: str | None = None
    algorithm: str = ""


def check(claims: Claims, wanted: Wanted) -> None:
    """Unfit where the token is somebody else's, for somebody else, too old, not yet good, or of another sign-in."""
    if claims.get("iss") != wanted.issuer:
        raise Unfit("issuer", "the token comes from another issuer")
    _check_audience(claims, wanted.audience)
    check_times(claims, wanted.now)
    if wanted.nonce is not None:
        sent = claims.get("nonce")
        if not isinstance(sent, str) or not hmac.compare_digest(sent.encode(errors="replace"), wanted.nonce.encode()):
            raise Unfit("nonce", "the token belongs to another sign-in")
    if wanted.access_token is not None and "at_hash" in claims:
        _check_at_hash(claims["at_hash"], wanted.access_token, wanted.algorithm)


def check_times(claims: Claims, now: datetime) -> datetime:
    """When the token ends; Unfit where it ended, has no end, lasts too long, or was made in the time to come."""
    ends, made = _time(claims, "exp"), _time(claims, "iat")
    at, skew = now.timestamp(), SKEW.total_seconds()
    if at >= ends + skew:
        raise Unfit("expired", "the token has expired", "begin again; if it happens again, compare the clocks")
    if made > at + skew:
        raise Unfit("too_early", "the token was made in the future", "compare the clocks of both servers")
    if "nbf" in claims and _time(claims, "nbf") > at + skew:
        raise Unfit("too_early", "the token is not good yet", "compare the clocks of both servers")
    if ends - made > LONGEST.total_seconds() or made > ends:
        raise Unfit("lifetime", "the token lasts too long to come in with")
    return now + timedelta(seconds=ends - at)


def subject_of(claims: Claims) -> str:
    """Who it is about, at the issuer: printable ASCII, as OpenID Connect asks for. Unfit where it says nobody."""
    found = claims.get("sub")
    if not isinstance(found, str) or not _CLEAN.fullmatch(found):
        raise Unfit("subject", "the token does not say whose it is")
    return found


def _check_audience(claims: Claims, audience: str) -> None:
    given = claims.get("aud")
    several = [given] if isinstance(given, str) else given
    if not isinstance(several, list) or not all(isinstance(one, str) for one in several) or audience not in several:
        raise Unfit("audience", "the token is meant for somebody else")
    if len(several) > 1 and "azp" not in claims:
        raise Unfit("audience", "the token is meant for several and does not say who asked for it")
    if claims.get("azp", audience) != audience:
        raise Unfit("audience", "somebody else asked for the token")


def _check_at_hash(sent: Any, access_token: str, algorithm: str) -> None:
    """OpenID Connect Core 3.1.3.6: the left half of the access token's hash. Ed25519 goes with SHA-512."""
    made = _HASHES.get(algorithm[-3:], sha512)(access_token.encode(errors="replace")).digest()
    wanted = urlsafe_b64encode(made[: len(made) // 2]).rstrip(b"=").decode()
    if not isinstance(sent, str) or not hmac.compare_digest(sent.encode(errors="replace"), wanted.encode()):
        raise Unfit("at_hash", "the token and the access that came with it do not belong together")


def _time(claims: Claims, name: str) -> float:
    found = claims.get(name)
    if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found):
        raise Unfit("time", f"the token does not say its {name}")
    if not 0 <= found <= 253402300799:  # the year 9999
        raise Unfit("time", f"the token's {name} is no time")
    return float(found)
