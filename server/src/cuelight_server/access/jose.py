"""Signed tokens of others: whose signature it is, by which algorithm, and the claims that it covers; pure."""

import json
import re
from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from cuelight_server.kernel.errors import Denied

# Asymmetric ones only: never `none`, never HS*, where the provider's public key would be the secret.
ALGORITHMS = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA", "Ed25519"),
)
MOST_BYTES = 16 * 1024
MOST_KEYS = 50
_LEAST_RSA_BITS, _MOST_RSA_BITS = 2048, 8192
_KINDS: Mapping[Any, Callable[[Any], RSAKey | ECKey | OKPKey]] = {
    "RSA": RSAKey.import_key,
    "EC": ECKey.import_key,
    "OKP": OKPKey.import_key,
}
_TOKEN = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
_NO_LOGIN = frozenset({"at+jwt", "logout+jwt", "secevent+jwt", "dpop+jwt"})  # tokens that are made for something else

Json = Mapping[str, Any]


class Unfit(Denied):
    """The token does not count; `reason` is one word for the log."""

    def __init__(self, reason: str, message: str, hint: str = "") -> None:
        """`message` says to a person what is wrong."""
        super().__init__(message, hint, reason=reason)

    @property
    def reason(self) -> str:
        """One word."""
        return str(self.details["reason"])


def unverified(token: str) -> tuple[Json, Json]:
    """Header and claims as they stand there, to find out whose key is needed; nothing in them is known to be true.

    Unfit for what is no signed token, is too large, or asks for an algorithm that does not count here.
    """
    if len(token) > MOST_BYTES:
        raise Unfit("size", "the token is too large")
    if not _TOKEN.fullmatch(token):
        raise Unfit("form", "this is no signed token")
    header, claims = (_json(part) for part in token.split(".")[:2])
    if not isinstance(header.get("alg"), str) or header["alg"] not in ALGORITHMS:
        raise Unfit("algorithm", "the token is not signed in a way that counts here")
    if not {"crit", "b64"}.isdisjoint(header):
        raise Unfit("header", "the token asks for something that is not done here")
    if str(header.get("typ", "")).lower().removeprefix("application/") in _NO_LOGIN:
        raise Unfit("type", "the token is made for something else")
    return header, claims


def has_key(keys: Sequence[Json], header: Json) -> bool:
    """Whether a key of that name is among the keys of an issuer."""
    return _chosen(keys, header) is not None


def verified(token: str, keys: Sequence[Json]) -> dict[str, Any]:
    """The claims, once the signature is right by the one key of the issuer that the token names. Unfit otherwise."""
    header, _ = unverified(token)
    found = _chosen(keys, header)
    if found is None:
        raise Unfit("key", "the token is signed with a key that its issuer does not have")
    if found.get("alg") not in (None, header["alg"]):
        raise Unfit("algorithm", "the token is not signed in the way for which its key is made")
    try:
        key = _KINDS[found["kty"]](_public(found))
        if isinstance(key, RSAKey) and not _LEAST_RSA_BITS <= key.public_key.key_size <= _MOST_RSA_BITS:
            raise Unfit("key", "the issuer's key is too weak")
        registry = jws.JWSRegistry(algorithms=[header["alg"]], strict_check_header=False)
        return dict(jwt.decode(token, key, registry=registry).claims)
    except (JoseError, ValueError, TypeError, LookupError, RecursionError) as bad:
        raise Unfit("signature", "the signature of the token is not its issuer's") from bad


def _chosen(keys: Sequence[Json], header: Json) -> Json | None:
    """The key that the header names; without a name only one that is alone."""
    good = [one for one in keys[:MOST_KEYS] if str(one.get("kty")) in _KINDS and one.get("use") in (None, "sig")]
    if "kid" in header:
        named = [one for one in good if one.get("kid") == header["kid"]]
        return named[0] if len(named) == 1 else None
    return good[0] if len(good) == 1 else None


def _public(key: Json) -> dict[str, Any]:
    """The public part: an issuer that shows its private key by mistake is still only verified with the public one."""
    return {name: key[name] for name in ("kty", "n", "e", "crv", "x", "y") if name in key}


def _json(part: str) -> dict[str, Any]:
    try:
        found = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, RecursionError) as bad:
        raise Unfit("form", "this is no signed token") from bad
    if not isinstance(found, dict):
        raise Unfit("form", "this is no signed token")
    return found
