"""The graders: each a small pure function from a rule and an output to what is wrong with it, in plain words."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from cuelight.contract.condition import holds
from cuelight.contract.schemas import schema_validator
from cuelight_server.evaluation.graders import form, grounding, leaks, limits, lists, texts, values
from cuelight_server.evaluation.graders.afield import afield
from cuelight_server.evaluation.graders.asserts import assertion
from cuelight_server.evaluation.graders.asserts.sets import Member, together
from cuelight_server.evaluation.graders.judged import Judge, Judged, judged, not_carried
from cuelight_server.evaluation.graders.outcome import Outcome, found, reported
from cuelight_server.evaluation.graders.outside import NOTHING_OUTSIDE, Outside
from cuelight_server.evaluation.graders.sample import Rule, Sample, read
from cuelight_server.evaluation.model import Grade, Severity
from cuelight_server.kernel.assertions import NAMES, is_assertion
from cuelight_server.kernel.cases import applies
from cuelight_server.kernel.errors import Invalid
from cuelight_server.kernel.judges import ELSEWHERE, NOT_CARRIED, is_elsewhere, is_judge, rests_on_judges
from cuelight_server.kernel.patterns import compiled
from cuelight_server.kernel.placeholders import render, templated

__all__ = ["OWN", "TYPES", "Grader", "Sample", "grade", "name_of", "prepare", "read"]

Check = Callable[[Sample], str | Outcome]  # what is wrong, empty for nothing; or a word with a score

SIMPLE: Mapping[str, Callable[[Rule, Sample], str]] = {
    "json_only": form.json_only,
    "equals": values.equals,
    "not_equals": values.not_equals,
    "one_of": values.one_of,
    "contains_any": texts.contains_any,
    "contains_all": texts.contains_all,
    "not_contains": texts.not_contains,
    "non_empty": values.non_empty,
    "is_empty": values.is_empty_at,
    "number_range": values.number_range,
    "any_item": lists.any_item,
    "no_item": lists.no_item,
    "max_words": texts.max_words,
    "max_chars": texts.max_chars,
    "max_items": lists.max_items,
    "min_items_at": lists.min_items_at,
    "reading_grade_max": texts.reading_grade_max,
    "implies": values.implies,
    "refs_exist": grounding.refs_exist,
    "quotes_in_input": grounding.quotes_in_input,
    "each_item_has": lists.each_item_has,
    "numbers_in_input": grounding.numbers_in_input,
    "input_values_absent": grounding.input_values_absent,
    "label_never": values.label_never,
    "tools_allowed": limits.tools_allowed,
    "max_output_tokens": limits.max_output_tokens,
    "max_latency_ms": limits.max_latency_ms,
    "canary_absent": leaks.canary_absent,
}
OWN = frozenset({*SIMPLE, "schema", "regex", "not_regex", "pii"})
TYPES = OWN | NAMES | {name for kind in ELSEWHERE for name in (kind, f"not-{kind}")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Grader:
    """One rule of a suite, compiled."""

    name: str
    severity: Severity
    rule: Rule
    check: Check
    judges: tuple[Judge, ...] = ()  # the model judges that it asks: several where it is a set

    @property
    def judge(self) -> str:
        """The digest of its judges; empty where it asks none."""
        return together([one.digest for one in self.judges])


def prepare(rule: Rule, suite_schema: Rule | None, outside: Outside = NOTHING_OUTSIDE) -> Grader:
    """Compile one rule. Invalid for an unknown type, a broken pattern or schema, or `schema` without any schema."""
    check = _check(rule, suite_schema, outside)
    judges = _judges(check, rule, outside)
    return Grader(name=name_of(rule), severity=Severity(rule["severity"]), rule=rule, check=check, judges=judges)


def name_of(rule: Rule) -> str:
    """The id; without one, type:path; without a path, the type."""
    kind: str = rule["type"]
    return str(rule.get("id") or (f"{kind}:{rule['path']}" if "path" in rule else kind))


def grade(graders: tuple[Grader, ...], sample: Sample, known: Mapping[str, Outcome] = {}) -> tuple[Grade, ...]:
    """Every grader's word on one output; graders that the case is not meant for are left out.

    `known` are words of judges that were kept, by grader: the same judge is not asked again. Invalid where a grader
    cannot come to an end.
    """
    return tuple(_grade(one, sample, known) for one in graders if applies(one.rule, sample.input, sample.label))


def _grade(one: Grader, sample: Sample, known: Mapping[str, Outcome]) -> Grade:
    before = known.get(one.name) if one.judge else None
    same = before is not None and before.said is not None and before.said.get("judge") == one.judge
    said = before if same and before is not None else one.check(sample)
    word = said if isinstance(said, Outcome) else _read(one, sample, said)
    word = reported(word) if one.rule.get("weight", 1) == 0 else word
    weight, metric = float(one.rule.get("weight", 1)), _metric(one.rule, sample)
    made = Grade(one.name, one.severity, passed=word.passed and not word.not_run, message=word.message)
    unread = isinstance(said, str) and not said and not word.passed
    made = replace(made, unread=unread, score=word.score, weight=weight, metric=metric, not_run=word.not_run)
    return replace(made, judge=one.judge, said=word.said, alone=rests_on_judges(one.rule))


def _metric(rule: Rule, sample: Sample) -> str:
    """The name of its score, which may hold inputs of the case; as it is written where it cannot be rendered."""
    name = str(rule.get("metric", ""))
    if not templated(name):
        return name
    try:
        return str(render(name, sample.input))[:120]
    except Invalid:
        return name


def _read(one: Grader, sample: Sample, wrong: str) -> Outcome:
    """The word of a check that only says what is wrong: an output that cannot be parsed is never a pass."""
    if sample.problem and (_only_reads_output(one.rule) if wrong else _reads_output(one.rule, sample)):
        return found(f"nothing to look at: {sample.problem}")
    return found(wrong)


def _check(rule: Rule, suite_schema: Rule | None, outside: Outside) -> Check:
    kind = rule["type"]
    if is_elsewhere(kind):
        return _elsewhere(name_of(rule), rule, outside)
    if is_assertion(rule):
        return assertion(rule, outside, partial(_member, name_of(rule)))
    if kind in SIMPLE:
        return partial(SIMPLE[kind], rule)
    if kind == "schema":
        document = rule.get("schema", suite_schema)
        if document is None:
            raise Invalid("a grader `schema` has no schema", "give the suite a schema, or the grader one of its own")
        return partial(form.schema, schema_validator(document, "the suite"))
    if kind in {"regex", "not_regex"}:
        search = texts.matches if kind == "regex" else texts.not_matches
        return partial(search, compiled(rule["pattern"]), rule)
    if kind == "pii":
        return leaks.detector(rule)
    raise Invalid(f"there is no grader {kind!r}", f"use one of {', '.join(sorted(OWN))}, or one of promptfoo's names")


def _elsewhere(name: str, rule: Rule, outside: Outside) -> Check:
    """The check of a grader that asks a judge or somebody else."""
    if is_judge(rule["type"]):
        return judged(name, rule, outside)
    if rule["type"].removeprefix("not-") in NOT_CARRIED:
        return lambda _: not_carried(rule)
    return partial(afield, rule, outside)


def _member(whole: str, rule: Rule, outside: Outside) -> Member:
    """One member of the set of this name, whichever family it is of."""
    name = f"{whole}/{name_of(rule)}"
    check = _elsewhere(name, rule, outside) if is_elsewhere(rule["type"]) else _check(rule, None, outside)

    def word(sample: Sample) -> Outcome:
        said = check(sample)
        return said if isinstance(said, Outcome) else found(said)

    return Member(rule=rule, check=word, judge=check.judge.digest if isinstance(check, Judged) else "")


def _judges(check: Check, rule: Rule, outside: Outside) -> tuple[Judge, ...]:
    """The judges of a grader, or of the members of a set."""
    if isinstance(check, Judged):
        return (check.judge,)
    made = [
        _elsewhere(f"{name_of(rule)}/{name_of(one)}", one, outside)
        for one in rule.get("assert", ())
        if is_judge(one["type"])
    ]
    return tuple(one.judge for one in made if isinstance(one, Judged))


def _only_reads_output(rule: Rule) -> bool:
    """Whether all that a grader looks at lies in the parsed output."""
    if rule["type"] == "implies":
        return _looks(rule["if"])
    paths = [*rule.get("paths", []), *([rule["path"]] if "path" in rule else [])]
    return bool(paths) and not any(path.startswith("$") for path in paths)


def _reads_output(rule: Rule, sample: Sample) -> bool:
    if rule["type"] == "implies":
        return _looks(rule["if"]) or (_looks(rule["then"]) and holds(rule["if"], sample.document))
    return any(
        not path.startswith("$") for path in [*rule.get("paths", []), *([rule["path"]] if "path" in rule else [])]
    )


def _looks(condition: Rule) -> bool:
    """Whether a condition looks into the parsed output."""
    inner = [*condition.get("all", []), *condition.get("any", []), *([condition["not"]] if "not" in condition else [])]
    return any(map(_looks, inner)) or not str(condition.get("path", "$")).startswith("$")
