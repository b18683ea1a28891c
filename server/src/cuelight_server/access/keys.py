"""What a key looks like, and how a secret is compared: pure."""

import hmac
import re
from dataclasses import dataclass
from hashlib import sha256
from zlib import crc32

from cuelight_server.kernel.terms import ActorKind, Environment

ALL = "all"  # where a key belongs to no environment, as those of people do
_SHAPE = re.compile(rf"cue_({'|'.join(Environment)}|{ALL})_([0-9a-f]{{16}})_([0-9a-f]{{64}})_([0-9a-f]{{8}})")
_NOBODY = sha256(b"nobody").hexdigest()  # what an unknown id is compared with, so that it costs the same

# How long a key lasts where nobody says: an app's key does not end by itself, for nobody may be there to renew it.
LASTS_DAYS = {ActorKind.PERSON: 90, ActorKind.SERVICE: 90, ActorKind.AGENT: 90, ActorKind.APP: None}
MOST_DAYS = 366


@dataclass(frozen=True, slots=True)
class Key:
    """The parts of a key; `repr` never shows the secret."""

    environment: Environment | None
    id: str
    secret: str

    def __repr__(self) -> str:
        return f"Key(environment={self._place!r}, id={self.id!r})"

    @property
    def text(self) -> str:
        """`cue_<environment or all>_<id>_<secret>_<crc>`, as it is shown once to who it is for."""
        plain = f"cue_{self._place}_{self.id}_{self.secret}"
        return f"{plain}_{_check(plain)}"

    @property
    def _place(self) -> str:
        return self.environment.value if self.environment else ALL


def parse(text: str) -> Key | None:
    """The parts of a key, or None when it is none: the last eight characters are the CRC-32 of all before them.

    A typing error and a key that was cut are found here, before any look into the database; so does a scanner of
    repositories tell a key from a text that only looks like one.
    """
    found = _SHAPE.fullmatch(text)
    if found is None or found[4] != _check(text.rpartition("_")[0]):
        return None
    return Key(None if found[1] == ALL else Environment(found[1]), found[2], found[3])


def secret_hash(secret: str) -> str:
    """SHA-256 in hex: a fast hash is right for 256 random bits."""
    return sha256(secret.encode()).hexdigest()


def matches(stored_hash: str | None, secret: str) -> bool:
    """Whether the secret is the one; equal work when nothing is stored (None), and then False."""
    same = hmac.compare_digest(stored_hash or _NOBODY, secret_hash(secret))
    return same and stored_hash is not None


def _check(plain: str) -> str:
    return f"{crc32(plain.encode()):08x}"
