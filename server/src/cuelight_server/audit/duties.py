"""What each of the five owners answers for: the duties behind the rights of the catalogue; pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from cuelight_server.audit.verbs import CATALOGUE, Verb
from cuelight_server.kernel.terms import Role


@dataclass(frozen=True, slots=True)
class Duty:
    """One line of what the role answers for, and the rights that it needs for it beyond those of every role."""

    duty: str
    rights: tuple[Verb, ...]


def _rights(role: Role) -> tuple[Verb, ...]:
    return tuple(verb for verb, rule in CATALOGUE.items() if role in rule.roles)


_WORDS = {
    Role.WORKFLOW_OWNER: "Answers for the goal, for what is acceptable, and for who else is named.",
    Role.DOMAIN_EXPERT: "Answers for what is said: wording, claims, and the cases that show it is right.",
    Role.ENGINEERING_OWNER: "Answers for structure, integration, release and the way back.",
    Role.RISK_OWNER: "Answers for boundaries: consent, claims, what must never happen.",
    Role.SUPPORT_OWNER: "Answers first when something goes wrong: takes it back, gathers what people report.",
}
DUTIES: Mapping[Role, Duty] = MappingProxyType({role: Duty(words, _rights(role)) for role, words in _WORDS.items()})
