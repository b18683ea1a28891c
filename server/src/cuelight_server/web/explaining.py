"""The page that explains a right: who, what, on what, and every reason for the answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from cuelight_server.audit.permissions import phrase
from cuelight_server.audit.verbs import Verb
from cuelight_server.control.desk import Desk
from cuelight_server.control.explaining import Explained, explain
from cuelight_server.kernel.actor import Actor
from cuelight_server.kernel.errors import Invalid, NotFound

_USUAL = Verb.RELEASE_APPROVE
QUESTIONS: Mapping[str, str] = MappingProxyType(
    {
        "account": "Whether they are here",
        "sight": "What they can see",
        "kind": "What kind of account it is",
        "scope": "What the key may do",
        "role": "What they are responsible for",
        "tier": "Whose yes is asked for",
        "separation": "Whether they had a part in the change",
        "process": "In which role they would answer",
    }
)


@dataclass(frozen=True, slots=True)
class Choice:
    """One verb that can be asked about."""

    value: str
    words: str


@dataclass(frozen=True, slots=True)
class AccessPage:
    """The question, and the answer where one was asked."""

    title: str
    person: str
    who: str
    verb: str
    subject: str
    verbs: tuple[Choice, ...]
    answer: Explained | None
    problem: str
    questions: Mapping[str, str]
    template: str = "explaining/explaining.html"


def page(desk: Desk, person: Actor, asked: Mapping[str, str]) -> AccessPage:
    """The answer to what was asked; without a question the empty form. What is not there for them is said so."""
    who, verb, subject = (asked.get(name, "")[:210] for name in ("who", "verb", "subject"))
    answer, problem = None, ""
    if who and verb:
        try:
            answer = explain(desk, person, who, verb, subject)
        except (NotFound, Invalid) as refused:
            problem = f"{refused.message[:1].upper()}{refused.message[1:]}. {refused.hint}"
    return AccessPage(
        title="Who may do what",
        person=person.name,
        who=who or person.id,
        verb=verb or _USUAL.value,
        subject=subject,
        verbs=tuple(Choice(one.value, phrase(one).capitalize()) for one in Verb),
        answer=answer,
        problem=problem,
        questions=QUESTIONS,
    )
