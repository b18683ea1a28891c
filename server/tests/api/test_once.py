"""The same request again, under the same Idempotency-Key: the same answer, and nothing is done twice."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from cuelight_server.app import build
from cuelight_server.control.access import issue_token
from cuelight_server.control.once import KEPT, forget_answers
from cuelight_server.kernel.actor import SYSTEM
from server.tests.pushing import lines, rows, size
from server.tests.releasing import ENGINEER, OWNER, PROMPT, evaluate, prepare

STAGING = {"prompt": PROMPT, "environment": "staging"}


@pytest.fixture
def ask(desk):
    """`ask(person, address, body, key)`: the response."""
    prepare(desk, versions=2)
    for label in ("v1", "v2"):
        evaluate(desk, label)
    tokens = {one: issue_token(desk, SYSTEM, one) for one in (OWNER, ENGINEER)}
    with TestClient(build(desk, worker=False), raise_server_exceptions=False) as client:

        def send(person, address, body, key=None):
            headers = {"Authorization": f"Bearer {tokens[person]}", **({"Idempotency-Key": key} if key else {})}
            return client.post(f"/api/v1/{address}", json=body, headers=headers)

        yield send


REQUESTS = {
    "approvals": {"prompt": PROMPT, "label": "v1", "note": "read it"},
    "releases": {**STAGING, "label": "v2"},
    "rollbacks": {**STAGING, "why": "bad"},
    "off": {**STAGING, "why": "bad"},
    "retirements": {"prompt": PROMPT, "why": "unused"},
}


@pytest.mark.parametrize("address", REQUESTS)
def test_the_same_request_again_gets_the_same_answer_and_is_done_once(desk, ask, address):
    assert ask(ENGINEER, "releases", {**STAGING, "label": "v1"}).status_code == 200
    before = size(desk)
    first = ask(ENGINEER, address, REQUESTS[address], "k-1")
    assert first.status_code == 200, first.text
    assert len(lines(desk, before)) == 1
    stored = rows(desk)
    for _ in range(3):
        again = ask(ENGINEER, address, REQUESTS[address], "k-1")
        assert (again.status_code, again.json()) == (200, first.json())
    stored["token"] = rows(desk)["token"]  # last used
    assert rows(desk) == stored
    assert len(lines(desk, before)) == 1


def test_another_request_under_the_same_key_is_a_conflict_and_does_nothing(desk, ask):
    assert ask(ENGINEER, "releases", {**STAGING, "label": "v1"}, "k-1").status_code == 200
    before = size(desk)
    for address, body in (("releases", {**STAGING, "label": "v2"}), ("rollbacks", {**STAGING, "why": "x"})):
        refused = ask(ENGINEER, address, body, "k-1")
        assert refused.status_code == 409
        assert "was used for another request" in refused.json()["error"]["message"]
    assert size(desk) == before


def test_a_key_is_its_persons_own(ask):
    assert ask(ENGINEER, "approvals", REQUESTS["approvals"], "k-1").json()["person"] == ENGINEER
    assert ask(OWNER, "approvals", REQUESTS["approvals"], "k-1").json()["person"] == OWNER


def test_a_request_that_was_refused_may_come_again_and_is_judged_again(ask):
    body = {"prompt": PROMPT, "label": "v1"}
    assert ask(ENGINEER, "releases", body, "k-1").status_code == 423
    for person in (OWNER, ENGINEER):
        ask(person, "approvals", body)
    assert ask(ENGINEER, "releases", body, "k-1").status_code == 200


@pytest.mark.parametrize("key", ["a b", "x" * 81])
def test_a_key_that_is_none_is_refused(desk, ask, key):
    before = size(desk)
    assert ask(ENGINEER, "releases", {**STAGING, "label": "v1"}, key).status_code == 422
    assert size(desk) == before


def test_a_crowd_of_the_same_request_is_one_release(desk, ask):
    before = size(desk)
    with ThreadPoolExecutor(8) as crowd:
        told = list(crowd.map(lambda _: ask(ENGINEER, "releases", {**STAGING, "label": "v1"}, "k-1"), range(16)))
    assert {one.status_code for one in told} == {200}
    assert len({one.json()["id"] for one in told}) == 1
    assert lines(desk, before) == [("release.open", f"{PROMPT}@v1")]


def test_an_answer_is_kept_for_a_week_and_then_forgotten_whatever_else_the_key_is_used_for(desk, ask):
    first = ask(ENGINEER, "releases", {**STAGING, "label": "v1"}, "k-1").json()
    forget_answers(replace(desk, clock=lambda: desk.clock() + KEPT - timedelta(minutes=1)))
    assert ask(ENGINEER, "releases", {**STAGING, "label": "v1"}, "k-1").json() == first
    forget_answers(replace(desk, clock=lambda: desk.clock() + KEPT + timedelta(minutes=1)))
    assert ask(ENGINEER, "releases", {**STAGING, "label": "v2"}, "k-1").json()["label"] == "v2"
