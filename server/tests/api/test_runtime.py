"""The apps' doors: snapshots that follow at once, keys that end, leases that are counted, calls that are kept once."""

import time
from datetime import timedelta

import pytest
from sqlalchemy import insert, select
from starlette.testclient import TestClient

from cuelight.contract.canonical import digest, digest_bytes
from cuelight_server.app import build
from cuelight_server.control.access import (
    Wish,
    add_actor,
    authenticate,
    disable_actor,
    issue,
    issue_key,
    issue_token,
    revoke,
)
from cuelight_server.control.members import admit, appoint_auditor
from cuelight_server.control.releases import approve, release, roll_back
from cuelight_server.control.runtime import Ack, acknowledge
from cuelight_server.db import schema
from cuelight_server.db.engine import Intent, transaction
from cuelight_server.kernel.actor import SYSTEM
from cuelight_server.kernel.errors import NotFound
from cuelight_server.kernel.terms import ActorKind, Environment
from cuelight_server.views.runtime import observed
from cuelight_server.views.traces import why
from server.tests.releasing import ENGINEER, OWNER, PROMPT, content, evaluate, prepare, who

SNAPSHOT = "/runtime/v1/snapshot"


@pytest.fixture
def real(make_desk):
    """A desk on the machine's clock: leases and caches are about real seconds."""
    made = make_desk("real")
    prepare(made)
    return made


@pytest.fixture
def client(real):
    with TestClient(build(real, worker=False)) as made:
        yield made


@pytest.fixture
def key(real):
    return {"Authorization": f"Bearer {issue_key(real, SYSTEM, 'crm', Environment.STAGING)}"}


def serve(desk, label="v1"):
    evaluate(desk, label)
    return release(desk, who(desk, ENGINEER), PROMPT, label, "staging")


def eventually(happened, seconds):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if happened():
            return True
        time.sleep(0.01)
    return False


def test_before_the_first_release_the_snapshot_is_empty_and_says_version_0(client, key):
    answer = client.get(SNAPSHOT, headers=key)
    assert (answer.json()["version"], answer.json()["deployments"]) == (0, {})
    assert answer.headers["etag"] == f'"{digest_bytes(answer.content)}"'


def test_the_etag_is_the_digest_of_the_body_and_a_client_that_has_it_gets_304(client, key, real):
    serve(real)
    first = client.get(SNAPSHOT, headers=key)
    assert first.headers["etag"] == f'"{digest_bytes(first.content)}"'
    again = client.get(SNAPSHOT, headers={**key, "If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])


def test_a_rollback_by_another_process_on_the_data_folder_is_served_within_a_second(client, key, real, open_again):
    serve(real)
    before = client.get(SNAPSHOT, headers=key).headers["etag"]
    roll_back(open_again("real"), SYSTEM, PROMPT, "staging", why="bad")
    has = {**key, "If-None-Match": before}
    assert eventually(lambda: client.get(SNAPSHOT, headers=has).status_code == 200, 1.0)
    assert client.get(SNAPSHOT, headers=key).json()["deployments"][PROMPT][""]["kill"]["reason"] == "bad"


def test_a_key_that_is_revoked_by_another_process_is_refused_within_a_second(client, key, real, open_again):
    assert client.get(SNAPSHOT, headers=key).status_code == 200
    assert client.get(SNAPSHOT, headers=key).status_code == 200
    revoke(open_again("real"), SYSTEM, key["Authorization"].split("_")[2])
    assert eventually(lambda: client.get(SNAPSHOT, headers=key).status_code == 401, 1.0)


def test_the_key_of_an_app_that_is_disabled_is_refused_within_a_second(client, key, real):
    assert client.get(SNAPSHOT, headers=key).status_code == 200
    disable_actor(real, SYSTEM, authenticate(real, key["Authorization"].split()[1]).id)
    assert eventually(lambda: client.get(SNAPSHOT, headers=key).status_code == 401, 1.0)


def test_the_key_of_a_service_with_an_environment_opens_no_door_of_the_apps(client, real):
    text = issue(real, SYSTEM, "ci", ActorKind.SERVICE, Environment.STAGING, Wish())
    assert client.get(SNAPSHOT, headers={"Authorization": f"Bearer {text}"}).status_code == 403


def test_a_key_reaches_its_own_environment_only(client, key, real):
    serve(real)
    production = {"Authorization": f"Bearer {issue_key(real, SYSTEM, 'crm', Environment.PRODUCTION)}"}
    assert PROMPT in client.get(SNAPSHOT, headers=key).json()["deployments"]
    assert client.get(SNAPSHOT, headers=production).json()["deployments"] == {}


def test_a_bad_key_is_401(client):
    assert client.get(SNAPSHOT).status_code == 401
    assert client.get(SNAPSHOT, headers={"Authorization": "Bearer cue_production_0_0_0"}).status_code == 401


def ack(client, key, real, name, version, epoch=None):
    body = {"client": name, "app": "crm", "epoch": epoch or real.epoch, "version": version}
    return client.post("/runtime/v1/acks", headers=key, json=body)


def test_who_follows_a_rollback_is_counted_and_the_silent_are_named(client, key, real):
    served = serve(real)
    for name, version in (("web-1", served.snapshot_version), ("web-2", served.snapshot_version)):
        assert ack(client, key, real, name, version).status_code == 200
    back = roll_back(real, SYSTEM, PROMPT, "staging", why="bad")
    ack(client, key, real, "web-1", back.snapshot_version)
    seen = observed(real, "staging", back.snapshot_version)
    assert (seen.live, seen.following) == (2, 1)
    assert [(one.client, one.version) for one in seen.silent] == [("web-2", served.snapshot_version)]
    assert observed(real, "production").live == 0


@pytest.mark.parametrize("lie", ["another epoch", "a snapshot of the future"])
def test_promise_5_an_acknowledgement_that_cannot_be_true_is_invalid_and_counts_for_nothing(client, key, real, lie):
    served = serve(real).snapshot_version
    said = {"version": served, "epoch": "older"} if lie == "another epoch" else {"version": served + 1}
    answer = ack(client, key, real, "web-1", **said)
    assert (answer.status_code, answer.json()["error"]["kind"]) == (422, "invalid")
    assert observed(real, "staging").known == 0


def test_promise_5_another_app_cannot_acknowledge_for_a_client(client, key, real):
    served = serve(real)
    ack(client, key, real, "web-1", served.snapshot_version)
    back = roll_back(real, SYSTEM, PROMPT, "staging", why="bad")
    other = {"Authorization": f"Bearer {issue_key(real, SYSTEM, 'other', Environment.STAGING)}"}
    ack(client, other, real, "web-1", back.snapshot_version)
    seen = observed(real, "staging", back.snapshot_version)
    assert (seen.known, seen.following) == (2, 1)
    assert [(one.client, one.app, one.version) for one in seen.silent] == [("web-1", "crm", served.snapshot_version)]


def test_a_client_that_says_goodbye_is_not_waited_for_and_only_its_own_app_can_say_it(client, key, real):
    serve(real)
    ack(client, key, real, "web-1", 1)
    other = {"Authorization": f"Bearer {issue_key(real, SYSTEM, 'other', Environment.STAGING)}"}
    bye = {"client": "web-1", "epoch": real.epoch, "version": 1, "bye": True}
    assert client.post("/runtime/v1/acks", headers=other, json=bye).status_code == 200
    assert observed(real, "staging").known == 1
    assert client.post("/runtime/v1/acks", headers=key, json=bye).status_code == 200
    assert observed(real, "staging").known == 0


def test_promise_5_a_lease_ends_after_fifteen_seconds_and_the_silent_client_is_named_for_a_day(desk, clock):
    acknowledge(desk, [Ack(client="web-1", app="crm", environment="staging", epoch=desk.epoch, version=0)])
    assert (observed(desk, "staging").live, observed(desk, "staging").following) == (1, 1)
    clock.forward(timedelta(seconds=20))
    late = observed(desk, "staging")
    assert (late.live, late.following, [one.client for one in late.silent]) == (0, 0, ["web-1"])
    clock.forward(timedelta(hours=23))
    assert [one.client for one in observed(desk, "staging").silent] == ["web-1"]
    clock.forward(timedelta(hours=2))
    assert observed(desk, "staging").silent == ()


def test_who_is_silent_is_told_by_name_to_who_takes_releases_back_there_or_sees_all_that_is_served(client, key, real):
    served = serve(real)
    ack(client, key, real, "ward-3-tablet", served.snapshot_version)
    add_actor(real, SYSTEM, "zoe.stranger", "Zoe Stranger")
    add_actor(real, SYSTEM, "rae.reader", "Rae Reader")
    add_actor(real, SYSTEM, "ivy.auditor", "Ivy Auditor")
    appoint_auditor(real, SYSTEM, "ivy.auditor")
    owner = who(real, OWNER)
    admit(real, owner, "sales", "rae.reader", "reader")
    tokens = {one: issue_token(real, SYSTEM, one) for one in ("zoe.stranger", "rae.reader", "ivy.auditor", ENGINEER)}
    tokens["service:ci"] = issue(real, SYSTEM, "ci", ActorKind.SERVICE, None, Wish())

    def told(of):
        head = {"Authorization": f"Bearer {tokens[of]}"}
        answer = client.get("/api/v1/runtime/observed?environment=staging&version=99", headers=head).json()
        return answer["known"], answer["named"], [one["client"] for one in answer["silent"]]

    named, counted = (1, True, ["ward-3-tablet"]), (1, False, [])
    assert [told(one) for one in ("rae.reader", "ivy.auditor", ENGINEER)] == [named] * 3
    assert [told(one) for one in ("zoe.stranger", "service:ci")] == [counted] * 2
    admit(real, owner, "sales", "service:ci", "support_owner")
    assert told("service:ci") == named
    with transaction(real.registry, Intent.WRITE) as sql:  # of what the environment serves now the reader sees a part
        (known,) = sql.execute(select(schema.prompt).where(schema.prompt.c.name == PROMPT)).mappings()
        sql.execute(insert(schema.workflow).values(name="museum", revision=1, created_at=known["created_at"]))
        sql.execute(insert(schema.prompt).values({**known, "name": "museum.guide", "workflow": "museum"}))
        (row,) = sql.execute(select(schema.deployment)).mappings()
        sql.execute(insert(schema.deployment).values({**row, "prompt": "museum.guide", "release": None}))
    assert told("rae.reader") == counted
    assert [told(one) for one in (ENGINEER, "service:ci", "ivy.auditor")] == [named] * 3


def test_an_acknowledgement_that_does_not_fit_is_refused(client, key):
    assert client.post("/runtime/v1/acks", headers=key, json={"client": "x"}).status_code == 422
    assert client.post("/runtime/v1/acks", headers=key, content=b"{").status_code == 422


def call(id="out_1", **parts):
    return {"id": id, "at": "2026-01-05T09:00:00Z", "prompt": PROMPT, "reason": "stable", **parts}


def send(client, key, *calls):
    return client.post("/runtime/v1/calls", headers=key, json={"calls": list(calls)})


@pytest.fixture
def served(real):
    serve(real)


def test_promise_8_a_call_is_found_in_its_own_environment_whoever_took_its_id_elsewhere(client, key, real):
    serve(real, "v2")
    evaluate(real, "v1")
    for one in (OWNER, ENGINEER):
        approve(real, who(real, one), PROMPT, "v1")
    release(real, who(real, ENGINEER), PROMPT, "v1")
    production = {"Authorization": f"Bearer {issue_key(real, SYSTEM, 'crm', Environment.PRODUCTION)}"}
    assert send(client, key, call(version="v2")).json() == {"new": 1, "known": 0}
    assert send(client, production, call(version="v1")).json() == {"new": 1, "known": 0}
    found = why(real, "out_1")
    assert (found.environment, found.version, found.also_in) == ("production", "v1", ("staging",))
    assert why(real, "out_1", "staging").version == "v2"
    with pytest.raises(NotFound, match="development"):
        why(real, "out_1", "development")


@pytest.mark.parametrize(
    ("parts", "status"),
    [
        ({"prompt": "sales.secret", "version": "v99"}, 422),
        ({"prompt": "sales.secret", "version": "v99", "reason": "fallback"}, 422),
        ({"prompt": "sales.secret", "reason": "fallback"}, 200),
        ({}, 200),
    ],
)
def test_promise_8_a_call_of_a_prompt_that_was_never_served_there_is_refused(client, key, served, parts, status):
    assert send(client, key, call(**parts)).status_code == status


def test_a_call_sent_twice_is_kept_once_as_it_came_first(client, key, real, served):
    assert send(client, key, call(ok=True)).json() == {"new": 1, "known": 0}
    assert send(client, key, call(ok=False), call("out_2")).json() == {"new": 1, "known": 1}
    assert why(real, "out_1").call["ok"] is True


def test_a_call_is_in_the_environment_of_the_key_whatever_it_says(client, key, real, served):
    assert send(client, key, {**call(), "environment": "production"}).status_code == 422
    send(client, key, call())
    assert why(real, "out_1").environment == "staging"


@pytest.mark.parametrize(
    "bad",
    [
        {"prompt": ""},
        {"id": "x" * 33},
        {"id": "a/b"},
        {"version": "draft"},
        {"version": "v0"},
        {"at": "yesterday"},
        {"at": "2026-01-05T09:00:00"},
        {"at": "0001-01-01T00:00:00+14:00"},
        {"at": "9999-12-31T23:59:59-14:00"},
        {"digest": "sha256:zz"},
        {"ok": 1},
        {"surprise": 1},
        {"latency_ms": "fast"},
        {"findings": [{"code": "x"}]},
        {"values": {"big": "x" * 300_000}},
    ],
)
def test_a_call_that_does_not_fit_is_refused_and_none_of_the_batch_is_kept(client, key, real, bad):
    answer = send(client, key, call("out_good"), {**call("out_bad"), **bad})
    assert answer.status_code == 422, answer.text
    assert answer.json()["error"]["hint"]
    with pytest.raises(Exception, match="no call"):
        why(real, "out_good")


def test_more_than_500_calls_at_once_are_refused(client, key, served):
    assert send(client, key, *[call(f"out_{n}") for n in range(501)]).status_code == 422
    assert send(client, key, *[call(f"out_{n}") for n in range(500)]).json() == {"new": 500, "known": 0}


def test_numbers_that_json_does_not_know_are_refused(client, key):
    body = b'{"calls":[{"id":"a","at":"2026-01-05T09:00:00Z","prompt":"a.b","reason":"x","latency_ms":NaN}]}'
    assert client.post("/runtime/v1/calls", headers=key, content=body).status_code == 422
    nested = b'{"calls":[{"id":"a","at":"2026-01-05T09:00:00Z","prompt":"a.b","reason":"x","values":{"n":1e400}}]}'
    assert client.post("/runtime/v1/calls", headers=key, content=nested).status_code == 422


@pytest.mark.parametrize("deep", [5000, 100_000])
def test_values_that_are_nested_without_end_are_refused(client, key, served, deep):
    nested = b'{"a":' * deep + b"1" + b"}" * deep
    body = (
        b'{"calls":[{"id":"a","at":"2026-01-05T09:00:00Z","prompt":"sales.qualify","reason":"x","values":%s}]}' % nested
    )
    answer = client.post("/runtime/v1/calls", headers=key, content=body)
    assert (answer.status_code, answer.json()["error"]["kind"]) == (422, "invalid")


def test_the_content_digest_of_the_snapshot_is_that_of_its_content(client, key, real):
    serve(real)
    version = client.get(SNAPSHOT, headers=key).json()["versions"][PROMPT]["v1"]
    assert version["digest"] == digest(version["content"]) == digest(content("version 1"))
