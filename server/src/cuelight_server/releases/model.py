"""What releases, approvals and checklists are."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cuelight_server.kernel.terms import ReleaseState, Role
from cuelight_server.kernel.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """A named person's yes, bound to the digest of exactly what was approved; times are RFC 3339."""

    id: str
    prompt: str
    number: int
    environment: str
    binding: str
    role: Role
    person: str
    note: str
    created_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One version's way into one environment. `previous` is what was live before; `checklist` is what was checked."""

    id: str
    prompt: str
    number: int
    environment: str
    previous: int | None
    binding: str
    checklist: Mapping[str, Any]
    state: ReleaseState
    actor: str
    note: str
    created_at: str
    ended_at: str | None = None
    ended_why: str | None = None

    @property
    def governed_by(self) -> int:
        """The revision of the workflow that this release was approved under."""
        return int(self.checklist["bound"]["revision_number"])


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a checklist; `who` names the people (or roles) who can provide what is missing."""

    id: str
    ok: bool
    words: str
    who: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The item as it goes over the wire."""
        return {"id": self.id, "ok": self.ok, "words": self.words, "who": list(self.who)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Checklist:
    """Everything that a release takes. `binding` is what approvals are bound to, None while there is no evidence."""

    prompt: str
    label: str
    environment: str
    items: tuple[Item, ...]
    binding: str | None = None
    bound: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether nothing is missing."""
        return all(item.ok for item in self.items)

    @property
    def missing(self) -> tuple[Item, ...]:
        """What stands in the way."""
        return tuple(item for item in self.items if not item.ok)

    def to_json(self) -> dict[str, Any]:
        """The checklist as it is stored with the release and goes over the wire."""
        return {
            "prompt": self.prompt,
            "label": self.label,
            "environment": self.environment,
            "ok": self.ok,
            "binding": self.binding,
            "items": [item.to_json() for item in self.items],
            "bound": dict(self.bound),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The newest report that counts: for exactly this content, suite and baseline, run by this server.

    `verdict` is its verdict, `evidence` the digest of the newest passing one (None while none passed). `stale` says what
    it was measured with that has changed since; empty while nothing has. `passed` of `runs` finished runs for exactly
    this passed.
    """

    evaluation: str
    verdict: Verdict
    recorded: bool
    evidence: str | None
    stale: str = ""
    passed: int = 1
    runs: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class KnowledgeFact:
    """One knowledge that the version names: its newest release, and what the report that counts was measured with.

    `number` is None where the desk has no such knowledge, `measured` where the report says nothing of it. Of `cases`
    that give it `as_released` give it word for word; `same` is whether the report's release is the newest.
    """

    name: str
    number: int | None
    measured: int | None = None
    same: bool = False
    cases: int = 0
    as_released: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedReview:
    """One signed blind review of exactly this content and report; `drawn` of its `cases` were chosen by the desk."""

    review: str
    person: str
    drawn: int
    cases: int
    unacceptable: tuple[str, ...]  # cases whose new output the reviewer could not live with


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewFact:
    """What the gate asks of one role, and the signed reviews there are.

    `elsewhere` counts signed reviews of another report or another question, which do not count; `waiting` are reviews
    of this report that nobody signed yet; `disagree` the cases of which not all reviewers say the same.
    """

    role: Role
    cases: int
    reviewers: int = 1
    unacceptable_max: int = 0
    signed: tuple[SignedReview, ...] = ()
    elsewhere: int = 0
    waiting: tuple[str, ...] = ()
    disagree: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamplesFact:
    """How many different examples of exactly this content were tried by hand, and how many the gate asks for."""

    asked: int
    tried: int
    by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything that `checklist.check` decides on; gathered inside one transaction.

    `required` are the roles whose yes is needed and `holders` maps each to the people who hold it now, as (id, name).
    `authors` maps whoever made the change to what they did, in words: their yes does not count. `approvals` are those
    for this binding. `suite_change` says how the suite differs from the one that what serves was released with. `lint`
    holds the errors that stand in the way now. `declared_only` names the rules in words that nothing enforces.
    `quarantined` is when and why this version was rolled back here before. `rollback_unread` is what the consumers that
    the version declares could not read after a rollback, `rollback_unsure` what of that cannot be told.
    """

    prompt: str
    label: str
    environment: str
    minted: bool
    authors: Mapping[str, str]
    local: bool
    demo: bool
    live: int | None
    number: int | None
    suite: str | None
    suite_change: str
    lint: tuple[str, ...]
    evidence: Evidence | None
    required: tuple[Role, ...]
    holders: Mapping[Role, tuple[tuple[str, str], ...]]
    approvals: tuple[Approval, ...]
    fallback: bool
    declared_only: tuple[str, ...]
    blocks_declared_only: bool
    quarantined: str | None
    binding: str | None
    bound: Mapping[str, Any]
    knowledge: tuple[KnowledgeFact, ...] = ()
    reviews: tuple[ReviewFact, ...] = ()
    examples: ExamplesFact | None = None
    rollback_unread: tuple[str, ...] = ()
    rollback_unsure: tuple[str, ...] = ()
    ownerless: tuple[str, ...] = ()  # owners that the tier asks for and that are not there, in words
    person_of: Mapping[str, str] = field(default_factory=dict)  # which accounts are one person

    def one(self, account: str) -> str:
        """The person behind an account."""
        return self.person_of.get(account, account)
