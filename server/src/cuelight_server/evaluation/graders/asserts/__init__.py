"""The graders under promptfoo's names, with promptfoo's meaning; each also with `not-`."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from cuelight.contract.condition import lookup
from cuelight_server.evaluation.graders.asked import Asked, Assertion, with_output
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
        outcome = made.check(asked) if plain else _asked_late(made, asked, late=late)
        return _reported(outcome) if rule.get("weight", 1) == 0 else outcome

    return lambda sample: _guarded(check, sample)


def _named(kind: str, outside: Outside, member: sets.Prepare) -> Assertion:
    if kind == SET:
        return sets.asserting(member, outside)
    return TABLE.get(kind) or Assertion(check=_no_judge)


def _no_judge(asked: Asked) -> Outcome:
    return not_run(f"{asked.kind} needs a judge, and this desk has none")


def _asked_late(made: Assertion, asked: Asked, *, late: bool) -> Outcome:
    """Where the value is rendered for each case, or the output is a part of it or made into something else first."""
    if "path" in asked.rule:
        path, sample = asked.rule["path"], asked.sample
        if sample.problem and not path.startswith("$"):
            return Outcome(passed=False, message=f"nothing to look at: {sample.problem}")
        found = lookup(path, sample.document)
        asked = with_output(asked, found[0] if found else "")
    if "transform" in asked.rule:
        turned = scripts.transformed(asked)
        if turned.not_run:
            return not_run(turned.not_run)
        if turned.threw:
            return Outcome(passed=False, message=f"the transform failed: {turned.threw}", score=0.0)
        asked = with_output(asked, turned.value)
    return made.check(_rendered(made, asked) if late else asked)


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


def _reported(outcome: Outcome) -> Outcome:
    """The word of a grader that counts for nothing: it passes, with its own score."""
    score = outcome.score if outcome.score is not None else float(outcome.passed)
    return replace(outcome, passed=True, score=score) if not outcome.not_run else outcome
