"""The port: one checkpoint out, or a reason why not; and a fake that keeps what it was given, or refuses."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Protocol

from cuelight_server.kernel.errors import Unavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One checkpoint as it goes out: `checkpoint` is the signed note, `root` hex."""

    origin: str
    size: int
    root: str
    issued_at: str
    checkpoint: str

    @property
    def line(self) -> str:
        """One line of JSON, with its line end."""
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True) + "\n"


class Sink(Protocol):
    """A place for checkpoints."""

    def deliver(self, sent: Sent, now: datetime) -> None:
        """Put it there, for good; Unavailable, without any secret in its words, where that failed. May come twice."""


class Kept:
    """The fake: a list in memory that can be told to refuse."""

    def __init__(self) -> None:
        """Take everything, until told otherwise."""
        self.sent: list[Sent] = []
        self.refuse = ""

    def deliver(self, sent: Sent, now: datetime) -> None:  # noqa: ARG002  the port's signature
        """Keep it."""
        if self.refuse:
            raise Unavailable(self.refuse)
        self.sent.append(sent)
