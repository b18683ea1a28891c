"""A prompt is switched off, or retired with its name; a model is no longer offered (E20, R49, R61)."""

import json

import pytest

from cuelight.contract.errors import Blocked, Conflict, Denied, Invalid, NotFound
from cuelight.contract.snapshot import parse
from cuelight_server.control.ending import retire, switch_off
from cuelight_server.control.ingest import record_calls
from cuelight_server.control.models import retire_model
from cuelight_server.control.prompts import lint_bundle
from cuelight_server.control.push import push
from cuelight_server.control.releases import approve, check, release, roll_back
from cuelight_server.control.verify import verify_desk
from cuelight_server.db.engine import Intent, reading, transaction
from cuelight_server.kernel.actor import Actor
from cuelight_server.kernel.terms import ActorKind, Environment
from cuelight_server.prompts import store
from cuelight_server.releases import store as releases
from cuelight_server.routing import store as routing
from cuelight_server.routing.model import Deployment
from cuelight_server.views.desk import status
from cuelight_server.views.models import models
from cuelight_server.views.runtime import current, version
from cuelight_server.views.traces import why
from server.tests.folders import OWNERS as LIBRARY
from server.tests.folders import PROMPT as ANSWER
from server.tests.folders import edited, folder
from server.tests.folders import prompt as answer_file
from server.tests.pushing import lines, log, rows, size
from server.tests.releasing import AUTHOR, BACKUP, ENGINEER, OWNER, PROMPT, RISK, SUPPORT, evaluate, live, prepare, who

NAME = "library.answer"


def put_out(desk, label, environment="production"):
    evaluate(desk, label)
    if environment == "production":
        for person in (OWNER, ENGINEER):
            approve(desk, who(desk, person), PROMPT, label)
    return release(desk, who(desk, ENGINEER), PROMPT, label, environment)


def asked(desk, environment="production", prompt=PROMPT):
    """What an app's client gets that asks for the prompt now."""
    return parse(json.loads(current(desk, environment).body)).resolve(prompt)


@pytest.fixture
def serving(desk):
    """v1, then v2 in production; v1 in staging."""
    prepare(desk, versions=3)
    put_out(desk, "v1", "staging")
    put_out(desk, "v1")
    put_out(desk, "v2")
    return desk


# Off


@pytest.mark.parametrize("person", [ENGINEER, SUPPORT, OWNER, RISK])
def test_whoever_may_stop_a_prompt_switches_it_off_in_one_step(serving, person):
    before = size(serving)
    done = switch_off(serving, who(serving, person), PROMPT, why="wrong answers")
    assert (done.previous, done.no_op) == ("v2", False)
    assert done.snapshot_version == version(serving, "production")
    answer = asked(serving)
    assert (answer.version, answer.reason, answer.fallback) == (None, "kill_switch", {"message": "a person will look"})
    (line,) = log(serving, before)
    assert (line.verb, line.actor) == ("prompt.switch_off", person)
    assert line.facts["why"] == "wrong answers"
    assert line.facts["snapshot"]["version"] == done.snapshot_version
    with reading(serving.registry) as sql:
        assert [one.state for one in releases.history(sql, PROMPT).items[:2]] == ["superseded", "superseded"]
    assert live(serving, "staging") == 1, "another environment goes on"


def test_an_author_alone_may_not_switch_off_and_nobody_without_a_reason(serving):
    before = rows(serving)
    with pytest.raises(Denied):
        switch_off(serving, who(serving, AUTHOR), PROMPT, why="mine")
    with pytest.raises(Invalid, match="reason"):
        switch_off(serving, who(serving, OWNER), PROMPT, why=" ")
    with pytest.raises(NotFound, match="never released"):
        switch_off(serving, who(serving, OWNER), PROMPT, "development", why="x")
    assert rows(serving) == before


def test_off_again_does_nothing_and_a_rollback_does_not_switch_it_on(serving):
    switch_off(serving, who(serving, OWNER), PROMPT, why="wrong answers")
    snapshots = version(serving, "production")
    assert switch_off(serving, who(serving, OWNER), PROMPT, why="again").no_op
    assert roll_back(serving, who(serving, OWNER), PROMPT, why="again").no_op
    assert version(serving, "production") == snapshots
    assert asked(serving).version is None


@pytest.mark.parametrize(("label", "target"), [("v2", 1), ("v3", 1), ("v1", None)])
def test_on_again_is_a_release_and_the_way_back_is_the_one_from_before(serving, label, target):
    switch_off(serving, who(serving, OWNER), PROMPT, why="wrong answers")
    assert not check(serving, PROMPT, label).ok
    put_out(serving, label)
    assert asked(serving).version == label
    with reading(serving.registry) as sql:
        assert routing.deployment(sql, PROMPT, "production").rollback_target == target


# Retired


def test_a_prompt_that_is_live_is_not_retired(serving):
    before = rows(serving)
    with pytest.raises(Blocked, match="is live in production") as refused:
        retire(serving, who(serving, OWNER), PROMPT, "nobody calls it")
    assert f"cuelight off {PROMPT}" in refused.value.hint
    assert rows(serving) == before


@pytest.mark.parametrize("person", [AUTHOR, RISK, SUPPORT])
def test_only_the_workflow_owner_and_the_engineering_owner_retire(serving, person):
    switch_off(serving, who(serving, OWNER), PROMPT, why="unused")
    with pytest.raises(Denied):
        retire(serving, who(serving, person), PROMPT, "nobody calls it")


@pytest.mark.parametrize("person", [OWNER, ENGINEER, BACKUP])
def test_an_app_that_asks_for_a_retired_prompt_is_told_whom_to_ask(serving, person):
    switch_off(serving, who(serving, OWNER), PROMPT, why="unused")
    before = size(serving)
    done = retire(serving, who(serving, person), PROMPT, "nobody calls it")
    assert set(done.snapshots) == {"production", "staging"}
    for place in done.snapshots:
        with pytest.raises(NotFound, match=f"{PROMPT} is retired") as refused:
            asked(serving, place)
        assert refused.value.hint == f"ask {OWNER}, its workflow owner, what takes its place"
    assert lines(serving, before) == [("prompt.retire", PROMPT)]
    assert log(serving, before)[0].facts["why"] == "nobody calls it"
    assert live(serving, "staging") is None
    assert status(serving).rows == ()
    assert verify_desk(serving).problems == ()


def test_nothing_of_a_retired_prompt_is_approved_or_released_and_it_is_not_retired_twice(serving):
    switch_off(serving, who(serving, OWNER), PROMPT, why="unused")
    retire(serving, who(serving, OWNER), PROMPT, "nobody calls it")
    evaluate(serving, "v3")
    for attempt in (approve, release):
        with pytest.raises(Blocked, match="is retired since"):
            attempt(serving, who(serving, ENGINEER), PROMPT, "v3")
    with pytest.raises(Conflict, match="is retired since"):
        retire(serving, who(serving, OWNER), PROMPT, "again")
    with pytest.raises(NotFound):
        retire(serving, who(serving, OWNER), "sales.nothing", "x")


# Its name


@pytest.fixture
def ana(person):
    """The workflow owner of the library."""
    return person(LIBRARY["workflow_owner"])


def retired(desk, ana):
    push(desk, ana, folder())
    retire(desk, ana, NAME, "replaced")


def test_a_push_that_brings_a_retired_name_again_is_refused_and_says_who_retired_it_and_when(desk, ana):
    retired(desk, ana)
    before = rows(desk)
    with pytest.raises(Conflict, match=rf"{NAME} was retired by ana\.reyes on 2026-01-05") as refused:
        push(desk, ana, folder(labels={"v1": ANSWER, "v2": answer_file(release_note="New.")}))
    assert f"--revive {NAME}" in refused.value.hint
    assert rows(desk) == before


def test_only_the_workflow_owner_revives_a_name(desk, ana, person):
    retired(desk, ana)
    before = rows(desk)
    with pytest.raises(Denied) as refused:
        push(desk, person(LIBRARY["engineering_owner"]), folder(), revive=[NAME])
    assert refused.value.hint == "ask ana.reyes (workflow owner)"
    assert rows(desk) == before


def test_a_revived_prompt_goes_on_where_it_ended(desk, ana):
    retired(desk, ana)
    before = size(desk)
    new = edited(ANSWER, "settings", "temperature", to=0.3)
    done = push(desk, ana, folder(labels={"v1": ANSWER, "v2": new}), revive=[NAME]).to_json()
    assert ([one["label"] for one in done["minted"]], [one["label"] for one in done["unchanged"]]) == (["v2"], ["v1"])
    assert ("prompt.revive", NAME) in lines(desk, before)
    with reading(desk.registry) as sql:
        assert store.prompt(sql, NAME).retired_at is None
    push(desk, ana, folder(labels={"v1": ANSWER, "v2": new}))


def test_what_is_not_retired_cannot_be_revived(desk, ana):
    push(desk, ana, folder())
    with pytest.raises(Invalid, match="is no retired prompt of library"):
        push(desk, ana, folder(), revive=[NAME])


def test_apps_hear_that_a_name_is_back(desk, ana):
    push(desk, ana, folder())
    deploy(desk, weights=())
    retire(desk, ana, NAME, "replaced")
    with reading(desk.registry) as sql:
        before = routing.version(sql, "production")
    push(desk, ana, folder(), revive=[NAME])
    with pytest.raises(NotFound, match="nothing is live"):
        asked(desk, prompt=NAME)
    assert version(desk, "production") == before + 1


def deploy(desk, weights=((1, 100_000),)):
    """Another prompt's snapshot stands in production; this one is deployed in staging, past the door."""
    here = Deployment(prompt=NAME, environment="staging", weights=weights, revision=1, since="2026-01-05T09:00:00Z")
    with transaction(desk.registry, Intent.WRITE) as sql:
        routing.save(sql, here) if weights else routing.raise_version(sql, "production")


def two_prompts():
    made = folder()
    made["workflow"]["prompts"]["renew"] = {"use_case": "Renew a loan", "fallback": {"person": "front desk"}}
    made["prompts"]["renew"] = {"v1": ANSWER}
    return made


def test_a_prompt_that_was_released_cannot_be_left_out_of_the_workflow(desk, ana):
    push(desk, ana, two_prompts())
    deploy(desk)
    before = rows(desk)
    rest = two_prompts()
    del rest["workflow"]["prompts"]["answer"], rest["prompts"]["answer"]
    with pytest.raises(Blocked, match=rf"leaves out {NAME}, which was released to staging") as refused:
        push(desk, ana, rest)
    assert f"cuelight retire {NAME}" in refused.value.hint
    assert rows(desk) == before


def test_a_retired_prompt_and_one_that_never_served_may_be_left_out(desk, ana):
    push(desk, ana, two_prompts())
    retire(desk, ana, NAME, "replaced")
    rest = two_prompts()
    del rest["workflow"]["prompts"]["answer"], rest["prompts"]["answer"]
    push(desk, ana, rest)
    other = folder(prompt="hours")
    push(desk, ana, other)


# Models


MODEL = ANSWER["settings"]["model"]


def test_models_are_listed_with_the_versions_on_them_and_where_those_serve(serving):
    (line,) = models(serving)
    assert (line.model, line.retired, line.count) == ("m-2026-01-05", None, 3)
    assert line.versions == (f"{PROMPT}@v1", f"{PROMPT}@v2", f"{PROMPT}@v3")
    assert {(one.label, one.environment, one.weight) for one in line.live} == {
        ("v2", "production", 100_000),
        ("v1", "staging", 100_000),
    }
    retire_model(serving, who(serving, ENGINEER), "m-2026-01-05", "its provider ends it in May")
    (line,) = models(serving)
    assert (line.retired.actor, line.retired.why) == (ENGINEER, "its provider ends it in May")
    assert asked(serving).version == "v2", "what serves goes on"


def test_an_administrator_or_any_engineering_owner_retires_a_model_once(desk, ana, person):
    push(desk, ana, folder())
    for nobody in (ana, person("some.body")):
        with pytest.raises(Denied):
            retire_model(desk, nobody, MODEL, "x")
    retire_model(desk, person(LIBRARY["engineering_owner"]), MODEL, "x")
    retire_model(desk, person("ada.admin", admin=True), "another-model", "x")
    with pytest.raises(Conflict, match="is retired already"):
        retire_model(desk, person("ada.admin"), MODEL, "y")


def test_nothing_new_is_minted_on_a_retired_model(desk, ana, person):
    push(desk, ana, folder())
    retire_model(desk, person(LIBRARY["engineering_owner"]), MODEL, "x")
    found = [one.code for one in lint_bundle(desk, folder()).findings]
    assert found == ["model_retired"]
    new = edited(ANSWER, "settings", "temperature", to=0.3)
    done = push(desk, ana, folder(labels={"v1": ANSWER, "v2": new})).to_json()
    assert [(one["label"], one["why"]) for one in done["refused"]] == [
        ("v2", f"{MODEL} is retired: its provider no longer offers it")
    ]
    assert [one["label"] for one in done["unchanged"]] == ["v1"]


def test_why_names_a_retired_model_as_the_one_thing_that_cannot_be_had_again(serving):
    app = Actor("app:crm", "crm", ActorKind.APP, environment=Environment.PRODUCTION)
    call = {"id": "out_1", "at": "2026-01-05T09:00:00Z", "prompt": PROMPT, "reason": "stable", "version": "v2"}
    record_calls(serving, app, json.dumps({"calls": [call]}).encode())
    assert why(serving, "out_1").model_retired is None
    retire_model(serving, who(serving, ENGINEER), "m-2026-01-05", "its provider ended it")
    told = why(serving, "out_1").model_retired
    assert told.startswith("m-2026-01-05 was retired on 2026-01-05 by eva.eng (its provider ended it)")
    assert "the model's answer cannot be had again" in told
