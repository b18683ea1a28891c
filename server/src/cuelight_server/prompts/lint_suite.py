"""What is wrong with a suite, and how it fits the prompt that it is to test."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cuelight.contract.content import Content
from cuelight_server.kernel.terms import Tier
from cuelight_server.prompts.bundle import schemas_in
from cuelight_server.prompts.findings import error, judged, schema_problems, some
from cuelight_server.prompts.model import Finding

CATEGORIES = (
    "normal",
    "edge",
    "bad_input",
    "missing_context",
    "conflicting_context",
    "sensitive_data",
    "domain_specific",
    "output_format",
    "refusal_escalation",
    "cost_latency",
)
OVERLAP = 12  # words in a row: a prompt that quotes its test cases knows the answers
_WORD = re.compile(r"\w+")


def findings_of_suite(name: str, suite: Mapping[str, Any], tier: Tier) -> Iterator[Finding]:
    """Doubled case ids, schemas that are none, categories without a case."""
    place = f"suites/{name}"
    ids = Counter(case["id"] for case in suite["cases"])
    for case, count in ids.items():
        if count > 1:
            yield error("case_duplicate", f"{count} cases are called {case}", "give each its own id", place, "cases")
    yield from schema_problems(schemas_in("suite", suite), place)
    empty = [one for one in CATEGORIES if one not in {case["category"] for case in suite["cases"]}]
    if empty:
        yield judged(
            "suite_empty_category",
            f"there is no case for {', '.join(empty)}",
            "from tier elevated up each of the ten categories has a case",
            place,
            "cases",
            strict=tier >= Tier.ELEVATED,
        )


def findings_of_pair(content: Content, suite: Mapping[str, Any], place: str) -> Iterator[Finding]:
    """How a suite fits one content: inputs that the prompt does not know, lacks, or quotes."""
    yield from _inputs(content, suite, place)
    quoted = _quoted(content, suite)
    if quoted:
        yield error(
            "case_overlap",
            f"the messages quote the input of case {some(quoted)}: {OVERLAP} words in a row or more",
            "say it in other words, or move the text into the suite's defaults if every call has it",
            place,
            "messages",
        )


def _inputs(content: Content, suite: Mapping[str, Any], place: str) -> Iterator[Finding]:
    declared = {one.name for one in content.declared}
    needed = {one.name for one in content.declared if one.required and not one.has_default}
    name = suite["suite"]
    unknown: dict[str, list[str]] = {}
    missing: dict[str, list[str]] = {}
    for case in suite["cases"]:
        given = {*suite.get("defaults", {}), *suite.get("derived", {}), *case["input"]}
        for one in given - declared:
            unknown.setdefault(one, []).append(case["id"])
        for one in needed - given:
            missing.setdefault(one, []).append(case["id"])
    for one, cases in sorted(unknown.items()):
        words = f"suite {name} gives {one}, which is no variable of this prompt (case {some(cases)})"
        yield error("case_input_undeclared", words, f"declare {one}, or take it out of the suite", place, "variables")
    for one, cases in sorted(missing.items()):
        words = f"suite {name} gives no {one}, which this prompt requires (case {some(cases)})"
        hint = f"give {one} in the cases or the defaults, or make it optional"
        yield error("case_input_missing", words, hint, place, "variables")


def _quoted(content: Content, suite: Mapping[str, Any]) -> list[str]:
    """Ids of the cases whose own input stands in the messages, OVERLAP words in a row."""
    said = {run for _, _, text in content.texts() for run in _runs(text)}
    usual = {run for text in _texts(suite.get("defaults", {})) for run in _runs(text)}
    said -= usual
    return [
        case["id"]
        for case in suite["cases"]
        if said and any(run in said for text in _texts(case["input"]) for run in _runs(text))
    ]


def _runs(text: str) -> Iterable[tuple[str, ...]]:
    words = _WORD.findall(text.lower())
    return (tuple(words[at : at + OVERLAP]) for at in range(len(words) - OVERLAP + 1))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(inner)
