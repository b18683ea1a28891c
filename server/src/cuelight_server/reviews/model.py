"""What a blind review is made of: the cases drawn, what a reviewer answered, and what was signed."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from cuelight_server.kernel.terms import Role

QUESTION = "Can you live with it?"  # where nobody declared another


class Better(StrEnum):
    """What a reviewer says of two outputs, A and B; of a single one, `both` is fine and `neither` is not acceptable."""

    A = "a"
    B = "b"
    BOTH = "both"
    NEITHER = "neither"


class Live(StrEnum):
    """The answer to the one question: yes for both outputs, for one of them, or for none."""

    BOTH = "both"
    A = "a"
    B = "b"
    NONE = "none"


class Why(StrEnum):
    """Why a case was chosen, in the order in which they are drawn."""

    NAMED = "named"  # by whoever asked; on top of the draw, and never counted as part of it
    NEWLY_FAILING = "newly_failing"
    CHANGED = "changed"
    DRAWN = "drawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A case that could be drawn: how it went against the baseline, and how many outputs each version has of it."""

    id: str
    newly_failing: bool = False
    changed: bool = False
    samples: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """One case of a review, and which of its outputs is shown."""

    case: str
    sample: int
    why: Why


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A review that was asked for, bound to one report; `baseline_digest` None: there is only one output to read.

    `seed` decides who sees which output as A. It never leaves the desk before a reviewer has signed.
    """

    id: str
    evaluation: str
    prompt: str
    label: str
    content_digest: str
    baseline_digest: str | None
    suite_digest: str
    evidence_digest: str
    role: Role
    question: str
    cases: tuple[Chosen, ...]
    seed: str
    actor: str
    created_at: str

    @property
    def paired(self) -> bool:
        """Whether there are two outputs to choose from."""
        return self.baseline_digest is not None and self.baseline_digest != self.content_digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one reviewer did with one case: opened it, and perhaps answered it."""

    case: str
    opened_at: str
    better: Better | None = None
    live: Live | None = None
    note: str = ""
    answered_at: str | None = None

    @property
    def answered(self) -> bool:
        """Whether there is an answer."""
        return self.better is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """One reviewer's answers, signed: `document` is canonical JSON, and its digest stands in the log."""

    review: str
    person: str
    document: Mapping[str, Any]
    signed_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """An answer with the letters taken off: what is said of the candidate and of the baseline."""

    case: str
    prefers: str  # candidate, baseline, both, neither
    candidate_ok: bool
    baseline_ok: bool | None  # None: there was none
    note: str = ""
