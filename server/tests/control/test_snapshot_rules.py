"""What a snapshot says of each prompt comes from that prompt's own release, whatever happens around it."""

import json

import pytest
from sqlalchemy import insert, select, update

from cuelight.contract.snapshot import parse
from cuelight_server.audit import store as audit
from cuelight_server.control.desk import Desk
from cuelight_server.control.ingest import record_calls
from cuelight_server.control.releases import approve, release, roll_back
from cuelight_server.db import schema
from cuelight_server.db.engine import Intent, reading, transaction
from cuelight_server.db.triggers import drop_triggers
from cuelight_server.kernel.actor import SYSTEM, Actor
from cuelight_server.kernel.errors import CuelightError
from cuelight_server.kernel.terms import ActorKind, Environment
from cuelight_server.telemetry import store as telemetry
from cuelight_server.views.runtime import current
from server.tests.releasing import ENGINEER, OWNER, PROMPT, document, evaluate, govern, live, prepare, who

OTHER = "sales.other"
WIDE = {"actions": [{"action": "crm.write", "mode": "may_execute"}]}


def released(desk: Desk, label: str) -> None:
    evaluate(desk, label)
    for one in (OWNER, ENGINEER):
        approve(desk, who(desk, one), PROMPT, label)
    release(desk, who(desk, ENGINEER), PROMPT, label)


def snapshot(desk: Desk):
    return parse(json.loads(current(desk, "production").body))


def twin(desk: Desk) -> None:
    """OTHER is what PROMPT is now: its versions, releases and deployment."""
    with transaction(desk.registry, Intent.WRITE) as sql:
        at = sql.scalar(select(schema.prompt.c.created_at))
        sql.execute(insert(schema.prompt).values(name=OTHER, workflow="sales", created_at=at))
        for table in (schema.version, schema.release, schema.deployment):
            for row in list(sql.execute(select(table).where(table.c.prompt == PROMPT))):
                new = {**row._mapping, "prompt": OTHER}
                new |= {key: f"{new[key]}_other" for key in ("id", "release") if new.get(key)}
                sql.execute(insert(table).values(**new))


def tamper(desk: Desk, table, where: str, **values) -> None:
    """A change behind the desk's back."""
    with transaction(desk.registry, Intent.WRITE) as sql:
        drop_triggers(sql, schema.registry)
        sql.execute(update(table).where(table.c.prompt == where).values(**values))


def newest_line(desk: Desk):
    with reading(desk.registry) as sql:
        return audit.newest(sql, size=1).items[0]


def test_promise_3_the_release_of_one_prompt_does_not_change_the_rules_of_another(desk):
    prepare(desk)
    released(desk, "v1")
    twin(desk)
    govern(desk, document(trace={"content": "hash_only"}), WIDE)
    released(desk, "v2")
    served = snapshot(desk)
    assert served.governed(PROMPT).authority == WIDE
    assert served.governed(OTHER).authority == {"actions": []}
    assert (served.governed(PROMPT).trace, served.governed(OTHER).trace) == ("hash_only", "full")


def test_a_rollback_brings_back_the_rules_of_the_version_it_goes_back_to(desk):
    prepare(desk)
    released(desk, "v1")
    govern(desk, document(), WIDE)
    released(desk, "v2")
    roll_back(desk, SYSTEM, PROMPT, why="bad authority")
    assert snapshot(desk).governed(PROMPT).authority == {"actions": []}


def test_what_is_switched_off_keeps_the_fallback_of_its_last_release(desk):
    prepare(desk)
    released(desk, "v1")
    govern(desk, document(prompts={"qualify": {"use_case": "x", "fallback": {"message": "pushed later"}}}))
    roll_back(desk, SYSTEM, PROMPT, why="bad")
    assert snapshot(desk).resolve(PROMPT).fallback == {"message": "a person will look"}


def test_a_call_is_kept_by_the_policy_of_its_own_prompt(desk):
    prepare(desk)
    released(desk, "v1")
    twin(desk)
    govern(desk, document(trace={"content": "hash_only"}))
    released(desk, "v2")
    app = Actor("app:crm", "crm", ActorKind.APP, environment=Environment.PRODUCTION)
    calls = [
        {"id": f"out_{name}", "at": "2026-01-05T09:00:00Z", "prompt": name, "reason": "stable", "output": "hello"}
        for name in (PROMPT, OTHER)
    ]
    record_calls(desk, app, json.dumps({"calls": calls}).encode())
    with reading(desk.calls) as sql:
        kept = {name: telemetry.calls(sql, f"out_{name}")["production"].document for name in (PROMPT, OTHER)}
    assert {name: "output" in one for name, one in kept.items()} == {PROMPT: False, OTHER: True}


def test_promise_1_a_rollback_never_goes_to_a_version_that_was_not_released(desk):
    prepare(desk, versions=3)
    released(desk, "v1")
    released(desk, "v2")
    tamper(desk, schema.deployment, PROMPT, rollback_target=3)
    back = roll_back(desk, SYSTEM, PROMPT, why="bad")
    assert (back.to, live(desk)) == ("v1", 1)
    assert back.words == "v3 was passed over: it was never live here through a release"
    assert newest_line(desk).facts["passed_over"] == [back.words]


def test_promise_1_a_rollback_with_no_version_to_trust_switches_off(desk):
    prepare(desk)
    released(desk, "v1")
    tamper(desk, schema.deployment, PROMPT, rollback_target=2)
    back = roll_back(desk, SYSTEM, PROMPT, why="bad")
    assert (back.to, back.switched_off) == (None, True)
    assert snapshot(desk).resolve(PROMPT).version is None


@pytest.mark.parametrize(
    ("table", "values"),
    [
        (schema.deployment, {"release": None}),
        (schema.deployment, {"weights": "[[2, 100000]]"}),
        (schema.release, {"state": "rolled_back"}),
        (schema.release, {"environment": "staging"}),
    ],
)
def test_promise_1_what_serves_without_a_live_release_of_exactly_it_is_not_published(desk, table, values):
    prepare(desk)
    released(desk, "v1")
    twin(desk)
    tamper(desk, table, OTHER, **values)
    with pytest.raises(CuelightError, match=r"verify|release"):
        released(desk, "v2")
    assert live(desk) == 1


@pytest.mark.parametrize(
    ("table", "values"),
    [
        (schema.version, {"content": "{"}),
        (schema.version, {"content": "{}"}),
        (schema.release, {"checklist": "{"}),
        (schema.deployment, {"kill": "{"}),
        (schema.deployment, {"weights": "x"}),
        (schema.deployment, {"release": None}),
    ],
)
def test_promise_5_a_broken_row_of_another_prompt_does_not_stand_in_the_way_of_a_rollback(desk, table, values):
    prepare(desk, versions=3)
    released(desk, "v1")
    twin(desk)
    released(desk, "v2")
    before = snapshot(desk)
    tamper(desk, table, OTHER, **values)
    back = roll_back(desk, SYSTEM, PROMPT, why="bad")
    assert back.to == "v1"
    assert snapshot(desk).resolve(PROMPT).version == "v1"
    assert snapshot(desk).resolve(OTHER) == before.resolve(OTHER)
    assert snapshot(desk).governed(OTHER) == before.governed(OTHER)
    assert newest_line(desk).facts["carried_over"][OTHER]["from"] == 2
    assert OTHER in back.words
