"""Promise 2: a stored version never changes; an attempt is refused, a change behind our back is found and named."""

import json
from collections.abc import Iterable

import pytest
from fastapi.routing import APIRoute
from sqlalchemy import delete, insert, text, update

from cuelight.contract.canonical import canonical_text
from cuelight.contract.errors import Blocked, Conflict
from cuelight_server.api.prompts import router
from cuelight_server.control.prompts import verify_prompts
from cuelight_server.control.push import push
from cuelight_server.db import schema
from cuelight_server.db.engine import Intent, reading, transaction
from cuelight_server.prompts import store
from server.tests.folders import OWNERS, PROMPT, content, edited, folder
from server.tests.pushing import rows
from server.tests.tampering import a_tool, behind_our_back

NAME = "library.answer"
COLUMNS = "prompt, number, digest, '{}', author, release_note, created_at"
ROW = dict.fromkeys(("digest", "content", "author", "release_note", "created_at"), "")
OTHER = edited(PROMPT, "messages", 0, "parts", 2, "text", to="Tell whatever you like.\n")


@pytest.fixture
def filled(desk, person):
    """A desk with v1 and v2."""
    ana = person(OWNERS["workflow_owner"])
    push(desk, ana, folder(labels={"v1": PROMPT, "v2": edited(PROMPT, "settings", "seed", to=1)}))
    return desk


def found(desk) -> Iterable[tuple[str, str, str]]:
    return [(one.prompt, one.label, one.message) for one in verify_prompts(desk)]


def test_promise_2_a_stored_version_never_changes_through_a_push(filled, person):
    kept = rows(filled)["version"]
    for who in ("ana.reyes", "ben.cole", "chi.okafor"):
        for as_drafts in (False, True):
            done = push(filled, person(who), folder(labels={"v1": OTHER}), as_drafts=as_drafts).to_json()
            assert [one["label"] for one in done["refused"]] == ["v1"]
    assert rows(filled)["version"] == kept


def test_promise_2_no_route_can_change_or_remove_one():
    ways = {(method, route.path) for route in router.routes if isinstance(route, APIRoute) for method in route.methods}
    assert {method for method, _ in ways} == {"GET", "POST"}
    assert {path for method, path in ways if method == "POST"} == {"/api/v1/push", "/api/v1/lint", "/api/v1/diff"}


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param(update(schema.version).values(content="{}"), id="update"),
        pytest.param(update(schema.version).where(schema.version.c.number == 1).values(author="eve"), id="author"),
        pytest.param(delete(schema.version), id="delete"),
        pytest.param(
            text(
                f"INSERT INTO version SELECT {COLUMNS} FROM version WHERE true "
                "ON CONFLICT (prompt, number) DO UPDATE SET content = excluded.content"
            ),
            id="upsert",
        ),
        pytest.param(insert(schema.version).values(**{**ROW, "prompt": NAME, "number": 1}), id="insert over it"),
    ],
)
def test_promise_2_sql_is_refused_by_the_database_itself(filled, statement):
    kept = rows(filled)["version"]
    with pytest.raises((Blocked, Conflict)), transaction(filled.registry, Intent.WRITE) as sql:
        sql.execute(statement)
    assert rows(filled)["version"] == kept


@pytest.mark.database("sqlite")
def test_promise_2_nor_can_a_row_be_replaced(filled):
    kept = rows(filled)["version"]
    with pytest.raises((Blocked, Conflict)), transaction(filled.registry, Intent.WRITE) as sql:
        sql.execute(text(f"REPLACE INTO version SELECT {COLUMNS} FROM version"))
    assert rows(filled)["version"] == kept


def test_promise_2_an_untouched_desk_verifies(filled):
    assert found(filled) == []


CHANGED = canonical_text(content(OTHER).to_json())
TAMPERED = {
    "the content": (("UPDATE version SET content = ? WHERE number = 1", (CHANGED,)), "v1", "the content was changed"),
    "content and digest alike": (
        ("UPDATE version SET content = ?, digest = ? WHERE number = 2", (CHANGED, content(OTHER).digest)),
        "v2",
        "the digest is not the one that was minted",
    ),
    "one character": (
        ("UPDATE version SET content = replace(content, 'Never', 'Never ') WHERE number = 1", ()),
        "v1",
        "the content was changed",
    ),
    "content that is no JSON": (("UPDATE version SET content = '{' WHERE number = 2", ()), "v2", "content was changed"),
    "the author": (("UPDATE version SET author = 'eve' WHERE number = 1", ()), "v1", "the author is not"),
    "the release note": (
        ("UPDATE version SET release_note = '' WHERE number = 1", ()),
        "v1",
        "the release note is not",
    ),
    "a version taken out": (("DELETE FROM version WHERE number = 1", ()), "v1", "is gone"),
    "a version put in": (
        (
            "INSERT INTO version VALUES (?, 3, ?, ?, 'eve', 'Hello.', '2026-01-05T00:00:00.000000Z')",
            (NAME, content(OTHER).digest, CHANGED),
        ),
        "v3",
        "was never minted",
    ),
}


@pytest.mark.parametrize(("statement", "label", "words"), TAMPERED.values(), ids=TAMPERED)
def test_promise_2_a_change_behind_our_back_is_found_and_named(filled, statement, label, words):
    behind_our_back(filled, statement)
    told = found(filled)
    assert [(prompt, where) for prompt, where, _ in told] == [(NAME, label)]
    assert words in told[0][2]


def test_promise_2_the_triggers_are_back_when_the_desk_is_opened_again(filled, database, open_again):
    on = " ON version" if database == "postgresql" else ""
    with a_tool(filled) as raw:
        for what in ("update", "delete"):
            raw.execute(f"DROP TRIGGER version_no_{what}{on}")
    again = open_again()
    for change in (update(schema.version).values(author="eve"), delete(schema.version)):
        with pytest.raises(Blocked), transaction(again.registry, Intent.WRITE) as sql:
            sql.execute(change)


@pytest.mark.database("postgresql")
def test_promise_2_triggers_that_somebody_switched_off_are_on_when_the_desk_is_opened_again(filled, open_again):
    with a_tool(filled) as raw:
        raw.execute("ALTER TABLE version DISABLE TRIGGER ALL")
    again = open_again()
    for change in (update(schema.version).values(author="eve"), delete(schema.version)):
        with pytest.raises(Blocked), transaction(again.registry, Intent.WRITE) as sql:
            sql.execute(change)


def test_promise_2_what_was_pushed_is_what_comes_out_byte_for_byte(filled):
    with reading(filled.registry) as sql:
        stored = store.version(sql, NAME, 1)
        raw = sql.scalar(text("SELECT content FROM version WHERE number = 1"))
    assert json.loads(raw) == content().to_json() == stored.content
    assert raw == canonical_text(content().to_json())
