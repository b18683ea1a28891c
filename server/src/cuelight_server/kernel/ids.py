"""Names that are made, not chosen: ids that sort by time, and secrets that nobody can guess."""

import secrets
from collections.abc import Callable
from datetime import datetime

from cuelight_server.kernel.clock import Clock

NewId = Callable[[str], str]  # prefix -> a fresh id

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: text order is number order
_TIME_CHARS, _RANDOM_CHARS, _RANDOM_BYTES = 10, 16, 10
_TOKEN_ID_BYTES, _SECRET_BYTES = 8, 32


def id_at(prefix: str, at: datetime, entropy: bytes) -> str:
    """`<prefix>_` and 26 characters: 48 bits of milliseconds, then 80 bits of entropy (the layout of a ULID).

    `entropy` is 10 bytes. With a prefix of up to five letters the id fits 32 characters.
    """
    milliseconds = int(at.timestamp() * 1000)
    return f"{prefix}_{_base32(milliseconds, _TIME_CHARS)}{_base32(int.from_bytes(entropy), _RANDOM_CHARS)}"


def minter(clock: Clock) -> NewId:
    """A function from prefix to fresh id, for the given clock."""

    def new_id(prefix: str) -> str:
        return id_at(prefix, clock(), secrets.token_bytes(_RANDOM_BYTES))

    return new_id


def token_id() -> str:
    """The public half of a key, and of a one-time link: 16 hex characters."""
    return secrets.token_hex(_TOKEN_ID_BYTES)


def token_secret() -> str:
    """The secret half of a key, and of a link or session: 256 bits, 64 hex characters."""
    return secrets.token_hex(_SECRET_BYTES)


def nonce() -> bytes:
    """A number that is used once: 96 random bits."""
    return secrets.token_bytes(12)


def sealing_key() -> bytes:
    """A key for AES-256: 32 random bytes."""
    return secrets.token_bytes(32)


def salt() -> str:
    """What keeps a digest from being guessed: 256 bits, 64 hex characters."""
    return secrets.token_hex(_SECRET_BYTES)


def signing_seed() -> bytes:
    """The seed of an Ed25519 key: 256 bits."""
    return secrets.token_bytes(_SECRET_BYTES)


def origin() -> str:
    """A name for a new log that no other has: what its checkpoints begin with."""
    return f"cuelight.desk/{secrets.token_hex(_TOKEN_ID_BYTES)}"


def worker_id() -> str:
    """What tells one worker from another while both run: 64 bits, 16 hex characters."""
    return secrets.token_hex(_TOKEN_ID_BYTES)


def epoch() -> str:
    """What tells one desk from another, and a restored desk from the one before: 128 bits, 32 hex characters."""
    return secrets.token_hex(16)


def _base32(number: int, width: int) -> str:
    return "".join(_ALPHABET[(number >> shift) & 31] for shift in range(5 * (width - 1), -1, -5))
