"""What a token looks like, and how a secret is compared: pure."""

import hmac
import re
from dataclasses import dataclass
from hashlib import sha256

from cuelight_server.kernel.terms import ActorKind

_SHAPE = re.compile(r"cue_(person|app)_([0-9a-f]{16})_([0-9a-f]{64})")
_NOBODY = sha256(b"nobody").hexdigest()  # what an unknown id is compared with, so that it costs the same


@dataclass(frozen=True, slots=True)
class Key:
    """The three parts of a token; `repr` never shows the secret."""

    kind: ActorKind
    id: str
    secret: str

    def __repr__(self) -> str:
        return f"Key(kind={self.kind.value!r}, id={self.id!r})"

    @property
    def text(self) -> str:
        """`cue_<kind>_<id>_<secret>`, as it is shown once to who it is for."""
        return f"cue_{self.kind.value}_{self.id}_{self.secret}"


def parse(text: str) -> Key | None:
    """The parts of a token, or None when it is none."""
    found = _SHAPE.fullmatch(text)
    return Key(ActorKind(found[1]), found[2], found[3]) if found else None


def secret_hash(secret: str) -> str:
    """SHA-256 in hex: a fast hash is right for 256 random bits."""
    return sha256(secret.encode()).hexdigest()


def matches(stored_hash: str | None, secret: str) -> bool:
    """Whether the secret is the one; equal work when nothing is stored (None), and then False."""
    same = hmac.compare_digest(stored_hash or _NOBODY, secret_hash(secret))
    return same and stored_hash is not None
