"""Promise 11: every route × everybody × a workflow that is not theirs, and every key × every other environment."""

# long because: the tables of every route, page and body stand beside the few tests that walk them

import json
import sys
from itertools import product

import pytest
from fastapi.routing import APIRoute
from sqlalchemy import insert
from starlette.routing import Route
from starlette.testclient import TestClient

from cuelight_server.access.model import SessionRules
from cuelight_server.api.auth import VERB
from cuelight_server.app import PUBLIC, Keyring, build
from cuelight_server.audit.declared import declared
from cuelight_server.audit.verbs import Verb
from cuelight_server.control.access import add_actor, issue_key, issue_token
from cuelight_server.control.members import admit, appoint_auditor
from cuelight_server.control.push import push
from cuelight_server.control.sessions import DEMO, open_session
from cuelight_server.db import schema
from cuelight_server.db.engine import Intent, transaction
from cuelight_server.kernel.actor import SYSTEM
from cuelight_server.kernel.terms import Environment
from cuelight_server.prompts import store as prompts
from cuelight_server.vault.sealing import key_text, read_keys
from server.tests.api.test_doors import all_routes, bearer
from server.tests.folders import OWNERS, folder, suite, workflow
from server.tests.releasing import who
from server.tests.signing_in import HERE

AT = "2026-01-05T09:00:00.000000Z"
HOME, FOREIGN, NOWHERE = "library", "museum", "nowhere"
KEEPERS = {role: f"{role.partition('_')[0]}.keeper" for role in OWNERS}
STRANGER, READER, MEMBER = "zoe.stranger", "rae.reader", "max.member"
SEEING = ("ada.admin", "ivy.auditor")
EVERYBODY = (*OWNERS.values(), READER, MEMBER, STRANGER)
IDS = {
    HOME: {
        "evaluations": "eval_library",
        "reviews": "rev_library",
        "governance": "",
        "handovers": "",
        "calls": "out_library",
    },
    FOREIGN: {
        "evaluations": "eval_museum",
        "reviews": "rev_museum",
        "governance": "",
        "handovers": "",
        "calls": "out_museum",
    },
    NOWHERE: {
        "evaluations": "eval_nowhere",
        "reviews": "rev_nowhere",
        "governance": "gov_x",
        "handovers": "gov_x",
        "calls": "out_nowhere",
    },
}


def bundle(name, **changes):
    """A folder of a workflow of this name; `museum` has owners of its own, whom nobody else knows."""
    people = OWNERS if name == HOME else KEEPERS
    owners = {role: {"person": one} for role, one in people.items()}
    listed = [{"id": one, "name": one.replace(".", " ").title()} for one in people.values()]
    made = workflow(workflow=name, title=f"The {name}", owners=owners, people=listed, **changes)
    return folder(workflow=made, suites={"answer": suite()})


@pytest.fixture
def world(desk):
    """Two workflows with everything in them, and everybody who may come in; ids of proposals by workflow."""
    for one in (*EVERYBODY, *KEEPERS.values(), "ivy.auditor"):
        add_actor(desk, SYSTEM, one, one.replace(".", " ").title())
    add_actor(desk, SYSTEM, "ada.admin", "Ada Admin", admin=True)
    appoint_auditor(desk, SYSTEM, "ivy.auditor")
    ids = {name: dict(known) for name, known in IDS.items()}
    for name, people in ((HOME, OWNERS), (FOREIGN, KEEPERS)):
        owner = who(desk, people["workflow_owner"])
        push(desk, owner, bundle(name))
        done = push(desk, who(desk, people["risk_owner"]), bundle(name, tier="standard")).to_json()
        ids[name]["governance"] = ids[name]["handovers"] = done["proposal"]["id"]
        _rows(desk, name)
    ana = who(desk, OWNERS["workflow_owner"])
    for one, role in ((READER, "reader"), (MEMBER, "member")):
        admit(desk, ana, HOME, one, role)
    return ids


def _rows(desk, name):
    digest = "sha256:" + "0" * 64
    asked = {"id": f"eval_{name}", "prompt": f"{name}.answer", "label": "v1", "content_digest": digest}
    with transaction(desk.registry, Intent.WRITE) as sql:
        measured = prompts.suite(sql, name, "answer").digest
        report = {
            "why": [],
            "suite": {"name": "answer"},
            "prompt": f"{name}.answer",
            "version": "v1",
            "verdict": "pass",
        }
        state = {"suite_digest": measured, "provider": "echo", "state": "done", "done": 1, "total": 1}
        state |= {"report": json.dumps(report), "verdict": "pass", "finished_at": AT}
        sql.execute(insert(schema.evaluation).values(**asked, **state, actor="x", created_at=AT))
        bound = {
            "content_digest": digest,
            "suite_digest": digest,
            "evidence_digest": digest,
            "evaluation": f"eval_{name}",
        }
        drawn = {"cases": '[{"case":"L01","sample":1,"why":"drawn"}]', "seed": "x", "question": "?", "label": "v1"}
        place = {"id": f"rev_{name}", "prompt": f"{name}.answer", "role": "domain_expert", "actor": "x"}
        sql.execute(insert(schema.review).values(**place, **bound, **drawn, created_at=AT))
    with transaction(desk.calls, Intent.WRITE) as sql:
        place = {"environment": "production", "id": f"out_{name}", "at": AT, "prompt": f"{name}.answer"}
        sql.execute(insert(schema.call).values(**place, reason="stable", document="{}"))


def routes(app):
    """(method, route) of the API, from the app itself."""
    found = [route for route in all_routes(app) if isinstance(route, APIRoute)]
    return sorted(
        ((method, route) for route in found for method in route.methods), key=lambda one: (one[1].path, one[0])
    )


def example(name, field, ids, area):
    """Something to send for a parameter of this name that is about the workflow; a new name needs a line here."""
    known = {
        "name": f"{name}.answer",
        "prompt": f"{name}.answer",
        "workflow": name,
        "subject": f"{name}.answer",
        "label": "v1",
        "case": suite()["cases"][0]["id"],
        "labels": ["v1"],
        "evaluation": ids[name]["evaluations"],
        "number": 1,
        "better": "both",
        "from": "v1",
        "to": KEEPERS["risk_owner"] if area == "handovers" else "v1",
        "id": ids[name].get(area, ""),
        "bundle": bundle(name) if area in ("push", "lint") else None,
        "account": STRANGER,
        "role": "risk_owner" if area == "handovers" else None if area in ("approvals", "governance") else "reader",
        "why": "because",
        "who": KEEPERS["risk_owner"],
        "verb": "release.roll_back",
        **OF_THE_DESK_ITSELF,
        **({"role": "domain_expert"} if area == "reviews" else {}),
        **({"name": "hours", "from": 1, "to": 1} if area == "knowledge" else {}),
        **(
            {"id": KEEPERS["risk_owner"]}
            if area == "people"
            else {"id": "0" * 16}
            if area in ("keys", "trusts")
            else {}
        ),
        **({"name": "openai"} if area == "providers" else {}),
    }
    return known[field]


OF_THE_DESK_ITSELF = {
    "seq": 1,
    "line": 1,
    "old": 1,
    "model": "m-1",
    "base_url": "https://api.example.com/v1",
    "address": "someone@example.com",
    "same_as": STRANGER,
    "holder": "ci",
    "kind": "service",
    "token": "x",
    "service": "ci",
    "issuer": "https://ci.example.com",
    "conditions": {"repository": "acme/x"},
    "scopes": ["read"],
}


KEYRING = Keyring(sealing=read_keys(key_text(bytes(32))))
OPTIONAL = ("prompt", "role", "kind")  # asked for all the same: they say what it is about


def asked(name, method, route, ids):
    """The request to a route about the workflow of this name: address, query, body."""
    area = route.path.removeprefix("/api/v1/").partition("/")[0]
    path = {one.name: example(name, one.name, ids, area) for one in route.dependant.path_params}
    query = {
        one.alias: example(name, one.alias, ids, area)
        for one in route.dependant.query_params
        if one.field_info.is_required() or one.alias in ("workflow", "prompt")
    }
    body = None
    if route.body_field is not None:
        fields = route.body_field.field_info.annotation.model_fields
        required = {one.alias or key: one for key, one in fields.items() if one.is_required() or key in OPTIONAL}
        body = {key: example(name, key, ids, area) for key in required}
    return {"method": method, "url": route.path.format(**path), "params": query, "json": body}


def masked(answer, name, ids):
    """Status and body without what the question itself named."""
    text = answer.text
    for word in sorted((value for value in ids[name].values() if value), key=len, reverse=True):
        text = text.replace(word, "<id>")
    return answer.status_code, text.replace(name, "<workflow>")


def heads(desk, people):
    return {one: bearer(issue_token(desk, SYSTEM, one)) for one in people}


def test_promise_11_every_route_and_everybody_and_a_workflow_that_is_not_theirs(desk, world, capsys):
    app = build(desk, worker=False, keyring=KEYRING)
    tokens, tried, lists = heads(desk, EVERYBODY), 0, 0
    with TestClient(app) as client:
        for (method, route), person in product(routes(app), EVERYBODY):
            there = client.request(**asked(FOREIGN, method, route, world), headers=tokens[person])
            tried += 1
            case = f"{method} {route.path} as {person}"
            if route.path == "/api/v1/push":
                assert there.status_code == 404, case  # a name that is free may be taken by anybody: the one difference
                continue
            if (method, route.path) in OF_THE_DESK:
                engineer = route.path == "/api/v1/models/retired" and person == OWNERS["engineering_owner"]
                wanted = 200 if engineer else OF_THE_DESK[method, route.path]  # any workflow's engineering owner may
                assert there.status_code == wanted, (case, there.text)
                assert "museum" not in there.text, case
                assert "Keeper" not in there.text, case
            elif about_a_workflow(route):
                never = client.request(**asked(NOWHERE, method, route, world), headers=tokens[person])
                assert masked(there, FOREIGN, world) == masked(never, NOWHERE, world), case
                assert there.status_code == (200 if route.path in ASKED_WITH_A_FOLDER else 404), (case, there.text)
            else:
                lists += 1
                assert there.status_code == 200, (case, there.text)
                told = told_by_others(there, person)
                assert FOREIGN not in told, case
                assert "keeper" not in told, case
    with capsys.disabled():
        sys.stdout.write(f"\n{tried} combinations of route and person with a foreign workflow, {lists} are lists\n")
    assert tried == len(routes(app)) * len(EVERYBODY)
    assert tried > 250
    assert lists == len(EVERYBODY) * len(LISTS)


ASKED_WITH_A_FOLDER = ("/api/v1/lint",)  # the folder is the asker's own: the desk adds nothing to it
LISTS = (
    "/api/v1/status",
    "/api/v1/me",
    "/api/v1/prompts",
    "/api/v1/models",
    "/api/v1/audit",
    "/api/v1/runtime/observed",
)
OF_THE_DESK = {  # no workflow's; what an ordinary person is answered
    ("GET", "/api/v1/people"): 200,
    ("POST", "/api/v1/people"): 403,
    ("POST", "/api/v1/people/{id}/invitation"): 403,
    ("POST", "/api/v1/people/{id}/disable"): 403,
    ("POST", "/api/v1/people/{id}/person"): 403,
    ("POST", "/api/v1/people/{id}/email"): 403,
    ("GET", "/api/v1/keys"): 200,
    ("POST", "/api/v1/keys"): 403,
    ("POST", "/api/v1/keys/{id}/revoke"): 403,
    ("GET", "/api/v1/trusts"): 403,
    ("POST", "/api/v1/trusts"): 403,
    ("POST", "/api/v1/trusts/{id}/end"): 403,
    ("GET", "/api/v1/providers"): 200,
    ("PUT", "/api/v1/providers/{name}"): 403,
    ("DELETE", "/api/v1/providers/{name}"): 403,
    ("POST", "/api/v1/models/retired"): 403,
    ("GET", "/api/v1/audit/lines/{seq}"): 404,
    ("GET", "/api/v1/audit/proof/inclusion"): 200,
    ("GET", "/api/v1/audit/proof/consistency"): 200,
    ("GET", "/api/v1/audit/checkpoints"): 200,
    ("GET", "/api/v1/audit/keys"): 200,
    ("GET", "/api/v1/audit/export"): 403,
    ("GET", "/api/v1/health"): 200,
    ("POST", "/api/v1/token-exchange"): 401,  # a person's token is nothing to it: its own tests hold it to more
}


def told_by_others(answer, person):
    """The answer, without what the person typed themselves: the log remembers that they asked for a foreign name."""
    items = answer.json().get("items")
    return answer.text if items is None else str([one for one in items if one.get("actor") != person])


def about_a_workflow(route):
    return route.path not in LISTS


def test_promise_11_the_same_questions_about_their_own_workflow_are_answered(desk, world):
    app = build(desk, worker=False, keyring=KEYRING)
    token = bearer(issue_token(desk, SYSTEM, OWNERS["risk_owner"]))
    reads = [(method, route) for method, route in routes(app) if route.openapi_extra[VERB] == Verb.DESK_READ.value]
    with TestClient(app) as client:
        found = {
            route.path: client.request(**asked(HOME, method, route, world), headers=token) for method, route in reads
        }
    stays = {
        "/api/v1/access/explain": 404,  # about a person of the other workflow
        "/api/v1/audit/export": 403,  # it tells of every workflow
        "/api/v1/trusts": 403,  # which pipelines are trusted is for administrators
        "/api/v1/audit/lines/{seq}": 404,  # the first line is the desk's own
    }
    assert {path: one.status_code for path, one in found.items() if one.status_code != stays.get(path, 200)} == {}
    assert "museum" not in "".join(one.text for one in found.values())
    assert "library.answer" in found["/api/v1/prompts"].text


@pytest.mark.parametrize("person", SEEING)
def test_promise_11_administrators_and_auditors_see_every_workflow_and_an_auditor_changes_none(desk, world, person):
    app = build(desk, worker=False, keyring=KEYRING)
    token = bearer(issue_token(desk, SYSTEM, person))
    with TestClient(app) as client:
        for method, route in routes(app):
            answer = client.request(**asked(FOREIGN, method, route, world), headers=token)
            reads = route.openapi_extra[VERB] == Verb.DESK_READ.value
            if reads:
                own = (
                    route.path == "/api/v1/trusts" and person == "ivy.auditor"
                )  # for administrators; the log tells her
                assert answer.status_code == (403 if own else 200), (route.path, answer.text)
            elif person == "ivy.auditor":
                same = route.path == "/api/v1/push"  # what is there already: nothing is stored
                assert answer.status_code in (403, 409) or same or route.path in PUBLIC, (route.path, answer.text)


def test_promise_11_every_page_and_everybody_and_a_workflow_that_is_not_theirs(desk, world):
    app = build(desk, worker=False, keyring=KEYRING)
    found = [one for one in all_routes(app) if isinstance(one, Route) and declared(one.endpoint) is Verb.DESK_READ]
    pages = [one for one in found if "GET" in one.methods]
    assert {one.path for one in pages} == {
        "/",
        "/owners",
        "/access",
        "/people",
        "/account",
        "/audit",
        "/reviews",
        REVIEW,
        LINE,
        *EVALUATIONS,
    }
    query = {"workflow": "{0}", "who": KEEPERS["risk_owner"], "verb": "release.roll_back", "subject": "{0}.answer"}
    query["prompt"] = "{0}.answer"
    with TestClient(app, follow_redirects=False) as client:
        for page, person in product(pages, EVERYBODY):
            client.cookies.set("cuelight_session", open_session(desk, person, DEMO, HERE, rules=SessionRules()))
            address = page.path.replace("{seq:int}", "1").replace("{case}", suite()["cases"][0]["id"])
            area = "reviews" if page.path == REVIEW else "evaluations"
            there, never = (
                client.get(
                    address.replace("{id}", world[name][area]),
                    params={key: words.format(name) for key, words in query.items()},
                )
                for name in (FOREIGN, NOWHERE)
            )
            if page.path not in ("/", "/account", "/people", "/reviews"):  # these take no question
                assert masked(there, FOREIGN, world) == masked(never, NOWHERE, world), (page.path, person)
            plain = client.get(address.replace("{id}", world[FOREIGN][area]))
            assert plain.status_code == (404 if page.path == LINE or "{id}" in page.path else 200)
            assert FOREIGN not in plain.text.replace(world[FOREIGN][area], ""), (page.path, person)


REVIEW = "/reviews/{id}"
EVALUATIONS = (
    "/evaluations",
    "/evaluations/{id}",
    "/evaluations/{id}/report.html",
    "/evaluations/{id}/cases/{case}",
)
LINE = "/audit/{seq:int}"  # the first line, which is the desk's own


@pytest.mark.parametrize("mine", list(Environment))
def test_promise_11_every_key_and_every_other_environment(desk, world, mine):
    others = [one for one in Environment if one is not mine]
    key = bearer(issue_key(desk, SYSTEM, "crm", mine))
    token = bearer(issue_token(desk, SYSTEM, OWNERS["risk_owner"]))
    app = build(desk, worker=False, keyring=KEYRING)
    with TestClient(app) as client:
        snapshot = client.get("/runtime/v1/snapshot", headers=key, params={"environment": others[0].value})
        assert snapshot.json()["environment"] == mine.value
        call = {"id": "out_2", "at": AT, "prompt": "library.answer", "reason": "off"}
        sent = client.post("/runtime/v1/calls", headers=key, json={"calls": [call]})
        assert f"was never served in {mine.value}" in sent.text  # it is judged in the key's own environment
        with transaction(desk.calls, Intent.WRITE) as sql:
            place = {"environment": mine.value, "id": "out_1", "at": AT, "prompt": "library.answer"}
            sql.execute(insert(schema.call).values(**place, reason="stable", document="{}"))
        for other in others:
            told = client.post("/runtime/v1/calls", headers=key, json={"calls": [{**call, "environment": other.value}]})
            assert told.status_code == 422
            looked = client.get("/api/v1/calls/out_1/why", headers=token, params={"environment": other.value})
            assert looked.status_code == 404
        assert client.get("/api/v1/calls/out_1/why", headers=token).json()["environment"] == mine.value
        for method, route in routes(app):
            answer = client.request(**asked(HOME, method, route, world), headers=key)
            assert answer.status_code == (401 if route.path in PUBLIC else 403), route.path
