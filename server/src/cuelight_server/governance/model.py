"""What proposals to change what governs a workflow are, and who belongs to it without owning it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from cuelight_server.kernel.terms import Held, Member, Role

AUDITOR = "auditor"  # may look at every workflow; kept with EVERYWHERE as the workflow
EVERYWHERE = "*"
ADMINISTRATOR = "administrator"  # stands in for roles that nobody but the author could fill
RECEIVER = "receiver"  # whoever a role is handed over to


class State(StrEnum):
    """Where a proposal stands; only an open one moves."""

    OPEN = "open"
    IN_FORCE = "in_force"
    WITHDRAWN = "withdrawn"
    DECLINED = "declined"
    REPLACED = "replaced"


class Kind(StrEnum):
    """What sort of proposal: by a push, by handing a role over, or to go back to what was before."""

    CHANGE = "change"
    HANDOVER = "handover"
    UNDO = "undo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A change of what governs a workflow. Times are RFC 3339.

    `document` holds {"governed", "people", "authority"} as they would be; `base` is the digest of what governed when
    it was made and `binding` what each yes is bound to. `receiver` is set where a role is handed over.
    """

    id: str
    workflow: str
    kind: Kind
    base: str
    base_revision: int
    binding: str
    document: Mapping[str, Any]
    author: str
    note: str
    created_at: str
    receiver: str | None = None
    state: State = State.OPEN
    ended_at: str | None = None
    ended_by: str | None = None
    ended_why: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """A yes to a proposal; `role` is an owner's role, ADMINISTRATOR or RECEIVER."""

    id: str
    proposal: str
    role: str
    person: str
    note: str
    created_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """A place in a workflow that is no ownership: a reader, a member, or a machine with a role; or an auditor's."""

    workflow: str
    account: str
    role: str
    granted_by: str
    granted_at: str

    @property
    def held(self) -> Held | None:
        """The role as the catalogue knows it; None for an auditor."""
        known: dict[str, Held] = {one.value: one for one in (*Role, *Member)}
        return known.get(self.role)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything that a yes, and putting a proposal into force, is decided on; gathered in one transaction.

    `required` are the roles that the old rules ask for, `holders` maps each to those who hold it now and are not
    disabled; `admins` are administrators who are not. `person_of` tells which accounts are one person.
    """

    proposal: Proposal
    now: str  # the digest of what governs at this moment
    required: tuple[Role, ...]
    holders: Mapping[Role, tuple[str, ...]]
    admins: tuple[str, ...]
    given: tuple[Consent, ...]
    person_of: Mapping[str, str]

    def one(self, account: str) -> str:
        """The person behind an account."""
        return self.person_of.get(account, account)


@dataclass(frozen=True, slots=True)
class Need:
    """One yes that a proposal takes: whose, who gave it, and who could."""

    role: str
    given_by: str | None
    could: tuple[str, ...]
