"""Trusts of pipelines and the list of keys: who sees them, when they were used, and when they leave the list."""

import json
from datetime import timedelta

import pytest
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import text

from cuelight_server.control.access import Wish, disable_actor, issue, issue_token, revoke
from cuelight_server.control.members import admit
from cuelight_server.control.trusts import Wished, add_trust, end_trust
from cuelight_server.control.verify import verify_desk
from cuelight_server.db.engine import Intent, reading, transaction
from cuelight_server.db.migrating import context
from cuelight_server.db.migrations import TODAY
from cuelight_server.kernel.actor import SYSTEM
from cuelight_server.kernel.errors import Denied, NotFound
from cuelight_server.kernel.terms import ActorKind, Environment
from cuelight_server.views.people import key_lines
from cuelight_server.views.trusts import trust_line, trust_lines
from server.tests.governed import ADMIN, ANA, actor, library

WISHED = Wished(
    issuer="https://ci.example.org",
    audience="desk",
    conditions={"repository": "acme/prompts"},
    scopes=["read", "push"],
    environment=Environment.STAGING,
)


def states(desk, asker, **more):
    return {one.label: one.state for one in key_lines(desk, asker, **more).items}


def test_an_administrator_sees_every_trust_with_the_workflows_of_its_account_and_nobody_else_does(desk):
    library(desk)
    made = add_trust(desk, SYSTEM, "ci", WISHED)
    admit(desk, actor(desk, ANA), "library", "service:ci", "engineering_owner")
    end_trust(desk, SYSTEM, add_trust(desk, SYSTEM, "old", WISHED).id)
    lines = {one.actor: one for one in trust_lines(desk, actor(desk, ADMIN)).items}
    assert lines["service:ci"].to_json() == {
        "id": made.id,
        "actor": "service:ci",
        "issuer": "https://ci.example.org",
        "audience": "desk",
        "conditions": {"repository": "acme/prompts"},
        "scopes": ("push", "read"),
        "environment": "staging",
        "workflows": ("library",),
        "minutes": 10,
        "created_at": made.created_at,
        "last_used_at": None,
        "ended_at": None,
    }
    assert (lines["service:old"].workflows, lines["service:old"].ended_at is None) == ((), False)
    for look in (lambda who: trust_lines(desk, who), lambda who: trust_line(desk, who, made.id)):
        with pytest.raises(Denied):
            look(actor(desk, ANA))
    with pytest.raises(NotFound):
        trust_line(desk, SYSTEM, "0" * 16)


def test_trusts_come_in_pages(desk):
    made = sorted(add_trust(desk, SYSTEM, f"ci{number}", WISHED).id for number in range(5))
    first = trust_lines(desk, SYSTEM, size=3)
    rest = trust_lines(desk, SYSTEM, first.next, 3)
    assert [[one.id for one in page.items] for page in (first, rest)] == [made[:3], made[3:]]
    assert rest.next is None


def test_a_key_that_ended_leaves_the_list_after_a_day_and_stays_in_the_log(desk, clock):
    library(desk)
    admin = actor(desk, ADMIN)
    for label, days in (("works", 90), ("expires", 1)):
        issue(desk, SYSTEM, "ci", ActorKind.SERVICE, None, Wish(label=label, days=days))
    gone = issue(desk, SYSTEM, "ci", ActorKind.SERVICE, None, Wish(label="revoked"))
    issue(desk, SYSTEM, "old", ActorKind.SERVICE, None, Wish(label="of the disabled"))
    issue_token(desk, SYSTEM, ANA, Wish(label="another's"))
    clock.forward(timedelta(days=1, hours=1))
    revoke(desk, SYSTEM, gone.split("_")[2])
    disable_actor(desk, SYSTEM, "service:old")
    ended = {"expires": "expired", "revoked": "revoked", "of the disabled": "disabled"}
    good = {"works": "good", "another's": "good"}
    assert states(desk, admin) == {**good, **ended}
    clock.forward(timedelta(hours=23, minutes=30))
    assert states(desk, admin) == {**good, "revoked": "revoked", "of the disabled": "disabled"}
    clock.forward(timedelta(hours=1))
    assert states(desk, admin) == good
    assert states(desk, admin, ended=True) == {**good, **ended}
    assert states(desk, actor(desk, ANA), ended=True) == {"another's": "good"}
    assert states(desk, admin, ended=True, own=True) == {}
    assert verify_desk(desk).problems == ()


def test_keys_that_ended_take_no_room_on_a_page_of_those_that_work(desk, clock):
    library(desk)
    for number in range(12):
        issue(desk, SYSTEM, "ci", ActorKind.SERVICE, None, Wish(label=f"old {number}", days=1))
    clock.forward(timedelta(days=3))
    for number in range(3):
        issue(desk, SYSTEM, "ci", ActorKind.SERVICE, None, Wish(label=f"new {number}"))
    page = key_lines(desk, actor(desk, ADMIN), size=3)
    assert ({one.label for one in page.items}, page.next) == ({"new 0", "new 1", "new 2"}, None)
    assert len(key_lines(desk, actor(desk, ADMIN), size=200, ended=True).items) == 15


def test_a_trust_of_a_desk_of_before_learns_from_the_log_when_it_was_last_used(desk):
    """The revision that adds the column reads the lines that are there."""
    used, unused = (add_trust(desk, SYSTEM, name, WISHED).id for name in ("ci", "other"))
    lines = [(at, json.dumps({"facts": {"trust": used}})) for at in ("2026-01-05T09:10:00Z", "2026-01-06T09:10:00Z")]
    script = ScriptDirectory(str(TODAY.folder))
    with transaction(desk.registry, Intent.WRITE) as sql:
        sql.execute(text("DROP INDEX token_expires"))
        guards = " CASCADE" if sql.dialect.name == "postgresql" else ""  # they name the column
        sql.execute(text(f"ALTER TABLE trust DROP COLUMN last_used_at{guards}"))
        for seq, (at, body) in enumerate(lines, 9000):
            sql.execute(
                text(
                    "INSERT INTO audit_event (seq, body, leaf, at, actor, verb, subject)"
                    " VALUES (:seq, :body, 'x', :at, 'system', 'token.exchange', 'service:ci')"
                ),
                {"seq": seq, "body": body, "at": at},
            )
        alembic = context(sql, "registry", fn=lambda *_: [])
        with Operations.context(alembic):
            script.get_revision("0008").module.upgrade()
    with reading(desk.registry) as sql:
        found = dict(sql.execute(text("SELECT id, last_used_at FROM trust")).all())
    assert found == {used: "2026-01-06T09:10:00Z", unused: None}
