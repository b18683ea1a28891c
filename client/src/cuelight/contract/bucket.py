"""Bucketing `b1`: which place in 100,000 a key has, and which arm of ordered weights owns that place."""

from collections.abc import Iterable
from hashlib import sha256
from typing import TypeVar

from cuelight.contract.errors import Invalid

ALGORITHM = "b1"
PLACES = 100_000

Arm = TypeVar("Arm")


def bucket(seed: str, key: str) -> int:
    """Place of `key` under `seed`, 0 to 99,999.

    `int(sha256("cue1" + u32(len(seed)) + seed + u32(len(key)) + key)[:8]) * 100000 >> 64`, lengths in bytes, big
    endian, text as UTF-8. Integers only, so every language gives the same place.
    """
    return place(head(seed), key)


def head(seed: str) -> bytes:
    """What is hashed before the key: the same for every key of one rollout."""
    seed_bytes = seed.encode()
    return b"cue1" + len(seed_bytes).to_bytes(4, "big") + seed_bytes


def place(seed_head: bytes, key: str) -> int:
    """The same as `bucket`, for a seed whose head is already made; Invalid where the key is no whole text."""
    try:
        key_bytes = key.encode()
    except (AttributeError, UnicodeEncodeError) as bad:
        raise Invalid("a bucketing key is text in Unicode", "pass the id of a conversation, user or tenant") from bad
    hashed = sha256(seed_head + len(key_bytes).to_bytes(4, "big") + key_bytes).digest()
    return int.from_bytes(hashed[:8], "big") * PLACES >> 64


def choose(weights: Iterable[tuple[Arm, int]], place: int) -> Arm | None:
    """The arm that owns `place` among ordered (arm, weight of 100,000) pairs; None where the weights end before it.

    The candidate stands first: growing its weight never takes a place from it, shrinking is last in, first out.
    """
    edge = 0
    for arm, weight in weights:
        edge += weight
        if place < edge:
            return arm
    return None
