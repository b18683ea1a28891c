"""The rule report names the code behind each rule; export gives every digest back; verify names what was touched."""

from dataclasses import replace
from importlib.util import find_spec

import pytest

from cuelight.contract.content import parse
from cuelight.contract.format import check
from cuelight_server.prompts.enforcement import ENFORCED_BY, rules
from cuelight_server.prompts.export import prompt_document
from cuelight_server.prompts.model import Version
from cuelight_server.prompts.verify import facts_of, verify_versions
from server.tests.folders import PROMPT, content, edited, facts, folder, prompt, suite, workflow

WORDS = "Somebody looks after it."
ONLY = {"declared_only": WORDS}


def states(bundle):
    return {(one.where, one.rule): (one.state.value, one.by) for one in rules(facts(bundle))}


def test_a_rule_that_code_holds_names_the_code():
    found = states(folder())
    assert found["authority", "action: hold.place may_prepare"] == ("enforced", "cuelight.contract.authority")
    assert found["prompts/answer/v1", "context: few"] == ("enforced", "cuelight.contract.context")
    assert found["prompts/answer/v1", "output rule: says_something"] == ("enforced", "cuelight.contract.output")
    assert found["prompts/answer/v1", "gate: min_pass_rate"] == ("enforced", "cuelight_server.evaluation.gate")
    assert found["workflow.prompts.answer", "fallback: while it is switched off"][0] == "enforced"


def test_a_rule_that_nothing_holds_yet_says_so():
    rule = {"stages": [{"percent": 5}], "level": "limited", "bucketing_key": "account_id"}
    bundle = folder(
        workflow=workflow(
            release=rule,
            guardrails=[{"metric": "latency_p95_ms", "halt_above": 9}],
            retention_days={"traces": 30},
            rollback={"roles": ["risk_owner"], "review_within_hours": 4, "propagation_seconds_max": 60},
        ),
    )
    waiting = {rule for (_, rule), (state, by) in states(bundle).items() if state == "not yet enforced" and not by}
    assert waiting == {
        "stages: 5 %",
        "level: limited",
        "bucketing key: account_id",
        "guardrail: latency_p95_ms",
        "retention: traces",
        "who may roll back: risk_owner",
        "review after a rollback: within 4 h",
        "propagation: within 60 s",
    }


def test_what_the_gate_asks_of_people_is_held_by_the_checklist():
    gate = {"min_pass_rate": 0.9, "human_review": {"roles": ["risk_owner"], "min_cases": 3}, "internal_examples": 2}
    found = states(folder(labels={"v1": edited(PROMPT, "evaluation", "gate", to=gate)}))
    held = ("enforced", "cuelight_server.releases.read_blind")
    assert found["prompts/answer/v1", "human review: risk_owner read 3 cases"] == held
    assert found["prompts/answer/v1", "internal examples: 2 tried by hand"] == held


def test_a_rule_in_words_is_declared_only_wherever_it_stands():
    bundle = folder(
        workflow=workflow(
            guardrails=[{"metric": "opt_out", **ONLY}],
            rules=[{"id": "kind", **ONLY}],
            rollback={"after": [ONLY]},
        ),
        authority={"actions": [{"action": "hold.place", "mode": "may_prepare", **ONLY}]},
        labels={
            "v1": prompt(
                context=[{"id": "own", **ONLY}],
                output={"rules": [{"id": "polite", **ONLY}], "on_invalid": [ONLY]},
                evaluation={"suite": "answer", "gate": {"min_pass_rate": 0.9, "metrics": [{"id": "joy", **ONLY}]}},
            )
        },
        knowledge={"hours": {"knowledge": "hours", "items": [], "rules": [ONLY]}},
    )
    said = {
        (where, rule) for (where, rule), (state, by) in states(bundle).items() if state == "declared only" and not by
    }
    assert said == {
        ("workflow", f"guardrail opt_out: {WORDS}"),
        ("workflow", f"kind: {WORDS}"),
        ("workflow", f"after a rollback: {WORDS}"),
        ("authority", f"hold.place: {WORDS}"),
        ("prompts/answer/v1", f"context own: {WORDS}"),
        ("prompts/answer/v1", f"output rule polite: {WORDS}"),
        ("prompts/answer/v1", f"on invalid: {WORDS}"),
        ("prompts/answer/v1", f"metric joy: {WORDS}"),
        ("knowledge/hours", WORDS),
    }


def test_graders_are_counted_by_type():
    grader = {"type": "json_only", "severity": "blocker"}
    one = {"id": "X", "category": "normal", "title": "x", "input": {"question": "?"}, "graders": [grader]}
    bundle = folder(suites={"answer": suite(graders=[grader], cases=[*suite()["cases"], one])})
    assert states(bundle)["suites/answer", "grader: json_only (2)"] == (
        "enforced",
        "cuelight_server.evaluation.graders",
    )


@pytest.mark.parametrize("by", sorted({one for one in ENFORCED_BY.values() if one}))
def test_the_code_that_is_named_exists(by):
    assert find_spec(by) is not None


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(PROMPT, id="everything"),
        pytest.param(
            {
                "messages": [{"role": "user", "content": "Hi"}],
                "settings": {"model": "m"},
                "evaluation": PROMPT["evaluation"],
            },
            id="almost nothing",
        ),
        pytest.param(prompt(output={"format": "text"}, variables=[], tools=[]), id="a text prompt"),
        pytest.param(
            prompt(messages=[{"placeholder": "dialogue"}], variables=[{"name": "dialogue", "type": "messages"}]),
            id="dialogue",
        ),
    ],
)
def test_content_that_was_taken_out_fits_the_format_and_gives_its_digest_again(document):
    out = prompt_document(parse(document).to_json(), "A note.")
    assert check("prompt", out) == []
    assert parse(out).digest == parse(document).digest
    assert out["release_note"] == "A note."


def version(number=1, **changes):
    stored = Version(
        prompt="library.answer",
        number=number,
        digest=content().digest,
        content=content().to_json(),
        author="ben.cole",
        release_note="First.",
        created_at="2026-01-05T09:00:00.000000Z",
    )
    return replace(stored, **changes)


MINTED = {("library.answer", f"v{number}"): facts_of(version(number)) for number in (1, 2)}
OTHER = content(edited(PROMPT, "settings", "temperature", to=1))


def test_untouched_versions_are_fine():
    assert verify_versions([version(1), version(2)], MINTED) == []
    assert verify_versions([version(1)]) == []


@pytest.mark.parametrize(
    ("rows", "label", "words"),
    [
        pytest.param([version(1, content=OTHER.to_json()), version(2)], "v1", "the content was changed", id="content"),
        pytest.param(
            [version(1, content=OTHER.to_json(), digest=OTHER.digest), version(2)],
            "v1",
            "the digest is not the one that was minted",
            id="content and digest together",
        ),
        pytest.param([version(1), version(2, author="eve")], "v2", "the author is not", id="author"),
        pytest.param([version(1), version(2, release_note="!")], "v2", "the release note is not", id="note"),
        pytest.param([version(1)], "v2", "is gone", id="deleted"),
        pytest.param([version(1), version(2), version(3)], "v3", "never minted", id="smuggled in"),
        pytest.param(
            [version(1), version(2, content={"x": float("nan")})], "v2", "no JSON value", id="no JSON any more"
        ),
    ],
)
def test_a_touched_version_is_named(rows, label, words):
    found = verify_versions(rows, MINTED)
    assert [(one.prompt, one.label) for one in found] == [("library.answer", label)]
    assert words in found[0].message
