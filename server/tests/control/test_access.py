"""People, apps and tokens: coming in, being shown out, and what the log says about it."""

import json
import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from cuelight_server.access import store
from cuelight_server.audit import store as audit
from cuelight_server.control.access import add_actor, authenticate, disable_actor, issue_key, issue_token, revoke
from cuelight_server.control.opening import open_desk
from cuelight_server.db import schema
from cuelight_server.db.engine import Databases, reading
from cuelight_server.db.writing import governed
from cuelight_server.kernel.actor import SYSTEM
from cuelight_server.kernel.errors import Blocked, Conflict, Denied, Invalid, NotFound, Unavailable
from cuelight_server.kernel.terms import ActorKind, Environment

UNKNOWN = "cue_person_0123456789abcdef_" + "ab" * 32


@pytest.fixture
def ada(person):
    return person("ada.admin", admin=True)


@pytest.fixture
def mei(person):
    return person("mei.tanaka")


def token_of(desk, text):
    with reading(desk.registry) as sql:
        return store.token(sql, text.split("_")[2])


def why_not(desk, text):
    with pytest.raises(Denied) as refused:
        authenticate(desk, text)
    return refused.value.details["credentials"]


def last_line(desk):
    with reading(desk.registry) as sql:
        return audit.newest(sql, size=1).items[0]


def test_a_person_comes_in_with_the_token_that_was_issued_to_them(desk, ada, mei):
    assert authenticate(desk, issue_token(desk, ada, "mei.tanaka")) == mei
    assert authenticate(desk, issue_token(desk, SYSTEM, "ada.admin")) == ada


def test_an_app_comes_in_with_its_key_and_reaches_one_environment(desk, ada):
    actor = authenticate(desk, issue_key(desk, ada, "crm", Environment.STAGING))
    assert (actor.id, actor.kind, actor.admin, actor.environment) == (
        "app:crm",
        ActorKind.APP,
        False,
        Environment.STAGING,
    )
    other = authenticate(desk, issue_key(desk, ada, "crm", Environment.PRODUCTION))
    assert other.environment is Environment.PRODUCTION


def test_the_database_and_the_log_keep_no_secret(desk, ada, mei):
    secrets = [
        text.split("_")[3]
        for text in (issue_token(desk, ada, "mei.tanaka"), issue_key(desk, ada, "crm", Environment.STAGING))
    ]
    with reading(desk.registry) as sql:
        stored = json.dumps(
            [list(row) for table in schema.registry.sorted_tables for row in sql.execute(select(table))], default=str
        )
    assert "mei.tanaka" in stored
    assert not any(secret in stored for secret in secrets)


def change_one_character(text):
    return text[:-1] + ("0" if text[-1] != "0" else "1")


def test_what_is_missing_unknown_or_wrong_does_not_come_in(desk, ada, mei):
    good = issue_token(desk, ada, "mei.tanaka")
    assert [why_not(desk, text) for text in (None, "")] == ["missing", "missing"]
    wrong = [UNKNOWN, "nonsense", "cue_person__", change_one_character(good), good.replace("person", "app"), good + " "]
    assert {why_not(desk, text) for text in wrong} == {"unknown"}


def test_an_unknown_token_and_a_wrong_secret_get_the_same_answer(desk, ada, mei):
    answers = []
    for text in (UNKNOWN, change_one_character(issue_token(desk, ada, "mei.tanaka"))):
        with pytest.raises(Denied) as refused:
            authenticate(desk, text)
        answers.append(refused.value.to_json())
    assert answers[0] == answers[1]


def test_a_revoked_token_opens_nothing_and_the_other_one_still_does(desk, ada, mei):
    first, second = issue_token(desk, ada, "mei.tanaka"), issue_token(desk, ada, "mei.tanaka")
    revoke(desk, ada, first.split("_")[2])
    assert why_not(desk, first) == "revoked"
    assert authenticate(desk, second) == mei
    assert (last_line(desk).verb, last_line(desk).facts) == ("token.revoke", {"holder": "mei.tanaka"})


def test_that_a_token_is_revoked_is_told_only_to_who_knows_its_secret(desk, ada, mei):
    text = issue_token(desk, ada, "mei.tanaka")
    revoke(desk, ada, text.split("_")[2])
    assert why_not(desk, change_one_character(text)) == "unknown"


def test_a_disabled_person_stays_out_with_every_token_and_gets_no_new_one(desk, ada, mei):
    text = issue_token(desk, ada, "mei.tanaka")
    disable_actor(desk, ada, "mei.tanaka")
    assert why_not(desk, text) == "disabled"
    with pytest.raises(Blocked):
        issue_token(desk, ada, "mei.tanaka")
    assert last_line(desk).verb == "refused"


def test_only_an_administrator_lets_people_in(desk, mei):
    for attempt in (
        lambda: add_actor(desk, mei, "eve.stone", "Eve"),
        lambda: disable_actor(desk, mei, "mei.tanaka"),
        lambda: issue_token(desk, mei, "mei.tanaka"),
        lambda: issue_key(desk, mei, "crm", Environment.PRODUCTION),
        lambda: revoke(desk, mei, "0123456789abcdef"),
    ):
        with pytest.raises(Denied):
            attempt()
        assert last_line(desk).verb == "refused"
    with reading(desk.registry) as sql:
        assert [each.id for each in store.accounts(sql).items] == ["mei.tanaka"]
        assert store.tokens_of(sql, "mei.tanaka") == []


@pytest.mark.parametrize("id", ["", "Mei", "mei tanaka", "-mei", "app:crm", "a" * 64, "mei\n", "../mei", "system"])
def test_an_id_that_is_none_or_taken_by_the_desk_is_refused(desk, id):
    with pytest.raises(Invalid):
        add_actor(desk, SYSTEM, id, "Somebody")


def test_what_is_there_already_or_not_there_is_said(desk, ada, mei):
    with pytest.raises(Conflict):
        add_actor(desk, ada, "mei.tanaka", "Another Mei")
    for attempt in (
        lambda: disable_actor(desk, ada, "no.one"),
        lambda: issue_token(desk, ada, "no.one"),
        lambda: revoke(desk, ada, "0123456789abcdef"),
    ):
        with pytest.raises(NotFound):
            attempt()
    text = issue_token(desk, ada, "mei.tanaka")
    revoke(desk, ada, text.split("_")[2])
    with pytest.raises(Conflict):
        revoke(desk, ada, text.split("_")[2])
    disable_actor(desk, ada, "mei.tanaka")
    with pytest.raises(Conflict):
        disable_actor(desk, ada, "mei.tanaka")
    issue_key(desk, ada, "crm", Environment.STAGING)
    with pytest.raises(Invalid):
        issue_token(desk, ada, "app:crm")


def test_the_last_use_of_a_token_is_kept_to_the_minute_and_leaves_no_audit_line(desk, ada, mei, clock):
    text = issue_token(desk, ada, "mei.tanaka")
    assert token_of(desk, text).last_used_at is None
    before = last_line(desk)
    authenticate(desk, text)
    first = token_of(desk, text).last_used_at
    authenticate(desk, text)
    assert token_of(desk, text).last_used_at == first is not None
    clock.forward(timedelta(minutes=1))
    authenticate(desk, text)
    assert token_of(desk, text).last_used_at > first
    assert last_line(desk) == before


@pytest.mark.database("postgresql")
def test_a_good_token_opens_the_desk_also_on_a_standby(desk, ada, mei, databases, tmp_path):
    text = issue_token(desk, ada, "mei.tanaka")
    url = databases("desk").registry + "%20-cdefault_transaction_read_only%3Don"
    standby = open_desk(tmp_path / "desk", databases=Databases(registry=url, calls=url))
    assert authenticate(standby, text) == mei
    with pytest.raises(Unavailable, match="read-only"):
        issue_token(standby, ada, "mei.tanaka")
    standby.close()
    assert token_of(desk, text).last_used_at is None


@pytest.mark.database("sqlite")
def test_a_good_token_opens_the_desk_also_while_nothing_can_be_written(desk, ada, mei):
    text = issue_token(desk, ada, "mei.tanaka")
    with governed(desk.registry), desk.registry.connect() as other:
        other.exec_driver_sql("PRAGMA busy_timeout = 20")
        other.close()
        assert authenticate(desk, text) == mei
    assert token_of(desk, text).last_used_at is None


def test_the_lists_of_people_and_tokens_have_pages(desk, ada, person):
    for name in ("cleo", "ben", "dan"):
        person(name)
    with reading(desk.registry) as sql:
        first = store.accounts(sql, size=2)
        rest = store.accounts(sql, after=first.next, size=2)
    assert [each.id for each in first.items + rest.items] == ["ada.admin", "ben", "cleo", "dan"]
    assert rest.next is None
    made = [issue_token(desk, ada, "ben").split("_")[2] for _ in range(2)]
    with reading(desk.registry) as sql:
        assert [token.id for token in store.tokens_of(sql, "ben")] == made[::-1]


def test_a_token_has_the_shape_that_secret_scanners_look_for(desk, ada, mei):
    assert re.fullmatch(r"cue_person_[0-9a-f]{16}_[0-9a-f]{64}", issue_token(desk, ada, "mei.tanaka"))
    assert re.fullmatch(r"cue_app_[0-9a-f]{16}_[0-9a-f]{64}", issue_key(desk, ada, "crm", Environment.STAGING))
