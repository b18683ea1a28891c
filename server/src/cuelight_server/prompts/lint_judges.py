"""What is wrong with the model judges of a suite: none named, alone where that is not enough, never run, or mislabelled."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from cuelight_server.kernel.cases import whole_input
from cuelight_server.kernel.judges import NOT_ALONE, NOT_CARRIED, SHARES, is_judge, judge_alone
from cuelight_server.kernel.placeholders import variables
from cuelight_server.kernel.terms import Tier
from cuelight_server.prompts.findings import error, some, warning
from cuelight_server.prompts.model import Finding

Json = Mapping[str, Any]
Place = tuple[str | int, ...]
_HOLE = re.compile(r"\bvars\.([A-Za-z_]\w*)")


def findings_of_judges(suite: Json, tier: Tier, place: str) -> Iterator[Finding]:
    """All of it, with the place of each grader."""
    for rule, at in _rules(suite):
        yield from _rule(rule, suite, place, at)
    if tier in NOT_ALONE:
        yield from _alone(suite, tier, place)
    yield from _labels(suite, place)


def inputs_shown(rule: Json) -> Iterator[str]:
    """The inputs that a grader looks at: those between braces, and for a judge what holds the question and the context."""
    for one in rule.get("assert", ()):
        yield from inputs_shown(one)
    for text in _texts([rule.get("value"), rule.get("rubric_prompt"), rule.get("metric")]):
        names = variables(text)
        yield from names
        yield from _HOLE.findall(text) if "vars" in names else ()
    if is_judge(str(rule["type"])):
        config = rule.get("config", {})
        yield from (
            "_conversation",
            "question",
            str(config.get("query", "query")),
            str(config.get("context", "context")),
        )


def _texts(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    for one in node.values() if isinstance(node, Mapping) else node if isinstance(node, list) else ():
        yield from _texts(one)


def _rules(suite: Json) -> Iterator[tuple[Json, Place]]:
    for at, rule in enumerate(suite.get("graders", ())):
        yield from _with_members(rule, ("graders", at))
    for number, case in enumerate(suite["cases"]):
        for at, rule in enumerate(case.get("graders", ())):
            yield from _with_members(rule, ("cases", number, "graders", at))


def _with_members(rule: Json, at: Place) -> Iterator[tuple[Json, Place]]:
    yield rule, at
    for number, one in enumerate(rule.get("assert", ())):
        yield one, (*at, "assert", number)


def _rule(rule: Json, suite: Json, place: str, at: Place) -> Iterator[Finding]:
    kind = str(rule["type"]).removeprefix("not-")
    if kind in NOT_CARRIED:
        words = f"{kind} is not carried: {NOT_CARRIED[kind]}"
        yield warning("grader_not_carried", words, "until then a case that it decides is undecided", place, *at)
    if not is_judge(kind):
        return
    named = {**suite.get("judge", {}), **rule.get("judge", {})}
    if "provider" not in rule and not {"provider", "model"} <= named.keys():
        words = f"{kind} asks a model judge, and none is named: it never runs"
        hint = "give the suite `judge: {provider: openai, model: <name with its date>}`"
        yield error("judge_missing", words, hint, place, *at)
    if kind in SHARES and "threshold" not in rule:
        words = f"{kind} has no threshold, so it passes whatever the score is"
        yield warning("judge_threshold_missing", words, "say from which score on it passes", place, *at)


def _alone(suite: Json, tier: Tier, place: str) -> Iterator[Finding]:
    shared = suite.get("graders", ())
    bare = [
        case["id"]
        for case in suite["cases"]
        if judge_alone((*shared, *case.get("graders", ())), whole_input(case, suite), case.get("label"))
    ]
    if bare:
        words = f"tier {tier} takes no model judge as the only blocker: case {some(bare)}"
        hint = "add a blocker that is no judge; until then a report on these cases is inconclusive"
        yield error("judge_alone", words, hint, place, "cases")


def _labels(suite: Json, place: str) -> Iterator[Finding]:
    ids = {case["id"] for case in suite["cases"]}
    names = {
        str(rule.get("id") or _name(rule))
        for rule, at in _rules(suite)
        if is_judge(rule["type"]) and "assert" not in at
    }
    for at, one in enumerate(suite.get("labels", ())):
        if one["case"] not in ids:
            words = f"a label is for case {one['case']}, and there is no such case"
            yield error("label_unknown", words, "correct the id, or take the label out", place, "labels", at, "case")
        if one["grader"] not in names:
            words = f"a label is for {one['grader']}, which is no model judge of this suite"
            hint = f"there are: {some(sorted(names))}" if names else "the suite has none"
            yield error("label_unknown", words, hint, place, "labels", at, "grader")


def _name(rule: Json) -> str:
    return f"{rule['type']}:{rule['path']}" if "path" in rule else str(rule["type"])
