"""What is wrong with a suite, and how it fits the prompt that it is to test."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from cuelight.contract.content import Content
from cuelight_server.kernel.cases import is_judged, whole_input
from cuelight_server.kernel.errors import Invalid
from cuelight_server.kernel.patterns import compiled
from cuelight_server.kernel.terms import Tier
from cuelight_server.kernel.tiers import LEAST_CASES
from cuelight_server.prompts.bundle import schemas_in
from cuelight_server.prompts.findings import error, judged, schema_problems, some
from cuelight_server.prompts.lint_grader import findings_of_gate, findings_of_graders, inputs_asked, inputs_used
from cuelight_server.prompts.lint_judges import findings_of_judges
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
    """Doubled or too few cases, those that nothing judges, broken schemas and patterns, categories without a case."""
    place = f"suites/{name}"
    ids = Counter(case["id"] for case in suite["cases"])
    for case, count in ids.items():
        if count > 1:
            yield error("case_duplicate", f"{count} cases are called {case}", "give each its own id", place, "cases")
    yield from schema_problems(schemas_in("suite", suite), place)
    yield from _patterns(suite, place)
    yield from findings_of_graders(suite, tier, place)
    yield from findings_of_judges(suite, tier, place)
    yield from _too_small(suite, tier, place)
    yield from _not_judged(suite, tier, place)
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


def _patterns(suite: Mapping[str, Any], place: str) -> Iterator[Finding]:
    whole = [(("graders", at), rule) for at, rule in enumerate(suite.get("graders", ()))]
    own = [
        (("cases", case, "graders", at), rule)
        for case, one in enumerate(suite["cases"])
        for at, rule in enumerate(one.get("graders", ()))
    ]
    for path, rule in (*whole, *own):
        if "pattern" not in rule:
            continue
        try:
            compiled(rule["pattern"])
        except Invalid as bad:
            yield error("pattern_invalid", bad.message, bad.hint, place, *path, "pattern")


def _too_small(suite: Mapping[str, Any], tier: Tier, place: str) -> Iterator[Finding]:
    count, least = len(suite["cases"]), LEAST_CASES[tier]
    if count < least:
        missing = f"{least - count} case{' is' if least - count == 1 else 's are'} missing"
        words = f"{missing}: the suite has {count}, tier {tier} asks for {least}"
        yield error("suite_too_small", words, "write more cases; a report on fewer is inconclusive", place, "cases")


def _not_judged(suite: Mapping[str, Any], tier: Tier, place: str) -> Iterator[Finding]:
    shared = suite.get("graders", ())
    bare = [
        case["id"]
        for case in suite["cases"]
        if not is_judged((*shared, *case.get("graders", ())), whole_input(case, suite), case.get("label"))
    ]
    if bare:
        yield judged(
            "case_not_judged",
            f"no grader of severity blocker or major judges case {some(bare)}",
            "give the suite or the case such a grader; a report with cases that nothing judges is inconclusive",
            place,
            "cases",
            strict=tier >= Tier.ELEVATED,
        )


@dataclass(frozen=True, slots=True)
class Pairing:
    """A suite read once for all contents that it tests: what its cases give, and which of them each content quotes.

    `shapes` maps a set of given variables to the cases that give exactly these; `quoted` a digest to ids of cases;
    `used` are the variables that the suite itself looks at.
    """

    name: str
    document: Mapping[str, Any]
    used: frozenset[str]
    order: Mapping[str, int]
    shapes: Mapping[frozenset[str], list[str]]
    quoted: Mapping[str, list[str]]


def pairing(suite: Mapping[str, Any], contents: Iterable[Content]) -> Pairing:
    """Read the suite once: the words of every case are looked at once, however many contents there are."""
    shapes: dict[frozenset[str], list[str]] = {}
    usual = {*suite.get("defaults", {}), *suite.get("derived", {})}
    for case in suite["cases"]:
        shapes.setdefault(frozenset({*usual, *case["input"]}), []).append(case["id"])
    order = {case["id"]: at for at, case in enumerate(suite["cases"])}
    return Pairing(suite["suite"], suite, frozenset(inputs_used(suite)), order, shapes, _quoted(list(contents), suite))


def findings_of_pair(
    content: Content, pair: Pairing, place: str, known: frozenset[str] = frozenset()
) -> Iterator[Finding]:
    """How a suite fits one content: inputs that nobody knows, that it lacks or quotes, and a gate that nothing meets.

    `known` are the variables that some version or draft of the prompt declares: versions share their suite.
    """
    yield from _inputs(content, pair, place, known)
    yield from findings_of_gate(content.evaluation["gate"], pair.document, place)
    quoted = pair.quoted.get(content.digest)
    if quoted:
        yield error(
            "case_overlap",
            f"the messages quote the input of case {some(quoted)}: {OVERLAP} words in a row or more",
            "say it in other words, or move the text into the suite's defaults if every call has it",
            place,
            "messages",
        )


def _inputs(content: Content, pair: Pairing, place: str, known: frozenset[str]) -> Iterator[Finding]:
    _, prompt, label = place.split("/")
    suite = f"suites/{pair.name}"
    declared = {one.name for one in content.declared}
    asked = {path.partition(".")[0].removesuffix("[*]") for path in inputs_asked(content.evaluation["gate"])}
    needed = {one.name for one in content.declared if one.required and not one.has_default}
    for one, cases in _by_name(pair, lambda given: given - declared - known - pair.used - asked):
        words = f"suite {pair.name} gives {one}, which no version of {prompt} declares (case {some(cases)})"
        hint = f"correct the name, declare {one} under variables, or take it out of the suite: nothing uses it"
        yield replace(error("case_input_undeclared", words, hint, suite, *_at(pair, cases)), concerns=place)
    for one, cases in _by_name(pair, lambda given: needed - given):
        words = f"suite {pair.name} gives no {one}, which {prompt} {label} requires (case {some(cases)})"
        hint = f"give {one} in the cases or the defaults, or make it optional"
        yield replace(error("case_input_missing", words, hint, suite, *_at(pair, cases)), concerns=place)


def _at(pair: Pairing, cases: list[str]) -> tuple[str | int, ...]:
    """Where the first of these cases stands in its suite."""
    return "cases", pair.order[cases[0]]


def _by_name(pair: Pairing, choose: Callable[[frozenset[str]], Iterable[str]]) -> Iterator[tuple[str, list[str]]]:
    """(variable, cases in the suite's order) of every variable that is chosen from what some cases give."""
    found: dict[str, list[str]] = {}
    for given, cases in pair.shapes.items():
        for one in choose(given):
            found.setdefault(one, []).extend(cases)
    yield from ((one, sorted(cases, key=pair.order.__getitem__)) for one, cases in sorted(found.items()))


def _quoted(contents: list[Content], suite: Mapping[str, Any]) -> dict[str, list[str]]:
    """Digest of a content -> ids of the cases whose own input stands in its messages, OVERLAP words in a row."""
    said: dict[tuple[str, ...], set[str]] = {}
    for content in contents:
        for _, _, text in content.texts():
            for run in _runs(text):
                said.setdefault(run, set()).add(content.digest)
    for text in _texts(suite.get("defaults", {})):
        for run in _runs(text):
            said.pop(run, None)
    found: dict[str, list[str]] = {}
    for case in suite["cases"] if said else ():
        for digest in _said_by(case["input"], said):
            found.setdefault(digest, []).append(case["id"])
    return found


def _said_by(input: Any, said: Mapping[tuple[str, ...], set[str]]) -> set[str]:
    return {digest for text in _texts(input) for run in _runs(text) for digest in said.get(run, ())}


def _runs(text: str) -> Iterator[tuple[str, ...]]:
    """Every OVERLAP words in a row."""
    words = _WORD.findall(text.lower())
    return zip(*(words[at:] for at in range(OVERLAP)), strict=False)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(inner)
