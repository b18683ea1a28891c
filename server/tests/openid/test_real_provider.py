"""Signing in at a real OpenID provider, over real sockets, through its own pages."""

import re
from contextlib import contextmanager
from datetime import timedelta

import pytest

from cuelight_server.access import store
from cuelight_server.access.model import Came, SessionRules
from cuelight_server.access.oidc import Newcomers
from cuelight_server.audit import store as audit
from cuelight_server.control import sessions
from cuelight_server.control.access import add_actor, disable_actor
from cuelight_server.control.failed_sign_ins import write_failed_sign_ins
from cuelight_server.control.identities import link_identity
from cuelight_server.control.invitations import issue_link
from cuelight_server.control.persons import verify_email
from cuelight_server.control.verify import verify_desk
from cuelight_server.db.engine import reading
from cuelight_server.kernel.actor import SYSTEM
from server.tests.governed import library
from server.tests.openid.provider import sign_in_there
from server.tests.openid.serving import serving
from server.tests.signing_in import PASSWORD, give_password

ADD = {"newcomers": Newcomers.ADD}
TRUSTED = {"trusts_email": True}


@pytest.fixture
def served(today, idp, known):
    """`with served(newcomers=...) as at`: the desk with the provider, and the provider with the desk."""

    @contextmanager
    def open_(front=None, **more):
        with serving(today, {**known, **more}, **(front or {})) as at:
            idp.add_client(at.callback, f"{at.url}/signin")
            yield at

    return open_


def come(at, id, browser=None):
    """To the sign-in page, to the provider by its button, through its pages, and back."""
    browser = browser or at.browser()
    page = browser.get(f"{at.url}/signin")
    button = re.search(r'class="btn main" href="(/signin/oidc)"', page.text)
    assert button, page.text
    return browser, sign_in_there(browser, browser.get(f"{at.url}{button[1]}"), id)


def account(desk, id):
    with reading(desk.registry) as sql:
        return store.account(sql, id)


def lines(desk, *verbs):
    write_failed_sign_ins(desk, all_of_it=True)  # they wait for the end of their minute
    with reading(desk.registry) as sql:
        return [one for one in audit.readable(sql) if one.verb in verbs]


def problem(page):
    found = re.search(r'role="alert">([^<]+)<', page.text)
    return found[1] if found else ""


def test_a_newcomer_gets_an_account_without_any_right_where_the_desk_says_so(today, served):
    with served(**ADD) as at:
        browser, page = come(at, "ben")
        assert (page.status_code, str(page.url)) == (200, f"{at.url}/")
        me = browser.get(f"{at.url}/account").text
        assert "Ben Okoro" in me
        assert "no role in a workflow yet" in me
        again, _ = come(at, "ben")
        assert again.get(f"{at.url}/account").status_code == 200
    assert (account(today, "ben").name, account(today, "ben").admin) == ("Ben Okoro", False)
    assert len(lines(today, "actor.add")) == 1
    assert verify_desk(today).problems == ()


def test_whom_the_desk_does_not_know_stays_outside_and_leaves_a_line(today, served):
    with served() as at:
        browser, page = come(at, "ben")
        assert page.status_code == 403
        assert "Example Corp knows you, and this desk does not" in problem(page)
        assert "you are ben" in problem(page)
        assert browser.get(f"{at.url}/account", follow_redirects=False).status_code == 303
    assert account(today, "ben") is None
    assert [one.facts["kind"] for one in lines(today, "sign_in.fail")] == ["oidc unknown"]


def test_an_invited_person_comes_in_by_the_address_that_a_trusted_provider_vouches_for(today, served):
    add_actor(today, SYSTEM, "priya.ben", "Priya Ben")
    verify_email(today, SYSTEM, "priya.ben", "Ben@example.org")
    with served() as at:
        assert come(at, "ben")[1].status_code == 403  # its word on addresses does not count
    with served(**TRUSTED) as at:
        assert str(come(at, "ben")[1].url) == f"{at.url}/"
    assert [one.subject for one in lines(today, "identity.link")] == ["priya.ben"]
    assert "ben@example.org" not in str(lines(today, "identity.link", "email.verify"))
    assert verify_desk(today).problems == ()


def test_an_address_that_somebody_new_has_now_opens_nobody_elses_account(today, served, idp):
    add_actor(today, SYSTEM, "ben.old", "Ben Old")
    verify_email(today, SYSTEM, "ben.old", "ben@example.org")
    link_identity(today, SYSTEM, "ben.old", idp.issuer, "the one before")
    with served(**TRUSTED, **ADD) as at:
        page = come(at, "ben")[1]
    assert page.status_code == 403
    assert "belongs to somebody else" in problem(page)


def test_a_disabled_person_stays_outside_however_well_the_provider_knows_them(today, served):
    with served(**ADD) as at:
        come(at, "ben")
        disable_actor(today, SYSTEM, "ben")
        page = come(at, "ben")[1]
        assert (page.status_code, "disabled" in problem(page)) == (403, True)


def test_groups_make_an_administrator_and_take_that_away_again_but_not_what_was_given_by_hand(today, served, idp):
    groups = {"admin_groups": frozenset({"desk-admins"}), **ADD}
    with served(**groups) as at:
        come(at, "mei")
        assert account(today, "mei").admin
        come(at, "mei")
        assert len(lines(today, "admin.appoint")) == 1  # nothing changed
        idp.leave("mei", "desk-admins")
        try:
            come(at, "mei")
            assert not account(today, "mei").admin
        finally:
            idp.join("mei", "desk-admins")
        add_actor(today, SYSTEM, "by.hand", "By Hand", admin=True)
        link_identity(today, SYSTEM, "by.hand", idp.issuer, "ben")
        come(at, "ben")
        assert account(today, "by.hand").admin
    assert [one.subject for one in lines(today, "admin.dismiss")] == ["mei"]
    assert verify_desk(today).problems == ()


def test_groups_make_an_auditor_who_sees_every_workflow_until_they_leave_the_group(today, served, idp):
    library(today)
    with served(auditor_groups=frozenset({"auditors"}), **ADD) as at:
        idp.join("ben", "auditors")
        try:
            browser, _ = come(at, "ben")
            assert browser.get(f"{at.url}/owners?workflow=library").status_code == 200
            come(at, "ben")
            assert len(lines(today, "auditor.appoint")) == 1  # nothing changed
            assert verify_desk(today).problems == ()
        finally:
            idp.leave("ben", "auditors")
        assert browser.get(f"{at.url}/owners?workflow=library").status_code == 200  # groups are read at a sign-in
        again, _ = come(at, "ben")
        for one in (browser, again):  # a right that is gone is gone in every session
            assert one.get(f"{at.url}/owners?workflow=library").status_code == 404
    told = [
        (one.verb, one.subject, one.actor, one.facts["by"])
        for one in lines(today, "auditor.appoint", "auditor.dismiss")
    ]
    assert told == [("auditor.appoint", "ben", "system", "groups"), ("auditor.dismiss", "ben", "system", "groups")]
    assert verify_desk(today).problems == ()


def test_only_the_groups_that_the_desk_lets_in_come_in(today, served):
    with served(member_groups=frozenset({"desk"}), **ADD) as at:
        assert str(come(at, "ben")[1].url) == f"{at.url}/"
        page = come(at, "cleo")[1]
    assert (page.status_code, "in no group" in problem(page)) == (403, True)
    assert account(today, "cleo") is None


def test_a_way_back_counts_once_and_only_in_the_browser_that_began(served):
    with served(**ADD) as at:
        seen = []
        browser = at.browser(event_hooks={"request": [lambda one: seen.append(str(one.url))]})
        come(at, "ben", browser)
        back = next(one for one in seen if "/callback?" in one)
        for other in (browser, at.browser()):
            page = other.get(back)
            assert (page.status_code, "did not begin in this browser" in problem(page)) == (403, True)
        assert browser.get(f"{at.url}/account", follow_redirects=False).status_code == 200  # still in, as before


def test_a_code_that_was_used_is_not_taken_by_the_provider(served):
    with served(**ADD) as at:
        seen = []
        come(at, "ben", at.browser(event_hooks={"request": [lambda one: seen.append(one.url)]}))
        code = next(one for one in seen if one.path.endswith("/callback")).params["code"]
        browser = at.browser()
        begun = browser.get(f"{at.url}/signin/oidc", follow_redirects=False)
        state = re.search("state=([0-9a-f]+)", begun.headers["location"])[1]
        there = begun.headers["location"].partition("/oauth")[0]
        page = browser.get(at.callback, params={"code": code, "state": state, "iss": there})
        assert (page.status_code, "does not take the code" in problem(page)) == (403, True)


def test_the_provider_gets_a_challenge_and_without_the_verifier_a_code_is_worth_nothing(served, idp):
    with served(**ADD) as at:
        browser = at.browser()
        begun = browser.get(f"{at.url}/signin/oidc", follow_redirects=False)
        assert "code_challenge_method=S256" in begun.headers["location"]
        stolen = (
            at.browser()
        )  # the thief has the state and the code, and not the cookie from which the verifier follows
        end = sign_in_there(browser, browser.get(begun.headers["location"]), "ben")
        assert str(end.url) == f"{at.url}/"
        assert stolen.get(f"{at.url}/account", follow_redirects=False).status_code == 303


def test_after_the_provider_changed_its_keys_people_still_come_in(served, idp):
    with served(**ADD) as at:
        come(at, "ben")
        idp.rotate()
        page = come(at, "ben")[1]
        assert "key that its issuer does not have" in problem(page)  # it was looked at a moment ago
        at.seconds.now += 31
        assert str(come(at, "ben")[1].url) == f"{at.url}/"


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (timedelta(seconds=-50), ""),
        (timedelta(seconds=-90), "made in the future"),
        (timedelta(minutes=59), ""),
        (timedelta(minutes=62), "has expired"),
    ],
)
@pytest.mark.database("sqlite")
def test_clocks_may_differ_by_a_minute_and_no_more(served, shifted, wrong, words):
    with served(**ADD) as at:
        shifted.by = wrong
        page = come(at, "ben")[1]
        assert words in problem(page)
        assert (str(page.url) == f"{at.url}/") == (words == "")


def test_two_accounts_that_are_one_person_at_the_provider_are_one_person_here(today, served):
    add_actor(today, SYSTEM, "mei.tanaka", "Mei T")
    give_password(today, "mei.tanaka")
    with served(**ADD) as at:
        come(at, "mei")
        assert account(today, "mei").person_id != account(today, "mei.tanaka").person_id
        browser = at.browser()
        browser.post(f"{at.url}/signin", data={"id": "mei.tanaka", "password": PASSWORD})
        csrf = re.search(r'name="csrf" value="([0-9a-f]+)"', browser.get(f"{at.url}/account").text)[1]
        assert browser.post(f"{at.url}/account/connect", data={"csrf": "0" * 64}).status_code == 403
        page = browser.post(f"{at.url}/account/connect", data={"csrf": csrf})
        to = re.search(r'href="(http[^"]+)"', page.text)[1].replace("&amp;", "&")
        end = sign_in_there(browser, browser.get(to), "mei")
        assert str(end.url) == f"{at.url}/account"
    assert account(today, "mei").person_id == account(today, "mei.tanaka").person_id
    assert verify_desk(today).problems == ()


def test_connecting_counts_for_nobody_else_than_who_began_it(today, served):
    for id in ("one.person", "other.person"):
        add_actor(today, SYSTEM, id, id.replace(".", " ").title())
        give_password(today, id)
    with served() as at:
        browser = at.browser()
        browser.post(f"{at.url}/signin", data={"id": "one.person", "password": PASSWORD})
        csrf = re.search(r'name="csrf" value="([0-9a-f]+)"', browser.get(f"{at.url}/account").text)[1]
        page = browser.post(f"{at.url}/account/connect", data={"csrf": csrf})
        to = re.search(r'href="(http[^"]+)"', page.text)[1].replace("&amp;", "&")
        browser.post(f"{at.url}/signin", data={"id": "other.person", "password": PASSWORD})
        end = sign_in_there(browser, browser.get(to), "ben")
        assert (end.status_code, "no longer signed in as the one" in problem(end)) == (403, True)
    assert lines(today, "identity.connect") == []


def test_where_only_the_provider_counts_no_password_and_no_link_opens_a_session(today, served):
    add_actor(today, SYSTEM, "pia.lund", "Pia Lund")
    give_password(today, "pia.lund")
    old = sessions.open_session(today, "pia.lund", sessions.PASSWORD, Came(source="x"), rules=SessionRules())
    only = SessionRules(methods=frozenset({"oidc"}))
    with served(front={"rules": only}, **ADD) as at:
        browser = at.browser(cookies={"cuelight_session": old})
        assert browser.get(f"{at.url}/account", follow_redirects=False).status_code == 303  # not even one from before
        assert 'type="password"' not in browser.get(f"{at.url}/signin").text
        answer = browser.post(f"{at.url}/signin", data={"id": "pia.lund", "password": PASSWORD})
        assert (answer.status_code, "own provider" in problem(answer)) == (403, True)
        link = issue_link(today, SYSTEM, "pia.lund")
        both = {"password": PASSWORD + "!", "again": PASSWORD + "!"}
        answer = browser.post(f"{at.url}/invitation/{link.code}", data=both)
        assert answer.status_code == 403
        assert str(come(at, "ben")[1].url) == f"{at.url}/"


def test_who_signs_out_here_can_sign_out_there_too(served, idp):
    with served(**ADD) as at:
        browser, _ = come(at, "ben")
        csrf = re.search(r'name="csrf" value="([0-9a-f]+)"', browser.get(f"{at.url}/account").text)[1]
        page = browser.post(f"{at.url}/signout", data={"csrf": csrf})
        assert "you may still be signed in" in page.text
        out = browser.get(f"{at.url}/signin/oidc/out", follow_redirects=False)
        assert out.headers["location"].startswith(f"{idp.issuer}/oauth/end_session?")
        assert browser.get(f"{at.url}/account", follow_redirects=False).status_code == 303


def test_a_wrong_secret_of_the_desk_is_told_in_plain_words_and_never_shown(served):
    with served(client_secret="not the secret", **ADD) as at:
        page = come(at, "ben")[1]
        assert (page.status_code, "does not take the code" in problem(page)) == (403, True)
        assert "not the secret" not in page.text


def test_nothing_in_an_address_leads_anywhere_else(served):
    with served(**ADD) as at:
        browser = at.browser()
        for more in ("?next=https://evil.example", "?redirect_uri=https://evil.example", "?return_to=//evil.example"):
            begun = browser.get(f"{at.url}/signin/oidc{more}", follow_redirects=False)
            assert "evil" not in begun.headers["location"]
        page = come(at, "ben", browser)[1]
        assert str(page.url) == f"{at.url}/"
