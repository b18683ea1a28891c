"""The graders under promptfoo's names, with promptfoo's meaning; each also with `not-`."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from cuelight_server.evaluation.graders.asked import Asked, Assertion
from cuelight_server.evaluation.graders.asserts import (
    calls,
    markup,
    measures,
    refusal,
    scripts,
    sets,
    similarity,
    sql,
    structure,
    texts,
)
from cuelight_server.evaluation.graders.asserts.looking import looked_at
from cuelight_server.evaluation.graders.outcome import Outcome, not_run
from cuelight_server.evaluation.graders.outside import Outside
from cuelight_server.evaluation.graders.sample import Rule, Sample
from cuelight_server.kernel.assertions import SET, base_of, refuse_wrong
from cuelight_server.kernel.errors import CuelightError
from cuelight_server.kernel.placeholders import render, templated

__all__ = ["assertion"]

TABLE: Mapping[str, Assertion] = {
    **texts.TABLE,
    **structure.TABLE,
    **markup.TABLE,
    **similarity.TABLE,
    **refusal.TABLE,
    **sql.TABLE,
    **calls.TABLE,
    **measures.TABLE,
    **scripts.TABLE,
}


def assertion(rule: Rule, outside: Outside, member: sets.Prepare) -> Callable[[Sample], Outcome]:
    """The check of one rule, compiled; `member` compiles those of a set. Invalid where it can never work as it is written."""
    kind, inverse = base_of(rule["type"])
    refuse_wrong(rule)
    made = _named(kind, outside, member)
    value = rule.get("value")
    late = templated(value)
    ready = None if late else made.ready(rule, value)
    plain = not late and "path" not in rule and "transform" not in rule

    def check(sample: Sample) -> Outcome:
        asked = Asked(
            kind=kind,
            rule=rule,
            inverse=inverse,
            value=value,
            ready=ready,
            output=sample.text,
            text=sample.text,
            sample=sample,
            outside=outside,
        )
        return made.check(asked) if plain else _asked_late(made, asked, late=late)

    return lambda sample: _guarded(check, sample)


def _named(kind: str, outside: Outside, member: sets.Prepare) -> Assertion:
    if kind == SET:
        return sets.asserting(member, outside)
    return TABLE[kind]


def _asked_late(made: Assertion, asked: Asked, *, late: bool) -> Outcome:
    """Where the value is rendered for each case, or the output is a part of it or made into something else first."""
    found = looked_at(asked)
    if isinstance(found, Outcome):
        return found
    return made.check(_rendered(made, found) if late else found)


def _rendered(made: Assertion, asked: Asked) -> Asked:
    value = render(asked.value, asked.sample.input)
    refuse_wrong({**asked.rule, "value": value}, rendered=True)
    return replace(asked, value=value, ready=made.ready(asked.rule, value))


def _guarded(check: Callable[[Sample], Outcome], sample: Sample) -> Outcome:
    """What promptfoo throws on, and a search that takes too long: no word, and why."""
    try:
        return check(sample)
    except CuelightError as bad:
        return not_run(bad.message)
