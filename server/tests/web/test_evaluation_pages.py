"""The pages of evaluations: empty, under way, ended, and with text of a model that would like to be markup."""

import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from cuelight.files import read_folder
from cuelight_server.access.passwords import QuickPasswords
from cuelight_server.app import Front, build
from cuelight_server.control.evaluation import run_pending, start
from cuelight_server.control.push import push
from cuelight_server.evaluation.model import CaseState
from cuelight_server.web.report import GROUPS, in_order
from server.tests.releasing import who

SALES = Path(__file__).parents[3] / "examples/sales"
OWNER = "priya.nandakumar"
EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>{{ 7*7 }}\"'>"


@pytest.fixture
def browse(demo_desk, person):
    person(OWNER, admin=True, of=demo_desk)
    app = build(demo_desk, worker=False, front=Front(passwords=QuickPasswords()))
    with TestClient(app, base_url="http://localhost", follow_redirects=False) as made:
        made.post("/signin", data={"as": OWNER})
        yield made


@pytest.fixture
def owner(demo_desk, browse):
    found = who(demo_desk, OWNER)
    push(demo_desk, found, read_folder(SALES).bundle)
    return found


def test_every_state_of_a_case_has_its_place_and_its_word_on_the_page():
    assert {key for key, *_ in GROUPS} == {one.value for one in CaseState}
    assert in_order([{"id": "A", "state": "unstable"}, {"id": "B", "state": "newly_failing"}]) == ["B", "A"]


def test_a_desk_without_evaluations_says_how_to_make_one(browse):
    page = browse.get("/evaluations")
    assert page.status_code == 200
    assert "cuelight eval" in page.text


def test_a_run_that_has_not_ended_says_how_far_it_is(browse, demo_desk, owner):
    id = start(demo_desk, owner, "sales.research_summary", "v1", "recorded")
    assert "Waiting" in browse.get("/evaluations").text
    page = browse.get(f"/evaluations/{id}")
    assert page.status_code == 200
    assert "0 of 12 outputs so far" in page.text
    assert browse.get(f"/evaluations/{id}/report.html").status_code == 200


def test_nothing_is_shown_for_what_is_not_there(browse, demo_desk, owner):
    id = start(demo_desk, owner, "sales.research_summary", "v1", "recorded")
    for path in ("/evaluations/eval_none", f"/evaluations/{id}/cases/S99", "/evaluations/eval_none/report.html"):
        assert browse.get(path).status_code == 404


def test_what_a_model_says_is_text_on_every_page_and_in_the_file(browse, demo_desk, person):
    bundle = read_folder(SALES).bundle
    for recording in bundle["recordings"]:
        recording |= {"output": EVIL, "model": EVIL}
    for case in bundle["suites"]["research_summary"]["cases"]:
        case["title"] = EVIL
    owner = who(demo_desk, OWNER)
    push(demo_desk, owner, bundle)
    id = start(demo_desk, owner, "sales.research_summary", "v1", "recorded")
    assert run_pending(demo_desk, {})
    for path in ("", "/cases/S01", "/report.html"):
        page = browse.get(f"/evaluations/{id}{path}").text
        assert "&lt;script&gt;alert(1)" in page, path
        assert not re.search(r"<script|<img|\b49\b", page), path


def test_a_saved_report_asks_for_nothing_and_may_run_nothing(browse, demo_desk, owner):
    id = start(demo_desk, owner, "sales.research_summary", "v1", "recorded")
    assert run_pending(demo_desk, {})
    saved = browse.get(f"/evaluations/{id}/report.html")
    assert saved.headers["content-disposition"] == f'attachment; filename="report-{id}.html"'
    assert "default-src 'none'" in saved.headers["content-security-policy"]
    assert not re.search(r'(?:src|href|action)="(?!#)', saved.text)
    assert "default-src &#39;none&#39;" in saved.text or "default-src 'none'" in saved.text


def test_a_long_list_goes_on_where_it_stopped(browse, demo_desk, owner):
    ids = [start(demo_desk, owner, "sales.research_summary", "v1", "recorded") for _ in range(52)]
    first = browse.get("/evaluations").text
    older = re.search(r'href="(/evaluations\?[^"]+)"', first)
    assert older is not None
    second = browse.get(older.group(1).replace("&amp;", "&")).text
    assert all((f"/evaluations/{one}" in first) is not (f"/evaluations/{one}" in second) for one in ids)
