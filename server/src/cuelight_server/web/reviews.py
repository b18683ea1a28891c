"""The pages of blind reviews: what waits for one's eyes, case by case, signing, and what comes to light then."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from cuelight_server.audit.declared import declares
from cuelight_server.audit.verbs import Verb
from cuelight_server.control import reviews
from cuelight_server.control.desk import Desk
from cuelight_server.control.reviews import Output
from cuelight_server.control.sessions import Visit
from cuelight_server.kernel.clock import parse
from cuelight_server.kernel.errors import CuelightError, NotFound
from cuelight_server.views import reviews as view
from cuelight_server.views.reviews import ReviewLine
from cuelight_server.views.sight import sight_of
from cuelight_server.web.doors import Doors
from cuelight_server.web.forms import Form
from cuelight_server.web.frame import STATUS, form, sentence, signed_in
from cuelight_server.web.revealed import RevealedPage, calls, inputs, pretty, revealed
from cuelight_server.web.words import ago


@dataclass(frozen=True, slots=True)
class Row:
    """One review in the list."""

    id: str
    state: str
    word: str
    prompt: str
    words: str
    when: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPage:
    """The reviews that are there for whoever looks: what waits for them first."""

    person: str
    waiting: tuple[Row, ...]
    others: tuple[Row, ...]
    title: str = "Reviews"
    template: str = "reviews/list.html"


@dataclass(frozen=True, slots=True)
class Dot:
    """One case in the row of numbers."""

    number: int
    state: str
    word: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StartPage:
    """A review that one is to read: how far one is, and signing."""

    person: str
    id: str
    prompt: str
    question: str
    role: str
    of: int
    answered: int
    next: int
    dots: tuple[Dot, ...]
    paired: bool
    problem: str = ""
    status: int = 200
    title: str = "Review"
    template: str = "reviews/start.html"


@dataclass(frozen=True, slots=True)
class Shown:
    """One output on the page, under its letter."""

    letter: str
    text: str
    calls: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CasePage:
    """One case, blind."""

    person: str
    id: str
    number: int
    of: int
    question: str
    input: tuple[tuple[str, str], ...]
    outputs: tuple[Shown, ...]
    better: str
    live: str
    note: str
    signed: bool
    dots: tuple[Dot, ...]
    problem: str = ""
    status: int = 200
    title: str = "Review"
    template: str = "reviews/case.html"


def routes(desk: Desk, doors: Doors) -> list[BaseRoute]:
    """The pages and their forms."""
    look, answers, signs = declares(Verb.DESK_READ), declares(Verb.REVIEW_ANSWER), declares(Verb.REVIEW_SIGN)

    def shown(page: Callable[[Visit, Request], Any]) -> Any:
        return signed_in(desk, doors, page)

    def again(visit: Visit, _: CuelightError) -> ListPage:
        return listing(desk, visit)

    return [
        Route("/reviews", look(shown(lambda visit, _: listing(desk, visit))), methods=["GET"]),
        Route("/reviews/{id}", look(shown(lambda visit, request: one(desk, visit, _id(request)))), methods=["GET"]),
        Route("/reviews/{id}/sign", signs(form(desk, doors, partial(_sign, desk), again)), methods=["POST"]),
        Route("/reviews/{id}/{number:int}", answers(shown(partial(_case, desk))), methods=["GET"]),
        Route(
            "/reviews/{id}/{number:int}", answers(form(desk, doors, partial(_answer, desk), again)), methods=["POST"]
        ),
    ]


def listing(desk: Desk, visit: Visit) -> ListPage:
    """What waits for this person, and what else there is."""
    found = view.listing(desk, visit.actor, size=100, sight=sight_of(desk, visit.actor)).items
    rows = [(one.blind, _row(desk, one)) for one in found]
    return ListPage(
        person=visit.actor.name,
        waiting=tuple(row for blind, row in rows if blind),
        others=tuple(row for blind, row in rows if not blind),
    )


def one(desk: Desk, visit: Visit, id: str, problem: str = "", status: int = 200) -> StartPage | RevealedPage:
    """A review: to be read, or with everything in the open."""
    found = view.show(desk, visit.actor, id, sight_of(desk, visit.actor))
    line = found.line
    if not line.blind:
        return revealed(visit.actor.name, line, found.revealed)
    left = next((number for number, _, done in line.numbers if not done), 1)
    return StartPage(
        person=visit.actor.name,
        id=id,
        prompt=line.prompt,
        question=line.question,
        role=line.role.replace("_", " "),
        of=line.cases,
        answered=line.answered,
        next=left,
        dots=_dots(line),
        paired=line.paired,
        problem=problem,
        status=status,
    )


def _id(request: Request) -> str:
    return str(request.path_params["id"])


def _number(request: Request) -> int:
    return int(request.path_params["number"])


def _case(desk: Desk, visit: Visit, request: Request) -> Any:
    id = _id(request)
    try:
        return _blind(desk, visit, id, _number(request))
    except NotFound:
        raise
    except CuelightError as refused:
        return one(desk, visit, id, sentence(refused), STATUS[refused.kind])


def _blind(
    desk: Desk, visit: Visit, id: str, number: int, sent: Form | None = None, problem: str = "", status: int = 200
) -> Any:
    case = reviews.look(desk, visit.actor, id, number)
    if case.signed:
        return one(desk, visit, id)
    said = sent or {}
    line = view.show(desk, visit.actor, id, sight_of(desk, visit.actor)).line
    outputs = [("A" if case.b is not None else "The output", case.a), *([("B", case.b)] if case.b is not None else [])]
    return CasePage(
        person=visit.actor.name,
        id=id,
        number=number,
        of=case.of,
        question=case.question,
        input=inputs(case.input),
        outputs=tuple(_output(letter, each) for letter, each in outputs),
        better=said.get("better", case.better or ""),
        live=said.get("live", case.live or ""),
        note=said.get("note", case.note),
        signed=case.signed,
        dots=_dots(line),
        problem=problem,
        status=status,
    )


def _answer(desk: Desk, visit: Visit, request: Request, sent: Form) -> Response | Any:
    id, number = _id(request), _number(request)
    better = sent.get("better", "")
    settled = better in ("both", "neither")  # the form has the question beside it; here the first answer says it all
    try:
        reviews.answer(
            desk, visit.actor, id, number, better, "" if settled else sent.get("live", ""), sent.get("note", "")
        )
    except CuelightError as refused:
        return _again(refused, lambda why, status: _blind(desk, visit, id, number, sent, why, status))
    line = view.show(desk, visit.actor, id, sight_of(desk, visit.actor)).line
    after = [at for at, _, done in line.numbers if not done]
    left = next((at for at in after if at > number), after[0] if after else None)
    return RedirectResponse(f"/reviews/{id}/{left}" if left else f"/reviews/{id}", 303)


def _sign(desk: Desk, visit: Visit, request: Request, _: Form) -> Response | Any:
    id = _id(request)
    try:
        reviews.sign(desk, visit.actor, id)
    except CuelightError as refused:
        return _again(refused, lambda why, status: one(desk, visit, id, why, status))
    return RedirectResponse(f"/reviews/{id}", 303)


def _again(refused: CuelightError, shown: Callable[[str, int], Any]) -> Any:
    """The page once more, with what went wrong on it; where even that is not for them, the list."""
    try:
        return shown(sentence(refused), STATUS[refused.kind])
    except CuelightError:
        return RedirectResponse("/reviews", 303)


def _row(desk: Desk, one: ReviewLine) -> Row:
    when = ago(parse(one.created_at), desk.clock())
    role = one.role.replace("_", " ")
    if one.blind:
        words = f"{one.answered} of {one.cases} cases answered, as the {role}"
        return Row(one.id, "standby", "Waits for you", one.prompt, words, when)
    count = len(one.signed_by)
    words = f"{one.cases} cases for the {role}"
    if count:
        return Row(one.id, "go", f"Signed by {count}", one.prompt, words, when)
    return Row(one.id, "off", "Nobody signed yet", one.prompt, words, when)


def _dots(line: ReviewLine) -> tuple[Dot, ...]:
    return tuple(
        Dot(number, "go" if done else "standby" if opened else "off", _DOTS[opened, done])
        for number, opened, done in line.numbers
    )


_DOTS = {(False, False): "not opened", (True, False): "opened", (True, True): "answered"}


def _output(letter: str, given: Output) -> Shown:
    return Shown(letter, pretty(given.text), calls(given.tool_calls))
