"""Recorded calls of one prompt over HTTP: newest first, with variables only where policy kept them, page by page."""

import pytest
from sqlalchemy import insert
from starlette.testclient import TestClient

from cuelight.contract.canonical import canonical_text
from cuelight_server.app import build
from cuelight_server.control.access import issue_token
from cuelight_server.db import schema
from cuelight_server.db.engine import Intent, transaction
from cuelight_server.kernel.actor import SYSTEM
from server.tests.api.test_doors import bearer
from server.tests.releasing import ENGINEER, PROMPT, prepare


@pytest.fixture
def client(desk):
    """The app, in this process."""
    with TestClient(build(desk, worker=False), base_url="http://localhost") as one:
        yield one


def kept(desk, number, environment="production", **document):
    with transaction(desk.calls, Intent.WRITE) as sql:
        place = {"environment": environment, "id": f"out_{number}", "at": f"2026-01-0{number}T09:00:00.000000Z"}
        what = {"prompt": PROMPT, "number": 1, "reason": "stable", "ok": True}
        sql.execute(insert(schema.call).values(**place, **what, document=canonical_text(document)))


def test_calls_come_newest_first_with_the_variables_that_were_kept(client, desk):
    prepare(desk)
    head = bearer(issue_token(desk, SYSTEM, ENGINEER))
    kept(desk, 1, values={"lead": "a"})
    kept(desk, 2, values_digest="sha256:" + "0" * 64)
    kept(desk, 3, values={"lead": "c"})
    kept(desk, 4, "staging", values={"lead": "d"})
    asked = {"prompt": PROMPT, "limit": 2}
    first = client.get("/api/v1/calls", headers=head, params=asked).json()
    assert [(one["id"], one["values"]) for one in first["items"]] == [("out_3", {"lead": "c"}), ("out_2", None)]
    assert first["items"][0]["version"] == "v1"
    rest = client.get("/api/v1/calls", headers=head, params={**asked, "before": first["next"]}).json()
    assert ([one["id"] for one in rest["items"]], rest["next"]) == (["out_1"], None)
    other = client.get("/api/v1/calls", headers=head, params={**asked, "environment": "staging"}).json()
    assert [one["id"] for one in other["items"]] == ["out_4"]


def test_a_prompt_that_is_not_there_has_no_calls(client, desk):
    prepare(desk)
    head = bearer(issue_token(desk, SYSTEM, ENGINEER))
    answer = client.get("/api/v1/calls", headers=head, params={"prompt": "sales.nothing"})
    assert (answer.status_code, answer.json()["error"]["kind"]) == (404, "not_found")
    assert client.get("/api/v1/calls", headers=head).status_code == 422
