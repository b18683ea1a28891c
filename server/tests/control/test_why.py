"""From an output's id to everything that decided it; promise 8."""

import json
from datetime import date

import pytest

from cuelight.contract.canonical import digest
from cuelight.contract.content import parse
from cuelight.contract.rendering import render
from cuelight_server.control.ingest import record_calls
from cuelight_server.control.releases import approve, release
from cuelight_server.kernel.actor import Actor
from cuelight_server.kernel.errors import Denied, Invalid, NotFound
from cuelight_server.kernel.terms import ActorKind, Environment
from cuelight_server.views.traces import Rebuilt, why
from server.tests.releasing import AUTHOR, ENGINEER, OWNER, PROMPT, content, document, evaluate, mint, prepare, who

APP = Actor("app:crm", "crm", ActorKind.APP, environment=Environment.PRODUCTION)
VALUES = {"lead": "Ada, <b>bold</b>, ünïcode \u2028 {{braces}} \r\n and more"}


def record(desk, **parts):
    call = {"id": "out_1", "at": "2026-01-05T09:00:00Z", "prompt": PROMPT, "reason": "stable", **parts}
    record_calls(desk, APP, json.dumps({"calls": [call]}).encode())
    return why(desk, "out_1")


def served(desk, made=None):
    prepare(desk, versions=0)
    mint(desk, 1, made=made or content("version 1"))
    evaluation = evaluate(desk, "v1")
    for person in (OWNER, ENGINEER):
        approve(desk, who(desk, person), PROMPT, "v1", note=f"{person} read it")
    return release(desk, who(desk, ENGINEER), PROMPT, "v1", note="first"), evaluation


def sent(made, values, today=None):
    """What the app's client records of a call it rendered."""
    rendered = render(parse(made), values, today)
    return {
        "version": "v1",
        "digest": digest(made),
        "values": values,
        "rendered_digest": rendered.digest,
        **({"today": today.isoformat()} if today else {}),
    }


def test_why_names_the_version_the_people_the_report_and_the_release(desk):
    released, evaluation = served(desk)
    found = record(desk, **sent(content("version 1"), VALUES), release=released.id, decisions=[], findings=[])
    told = found.to_json()
    assert (told["version"], told["digest_matches"], told["author"]) == ("v1", True, AUTHOR)
    assert (told["release"]["id"], told["release"]["name"]) == (released.id, "Eva Eng")
    assert [(one["name"], one["role"]) for one in told["approvals"]] == [
        ("Olu Owner", "workflow_owner"),
        ("Eva Eng", "engineering_owner"),
    ]
    assert told["report"] == {"id": evaluation, "verdict": "pass", "recorded": False}
    assert (told["model"], told["settings"]["temperature"]) == ("m-2026-01-05", 0)
    json.dumps(told)


def test_promise_8_why_rebuilds_to_identical_bytes(desk):
    served(desk)
    assert record(desk, **sent(content("version 1"), VALUES)).rebuild.state is Rebuilt.IDENTICAL


def test_a_prompt_with_context_rules_is_rebuilt_as_of_the_day_of_the_call(desk):
    rule = {"id": "fresh", "rule": "max_age_days", "variable": "lead", "field": "at", "n": 30}
    made = content("x", variables=[{"name": "lead", "type": "json"}], context=[rule])
    served(desk, made)
    values = {"lead": [{"at": "2026-01-01", "say": "new"}, {"at": "2025-12-10", "say": "old"}]}
    then, later = date(2026, 1, 5), date(2026, 1, 15)
    assert record(desk, **sent(made, values, then)).rebuild.state is Rebuilt.IDENTICAL
    assert sent(made, values, then)["rendered_digest"] != sent(made, values, later)["rendered_digest"]


@pytest.mark.parametrize("changed", [{"values": {"lead": "other"}}, {"rendered_digest": "sha256:" + "0" * 64}])
def test_a_call_that_does_not_rebuild_is_called_different(desk, changed):
    served(desk)
    found = record(desk, **{**sent(content("version 1"), VALUES), **changed}).rebuild
    assert found.state is Rebuilt.DIFFERENT
    assert found.digest != found.recorded


def test_without_the_values_it_is_verifiable_by_their_owner(desk):
    served(desk)
    facts = sent(content("version 1"), VALUES)
    del facts["values"]
    found = record(desk, **facts, values_digest=digest(VALUES)).rebuild
    assert (found.state, found.recorded) == (Rebuilt.VERIFIABLE, facts["rendered_digest"])


def test_other_content_than_is_stored_is_not_passed_off_as_the_version(desk):
    served(desk)
    found = record(desk, **{**sent(content("version 1"), VALUES), "digest": "sha256:" + "1" * 64})
    assert (found.digest_matches, found.rebuild.state) == (False, Rebuilt.NOT_REPRODUCIBLE)


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ({"version": None, "reason": "kill_switch"}, "off"),
        ({"version": "v9", "digest": "sha256:" + "1" * 64}, "not stored"),
    ],
)
def test_what_cannot_be_rebuilt_says_why(desk, parts, reason):
    served(desk)
    found = record(desk, **parts).rebuild
    assert found.state is Rebuilt.NOT_REPRODUCIBLE
    assert reason in found.reason


def test_values_that_no_longer_render_say_so(desk):
    served(desk)
    found = record(desk, **{**sent(content("version 1"), VALUES), "values": {"other": 1}}).rebuild
    assert found.state is Rebuilt.NOT_REPRODUCIBLE
    assert "other" in found.reason or "lead" in found.reason


def test_a_release_of_another_prompt_is_not_believed(desk):
    released, _ = served(desk)
    assert record(desk, **sent(content("version 1"), VALUES), release="rel_unknown").release.id == released.id


def test_an_unknown_output_is_not_found(desk):
    with pytest.raises(NotFound):
        why(desk, "out_unknown")


def test_calls_need_an_apps_environment(desk):
    with pytest.raises(Denied):
        record_calls(desk, Actor("x", "x", ActorKind.PERSON), b'{"calls":[]}')
    with pytest.raises(Invalid):
        record_calls(desk, APP, b"[]")


def test_what_the_trace_policy_forbids_is_not_kept_even_when_an_app_sends_it(desk):
    prepare(desk, versions=0, workflow=document(trace={"content": "hash_only"}))
    mint(desk, 1, made=content("version 1"))
    evaluate(desk, "v1")
    for person in (OWNER, ENGINEER):
        approve(desk, who(desk, person), PROMPT, "v1")
    release(desk, who(desk, ENGINEER), PROMPT, "v1")
    told = record(
        desk,
        **sent(content("version 1"), VALUES),
        output="Ada's secret",
        facts={"name": "Ada"},
        error="ValueError: Ada is not a number",
        findings=[{"code": "not_json", "message": "Ada's secret is no JSON", "path": ""}],
    ).to_json()
    assert "Ada" not in json.dumps(told)
    assert told["call"]["values_digest"] == digest(VALUES)
    assert told["rebuild"]["state"] == "verifiable"
