"""The registry over HTTP: push, lint, compare, look and take out, each with its status."""

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from cuelight_server.api import errors, prompts
from cuelight_server.control.access import issue_token
from cuelight_server.control.members import admit
from cuelight_server.control.push import push
from cuelight_server.kernel.actor import SYSTEM
from server.tests.folders import OWNERS, PROMPT, content, edited, folder, recording

WARM = edited(PROMPT, "settings", "temperature", to=0.3)
READS = ("/prompts", "/prompts/library.answer", "/prompts/library.answer/v1", "/export/library")


@pytest.fixture
def client(desk, person):
    """Speaks as the workflow owner."""
    app = FastAPI()
    app.state.desk = desk
    app.include_router(prompts.router)
    errors.install(app)
    ana = person(OWNERS["workflow_owner"])
    token = issue_token(desk, SYSTEM, ana.id)
    return TestClient(app, base_url="http://desk/api/v1", headers={"Authorization": f"Bearer {token}"})


def error(answer):
    return answer.json()["error"]


def test_a_folder_goes_in_and_comes_out_the_same(client):
    labels = {"v1": PROMPT, "idea": WARM}
    sent = client.post("/push", json={"bundle": folder(labels=labels, recordings=[recording(content().digest)])})
    assert (sent.status_code, [one["label"] for one in sent.json()["minted"]]) == (200, ["v1"])
    out = client.get("/export/library").json()
    again = client.post("/push", json={"bundle": out}).json()
    assert (again["minted"], again["refused"], [one["digest"] for one in again["unchanged"]]) == (
        [],
        [],
        [content().digest],
    )


def test_as_drafts_mints_nothing(client):
    sent = client.post("/push", json={"bundle": folder(), "as_drafts": True}).json()
    assert ([one["label"] for one in sent["drafts"]], sent["minted"]) == (["v1"], [])


def test_a_broken_folder_is_told_with_all_its_problems(client):
    answer = client.post("/push", json={"bundle": folder(labels={"v1": {}})})
    assert (answer.status_code, error(answer)["kind"]) == (422, "invalid")
    assert {one["document"] for one in error(answer)["details"]["problems"]} == {"prompts/answer/v1"}


@pytest.mark.parametrize("body", [{}, {"bundle": []}, {"bundle": folder(), "force": True}, {"bundle": None}])
def test_a_body_of_another_shape_is_refused(client, body):
    assert client.post("/push", json=body).status_code == 422


def test_whoever_may_not_push_is_told_who_may(client, desk, person):
    client.post("/push", json={"bundle": folder()})
    zoe = issue_token(desk, SYSTEM, person("zoe.stranger").id)
    bundle = folder(labels={"v2": WARM})
    answer = client.post("/push", json={"bundle": bundle}, headers={"Authorization": f"Bearer {zoe}"})
    assert (answer.status_code, error(answer)["message"]) == (404, "there is no library here for you")
    admit(desk, person("ana.reyes"), "library", "zoe.stranger", "reader")
    answer = client.post("/push", json={"bundle": bundle}, headers={"Authorization": f"Bearer {zoe}"})
    assert (answer.status_code, error(answer)["kind"]) == (403, "denied")
    assert "ana.reyes" in error(answer)["hint"]


def test_lint_and_diff_answer_without_storing(client, desk):
    found = client.post("/lint", json={"bundle": folder()}).json()
    assert (found["findings"], found["digests"]) == ([], {"library.answer": {"v1": content().digest}})
    asked = {"bundle": folder(labels={"v1": PROMPT, "v2": WARM}), "prompt": "library.answer", "from": "v1", "to": "v2"}
    assert client.post("/diff", json=asked).json()["change_class"] == "settings_or_model"
    assert client.get("/prompts").json() == {"items": [], "next": None}


def test_the_list_goes_on_where_it_stopped(client, desk, person):
    for name in ("ask", "book", "call"):
        bundle = folder(prompt=name)
        bundle["workflow"]["workflow"] = f"{name}_desk"
        push(desk, person("ana.reyes"), bundle)
    first = client.get("/prompts", params={"limit": 2}).json()
    rest = client.get("/prompts", params={"limit": 2, "after": first["next"]}).json()
    assert [one["name"] for one in first["items"] + rest["items"]] == [
        "ask_desk.ask",
        "book_desk.book",
        "call_desk.call",
    ]
    assert rest["next"] is None
    assert client.get("/prompts", params={"limit": 0}).status_code == 422


def test_a_label_shows_its_content(client):
    client.post("/push", json={"bundle": folder(labels={"v1": PROMPT, "idea": WARM})})
    one = client.get("/prompts/library.answer/v1").json()
    assert (one["kind"], one["digest"], one["content"]) == ("version", content().digest, content().to_json())
    two = client.get("/prompts/library.answer/idea").json()
    assert (two["kind"], two["digest"], two["release_note"]) == ("draft", content(WARM).digest, None)


@pytest.mark.parametrize("path", ["/prompts/library.greet", "/prompts/library.answer/v9", "/export/museum"])
def test_what_is_not_there_is_not_found(client, path):
    client.post("/push", json={"bundle": folder()})
    answer = client.get(path)
    assert (answer.status_code, error(answer)["kind"]) == (404, "not_found")


@pytest.mark.parametrize("path", READS)
def test_nothing_is_shown_to_somebody_without_a_token(client, path):
    client.post("/push", json={"bundle": folder()})
    assert client.get(path, headers={"Authorization": ""}).status_code == 401
    assert client.get(path).status_code == 200


def test_nothing_is_stored_for_somebody_without_a_token(client):
    for path in ("/push", "/lint"):
        assert client.post(path, json={"bundle": folder()}, headers={"Authorization": "Bearer x"}).status_code == 401
    assert client.get("/prompts").json()["items"] == []
