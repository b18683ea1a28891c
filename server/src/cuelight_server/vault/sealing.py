"""Sealing a secret for one place: AES-256-GCM with the place as associated data, so that it opens nowhere else."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from cuelight_server.kernel.errors import Invalid, Unavailable

KEY_BYTES, NONCE_BYTES = 32, 12  # NIST SP 800-38D: a nonce of 96 bits
MOST_KEYS = 16
_FORMAT = "1"


@dataclass(frozen=True, slots=True)
class SealingKeys:
    """The keys of this desk by id; new secrets are sealed under `current`, older keys only open."""

    current: str
    keys: Mapping[str, bytes] = field(repr=False)


def read_keys(text: str) -> SealingKeys:
    """Keys as base64, the current one first, separated by white space or commas. Invalid for anything else."""
    made: dict[str, bytes] = {}
    for word in text.replace(",", " ").split():
        key = _decoded(word)
        if key is None or len(key) != KEY_BYTES:
            raise Invalid(
                "a sealing key is not 32 bytes in base64", "make one with: cuelight-server providers new-sealing-key"
            )
        made.setdefault(key_id(key), key)
    if not made or len(made) > MOST_KEYS:
        raise Invalid(f"there are {len(made)} sealing keys", f"give 1 to {MOST_KEYS}, the current one first")
    return SealingKeys(next(iter(made)), made)


def key_text(key: bytes) -> str:
    """A key as it stands in a file or a setting."""
    return base64.b64encode(key).decode()


def key_id(key: bytes) -> str:
    """Eight hex digits that tell one key from another and nothing of it."""
    return sha256(b"cuelight sealing key" + key).hexdigest()[:8]


def seal(keys: SealingKeys, place: str, secret: str, nonce: bytes) -> str:
    """`1.<key id>.<base64 of nonce and ciphertext>`; the nonce is 12 random bytes, never used twice."""
    sealed = AESGCM(keys.keys[keys.current]).encrypt(nonce, secret.encode(), place.encode())
    return f"{_FORMAT}.{keys.current}.{base64.b64encode(nonce + sealed).decode()}"


def unseal(keys: SealingKeys, place: str, sealed: str) -> str:
    """The secret. Unavailable where its key is not here, or where it is not what was sealed for this place."""
    version, _, rest = sealed.partition(".")
    id, _, body = rest.partition(".")
    if version != _FORMAT or id not in keys.keys:
        raise Unavailable(
            f"the key of {place} was sealed under a sealing key that is not here",
            "bring the sealing key back (CUELIGHT_SEALING_KEYS or the file), or set the provider's key again",
        )
    raw = _decoded(body)
    try:
        return (
            AESGCM(keys.keys[id])
            .decrypt((raw or b"")[:NONCE_BYTES], (raw or b"")[NONCE_BYTES:], place.encode())
            .decode()
        )
    except (InvalidTag, ValueError) as bad:
        raise Unavailable(
            f"the stored key of {place} is not what was sealed", "set it again, and run `cuelight-server verify`"
        ) from bad


def is_current(keys: SealingKeys, sealed: str) -> bool:
    """Whether it is sealed under the current key."""
    return sealed.split(".")[:2] == [_FORMAT, keys.current]


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
