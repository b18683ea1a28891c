"""The log's pages: a person looks through it, sees one line proved, and has everything recomputed; all in plain words."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Event

import pytest
from sqlalchemy import event
from starlette.testclient import TestClient

from cuelight_server.app import Keyring, build
from cuelight_server.audit.signing import KeyPlace
from cuelight_server.audit.verbs import Verb
from cuelight_server.control.checkpoints import Checkpoints, tick
from cuelight_server.control.door import act
from cuelight_server.kernel.errors import Denied
from cuelight_server.sinks.port import Kept
from cuelight_server.views.audit import lines
from server.tests.releasing import AUTHOR, OWNER, PROMPT, prepare, who
from server.tests.signing_in import FRONT, proof, send
from server.tests.tampering import behind_our_back

ADMIN = "ada.admin"


@pytest.fixture
def how(tmp_path):
    return Checkpoints(keys=KeyPlace(file=tmp_path / "signing.key"), sinks={"kept": Kept()})


@pytest.fixture
def signed_in(demo_desk, how, person):
    """`signed_in(id)`: a browser in which this person of the demo desk looks at the log."""
    prepare(demo_desk, versions=1)
    person(ADMIN, admin=True, of=demo_desk)
    with pytest.raises(Denied), act(demo_desk, who(demo_desk, AUTHOR), Verb.RELEASE_ROLL_BACK, PROMPT):
        pass
    app = build(demo_desk, worker=False, keyring=Keyring(checkpoints=how), front=FRONT)
    with ExitStack() as browsers:

        def one(id):
            made = browsers.enter_context(TestClient(app, base_url="http://localhost", follow_redirects=False))
            assert made.post("/signin", data={"as": id}).status_code == 303
            return made

        yield one


@pytest.fixture
def browse(signed_in):
    """An administrator looks, who sees every workflow."""
    return signed_in(ADMIN)


def test_who_is_not_signed_in_sees_nothing_of_the_log(browse):
    browse.cookies.clear()
    for path in ("/audit", "/audit/1"):
        assert browse.get(path).headers["location"] == "/signin"
    assert browse.post("/audit/verify").headers["location"] == "/signin"


def test_the_log_is_listed_newest_first_with_names_and_refusals_in_words(browse):
    text = browse.get("/audit").text
    assert "Refused" in text
    assert text.index("may not roll") < text.index("The desk was opened")
    assert "<script" not in text
    assert "no checkpoint was signed yet" in text.lower()


def test_an_owner_finds_the_lines_of_their_workflow_and_none_of_the_rest(signed_in, demo_desk):
    own = signed_in(OWNER)
    text = own.get("/audit").text
    assert "may not roll" in text
    assert "The desk was opened" not in text
    hidden, seen = own.get("/audit/1"), own.get(f"/audit/{lines(demo_desk)}")
    assert (hidden.status_code, "Not here" in hidden.text) == (404, True)
    assert (seen.status_code, "What it says" in seen.text) == (200, True)


def test_a_search_shows_what_fits_and_says_when_nothing_does_or_a_time_is_none(browse):
    assert "Added" not in browse.get("/audit", params={"verb": "refused"}).text
    assert "Nothing like that" in browse.get("/audit", params={"actor": "no.body"}).text
    assert 'role="alert"' in browse.get("/audit", params={"since": "yesterday"}).text
    assert "The desk was opened" in browse.get("/audit", params={"since": "2026-01-05", "until": "2026-01-05"}).text
    assert "Nothing like that" in browse.get("/audit", params={"until": "2026-01-04"}).text
    shown = browse.get("/audit", params={"actor": '"><script>alert(1)</script>'}).text
    assert "<script" not in shown


def test_older_lines_are_a_page_further(browse, demo_desk, person):
    for n in range(60):
        person(f"p{n}", of=demo_desk)
    text = browse.get("/audit").text
    assert "Older" in text
    link = text.split('href="/audit?')[1].split('"')[0].replace("&amp;", "&")
    assert "The desk was opened" in browse.get(f"/audit?{link}").text


def test_a_line_shows_what_it_says_and_that_it_is_proved_and_signed(browse, demo_desk, how):
    assert "No signed checkpoint covers it yet" in browse.get("/audit/2").text
    tick(demo_desk, how)
    text = browse.get("/audit/2").text
    assert "Proved and signed" in text
    assert "covers it" in text
    missing = browse.get("/audit/99999999999999999999")
    assert missing.status_code == 404
    assert "Not here" in missing.text


def test_a_line_that_was_changed_is_not_shown_as_proved(browse, demo_desk):
    behind_our_back(demo_desk, "UPDATE audit_event SET leaf = 'ff' WHERE seq = 2")
    text = browse.get("/audit/2").text
    assert "cannot be proved" in text
    assert "Proved" not in text


def test_a_failing_place_for_checkpoints_shows_on_the_page(browse, demo_desk, how):
    how.sinks["kept"].refuse = "the disk is full"
    tick(demo_desk, how)
    assert "the disk is full" in browse.get("/audit").text


def test_verify_says_in_plain_words_what_it_found(browse, demo_desk):
    behind_our_back(demo_desk, "UPDATE audit_event SET body = replace(body, 'system', 'eve') WHERE seq = 2")
    text = send(browse, "/audit/verify").text
    assert "do not fit" in text or "does not fit" in text
    assert "line 2 does not say what it said" in text


def test_who_does_not_see_every_workflow_starts_no_full_verification_and_gets_the_proof_of_their_lines(
    signed_in, demo_desk
):
    own = signed_in(OWNER)
    assert "Prove the lines that you see" in own.get("/audit").text
    behind_our_back(demo_desk, "UPDATE audit_event SET body = replace(body, 'system', 'eve') WHERE seq = 2")
    text = send(own, "/audit/verify").text
    assert "newest lines that you see is proved" in text
    assert "not fit what the log says" not in text
    assert "line 2" not in text
    behind_our_back(
        demo_desk, f"UPDATE audit_event SET body = replace(body, '{AUTHOR}', 'eve.else') WHERE verb = 'refused'"
    )
    text = send(own, "/audit/verify").text
    assert "Not every line that you see can be proved" in text
    assert "line 2" not in text


def test_a_second_verification_waits_for_the_first_and_is_told_since_when_it_runs(signed_in, demo_desk):
    one, two = signed_in(ADMIN), signed_in(ADMIN)
    forms = [(browser, {"csrf": proof(browser)}) for browser in (one, two)]
    reading, enough = Event(), Event()

    @event.listens_for(demo_desk.registry, "before_cursor_execute")
    def at_the_heads(_sql, _cursor, statement, *_more):
        if "FROM audit_head ORDER BY audit_head.size" in statement and "LIMIT" not in statement:
            reading.set()
            assert enough.wait(60)

    with ThreadPoolExecutor(1) as other:
        first = other.submit(one.post, "/audit/verify", data=forms[0][1])
        assert reading.wait(60)
        second = two.post("/audit/verify", data=forms[1][1])
        enough.set()
        assert "Every line, every version" in first.result().text
    assert (second.status_code, second.headers["Retry-After"]) == (503, "10")
    assert "A verification is running since" in second.text
    assert "Every line, every version" in two.post("/audit/verify", data=forms[1][1]).text


def test_another_site_cannot_start_a_verification(browse):
    fields = {"csrf": proof(browse)}
    assert browse.post("/audit/verify", data=fields, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert browse.post("/audit/verify").status_code == 403


def test_every_page_of_the_log_keeps_the_safe_headers(browse):
    for answer in (browse.get("/audit"), browse.get("/audit/1"), send(browse, "/audit/verify")):
        assert answer.status_code == 200
        assert "default-src 'none'" in answer.headers["content-security-policy"]
