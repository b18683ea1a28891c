"""What can never work is found by its code and at its own place: graders, gates, schemas, prices and recordings."""

# long because: one table has a row for everything in a suite that can never work

import pytest

from cuelight_server.prompts.bundle import Facts, OnDesk, checked
from cuelight_server.prompts.lint import lint
from server.tests.folders import PROMPT, content, edited, facts, folder, recording, suite, without

V1, SUITE = "prompts/answer/v1", "suites/answer"
DIGEST = "sha256:" + "0" * 64
SHAPE = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "subject": {"type": "string"},
        "refs": {"type": "array", "items": {"$ref": "#/$defs/ref"}},
        "either": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/ref"}]},
        "free": {"type": "object"},
    },
    "$defs": {"ref": {"type": "object", "additionalProperties": False, "properties": {"code": {"type": "string"}}}},
}


def suited(**changes):
    return folder(suites={"answer": suite(**changes)})


def graded(**rule):
    graders = [*suite()["graders"], {"type": "non_empty", "severity": "minor", **rule}]
    return suited(graders=graders, schema=SHAPE)


def gated(**gate):
    return folder(labels={"v1": edited(PROMPT, "evaluation", "gate", to={"min_pass_rate": 0.9, **gate})})


def own_grader(*rules):
    cases = suite()["cases"]
    cases[0]["graders"] = list(rules)
    return suited(cases=cases)


def implies(condition):
    return graded(type="implies", **{"if": condition, "then": {"path": "subject", "empty": False}})


EVERY = {"id": "twice", "type": "json_only", "severity": "minor"}
METRIC = {"id": "share", "share": {"path": "subjet", "empty": False}}
DERIVED = {
    "derived": {"age": "reader.age"},
    "graders": [*suite()["graders"], {"type": "non_empty", "severity": "minor", "path": "$input.age"}],
}
# Situation -> (bundle, code, severity, document, path, a word of the message or hint)
TABLE = {
    "an open bracket": (graded(path="subject[*"), "path_malformed", "error", SUITE, "graders.1.path", "neither"),
    "an index": (graded(path="refs[0].code"), "path_malformed", "error", SUITE, "graders.1.path", "refs[0]"),
    "two dots": (graded(path="refs..code"), "path_malformed", "error", SUITE, "graders.1.path", "empty step"),
    "a slip of the pen": (graded(path="subjet"), "path_unknown", "error", SUITE, "graders.1.path", "mean subject?"),
    "a list without a star": (graded(path="refs.code"), "path_unknown", "error", SUITE, "graders.1.path", "[*]"),
    "a star without a list": (graded(path="subject[*]"), "path_unknown", "error", SUITE, "graders.1.path", "no list"),
    "below a reference": (graded(path="refs[*].kode"), "path_unknown", "error", SUITE, "graders.1.path", "mean code?"),
    "below a choice": (graded(path="either.kode"), "path_unknown", "error", SUITE, "graders.1.path", "mean code?"),
    "a document that is not there": (
        graded(path="$facts.x"),
        "path_unknown",
        "error",
        SUITE,
        "graders.1.path",
        "$facts",
    ),
    "one of many paths": (
        graded(type="refs_exist", paths=["subject", "reffs"], input_paths=["question"]),
        "path_unknown",
        "error",
        SUITE,
        "graders.1.paths.1",
        "mean refs?",
    ),
    "a field of the items": (
        graded(type="each_item_has", paths=["refs"], field="kode"),
        "path_unknown",
        "error",
        SUITE,
        "graders.1.field",
        "mean code?",
    ),
    "a condition": (
        implies({"all": [{"not": {"path": "subjet", "empty": True}}]}),
        "path_unknown",
        "error",
        SUITE,
        "graders.1.if.all.0.not.path",
        "mean subject?",
    ),
    "a metric": (
        {**gated(metrics=[METRIC]), "suites": suited(schema=SHAPE)["suites"]},
        "path_unknown",
        "error",
        V1,
        "evaluation.gate.metrics.0.share.path",
        "mean subject?",
    ),
    "a range of nothing": (
        graded(type="number_range", path="subject", min=3, max=2),
        "range_empty",
        "error",
        SUITE,
        "graders.1.min",
        "at most 2",
    ),
    "more majors than samples": (
        gated(repeat={"samples": 2, "majors_min": 3}),
        "majors_min_too_high",
        "error",
        V1,
        "evaluation.gate.repeat.majors_min",
        "2 samples",
    ),
    "every_sample_if looks at the output": (
        gated(repeat={"samples": 2, "every_sample_if": {"path": "$text", "empty": False}}),
        "path_unknown",
        "error",
        V1,
        "evaluation.gate.repeat.every_sample_if.path",
        "$case",
    ),
    "a proof that so few cases cannot give": (
        gated(comparison={"rule": "required"}),
        "comparison_underpowered",
        "warning",
        V1,
        "evaluation.gate.comparison.margin",
        "248 cases",
    ),
    "a margin of a metric that may go either way": (
        gated(metrics=[{"id": "kept", "share": {"path": "answer", "equals": 1}, "margin": 0.1}]),
        "margin_without_direction",
        "error",
        V1,
        "evaluation.gate.metrics.0.margin",
        "more of it is better",
    ),
    "looks at a confidence that has none": (
        gated(comparison={"stop_early": True, "confidence": 0.9}),
        "looks_without_table",
        "warning",
        V1,
        "evaluation.gate.comparison.confidence",
        "0.9",
    ),
    "a floor for a tag that no case has": (
        gated(min_pass_rate_by_tag={"vip": 1}),
        "floor_without_case",
        "error",
        V1,
        "evaluation.gate.min_pass_rate_by_tag.vip",
        "inconclusive",
    ),
    "a pattern that would fill the memory": (
        graded(type="not_regex", path="subject", pattern="a{1000000000}"),
        "pattern_invalid",
        "error",
        SUITE,
        "graders.1.pattern",
        "repeats to more than",
    ),
    "an assertion with nothing to look for": (
        graded(type="not-contains", value=""),
        "grader_broken",
        "error",
        SUITE,
        "graders.1",
        "no text to look for",
    ),
    "a pattern that only Python knows": (
        graded(type="regex", value="(?i)yes"),
        "grader_broken",
        "error",
        SUITE,
        "graders.1",
        "ECMAScript",
    ),
    "a member of a set that can never work": (
        graded(type="assert-set", **{"assert": [{"type": "latency"}]}),
        "grader_broken",
        "error",
        SUITE,
        "graders.1",
        "no limit",
    ),
    "a grader that nothing can run": (
        graded(type="perplexity", severity="major"),
        "grader_never_runs",
        "error",
        SUITE,
        "graders.1.type",
        "perplexity",
    ),
    "a blocker that weighs nothing": (
        graded(type="contains", value="x", severity="blocker", weight=0),
        "grader_weighs_nothing",
        "error",
        SUITE,
        "graders.1.weight",
        "always passes",
    ),
    "derived from nowhere": (
        folder(suites={"answer": {**suite(), **DERIVED}}),
        "derived_nowhere",
        "error",
        SUITE,
        "derived.age",
        "reader.age",
    ),
    "meant for no case": (
        graded(path="subject", when={"question": ["Never asked?"]}),
        "when_never",
        "error",
        SUITE,
        "graders.1.when",
        "Never asked?",
    ),
    "meant for another case": (
        own_grader({**EVERY, "when": {"question": ["Question 2?"]}}),
        "when_never",
        "error",
        SUITE,
        "cases.0.graders.0.when",
        "Question 2?",
    ),
    "two graders of one id": (
        suited(graders=[*suite()["graders"], EVERY, EVERY]),
        "grader_duplicate",
        "error",
        SUITE,
        "graders.2.id",
        "twice",
    ),
    "two graders of one id in a case": (
        own_grader(EVERY, EVERY),
        "grader_duplicate",
        "error",
        SUITE,
        "cases.0.graders.1.id",
        "twice",
    ),
    "an excuse for no case": (
        suited(expected_failures=[{"case": "L99", "versions": ["v1"], "reason": "known"}]),
        "expected_failure_unknown",
        "error",
        SUITE,
        "expected_failures.0.case",
        "L99",
    ),
    "an excuse for no version": (
        suited(expected_failures=[{"case": "L01", "versions": ["v9"], "reason": "known"}]),
        "expected_failure_unknown",
        "warning",
        SUITE,
        "expected_failures.0.versions",
        "v9",
    ),
    "recordings of no content": (
        folder(recordings=[recording(DIGEST)]),
        "recording_unknown",
        "warning",
        "recordings",
        "",
        "1 recorded output of sha256:0000",
    ),
    "recordings of no case": (
        folder(recordings=[recording(content().digest, "L77")]),
        "recording_unknown",
        "warning",
        "recordings",
        "",
        "L77",
    ),
    "two prices of one model": (
        folder(prices={"models": [{"model": "*", "input_per_1k": n, "output_per_1k": 1} for n in (1, 2)]}),
        "price_duplicate",
        "error",
        "prices",
        "models.1.model",
        "two prices",
    ),
    "a keyword that is none": (
        folder(labels={"v1": edited(PROMPT, "output", "schema", "requird", to=["answer"])}),
        "schema_keyword_unknown",
        "warning",
        V1,
        "output.schema.requird",
        "did you mean required?",
    ),
    "a keyword that is none, deep inside": (
        suited(schema={**SHAPE, "$defs": {"ref": {"anyOf": [{"nullable": True}]}}}),
        "schema_keyword_unknown",
        "warning",
        SUITE,
        "schema.$defs.ref.anyOf.0.nullable",
        "nullable",
    ),
    "a schema in a circle": (
        folder(labels={"v1": edited(PROMPT, "output", "schema", to={"$ref": "#"})}),
        "schema_invalid",
        "error",
        V1,
        "output.schema",
        "refers to itself",
    ),
}


@pytest.mark.parametrize(("bundle", "code", "severity", "document", "path", "word"), TABLE.values(), ids=TABLE)
def test_what_can_never_work_is_found_at_its_place(bundle, code, severity, document, path, word):
    found = lint(facts(bundle))
    assert [one.code for one in found] == [code]
    assert (found[0].severity, found[0].document, ".".join(map(str, found[0].path))) == (severity, document, path)
    assert word in found[0].message + found[0].hint
    assert found[0].hint


@pytest.mark.parametrize(
    "bundle",
    [
        pytest.param(graded(path="refs[*].code"), id="a path through a list"),
        pytest.param(graded(path="either.code"), id="a path through a choice"),
        pytest.param(graded(path="free.anything.at.all"), id="a path into an open object"),
        pytest.param(graded(path="$text"), id="the raw output"),
        pytest.param(graded(type="icontains-any", value="a, b", threshold=0.5), id="an assertion of promptfoo's"),
        pytest.param(graded(type="regex", value="[Yy]es|{{question}}"), id="a pattern with an input of the case"),
        pytest.param(
            graded(type="contains", value="x", weight=0, metric="seen"), id="a minor grader that only reports"
        ),
        pytest.param(graded(path="$label.is_buyer"), id="the label"),
        pytest.param(graded(type="any_item", path="refs", field="code", value="x"), id="a field of the items"),
        pytest.param(graded(type="number_range", path="subject", min=2, max=2), id="a range of one number"),
        pytest.param(graded(path="subject", when={"question": ["Question 2?"]}), id="meant for one case"),
        pytest.param(
            gated(repeat={"samples": 2, "every_sample_if": {"path": "$case.category", "equals": "edge"}}), id="c"
        ),
        pytest.param(folder(recordings=[recording(content().digest)]), id="a recording of this content"),
        pytest.param(
            folder(labels={"v1": edited(PROMPT, "output", "schema", "x-ours", to=1)}), id="a keyword of one's own"
        ),
        pytest.param(
            folder(labels={"v1": edited(PROMPT, "output", "schema", "properties", to={"requird": {"type": "string"}})}),
            id="a property of any name",
        ),
    ],
)
def test_what_may_work_is_not_found(bundle):
    assert lint(facts(bundle)) == []


def test_the_same_path_twice_without_an_id_is_no_doubled_id():
    graders = [
        {"type": "non_empty", "path": "answer", "severity": "minor", "when": {"question": [f"Question {n}?"]}}
        for n in (1, 2)
    ]
    assert lint(facts(suited(graders=[*suite()["graders"], *graders]))) == []


def test_when_never_is_a_warning_below_tier_elevated():
    bundle = graded(path="subject", when={"question": ["Never asked?"]})
    made = {**bundle, "workflow": {**bundle["workflow"], "tier": "standard"}}
    assert [(one.code, one.severity) for one in lint(facts(made))] == [("when_never", "warning")]


SHORT = without(edited(PROMPT, "messages", 1, "content", to="<question>{{question}}</question>"), "context")
SHORT = {**SHORT, "variables": PROMPT["variables"][1:], "evaluation": PROMPT["evaluation"]}


def looked(bundle, **desk):
    made = checked(bundle)
    return [(one.code, one.about) for one in lint(Facts(made, made.suites, desk=OnDesk(**desk)))]


def test_an_input_that_another_version_in_the_folder_declares_is_no_mistake():
    assert looked(folder(labels={"v1": PROMPT, "v2": SHORT})) == []
    assert looked(folder(labels={"draft": PROMPT, "v2": SHORT})) == []


def test_an_input_that_a_version_on_the_desk_declares_is_no_mistake():
    bundle = folder(labels={"v2": SHORT})
    assert looked(bundle) == [("case_input_undeclared", "prompts/answer/v2")]
    assert looked(bundle, declared={"other": frozenset({"catalogue"})}) == [
        ("case_input_undeclared", "prompts/answer/v2")
    ]
    assert looked(bundle, declared={"answer": frozenset({"catalogue"})}) == []


@pytest.mark.parametrize(
    "used",
    [
        pytest.param({"derived": {"question": "catalogue"}}, id="derived"),
        pytest.param(
            {"graders": [{"type": "json_only", "severity": "major", "when": {"catalogue": [None, []]}}]}, id="when"
        ),
        pytest.param(
            {"graders": [{"type": "equals", "severity": "major", "path": "$input.catalogue", "value": []}]}, id="input"
        ),
        pytest.param(
            {
                "graders": [
                    {"type": "refs_exist", "severity": "major", "paths": ["a"], "input_paths": ["catalogue[*].ref"]}
                ]
            },
            id="input_paths",
        ),
    ],
)
def test_an_input_that_the_suite_itself_looks_at_is_no_mistake(used):
    made = suite(**used)
    bundle = folder(
        labels={"v2": SHORT}, suites={"answer": {**made, "graders": [*suite()["graders"], *made["graders"]]}}
    )
    assert "case_input_undeclared" not in [code for code, _ in looked(bundle)]


def test_recordings_and_versions_that_the_desk_has_are_known():
    excuse = [{"case": "L01", "versions": ["v7"], "reason": "known"}]
    bundle = {**suited(expected_failures=excuse), "recordings": [recording(DIGEST)]}
    assert looked(bundle, digests=frozenset({DIGEST}), labels={"answer": frozenset({"v7"})}) == []
