"""The words of the desk that have a fixed set of values, mildest first where they have an order."""

from enum import StrEnum

# Keys of a model call that settings.extra may not set: they are ours, pinned and reviewed.
OURS = frozenset({"model", "messages", "tools", "stream", "n"})


class _Ordered(StrEnum):
    """Values that compare by their place in the list, mildest first: `max(tier_level, class_level)`."""

    @property
    def rank(self) -> int:
        """The place in the list, from 0."""
        return list(type(self)).index(self)

    def __lt__(self, other: str) -> bool:
        return self.rank < type(self)(other).rank

    def __le__(self, other: str) -> bool:
        return self.rank <= type(self)(other).rank

    def __gt__(self, other: str) -> bool:
        return self.rank > type(self)(other).rank

    def __ge__(self, other: str) -> bool:
        return self.rank >= type(self)(other).rank


class Tier(_Ordered):
    """How much can go wrong in a workflow."""

    LOW = "low"
    STANDARD = "standard"
    ELEVATED = "elevated"
    HIGH = "high"
    REGULATED = "regulated"


class Level(_Ordered):
    """How much ceremony a release needs."""

    DIRECT = "direct"
    STAGING = "staging"
    LIMITED = "limited"
    GATED = "gated"
    EMERGENCY = "emergency"


class ChangeClass(_Ordered):
    """What kind of change a diff is; the strongest part decides."""

    WORDING = "wording"
    INSTRUCTIONS = "instructions"
    SETTINGS_OR_MODEL = "settings_or_model"
    CONTEXT = "context"
    OUTPUT_CONTRACT = "output_contract"
    BOUNDARY = "boundary"


class Role(StrEnum):
    """The five owners of a workflow."""

    WORKFLOW_OWNER = "workflow_owner"
    DOMAIN_EXPERT = "domain_expert"
    ENGINEERING_OWNER = "engineering_owner"
    RISK_OWNER = "risk_owner"
    SUPPORT_OWNER = "support_owner"


class Member(StrEnum):
    """Who belongs to a workflow without owning it: a reader looks, a member also drafts and evaluates."""

    READER = "reader"
    MEMBER = "member"


Held = Role | Member  # what somebody may hold in a workflow


class Environment(StrEnum):
    """Where prompts are served; keys, calls and metrics never cross."""

    DEVELOPMENT = "development"
    STAGING = "staging"
    PRODUCTION = "production"


class ReleaseState(StrEnum):
    """Where a release stands."""

    LIVE = "live"
    SUPERSEDED = "superseded"
    ROLLED_BACK = "rolled_back"


class EvaluationState(StrEnum):
    """Where an evaluation stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    ERROR = "error"


class Mode(StrEnum):
    """What an AI may do with one action; an action without a mode is `never`."""

    MAY_SUGGEST = "may_suggest"
    MAY_PREPARE = "may_prepare"
    MAY_EXECUTE = "may_execute"
    NEEDS_HUMAN_APPROVAL = "needs_human_approval"
    NEVER = "never"


class ActorKind(StrEnum):
    """Who acts: a person, an app with a key, the desk itself, a machine that works for people, an AI that drafts."""

    PERSON = "person"
    APP = "app"
    SYSTEM = "system"
    SERVICE = "service"
    AGENT = "agent"
