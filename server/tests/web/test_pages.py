"""The pages: who comes in and how, what the desk says when it is empty, and that nothing on it is markup of others."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from cuelight.files import read_folder
from cuelight_server.access.passwords import QuickPasswords
from cuelight_server.app import Front, build
from cuelight_server.audit.model import Event
from cuelight_server.control.members import admit, appoint_auditor
from cuelight_server.control.push import push
from cuelight_server.control.releases import approve, release, roll_back
from cuelight_server.kernel.actor import SYSTEM
from cuelight_server.views.desk import people
from cuelight_server.views.desk import person as desk_person
from cuelight_server.web.desk import page
from cuelight_server.web.words import ago, event_words
from server.tests.releasing import ENGINEER, OWNER, PROMPT, evaluate, prepare, who

EXAMPLES = Path(__file__).parents[3] / "examples"
FRONT = Front(passwords=QuickPasswords())


@pytest.fixture
def browse(desk):
    with TestClient(build(desk, worker=False, front=FRONT), follow_redirects=False) as made:
        yield made


@pytest.fixture
def browse_demo(demo_desk):
    app = build(demo_desk, worker=False, front=FRONT)
    with TestClient(app, base_url="http://localhost", follow_redirects=False) as made:
        yield made


def test_who_is_not_signed_in_is_sent_to_the_sign_in_page(browse):
    for path in ("/", "/people", "/account"):
        assert browse.get(path).headers["location"] == "/signin"
    assert "one-time link" in browse.get("/signin").text


def test_a_name_is_enough_on_a_demo_desk_and_on_no_other(browse, browse_demo, desk, demo_desk, person):
    person("mei.tanaka", of=demo_desk)
    person("mei.tanaka")
    assert browse_demo.post("/signin", data={"as": "mei.tanaka"}).status_code == 303
    assert browse_demo.get("/").status_code == 200
    assert browse.post("/signin", data={"as": "mei.tanaka"}).status_code == 403
    assert browse.get("/").status_code == 303


def test_a_demo_desk_takes_no_name_at_an_address_that_a_stranger_made_point_here(browse_demo, demo_desk, person):
    person("mei.tanaka", of=demo_desk)
    answer = browse_demo.post("/signin", data={"as": "mei.tanaka"}, headers={"Host": "evil.example"})
    assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)


def test_signing_out_takes_the_way_in_away(browse_demo, demo_desk, person):
    person("mei.tanaka", of=demo_desk)
    browse_demo.post("/signin", data={"as": "mei.tanaka"})
    cookie = browse_demo.cookies["cuelight_session"]
    proof = re.search(r'name="csrf" value="([0-9a-f]+)"', browse_demo.get("/").text)[1]
    browse_demo.post("/signout", data={"csrf": proof})
    assert browse_demo.get("/").status_code == 303
    browse_demo.cookies.set("cuelight_session", cookie)  # whoever copied it is out, too
    assert browse_demo.get("/").status_code == 303


def test_a_rollback_shows_as_hold_with_its_reason_and_the_reason_is_text_not_markup(browse_demo, demo_desk):
    prepare(demo_desk, versions=1)
    evaluate(demo_desk, "v1")
    for one in (OWNER, ENGINEER):
        approve(demo_desk, who(demo_desk, one), PROMPT, "v1")
    release(demo_desk, who(demo_desk, ENGINEER), PROMPT, "v1")
    roll_back(demo_desk, SYSTEM, PROMPT, why="<script>alert(1)</script>")
    browse_demo.post("/signin", data={"as": OWNER})
    text = browse_demo.get("/").text
    assert "Hold" in text
    assert "&lt;script&gt;alert(1)" in text
    assert "<script" not in text
    assert "Took back" in text


def test_a_refusal_with_many_reasons_is_shown_with_its_first_and_how_many_more():
    said = Event(
        at="2026-01-05T09:00:00.000000Z", actor="a", verb="refused", subject="s", facts={"message": "x; y; z"}, seq=1
    )
    assert event_words(said) == "Refused: x and 2 more reasons"


def examples(desk, person):
    for name, author in (("sales", "leon.abara"), ("notes", "nora.blum")):
        push(desk, person(author, of=desk), read_folder(EXAMPLES / name).bundle)


def test_prompts_stand_by_workflow_and_those_of_the_person_come_first(browse_demo, demo_desk, person):
    examples(demo_desk, person)
    admit(demo_desk, who(demo_desk, "nora.blum"), "notes", "dana.kim", "reader")
    admit(demo_desk, who(demo_desk, "priya.nandakumar"), "sales", "emil.roth", "reader")
    for who_looks, first, second in (("dana.kim", "sales", "notes"), ("emil.roth", "notes", "sales")):
        shown = page(demo_desk, desk_person(demo_desk, who_looks), {})
        assert [(one.workflow, one.yours) for one in shown.groups] == [(first, True), (second, False)]
        browse_demo.post("/signin", data={"as": who_looks})
        text = browse_demo.get("/").text
        assert text.index(f"<b>{first}</b>") < text.index(f"<b>{second}</b>")
        assert "tier elevated" in text
        assert "Meeting notes of one team" in text


def test_the_steps_on_the_way_do_not_fill_what_happened_lately(browse_demo, demo_desk, person):
    examples(demo_desk, person)
    person("ada.admin", admin=True, of=demo_desk)  # who sees every workflow
    browse_demo.post("/signin", data={"as": "ada.admin"})
    lately = browse_demo.get("/").text.partition('id="lately"')[2]
    assert "Minted notes.meeting_summary@v2" in lately
    assert "Brought recordings" not in lately


def test_the_sign_in_page_names_the_people_by_workflow_and_each_of_them_can_be_chosen(browse_demo, demo_desk, person):
    person("zoe.stranger", of=demo_desk)
    examples(demo_desk, person)
    text = browse_demo.get("/signin").text
    assert text.index("notes") < text.index("sales") < text.index("No role yet") < text.index("zoe.stranger")
    assert "workflow owner and 3 more roles" in text
    assert "Who stands in for them (5)" in text
    assert "Every workflow" not in text
    for one in people(demo_desk):
        assert text.count(f'value="{one.id}"') == 1


def test_the_sign_in_page_says_who_sees_every_workflow(browse_demo, demo_desk, person):
    person("ines.duarte", of=demo_desk)
    appoint_auditor(demo_desk, SYSTEM, "ines.duarte")
    text = browse_demo.get("/signin").text
    assert text.index("Every workflow") < text.index("Ines Duarte<small>auditor</small>")
    assert "No role yet" not in text


def test_before_the_first_push_the_sign_in_page_names_the_people_all_the_same(browse_demo, demo_desk, person):
    person("zoe.stranger", of=demo_desk)
    text = browse_demo.get("/signin").text
    assert 'value="zoe.stranger"' in text
    assert "<details>" not in text


def test_a_form_that_is_too_large_counts_as_empty(browse):
    assert browse.post("/signin", data={"password": "x" * 60_000}).status_code == 403


@pytest.mark.parametrize(
    ("passed", "words"),
    [
        (timedelta(seconds=-5), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(minutes=5), "5 min ago"),
        (timedelta(hours=3, minutes=59), "3 h ago"),
        (timedelta(days=12), "12 d ago"),
    ],
)
def test_how_long_ago_is_said_in_the_largest_unit_that_fits(desk, passed, words):
    now = desk.clock()
    assert ago(now - passed, now) == words


def test_an_event_nobody_found_words_for_is_shown_as_it_is():
    event = Event(at="2026-01-05T09:00:00.000000Z", actor="a", verb="new.verb", subject="sales", facts={}, seq=1)
    assert event_words(event) == "new.verb sales"
