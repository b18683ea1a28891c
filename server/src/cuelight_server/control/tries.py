"""Trying a prompt by hand: a few examples on one or several drafts, side by side, in seconds and with no ceremony."""

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from cuelight.contract.canonical import canonical_text, digest
from cuelight_server.audit.verbs import Verb
from cuelight_server.control import trial as trials
from cuelight_server.control.desk import Desk
from cuelight_server.control.door import act, ask, enter, workflow_of
from cuelight_server.control.trial import Named, Providers
from cuelight_server.db.engine import Connection, reading
from cuelight_server.evaluation.model import Arm, Case, Category, Suite
from cuelight_server.evaluation.results import Bench, bench, result, to_json
from cuelight_server.evaluation.runner import Side, tasks
from cuelight_server.evaluation.suite import read_suite
from cuelight_server.kernel.actor import Actor
from cuelight_server.kernel.errors import Blocked, CuelightError, Invalid, NotFound, Unavailable
from cuelight_server.prompts import store as prompts
from cuelight_server.providers import Provider, Recorded
from cuelight_server.tries import store
from cuelight_server.tries.model import Tried

MOST_EXAMPLES, MOST_LABELS, MOST_INPUT, MOST_OUTPUT = 5, 4, 256 * 1024, 64 * 1024
_SECONDS, _USD, _THREADS, _FIRST = 60.0, 1.0, 8, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What to try: cases by name, or the first `count` of the suite, or inputs of one's own; `sets` replaces variables.

    `keep` False leaves nothing behind, and counts for nothing.
    """

    prompt: str
    labels: tuple[str, ...]
    cases: tuple[str, ...] = ()
    count: int = 0
    inputs: tuple[Mapping[str, Any], ...] = ()
    sets: Mapping[str, Any] = field(default_factory=dict)
    provider: str = trials.RECORDED
    keep: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stand:
    """One content, ready: who answers it, and what its answers are graded and priced with."""

    named: Named
    provider: Provider
    suite: Suite
    bench: Bench


def try_out(desk: Desk, actor: Actor, providers: Providers, wish: Wish) -> list[Tried]:
    """Put each example to each content and keep what came; an example that goes wrong is named and the others go on.

    NotFound, Invalid for a wish out of bounds, Denied; Unavailable without such a provider. It waits up to a minute and
    spends up to a dollar where prices are known.
    """
    _refuse_much(wish)
    for label in wish.labels:
        enter(desk, actor, Verb.PROMPT_TRY, f"{wish.prompt}@{label}")
        ask(desk, actor, Verb.PROMPT_TRY, f"{wish.prompt}@{label}")
    with reading(desk.registry) as sql:
        stands = [_stand(sql, wish, label, providers) for label in wish.labels]
    documents = _answers(stands, desk.clock().date())
    made = [_tried(desk, actor, wish, one, document) for one, document in zip(stands, documents, strict=True)]
    if not wish.keep:
        return made
    return [_keep(desk, actor, one) for one in made]


def _refuse_much(wish: Wish) -> None:
    if not 1 <= len(wish.labels) <= MOST_LABELS or len(set(wish.labels)) != len(wish.labels):
        raise Invalid(f"a try is of 1 to {MOST_LABELS} different labels", "name each one once")
    if len(wish.cases) + len(wish.inputs) > MOST_EXAMPLES or wish.count > MOST_EXAMPLES:
        raise Invalid(f"a try is of at most {MOST_EXAMPLES} examples", "for a whole suite: cuelight eval")
    if len(canonical_text([*wish.inputs, dict(wish.sets)]).encode()) > MOST_INPUT:
        raise Invalid(f"the inputs are larger than {MOST_INPUT // 1024} kB", "try a shorter example")


def _stand(sql: Connection, wish: Wish, label: str, providers: Providers) -> _Stand:
    named = trials.named(sql, wish.prompt, label)
    workflow = workflow_of(wish.prompt)
    suite, prices = _suite(sql, wish, named), prompts.prices(sql, workflow)
    return _Stand(
        named=named,
        provider=_provider(sql, workflow, named, trials.known_provider(wish.provider), providers),
        suite=suite,
        bench=bench(suite, (), prices.document if prices else None),
    )


def _suite(sql: Connection, wish: Wish, named: Named) -> Suite:
    """The examples as a suite: the cases that were asked for and one's own inputs, under the graders of the prompt's suite."""
    found = prompts.suite(sql, workflow_of(wish.prompt), named.content.evaluation["suite"])
    own = [_own(number, given) for number, given in enumerate(wish.inputs, start=1)]
    if found is None:
        if wish.cases or not own:
            trials.newest_suite(sql, wish.prompt, named.content)  # says what is missing
        base = Suite(name="", digest="", cases=(), graders=(), schema=None, expected_failures={})
    else:
        base = read_suite(found.name, found.digest, found.document)
    known = {case.id: case for case in base.cases}
    unknown = [one for one in wish.cases if one not in known]
    if unknown:
        raise NotFound(f"the suite {base.name} has no case {unknown[0]}", f"there are: {', '.join([*known][:40])}")
    few = [] if wish.cases or own else list(base.cases)[: wish.count or _FIRST]
    cases = [*(known[one] for one in dict.fromkeys(wish.cases)), *few, *own]
    return replace(base, cases=tuple(replace(one, input={**one.input, **wish.sets}) for one in cases))


def _own(number: int, given: Mapping[str, Any]) -> Case:
    return Case(id=f"own-{number}", category=Category.NORMAL, title="an input of your own", input=dict(given))


def _provider(sql: Connection, workflow: str, named: Named, name: str, providers: Providers) -> Provider:
    if name == trials.RECORDED:
        found = prompts.recordings_of(sql, workflow, named.digest)
        return Recorded({(named.digest, *key): one for key, one in found.items()})
    if name not in providers:
        raise Unavailable(f"this desk has no provider {name}", "start it with the settings for one")
    return providers[name]


def _answers(stands: list[_Stand], today: date) -> list[dict[str, Any]]:
    """A document for each content: its examples in order, each with an output or with what went wrong."""
    work = [(at, case) for at, one in enumerate(stands) for case in one.suite.cases]
    spend = _Spend()
    pool = ThreadPoolExecutor(min(_THREADS, max(1, *(one.provider.concurrency for one in stands))), "try")
    try:
        pending: list[Future[dict[str, Any]]] = [
            pool.submit(_example, stands[at], case, today, spend) for at, case in work
        ]
        wait(pending, _SECONDS)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    documents: list[dict[str, Any]] = [{"examples": []} for _ in stands]
    for (at, case), future in zip(work, pending, strict=True):
        late = Unavailable(f"no answer within {_SECONDS:g} s", "try again, or a smaller example")
        documents[at]["examples"].append(future.result() if future.done() else _failed(case, late))
    return documents


@dataclass(slots=True)
class _Spend:
    """What the try has cost so far, as far as prices are known."""

    usd: float = 0.0


def _example(stand: _Stand, case: Case, today: date, spend: _Spend) -> dict[str, Any]:
    try:
        if spend.usd >= _USD:
            raise Blocked(f"this try has cost ${_USD:g} already", "try the rest in another one")
        side = Side(arm=Arm.CANDIDATE, content=stand.named.content, samples={case.id: 1})
        alone = replace(stand.suite, cases=(case,))
        task = next(tasks(alone, side, today, recorded=stand.provider.recorded))
        if task.trouble is not None:
            raise task.trouble
        one = result(stand.bench, case, 1, stand.provider.complete(task.request))
    except CuelightError as bad:
        return _failed(case, bad)
    spend.usd += one.cost_usd or 0.0
    told = to_json(one)
    told["output"] = _cut(str(told["output"]))
    return {**_said(case), "result": told, "error": None}


def _failed(case: Case, bad: CuelightError) -> dict[str, Any]:
    return {**_said(case), "result": None, "error": {"message": bad.message, "hint": bad.hint}}


def _said(case: Case) -> dict[str, Any]:
    return {"case": case.id, "title": case.title, "key": digest(dict(case.input)), "input": dict(case.input)}


def _cut(text: str) -> str:
    return (
        text if len(text) <= MOST_OUTPUT else f"{text[:MOST_OUTPUT]}… (cut at {MOST_OUTPUT} of {len(text)} characters)"
    )


def _tried(desk: Desk, actor: Actor, wish: Wish, one: _Stand, document: Mapping[str, Any]) -> Tried:
    return Tried(
        id=desk.new_id("try"),
        prompt=wish.prompt,
        label=one.named.label,
        content_digest=one.named.digest,
        provider=wish.provider,
        recorded=one.provider.recorded,
        document=document,
        actor=actor.id,
        created_at="",
    )


def _keep(desk: Desk, actor: Actor, made: Tried) -> Tried:
    with act(desk, actor, Verb.PROMPT_TRY, f"{made.prompt}@{made.label}") as work:
        new = replace(made, actor=work.actor.id, created_at=work.at_text)
        store.save(work.sql, new)
        work.note(tried=new.id, content=new.content_digest, provider=new.provider, recorded=new.recorded)
        work.note(sealed=digest(dict(new.document)), examples=len(new.document["examples"]))
    return new
