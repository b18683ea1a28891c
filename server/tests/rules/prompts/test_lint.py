"""Lint finds each mistake by its code, and finds nothing in a folder that has none."""

# long because: one table has a row for every mistake that lint knows

import pytest

from cuelight_server.prompts.lint import lint, standing_in_the_way
from server.tests.folders import (
    OWNERS,
    PROMPT,
    edited,
    facts,
    folder,
    prompt,
    suite,
    without,
    workflow,
)

V1, V2 = "prompts/answer/v1", "prompts/answer/v2"
SITUATIONS = ("automated_decision", "brand_or_legal", "system_of_record", "personal_data", "tools")
SYSTEM = ("messages", 0, "parts")
CASE = "The reader asks in one long breath whether the second volume of the atlas came back last week or not."


def one(label, **changes):
    return folder(labels={label: prompt(**changes)})


def of(document):
    return folder(labels={"v1": document})


def tiered(tier, bundle=None, **changes):
    made = bundle or folder()
    return {**made, "workflow": {**made["workflow"], "tier": tier, **changes}}


def cased(*cases, **changes):
    return folder(suites={"answer": suite(cases=[*suite()["cases"], *cases], **changes)})


def case(**input):
    return {"id": "X1", "category": "normal", "title": "one more", "input": {"question": "?", **input}}


def said(text):
    return of(edited(PROMPT, *SYSTEM, 1, "text", to=text))


def model(name, tier="elevated"):
    return tiered(tier, of(edited(PROMPT, "settings", "model", to=name)))


def authority(*actions):
    return folder(authority={"actions": [{"action": "hold.place", "mode": "may_prepare"}, *actions]})


def prompt_rules(**rules):
    return folder(workflow=edited(workflow(), "prompts", "answer", to={**workflow()["prompts"]["answer"], **rules}))


def suited(**changes):
    return folder(suites={"answer": suite(**changes)})


def minor_only(n=1):
    graders = [{"type": "json_only", "severity": "minor"}] * n
    return suited(graders=graders)


def extra(**keys):
    return of(edited(PROMPT, "settings", "extra", to=keys))


def changed(new, old=PROMPT):
    return folder(labels={"v1": old, "v2": {**new, "release_note": "Another one."}})


def consuming(schema):
    return edited(PROMPT, "output", "consumers", to=[{"name": "the web page", "schema": schema}])


def consumed(schema):
    return of(consuming(schema))


PINNED = edited(
    PROMPT,
    "context",
    to=[
        *PROMPT["context"],
        {"id": "hours", "rule": "pinned_value", "variable": "catalogue", "value": [{"ref": "H-1"}]},
    ],
)
DEEP = "(?:" * 450 + "a" + ")" * 450
# Situation -> (bundle, code, severity, document, a word of the message)
TABLE = {
    "a variable nobody declared": (said("{{catalog}}"), "variable_undeclared", "error", V1, "catalog"),
    "a placeholder nobody declared": (
        one("v1", messages=[*PROMPT["messages"], {"placeholder": "dialogue"}]),
        "variable_undeclared",
        "error",
        V1,
        "dialogue",
    ),
    "a media address with a name nobody declared": (
        of(edited(PROMPT, *SYSTEM, to=[*PROMPT["messages"][0]["parts"], {"image": {"url": "{{map}}"}}])),
        "variable_undeclared",
        "error",
        V1,
        "map",
    ),
    "cases that only a minor grader judges": (minor_only(), "case_not_judged", "error", "suites/answer", "L01"),
    "cases that nothing judges, of tier standard": (
        tiered("standard", suited(graders=[])),
        "case_not_judged",
        "warning",
        "suites/answer",
        "5 more",
    ),
    "a grader that is meant for other cases": (
        suited(graders=[{"type": "json_only", "severity": "blocker", "when": {"question": ["Question 1?"]}}]),
        "case_not_judged",
        "error",
        "suites/answer",
        "L02",
    ),
    "a high tier with ten cases": (tiered("high"), "suite_too_small", "error", "suites/answer", "10 cases are missing"),
    "a pattern that is none": (
        suited(graders=[*suite()["graders"], {"type": "regex", "path": "a", "pattern": "(", "severity": "minor"}]),
        "pattern_invalid",
        "error",
        "suites/answer",
        "no pattern",
    ),
    "a pattern nested 450 deep": (
        suited(graders=[*suite()["graders"], {"type": "regex", "path": "a", "pattern": DEEP, "severity": "minor"}]),
        "pattern_invalid",
        "error",
        "suites/answer",
        "nested too deep",
    ),
    "an extra that overrides the pinned model": (extra(model="gpt-latest"), "extra_overrides", "error", V1, "model"),
    "an extra that asks for many answers": (extra(n=5), "extra_overrides", "error", V1, "n"),
    "a variable no message uses": (
        one("v1", variables=[*PROMPT["variables"], {"name": "age", "type": "integer", "required": False}]),
        "variable_unused",
        "warning",
        V1,
        "age",
    ),
    "an open brace": (said("Use {{ with care."), "template_broken", "error", V1, "never closes"),
    "code in a template": (said("{{question.lower}}"), "template_broken", "error", V1, "question.lower"),
    "no risk owner": (
        folder(workflow=without(workflow(), "owners", "risk_owner")),
        "owner_missing",
        "error",
        "workflow",
        "risk owner",
    ),
    "one person on both sides": (
        folder(workflow=edited(workflow(), "owners", "engineering_owner", "person", to="ana.reyes")),
        "business_technical_same_person",
        "error",
        "workflow",
        "ana.reyes",
    ),
    "one person in both fields": (
        folder(workflow=workflow(business_owner="ben.cole", technical_owner="ben.cole")),
        "business_technical_same_person",
        "error",
        "workflow",
        "ben.cole",
    ),
    "one person on both sides of a low workflow": (
        tiered("low", folder(workflow=workflow(business_owner="ben.cole", technical_owner="ben.cole"))),
        "business_technical_same_person",
        "warning",
        "workflow",
        "ben.cole",
    ),
    "a model alias": (model("example-small"), "model_alias_not_pinned", "error", V1, "example-small"),
    "a model alias in a standard workflow": (
        model("example-small", "standard"),
        "model_alias_not_pinned",
        "warning",
        V1,
        "example",
    ),
    "the latest of a dated family": (
        model("example-2026-06-01-latest"),
        "model_alias_not_pinned",
        "error",
        V1,
        "latest",
    ),
    "no temperature": (
        of(without(PROMPT, "settings", "temperature")),
        "settings_incomplete",
        "error",
        V1,
        "temperature",
    ),
    "no limit on tokens": (
        of(without(PROMPT, "settings", "max_output_tokens")),
        "settings_incomplete",
        "error",
        V1,
        "max_output",
    ),
    "a fragment without a pin": (
        of(edited(PROMPT, *SYSTEM, 1, to={"include": "house_rules", "text": "Be kind."})),
        "include_not_pinned",
        "error",
        V1,
        "house_rules",
    ),
    "a tool outside of the table": (
        of(edited(PROMPT, "tools", 0, "name", to="hold.cancel")),
        "tool_not_in_authority",
        "error",
        V1,
        "hold.cancel",
    ),
    "a tool that wants more": (
        of(edited(PROMPT, "tools", 0, "mode", to="may_execute")),
        "tool_mode_wider_than_authority",
        "error",
        V1,
        "may_prepare",
    ),
    "an action in two lines": (
        authority({"action": "hold.place", "mode": "never"}),
        "action_duplicate",
        "error",
        "authority",
        "hold.place",
    ),
    "no suite": (folder(suites={}), "suite_missing", "error", V1, "answer"),
    "a category without a case": (
        folder(suites={"answer": suite(cases=suite()["cases"][1:])}),
        "suite_empty_category",
        "error",
        "suites/answer",
        "normal",
    ),
    "a category without a case in a standard workflow": (
        tiered("standard", folder(suites={"answer": suite(cases=suite()["cases"][1:])})),
        "suite_empty_category",
        "warning",
        "suites/answer",
        "normal",
    ),
    "no boundary": (
        of(edited(PROMPT, *SYSTEM, 2, "block", to="rules")),
        "boundary_missing",
        "error",
        V1,
        "no boundary",
    ),
    "a blank boundary": (
        of(edited(PROMPT, *SYSTEM, 2, "text", to=" \n")),
        "boundary_missing",
        "error",
        V1,
        "no boundary",
    ),
    "a prompt that knows its case": (
        {**cased(case(question=CASE)), "prompts": said(f"For example: {CASE.upper()}")["prompts"]},
        "case_overlap",
        "error",
        V1,
        "X1",
    ),
    "an output schema that is none": (
        of(edited(PROMPT, "output", "schema", "type", to="objekt")),
        "schema_invalid",
        "error",
        V1,
        "output.schema",
    ),
    "a variable schema that looks elsewhere": (
        of(edited(PROMPT, "variables", 0, "schema", to={"$ref": "https://example.org/x.json"})),
        "schema_invalid",
        "error",
        V1,
        "variables.0.schema",
    ),
    "tool parameters that are no schema": (
        of(edited(PROMPT, "tools", 0, "parameters", "type", to=3)),
        "schema_invalid",
        "error",
        V1,
        "tools.0.parameters",
    ),
    "a suite schema that is none": (cased(schema={"type": 5}), "schema_invalid", "error", "suites/answer", "schema"),
    "arguments that are no schema": (
        authority({"action": "hold.cancel", "mode": "never", "arguments": {"type": "x"}}),
        "schema_invalid",
        "error",
        "authority",
        "arguments",
    ),
    "a case that gives too much": (cased(case(colour="red")), "case_input_undeclared", "error", V1, "colour"),
    "a case that gives too little": (
        folder(suites={"answer": without(suite(), "defaults")}),
        "case_input_missing",
        "error",
        V1,
        "catalogue",
    ),
    "two cases of one name": (cased({**case(), "id": "L01"}), "case_duplicate", "error", "suites/answer", "L01"),
    "a fallback that is only a note": (
        prompt_rules(fallback={"note": "later"}),
        "fallback_missing",
        "error",
        "workflow",
        "answer",
    ),
    "two fallbacks": (
        prompt_rules(fallback={"person": "desk", "message": "Later."}),
        "fallback_missing",
        "error",
        "workflow",
        "answer",
    ),
    "a prompt nobody listed": (
        {**folder(), "prompts": {"answer": {"v1": PROMPT}, "greet": {"v1": PROMPT}}},
        "prompt_not_listed",
        "error",
        "prompts/greet/v1",
        "greet",
    ),
    "a version without a note": (
        of(without(PROMPT, "release_note")),
        "release_note_missing",
        "error",
        V1,
        "release note",
    ),
    "a version with a blank note": (one("v1", release_note=" \n"), "release_note_missing", "error", V1, "release note"),
    "a context rule on nothing": (
        of(edited(PROMPT, "context", 0, "variable", to="katalog")),
        "context_rule_variable_unknown",
        "error",
        V1,
        "katalog",
    ),
    "no path for a broken output": (
        of(edited(PROMPT, "output", "on_invalid", to=[])),
        "on_invalid_missing",
        "error",
        V1,
        "breaks its contract",
    ),
    "nobody asked for a yes": (
        folder(workflow=workflow(release={"approvals": []})),
        "approvals_missing",
        "error",
        "workflow",
        "yes",
    ),
    "nobody asked for a yes for one prompt": (
        prompt_rules(release={"approvals": []}),
        "approvals_missing",
        "error",
        "workflow",
        "yes",
    ),
    "a low tier that decides": (
        tiered("low", situations=dict.fromkeys(SITUATIONS, True)),
        "tier_too_low",
        "error",
        "workflow",
        "automated decision",
    ),
    "an on-invalid step in words": (
        of(edited(PROMPT, "output", "on_invalid", to=[{"declared_only": "Somebody looks."}])),
        "declared_only_blocks_release",
        "warning",
        V1,
        "on-invalid",
    ),
    "an endpoint that nobody approved": (
        folder(
            workflow=workflow(approved_endpoints=["inside"]),
            labels={"v1": edited(PROMPT, "settings", "provider", to="any")},
        ),
        "endpoint_not_approved",
        "error",
        V1,
        "any",
    ),
    "no endpoint where they are approved one by one": (
        folder(workflow=workflow(approved_endpoints=["inside"])),
        "endpoint_not_approved",
        "error",
        V1,
        "no endpoint",
    ),
    "a consumer that needs more": (
        consumed({"type": "object", "required": ["source"]}),
        "consumer_unfit",
        "error",
        V1,
        "source: may be missing",
    ),
    "a consumer of an output that nobody describes": (
        of(without(consuming({"type": "object"}), "output", "schema")),
        "consumer_unfit",
        "error",
        V1,
        "expected object",
    ),
    "a consumer that cannot be compared": (
        consumed({"not": {"required": ["secret"]}}),
        "consumer_undecided",
        "warning",
        V1,
        "not cannot be compared",
    ),
    "a contract that got looser": (
        changed(edited(PROMPT, "output", "schema", "required", to=[])),
        "output_contract_loosened",
        "error",
        V2,
        "answer: may be missing",
    ),
    "a contract that got wider": (
        changed(edited(PROMPT, "output", "schema", "properties", "answer", "type", to=["string", "null"])),
        "output_contract_loosened",
        "warning",
        V2,
        "null may come",
    ),
    "a contract that got looser, tier standard": (
        tiered("standard", changed(edited(PROMPT, "output", "strict", to=False))),
        "output_contract_loosened",
        "warning",
        V2,
        "strict",
    ),
    "a contract that cannot be compared": (
        changed(edited(PROMPT, "output", "schema", "patternProperties", to={"^x": True})),
        "output_contract_undecided",
        "warning",
        V2,
        "patternProperties",
    ),
    "knowledge that is pinned no more": (
        changed(without(PINNED, "context", 1), old=PINNED),
        "context_ref_missing",
        "error",
        V2,
        "H-1",
    ),
    "knowledge that is pinned no more, tier low": (
        tiered("low", changed(without(PINNED, "context", 1), old=PINNED)),
        "context_ref_missing",
        "warning",
        V2,
        "H-1",
    ),
    "knowledge that no variable names any more": (
        changed(PROMPT, old=edited(PROMPT, "variables", 0, "source", to="knowledge hours, H-1")),
        "context_ref_missing",
        "error",
        V2,
        "H-1",
    ),
    "an authority rule in words": (
        authority({"action": "hold.cancel", "mode": "may_suggest", "declared_only": "Only on Mondays."}),
        "declared_only_blocks_release",
        "warning",
        "authority",
        "hold.cancel",
    ),
    "a guardrail in words": (
        folder(workflow=workflow(guardrails=[{"metric": "opt_out", "declared_only": "Somebody watches."}])),
        "declared_only_blocks_release",
        "warning",
        "workflow",
        "opt_out",
    ),
}


@pytest.mark.parametrize(("bundle", "code", "severity", "document", "word"), TABLE.values(), ids=TABLE)
def test_a_mistake_is_found(bundle, code, severity, document, word):
    found = [one for one in lint(facts(bundle)) if one.code == code]
    assert found, [one.code for one in lint(facts(bundle))]
    assert {(one.severity, one.about) for one in found} == {(severity, document)}
    assert any(word in one.message for one in found)
    assert all(one.hint for one in found)


def test_a_sound_folder_has_no_finding():
    assert lint(facts(folder(), people=frozenset(OWNERS.values()))) == []


def test_every_code_stands_in_the_table():
    codes = {one.code for bundle, *_ in TABLE.values() for one in lint(facts(bundle))} | {"owner_unknown"}
    assert codes == {row[1] for row in TABLE.values()} | {"owner_unknown"}


@pytest.mark.parametrize(
    "bundle",
    [
        pytest.param(tiered("low", of(without(PROMPT, "settings", "temperature"))), id="settings of a low workflow"),
        pytest.param(tiered("low", of(edited(PROMPT, *SYSTEM, 2, "block", to="rules"))), id="boundary of a low one"),
        pytest.param(tiered("low", of(edited(PROMPT, "output", "on_invalid", to=[]))), id="on-invalid of a low one"),
        pytest.param(tiered("low", release={"approvals": []}), id="a low workflow may ask nobody"),
        pytest.param(
            tiered("standard", authority({"action": "x", "mode": "never", "declared_only": "Words."})), id="words"
        ),
        pytest.param(folder(workflow=without(workflow(), "people")), id="no people, nobody asked the desk"),
        pytest.param(prompt_rules(owners={"risk_owner": {"person": "fay.moon"}}), id="a prompt with its own owner"),
        pytest.param(one("draft", release_note=""), id="a draft without a note"),
        pytest.param(said("Write {{{{ for a brace."), id="a literal brace"),
    ],
)
def test_what_is_no_mistake_here(bundle):
    assert lint(facts(bundle)) == []


def test_a_role_that_each_prompt_fills_itself_is_not_missing():
    document = without(workflow(), "owners", "risk_owner")
    document["prompts"]["answer"]["owners"] = {"risk_owner": {"person": "dee.lund"}}
    assert lint(facts(folder(workflow=document))) == []


@pytest.mark.parametrize(
    "name",
    [
        "example-large-2026-06-01",
        "example-20260601",
        "gpt-4-0613",
        "gpt-4-1106-preview",
        "example-1.5-pro-002",
        "team/model@1a2b3c4d5e6f",
        "model@sha256:1a2b3c4d5e6f7a8b",
    ],
)
def test_a_pinned_model_is_fine(name):
    assert lint(facts(model(name))) == []


@pytest.mark.parametrize(
    "name",
    ["gpt-4o", "example-large", "example-70b", "example-2026", "example-2026-13-40", "llama3.1:8b", "model-latest"],
)
def test_an_alias_is_not_pinned(name):
    assert [one.code for one in lint(facts(model(name)))] == ["model_alias_not_pinned"]


def test_a_revision_among_the_extra_settings_pins_too():
    document = edited(edited(PROMPT, "settings", "model", to="own-model"), "settings", "extra", to={"revision": "a1b2"})
    assert lint(facts(of(document))) == []


def test_text_that_every_call_has_may_stand_in_the_prompt():
    bundle = folder(suites={"answer": suite(defaults={"catalogue": [CASE]})}, prompts=said(CASE)["prompts"])
    assert lint(facts(bundle)) == []


def test_eleven_words_in_a_row_are_no_quotation():
    words = CASE.split()
    bundle = {**cased(case(question=" ".join(words[:11]))), "prompts": said(" ".join(words))["prompts"]}
    assert lint(facts(bundle)) == []
    bundle = {**cased(case(question=" ".join(words[:12]))), "prompts": said(" ".join(words))["prompts"]}
    assert [one.code for one in lint(facts(bundle))] == ["case_overlap"]


def test_who_holds_a_role_and_is_unknown_is_told():
    bundle = folder(workflow=without(workflow(), "people"))
    found = lint(facts(bundle, people=frozenset(OWNERS.values()) - {"dee.lund"}))
    assert [(one.code, one.severity, one.message.split()[0]) for one in found] == [
        ("owner_unknown", "warning", "dee.lund")
    ]


def test_only_errors_that_concern_a_version_stand_in_its_way():
    labels = {"v1": prompt(), "v2": without(PROMPT, "release_note"), "x": said("{{nobody}}")["prompts"]["answer"]["v1"]}
    bundle = {
        **folder(labels=labels),
        "suites": {"answer": suite(), "other": {**suite(), "suite": "other", "cases": []}},
    }
    found = lint(facts(bundle))
    assert standing_in_the_way(found, "answer", "v1", "answer") == []
    assert [one.code for one in standing_in_the_way(found, "answer", "v2", "answer")] == ["release_note_missing"]
    assert [one.code for one in standing_in_the_way(found, "answer", "v1", "other")] == [
        "suite_empty_category",
        "suite_too_small",
    ]


def test_errors_come_first():
    bundle = one("v1", variables=[*PROMPT["variables"], {"name": "age", "type": "integer"}], release_note="")
    severities = [each.severity for each in lint(facts(bundle))]
    assert severities == sorted(severities)
    assert set(severities) == {"error", "warning"}


def test_a_case_that_does_not_fit_is_shown_where_it_stands_and_blocks_only_its_version():
    (one,) = [one for one in lint(facts(cased(case(colour="red")))) if one.code == "case_input_undeclared"]
    assert (one.document, one.path[0], one.about) == ("suites/answer", "cases", V1)
    assert one in standing_in_the_way([one], "answer", "v1", "answer")
    assert standing_in_the_way([one], "answer", "v2", "answer") == []
