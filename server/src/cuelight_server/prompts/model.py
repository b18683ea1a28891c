"""Workflows, prompts, their versions and drafts, and what stands beside them, as they are kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Document = Mapping[str, Any]
RecordingKey = tuple[str, str, int]  # content digest, case id, sample from 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflow:
    """A workflow at one revision; `digest` is that of {"document", "authority"}, which an approval is bound to."""

    name: str
    revision: int
    digest: str
    document: Document
    authority: Document
    actor: str
    created_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A prompt by its full name, `sales.lead_qualification`."""

    name: str
    workflow: str
    created_at: str
    retired_at: str | None = None

    @property
    def short(self) -> str:
        """`lead_qualification`."""
        return self.name.partition(".")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """Content with a number, which never changes; `content` is `Content.to_json()`."""

    prompt: str
    number: int
    digest: str
    content: Document
    author: str
    release_note: str
    created_at: str
    text: str = ""  # the content in canonical form, where somebody has it ready

    @property
    def label(self) -> str:
        """`v2`."""
        return f"v{self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """Content that is no version yet: it can be tried and evaluated, and is never served."""

    prompt: str
    label: str
    digest: str
    content: Document
    author: str
    updated_at: str
    text: str = ""  # the content in canonical form, where somebody has it ready


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbered:
    """A suite, knowledge or prices at one number: a change gets the next one. Prices have no name."""

    workflow: str
    name: str
    number: int
    digest: str
    document: Document
    actor: str
    created_at: str
    text: str = ""  # the document in canonical form, where somebody has it ready


@dataclass(frozen=True, slots=True, kw_only=True)
class RetiredModel:
    """A model that is no longer offered: who said so, when, and why."""

    model: str
    actor: str
    why: str
    created_at: str


class Severity(StrEnum):
    """What a finding means: an error stands in the way of minting, a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that lint found. `document` is `workflow`, `authority`, `suites/x` or `prompts/x/v1`; `path` steps in.

    `concerns` is the document in whose way it stands, where that is another one.
    """

    code: str
    severity: Severity
    message: str
    hint: str
    document: str
    path: tuple[str | int, ...] = ()
    concerns: str = ""

    @property
    def about(self) -> str:
        """The document in whose way it stands, which need not be the one to correct."""
        return self.concerns or self.document

    def to_json(self) -> dict[str, Any]:
        """As it goes over the wire."""
        return {
            "code": self.code,
            "severity": self.severity.value,
            "message": self.message,
            "hint": self.hint,
            "document": self.document,
            "path": list(self.path),
        }


class Enforcement(StrEnum):
    """Whether anything holds a rule that a file states."""

    ENFORCED = "enforced"
    NOT_YET = "not yet enforced"
    DECLARED_ONLY = "declared only"


@dataclass(frozen=True, slots=True)
class RuleState:
    """One rule of a file, and the code that enforces it; `by` is empty where none does."""

    where: str
    rule: str
    state: Enforcement
    by: str = ""

    def to_json(self) -> dict[str, str]:
        """As it goes over the wire."""
        return {"where": self.where, "rule": self.rule, "state": self.state.value, "by": self.by}


@dataclass(frozen=True, slots=True)
class Tampered:
    """A version that is not what was minted; `label` is `v2`."""

    prompt: str
    label: str
    message: str
