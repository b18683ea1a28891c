"""The pages of blind reviews: read, answered and signed without script; nothing tells whose output is whose before."""

import re
from contextlib import ExitStack

import pytest

from cuelight_server.views import reviews as view
from server.tests.governed import ANA, BEN, STRANGER
from server.tests.releasing import who
from server.tests.reviewing import BEA, asked, item, library, read_all
from server.tests.signing_in import browsing, give_password, sign_in


@pytest.fixture
def browser(demo_desk):
    """`browser(person)`: a browser in which they are signed in."""
    with ExitStack() as stack:

        def opened(person):
            give_password(demo_desk, person)
            client = stack.enter_context(browsing(demo_desk))
            sign_in(client, person)
            return client

        yield opened


@pytest.fixture
def review(demo_desk):
    return asked(demo_desk, library(demo_desk)["v2"])


def send(client, address, page=None, **fields):
    csrf = re.search(r'name="csrf" value="([0-9a-f]+)"', client.get(page or address).text)[1]
    return client.post(address, data={"csrf": csrf, **fields})


def test_who_is_not_signed_in_goes_to_the_sign_in_page(demo_desk, review):
    with browsing(demo_desk) as client:
        for path in ("/reviews", f"/reviews/{review.id}", f"/reviews/{review.id}/1"):
            assert client.get(path).headers["location"] == "/signin"
        assert client.post(f"/reviews/{review.id}/1", data={"better": "both"}).headers["location"] == "/signin"


def test_a_review_is_read_answered_and_signed_on_the_pages(demo_desk, review, browser):
    ben, place = browser(BEN), f"/reviews/{review.id}"
    assert "Waits for you" in ben.get("/reviews").text
    start = ben.get(place).text
    assert "0 of 3 cases answered" in start
    assert "Sign 3 answers" not in start
    for number in (1, 2, 3):
        page = ben.get(f"{place}/{number}").text
        assert f"Case {number} <small>of 3</small>" in page
        for word in ("v1</", "v2</", "candidate", "baseline", ">L04", ">L07", "every grader", review.seed):
            assert word not in page, word
        done = send(ben, f"{place}/{number}", better="a", live="both", note="<b>so</b>")
        wanted = f"{place}/{number + 1}" if number < 3 else place
        assert (done.status_code, done.headers["location"]) == (303, wanted)
    assert "Sign 3 answers" in ben.get(place).text
    assert send(ben, f"{place}/sign", place).status_code == 303
    text = ben.get(place).text
    assert "v2, new" in text
    assert "v1, production" in text
    assert "<ins>v2</ins>" in text.replace("&#34;", "")
    assert "&lt;b&gt;so&lt;/b&gt;" in text
    assert "<script" not in text
    assert item(demo_desk).ok


def test_a_form_that_makes_no_sense_comes_back_with_what_was_said(demo_desk, review, browser):
    ben, place = browser(BEN), f"/reviews/{review.id}"
    wrong = send(ben, f"{place}/1", better="a", live="b", note="keep me")
    assert wrong.status_code == 422
    assert "A is better, but you can live with the other only" in wrong.text
    assert "keep me" in wrong.text
    early = send(ben, f"{place}/sign", f"{place}/1")
    assert early.status_code == 423
    assert "2 of 3 cases were never opened" in early.text


def test_a_form_from_elsewhere_answers_and_signs_nothing(demo_desk, review, browser):
    ben, place = browser(BEN), f"/reviews/{review.id}"
    ben.get(f"{place}/1")
    for address, fields in ((f"{place}/1", {"better": "both"}), (f"{place}/sign", {})):
        assert ben.post(address, data={"csrf": "0" * 64, **fields}).status_code == 403
    assert view.show(demo_desk, who(demo_desk, BEN), review.id).line.answered == 0


def test_who_holds_another_role_sees_it_in_the_open_and_answers_nothing(demo_desk, review, browser):
    ana, place = browser(ANA), f"/reviews/{review.id}"
    assert "nobody has signed yet" in ana.get(place).text
    assert send(ana, f"{place}/1", "/account", better="both").headers["location"] == "/reviews"
    assert "nobody has signed yet" in send(ana, f"{place}/sign", "/account").text
    assert view.show(demo_desk, who(demo_desk, ANA), review.id).line.signed_by == ()
    assert "Nothing waits for your eyes" in ana.get("/reviews").text


def test_a_stranger_finds_nothing(review, browser):
    zoe, place = browser(STRANGER), f"/reviews/{review.id}"
    assert [zoe.get(one).status_code for one in (place, f"{place}/1", "/reviews/rev_none")] == [404, 404, 404]
    assert review.id not in zoe.get("/reviews").text
    assert send(zoe, f"{place}/1", "/account", better="both").headers["location"] == "/reviews"


def test_a_reviewer_stays_blind_while_others_have_signed(demo_desk, review, browser):
    read_all(demo_desk, who(demo_desk, BEA), review.id, but=(1,))
    ben = browser(BEN)
    assert "0 of 3 cases answered" in ben.get(f"/reviews/{review.id}").text
    assert "Bea" not in ben.get(f"/reviews/{review.id}").text


def test_a_first_version_has_one_output_and_a_yes_or_no(demo_desk, browser):
    made = asked(demo_desk, library(demo_desk, live=False)["v1"])
    ben = browser(BEN)
    page = ben.get(f"/reviews/{made.id}/1").text
    assert "Yes, it is fine" in page
    assert "Which is better?" not in page
    assert send(ben, f"/reviews/{made.id}/1", better="neither").status_code == 303
