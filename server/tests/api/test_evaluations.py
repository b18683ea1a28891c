"""Evaluations over HTTP: asked for, run, read; without credentials nothing is told."""

from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from cuelight.files import read_folder
from cuelight_server.api import errors, evaluations
from cuelight_server.control.access import issue_token
from cuelight_server.control.evaluation import run_pending
from cuelight_server.control.push import push
from cuelight_server.kernel.actor import SYSTEM

SALES = Path(__file__).parents[3] / "examples/sales"
OWNER = "priya.nandakumar"


@pytest.fixture
def http(desk, person):
    owner = person(OWNER, admin=True)
    push(desk, owner, read_folder(SALES).bundle)
    app = FastAPI()
    app.state.desk = desk
    app.state.woken = []
    app.state.wake = lambda: app.state.woken.append(True)
    app.include_router(evaluations.router)
    errors.install(app)
    with TestClient(app, headers={"Authorization": f"Bearer {issue_token(desk, SYSTEM, OWNER)}"}) as client:
        yield client


def test_an_evaluation_is_asked_for_run_and_read(http, desk):
    asked = http.post("/api/v1/evaluations", json={"prompt": "sales.research_summary", "label": "v1"})
    assert asked.status_code == 200, asked.text
    assert http.app.state.woken == [True]
    id = asked.json()["id"]
    waiting = http.get(f"/api/v1/evaluations/{id}").json()
    assert (waiting["state"], waiting["done"], waiting["total"], waiting["report"]) == ("queued", 0, 12, None)
    assert run_pending(desk, {})
    seen = http.get(f"/api/v1/evaluations/{id}").json()
    assert (seen["state"], seen["done"], seen["report"]["verdict"], seen["report"]["pass_rate"]) == (
        "done",
        12,
        "pass",
        0.917,
    )
    listed = http.get("/api/v1/evaluations", params={"prompt": "sales.research_summary"}).json()
    assert [one["id"] for one in listed["items"]] == [id]
    page = http.get(f"/api/v1/evaluations/{id}/results", params={"limit": 5}).json()
    rest = http.get(f"/api/v1/evaluations/{id}/results", params={"limit": 50, "after": page["next"]}).json()
    assert [one["case"] for one in page["items"] + rest["items"]] == [f"S{n:02}" for n in range(1, 13)]


def test_a_report_is_given_in_other_forms_once_the_run_has_ended(http, desk):
    id = http.post("/api/v1/evaluations", json={"prompt": "sales.research_summary", "label": "v1"}).json()["id"]
    early = http.get(f"/api/v1/evaluations/{id}/report")
    assert (early.status_code, early.json()["error"]["kind"]) == (409, "conflict")
    assert run_pending(desk, {})
    for form, start in (("markdown", "### "), ("junit", "<?xml")):
        given = http.get(f"/api/v1/evaluations/{id}/report", params={"form": form}).json()
        assert given["form"] == form
        assert given["text"].startswith(start)
    assert http.get(f"/api/v1/evaluations/{id}/report", params={"form": "pdf"}).status_code == 422


def test_one_case_is_given_with_its_input_and_what_was_answered(http, desk):
    id = http.post("/api/v1/evaluations", json={"prompt": "sales.research_summary", "label": "v1"}).json()["id"]
    assert run_pending(desk, {})
    case = http.get(f"/api/v1/evaluations/{id}/cases/S01").json()
    assert (case["id"], case["row"]["state"], len(case["pairs"])) == ("S01", "passing", 1)
    assert case["pairs"][0]["baseline"] is None
    assert case["pairs"][0]["candidate"]["output"]
    assert case["input"]
    assert http.get(f"/api/v1/evaluations/{id}/cases/S99").status_code == 404
    assert http.get("/api/v1/evaluations/eval_x/cases/S01").status_code == 404


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"prompt": "sales.research_summary", "label": "v99"}, 404),
        ({"prompt": "sales.nothing", "label": "v1"}, 404),
        ({"prompt": "sales.research_summary", "label": "v1", "provider": "guess"}, 422),
        ({"prompt": "sales.research_summary"}, 422),
        ({"prompt": "sales.research_summary", "label": "v1", "colour": "red"}, 422),
    ],
)
def test_what_cannot_be_evaluated_is_refused_with_a_kind(http, body, status):
    answer = http.post("/api/v1/evaluations", json=body)
    assert answer.status_code == status
    assert {"kind", "message", "hint"} <= answer.json()["error"].keys()


def test_an_unknown_evaluation_is_not_found(http):
    for path in ("/api/v1/evaluations/eval_x", "/api/v1/evaluations/eval_x/results"):
        assert http.get(path).status_code == 404


def test_without_a_token_nothing_is_told(http):
    for ask in (http.post, http.get):
        assert ask("/api/v1/evaluations", headers={"Authorization": ""}).status_code == 401
