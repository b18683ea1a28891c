"""What the pages of people and keys list, how much of it, and in which words; what every page counts."""

import re
from datetime import timedelta

import pytest

from cuelight_server.control.access import Wish, disable_actor, issue
from cuelight_server.control.explaining import explain
from cuelight_server.control.members import appoint_auditor
from cuelight_server.control.trusts import Wished, add_trust
from cuelight_server.kernel.actor import SYSTEM
from cuelight_server.kernel.terms import ActorKind, Environment
from cuelight_server.views.ownership import ownership
from cuelight_server.views.people import account_line
from cuelight_server.web.explaining import QUESTIONS
from cuelight_server.web.people import KEYS_SHOWN
from server.tests.governed import ANA, CHI, CY, library
from server.tests.signing_in import browsing, give_password, send, sign_in

pytestmark = pytest.mark.database("sqlite")


@pytest.fixture
def people(desk, person):
    person("ada.admin", admin=True)
    person("mei.tanaka")
    for id in ("ada.admin", "mei.tanaka"):
        give_password(desk, id)


@pytest.fixture
def ada(desk, people):
    with browsing(desk) as client:
        sign_in(client, "ada.admin")
        yield client


@pytest.fixture
def mei(desk, people):
    with browsing(desk) as client:
        sign_in(client, "mei.tanaka")
        yield client


def test_the_page_lists_trusted_pipelines_for_administrators_who_end_one_there(desk, ada, mei):
    wished = Wished(
        issuer="https://ci.example.org",
        audience="desk",
        conditions={"repository": "acme/*"},
        scopes=["read"],
        environment=Environment.STAGING,
    )
    made = add_trust(desk, SYSTEM, "ci", wished)
    shown = ada.get("/people").text
    for words in ("https://ci.example.org", "repository is acme/ and anything behind it", "staging", "never used"):
        assert words in shown
    assert "in no workflow yet" in shown
    assert "Trusted pipelines" not in mei.get("/people").text
    assert send(mei, "/trusts/end", id=made.id).status_code == 403
    assert send(ada, "/trusts/end", id=made.id).status_code == 303
    assert "End</summary>" not in ada.get("/people").text
    assert send(ada, "/trusts/end", id=made.id).status_code == 409


def test_the_page_shows_keys_that_work_or_ended_lately_and_all_of_them_in_pages(desk, ada, clock):
    for number in range(KEYS_SHOWN + 1):
        issue(desk, SYSTEM, f"ci{number}", ActorKind.SERVICE, None, Wish(label="short", days=1))
    clock.forward(timedelta(days=3))
    with browsing(desk) as again:
        sign_in(again, "ada.admin")
        assert "service:ci" not in again.get("/people").text.partition('id="keys"')[2]
        first = again.get("/people?keys=all").text
        onward = re.search(r'href="(/people\?keys=all&amp;after=[0-9a-f]{16}#keys)"', first)[1].replace("&amp;", "&")
        assert first.count(">Expired</span>") == KEYS_SHOWN
        assert again.get(onward).text.count(">Expired</span>") == 1
        assert again.get("/people?keys=all&after=' OR 1=1").status_code == 200


def test_an_auditor_is_called_one_and_no_fact_is_an_empty_cell(desk, ada, person):
    appoint_auditor(desk, SYSTEM, person("ivy.auditor").id)
    issue(desk, SYSTEM, "crm", ActorKind.APP, Environment.STAGING, Wish())
    shown = ada.get("/people").text
    row = next(one for one in shown.split("<tr>") if "ivy.auditor" in one)
    assert '<td class="wide">auditor</td>' in row
    assert "no act yet" in row
    assert "never used" in shown
    assert re.findall(r"<td[^>]*>\s*</td>", shown) == []


def test_last_act_is_the_same_for_people_and_owners_and_stays_when_the_session_ends(desk):
    library(desk)
    give_password(desk, ANA)
    with browsing(desk) as client:
        sign_in(client, ANA)
        before = next(one for one in ownership(desk).rows if one.role == "workflow_owner").person.last_active
        assert account_line(desk, ANA).last_active_at == before
        assert account_line(desk, ANA).last_used_at > before
        send(client, "/account/sessions/end-all")
    line = account_line(desk, ANA)
    assert (line.last_active_at, line.last_used_at) == (before, None)


def test_what_needs_a_person_is_counted_on_every_page_by_what_each_sees(desk, person):
    library(desk)
    person("mei.tanaka")
    give_password(desk, "mei.tanaka")
    disable_actor(desk, SYSTEM, CHI)
    disable_actor(desk, SYSTEM, CY)
    give_password(desk, ANA)
    for id, number in ((ANA, 1), ("mei.tanaka", 0)):
        with browsing(desk) as client:
            sign_in(client, id)
            for path in ("/", "/owners", "/access", "/people", "/account", "/audit"):
                found = re.search(r'href="/">Desk (?:<b>(\d+))?', client.get(path).text)
                assert int(found[1] or 0) == number, (id, path)


def test_the_reasons_of_a_right_are_asked_in_plain_words(desk):
    library(desk)
    give_password(desk, ANA)
    with browsing(desk) as client:
        sign_in(client, ANA)
        asked = {"who": ANA, "verb": "release.approve", "subject": "library.answer@v1"}
        shown = client.get("/access", params=asked).text
    for words in ("What kind of account it is", "What the key may do", "What they are responsible for"):
        assert words in shown
    assert set(QUESTIONS) >= {
        one.name for one in explain(desk, SYSTEM, ANA, **{k: asked[k] for k in ("verb", "subject")}).steps
    }
