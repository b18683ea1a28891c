"""The pages of the owners and of rights: what is missing, what waits, and that no text of others is markup."""

from contextlib import ExitStack

import pytest

from cuelight_server.control.access import add_actor, disable_actor
from cuelight_server.kernel.actor import SYSTEM
from server.tests.governed import ANA, CHI, CY, DEE, ELI, STRANGER, library, proposed
from server.tests.signing_in import browsing, give_password, sign_in


@pytest.fixture
def browse(desk):
    """`browse(path, as person)`: the page as that person sees it."""
    with ExitStack() as browsers:
        opened = {}

        def look(path, person=ANA):
            if person not in opened:
                give_password(desk, person)
                opened[person] = browsers.enter_context(browsing(desk))
                sign_in(opened[person], person)
            return opened[person].get(path)

        yield look


def test_who_is_not_signed_in_sees_neither_page(desk):
    with browsing(desk) as client:
        for path in ("/owners", "/access"):
            assert client.get(path).headers["location"] == "/signin"


def test_the_page_names_what_is_missing_and_what_waits(desk, browse):
    add_actor(desk, SYSTEM, ELI, "<b>Eli</b>")
    library(desk)
    id = proposed(desk)
    disable_actor(desk, SYSTEM, ELI)
    text = browse("/owners").text
    assert "support owner: who is named is not here any more" in text
    assert "Nothing new goes live here until that is settled." in text
    assert f"{DEE} proposed {id}" in text
    assert "tier: elevated -&gt; standard" in text
    assert "&lt;b&gt;Eli&lt;/b&gt;" in text
    assert "<script" not in text


def test_the_desk_says_at_once_that_an_owner_is_gone(desk, browse):
    library(desk)
    assert "is not here any more" not in browse("/").text
    disable_actor(desk, SYSTEM, ELI)
    assert "support owner: who is named is not here any more (eli.stone)" in browse("/").text


def test_an_unknown_place_is_a_page_that_says_so(desk, browse):
    library(desk)
    for person, path in ((STRANGER, "/owners?workflow=library"), (ANA, "/owners?workflow=museum")):
        answer = browse(path, person)
        assert (answer.status_code, "Nothing here" in answer.text) == (404, True)


def test_a_question_about_a_right_is_answered_on_the_page(desk, browse):
    library(desk)
    yes = browse(f"/access?who={CY}&verb=release.open&subject=library.answer").text
    assert "engineering owner, as the backup" in yes
    assert CHI in yes
    no = browse("/access?who=nobody.here&verb=release.open&subject=library").text
    assert "There is no nobody.here here" in no
    assert browse("/access?who=%3Cscript%3E&verb=x&subject=y").text.count("<script") == 0
    assert "Who may do what" in browse("/access").text
