"""Promise 1: a draft or unapproved version is never served as production, to anyone, through any door."""

import json

import pytest
from sqlalchemy import insert, update
from starlette.testclient import TestClient

from cuelight.contract.errors import CuelightError
from cuelight_server import cli
from cuelight_server.app import build
from cuelight_server.control.access import add_actor, issue_key, issue_token
from cuelight_server.control.releases import approve, release
from cuelight_server.db import schema
from cuelight_server.db.engine import reading
from cuelight_server.db.operational import operational
from cuelight_server.kernel.actor import SYSTEM, Actor
from cuelight_server.kernel.errors import Blocked, Denied
from cuelight_server.kernel.terms import ActorKind, Environment
from cuelight_server.views.runtime import current
from server.tests.releasing import ENGINEER, OWNER, PEOPLE, PROMPT, draft, evaluate, live, prepare, who

LABELS = ("v1", "v2", "idea", "production", "latest", "v99", "V1", "v01", "v1 ", "../v1", "")


@pytest.fixture
def ready(desk):
    """v1 has a report but no approval, v2 has nothing, and there is a draft with a passing report."""
    prepare(desk)
    draft(desk)
    evaluate(desk, "v1")
    evaluate(desk, "idea")
    return desk


def serves_nothing(desk):
    return json.loads(current(desk, "production").body)["deployments"] == {} and live(desk) is None


def test_promise_1_no_person_no_administrator_no_app_and_not_the_desk_itself_can_release_it(ready):
    add_actor(ready, SYSTEM, "adam.admin", "Adam", admin=True)
    app = Actor("app:crm", "crm", ActorKind.APP, environment=Environment.PRODUCTION)
    everyone = [*[who(ready, one) for one in (*PEOPLE, "adam.admin")], SYSTEM, app]
    for actor in everyone:
        for label in LABELS:
            with pytest.raises(CuelightError):
                release(ready, actor, PROMPT, label)
    assert serves_nothing(ready)


def test_promise_1_no_http_request_with_any_token_can_release_it(ready):
    tokens = [issue_token(ready, SYSTEM, one) for one in PEOPLE]
    tokens.append(issue_key(ready, SYSTEM, "crm", Environment.PRODUCTION))
    with TestClient(build(ready, worker=False), raise_server_exceptions=False) as client:
        for token in tokens:
            for label in LABELS:
                body = {"prompt": PROMPT, "label": label, "environment": "production"}
                answer = client.post("/api/v1/releases", json=body, headers={"Authorization": f"Bearer {token}"})
                assert 400 <= answer.status_code < 500, answer.text
    assert serves_nothing(ready)


def test_promise_1_one_yes_of_two_is_not_enough(ready):
    approve(ready, who(ready, OWNER), PROMPT, "v1")
    with pytest.raises(Blocked):
        release(ready, who(ready, ENGINEER), PROMPT, "v1")
    assert serves_nothing(ready)


def test_promise_1_what_was_approved_for_staging_is_not_served_as_production(ready):
    release(ready, who(ready, ENGINEER), PROMPT, "v1", "staging")
    assert live(ready, "staging") == 1
    assert serves_nothing(ready)


def test_promise_1_pointers_cannot_be_written_past_the_door(ready):
    row = {
        "prompt": PROMPT,
        "environment": "production",
        "tenant": "",
        "weights": "[[2, 100000]]",
        "revision": 1,
        "since": "t",
    }
    for write in (insert(schema.deployment).values(**row), update(schema.environment).values(snapshot_version=7)):
        with pytest.raises(Denied), operational(ready.registry) as sql:
            sql.execute(write)
        with pytest.raises(Exception, match=r"read-?only"), reading(ready.registry) as sql:
            sql.execute(write)
    assert serves_nothing(ready)


def test_promise_1_the_servers_command_line_has_no_way_to_release():
    assert not {"release", "approve", "promote", "deploy"} & set(cli.commands.commands)
