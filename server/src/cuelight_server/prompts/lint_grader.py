"""Graders that can never work: paths that lead nowhere, ranges and conditions that nothing meets, doubled ids."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cuelight_server.kernel.assertions import NEVER, base_of, is_assertion, refuse_wrong
from cuelight_server.kernel.cases import JUDGING, applies, whole_input
from cuelight_server.kernel.errors import Invalid
from cuelight_server.kernel.terms import Tier
from cuelight_server.prompts.findings import error, judged, warning
from cuelight_server.prompts.lint_comparison import findings_of_comparison
from cuelight_server.prompts.lint_judges import inputs_shown
from cuelight_server.prompts.model import Finding
from cuelight_server.prompts.paths import CASE_ROOTS, ROOTS, Shape, malformed, strange_root

Json = Mapping[str, Any]
Step = str | int
Place = tuple[Step, ...]


def findings_of_graders(suite: Json, tier: Tier, place: str) -> Iterator[Finding]:
    """What is wrong with each grader of a suite and of its cases, with the grader's own path."""
    shape = Shape(suite["schema"]) if isinstance(suite.get("schema"), Mapping) else None
    inputs = [whole_input(case, suite) for case in suite["cases"]]
    for at, rule in enumerate(suite.get("graders", ())):
        yield from _grader(rule, inputs, shape, tier, place, ("graders", at))
    for number, case in enumerate(suite["cases"]):
        for at, rule in enumerate(case.get("graders", ())):
            yield from _grader(rule, inputs[number : number + 1], shape, tier, place, ("cases", number, "graders", at))
    yield from _doubled(suite, place)
    yield from _derived(suite, inputs, place)
    yield from _expected(suite, place)


def findings_of_gate(gate: Json, suite: Json, place: str) -> Iterator[Finding]:
    """What of a gate nothing can ever meet on this suite."""
    shape = Shape(suite["schema"]) if isinstance(suite.get("schema"), Mapping) else None
    at: Place = ("evaluation", "gate")
    repeat = gate.get("repeat", {})
    if repeat.get("majors_min", 0) > repeat.get("samples", 0):
        words = f"majors_min {repeat['majors_min']} is more than the {repeat['samples']} samples"
        hint = "ask for more samples, or for fewer of them to be sound"
        yield error("majors_min_too_high", words, hint, place, *at, "repeat", "majors_min")
    if "every_sample_if" in repeat:
        yield from _condition(repeat["every_sample_if"], None, CASE_ROOTS, place, (*at, "repeat", "every_sample_if"))
    tags = {tag for case in suite["cases"] for tag in case.get("tags", ())}
    for tag in sorted(gate.get("min_pass_rate_by_tag", {}).keys() - tags):
        words = f"the floor for tag {tag} has no case: a report on it is inconclusive"
        hint = f"there are: {', '.join(sorted(tags)[:8])}" if tags else f"give some cases of the suite the tag {tag}"
        yield error("floor_without_case", words, hint, place, *at, "min_pass_rate_by_tag", tag)
    for number, metric in enumerate(gate.get("metrics", ())):
        for word in ("of", "share"):
            if word in metric:
                yield from _condition(metric[word], shape, ROOTS, place, (*at, "metrics", number, word))
        yield from _range(metric, place, (*at, "metrics", number))
    yield from findings_of_comparison(gate, suite, place)


def _grader(
    rule: Json, inputs: Iterable[Json], shape: Shape | None, tier: Tier, place: str, at: Place
) -> Iterator[Finding]:
    if "path" in rule:
        yield from _path(rule["path"], shape, ROOTS, place, (*at, "path"))
    for number, path in enumerate(rule.get("paths", ())):
        yield from _path(path, shape, ROOTS, place, (*at, "paths", number))
    for number, path in enumerate(rule.get("input_paths", ())):
        yield from _path(path, None, ROOTS, place, (*at, "input_paths", number))
    if rule.get("field"):
        yield from _field(rule, shape, place, at)
    for word in ("if", "then"):
        if word in rule:
            yield from _condition(rule[word], shape, ROOTS, place, (*at, word))
    if rule["type"] == "number_range":
        yield from _range(rule, place, at)
    if "when" in rule:
        yield from _when(rule["when"], inputs, tier, place, at)
    yield from _written(rule, tier, place, at)


def _written(rule: Json, tier: Tier, place: str, at: Place) -> Iterator[Finding]:
    """What is wrong with a grader as it is written: nothing to look for, nothing to run it, a weight of nothing."""
    try:
        if is_assertion(rule):
            refuse_wrong(rule)
    except Invalid as bad:
        yield error("grader_broken", bad.message, bad.hint, place, *at)
    strict = tier >= Tier.ELEVATED and rule["severity"] in JUDGING
    never = [one["type"] for one in (rule, *rule.get("assert", ())) if base_of(one["type"])[0] in NEVER]
    if never:
        words = f"nothing here can run {never[0]}: a case that needs it is never decided"
        yield judged("grader_never_runs", words, "say it with another grader", place, *at, "type", strict=strict)
    if rule.get("weight", 1) == 0 and rule["severity"] in JUDGING:
        words = f"the grader is a {rule['severity']} and has the weight 0, with which it always passes"
        hint = "give it a weight, or make it minor: it is reported all the same"
        yield judged("grader_weighs_nothing", words, hint, place, *at, "weight", strict=strict)


def _path(path: str, shape: Shape | None, roots: tuple[str, ...], place: str, at: Place) -> Iterator[Finding]:
    wrong = malformed(path)
    if wrong:
        hint = "write names with dots between them; name[*] is every item of a list"
        yield error("path_malformed", f"the path {path!r} {wrong}", hint, place, *at)
        return
    strange = strange_root(path, roots)
    if strange:
        hint = f"there are: {', '.join('$' + one for one in roots)}; a bare path looks into the output"
        yield error("path_unknown", f"the path {path} looks into {strange}, which is not there", hint, place, *at)
        return
    missed = shape.nowhere(path) if shape is not None and not path.startswith("$") else None
    if missed is not None:
        words = f"no output that fits the suite's schema has {path}: {missed.why}"
        yield error("path_unknown", words, missed.meant, place, *at)


def _field(rule: Json, shape: Shape | None, place: str, at: Place) -> Iterator[Finding]:
    """The field of the items at each path."""
    wrong = malformed(rule["field"])
    if wrong:
        yield error("path_malformed", f"the field {rule['field']!r} {wrong}", "name a field", place, *at, "field")
        return
    for path in [rule["path"]] if "path" in rule else rule["paths"]:
        if shape is None or path.startswith("$") or malformed(path) or shape.nowhere(path):
            continue
        missed = shape.nowhere(f"{path}[*].{rule['field']}")
        if missed is not None and shape.nowhere(f"{path}.{rule['field']}") is not None:
            words = f"no item at {path} that fits the suite's schema has {rule['field']}: {missed.why}"
            yield error("path_unknown", words, missed.meant, place, *at, "field")


def _condition(
    condition: Json, shape: Shape | None, roots: tuple[str, ...], place: str, at: Place
) -> Iterator[Finding]:
    for word in ("all", "any"):
        for number, part in enumerate(condition.get(word, ())):
            yield from _condition(part, shape, roots, place, (*at, word, number))
    if "not" in condition:
        yield from _condition(condition["not"], shape, roots, place, (*at, "not"))
    if "path" in condition:
        yield from _path(condition["path"], shape, roots, place, (*at, "path"))


def _range(rule: Json, place: str, at: Place) -> Iterator[Finding]:
    if "min" in rule and "max" in rule and rule["min"] > rule["max"]:
        words = f"no number is at least {rule['min']} and at most {rule['max']}"
        yield error("range_empty", words, "exchange min and max", place, *at, "min")


def _when(when: Json, inputs: Iterable[Json], tier: Tier, place: str, at: Place) -> Iterator[Finding]:
    bad = [path for path in when if malformed(path)]
    for path in bad:
        yield from _path(path, None, ROOTS, place, (*at, "when", path))
    if bad or any(applies({"when": when}, one, None) for one in inputs):
        return
    words = f"the grader is meant for no case: none has {_told(when)} in its input"
    hint = "a path looks into the input and starts without $: correct it or the values, or take the grader out"
    yield judged("when_never", words, hint, place, *at, "when", strict=tier >= Tier.ELEVATED)


def _told(when: Json) -> str:
    return " and ".join(f"{path} {' or '.join(map(str, values[:3]))}" for path, values in when.items())


def _doubled(suite: Json, place: str) -> Iterator[Finding]:
    """An id that two graders of the same case have."""
    shared: dict[str, int] = {}
    for at, rule in enumerate(suite.get("graders", ())):
        if rule.get("id") in shared:
            yield _twice(rule["id"], place, "graders", at, "id")
        elif "id" in rule:
            shared[rule["id"]] = at
    for number, case in enumerate(suite["cases"]):
        own: set[str] = set()
        for at, rule in enumerate(case.get("graders", ())):
            if rule.get("id") in shared or rule.get("id") in own:
                yield _twice(rule["id"], place, "cases", number, "graders", at, "id")
            elif "id" in rule:
                own.add(rule["id"])


def _twice(id: str, place: str, *at: Step) -> Finding:
    words = f"two graders of one case are called {id}: a report could not tell them apart"
    return error("grader_duplicate", words, "give each its own id", place, *at)


def _derived(suite: Json, inputs: list[dict[str, Any]], place: str) -> Iterator[Finding]:
    for name, path in suite.get("derived", {}).items():
        if malformed(path):
            yield from _path(path, None, ROOTS, place, ("derived", name))
        elif inputs and not any(name in one for one in inputs):
            words = f"{name} is derived from {path}, which no case has in its input"
            yield error("derived_nowhere", words, "correct the path; it starts with a variable", place, "derived", name)


def _expected(suite: Json, place: str) -> Iterator[Finding]:
    ids = {case["id"] for case in suite["cases"]}
    for at, row in enumerate(suite.get("expected_failures", ())):
        if row["case"] not in ids:
            words = f"a failure of case {row['case']} is expected, and there is no such case"
            hint = "correct the id, or take the line out"
            yield error("expected_failure_unknown", words, hint, place, "expected_failures", at, "case")


def unknown_versions(suite: Json, labels: frozenset[str], place: str) -> Iterator[Finding]:
    """Expected failures of versions that are neither in the folder nor on the desk."""
    for at, row in enumerate(suite.get("expected_failures", ())):
        for version in row["versions"]:
            if version not in labels:
                words = f"a failure of {version} is expected, and no prompt of this suite has such a version"
                hint = "correct the version, or take the line out"
                yield warning("expected_failure_unknown", words, hint, place, "expected_failures", at, "versions")


def inputs_used(suite: Json) -> set[str]:
    """Variables that the suite itself looks at: `derived`, `when`, input_paths and `$input` in a condition or path."""
    rules = [*suite.get("graders", ()), *(rule for case in suite["cases"] for rule in case.get("graders", ()))]
    paths = [*suite.get("derived", {}).values()]
    for rule in rules:
        paths += [*rule.get("when", ()), *rule.get("input_paths", ()), *inputs_asked(rule), *inputs_shown(rule)]
    return {path.partition(".")[0].removesuffix("[*]") for path in paths}


def inputs_asked(node: Any) -> Iterator[str]:
    """What stands behind `$input.` at every path inside a rule, a condition or a gate."""
    if isinstance(node, list):
        for one in node:
            yield from inputs_asked(one)
    if isinstance(node, Mapping):
        for word, one in node.items():
            named = [one] if word == "path" else one if word == "paths" else ()
            yield from (path.removeprefix("$input.") for path in named if path.startswith("$input."))
            yield from inputs_asked(one)
