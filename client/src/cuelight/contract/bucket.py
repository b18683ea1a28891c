"""Bucketing `b1`: which place in 100,000 a key has, and which arm of ordered weights owns that place."""

from collections.abc import Iterable
from hashlib import sha256
from typing import TypeVar

ALGORITHM = "b1"
PLACES = 100_000

Arm = TypeVar("Arm")


def bucket(seed: str, key: str) -> int:
    """Place of `key` under `seed`, 0 to 99,999.

    `int(sha256("cue1" + u32(len(seed)) + seed + u32(len(key)) + key)[:8]) * 100000 >> 64`, lengths in bytes, big
    endian, text as UTF-8. Integers only, so every language gives the same place.
    """
    seed_bytes, key_bytes = seed.encode(), key.encode()
    hashed = sha256(
        b"cue1" + len(seed_bytes).to_bytes(4, "big") + seed_bytes + len(key_bytes).to_bytes(4, "big") + key_bytes
    ).digest()
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
