"""A provider that lies, is down, slow, endless or speaks rubbish: nobody comes in, and the page says why in plain words."""

# long because: one table of lies and one of failures, each with the few lines that are its test

import re
import time
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import func, select

from cuelight_server.access import oidc, store
from cuelight_server.access.oidc import Newcomers
from cuelight_server.audit import store as audit
from cuelight_server.control.access import add_actor
from cuelight_server.control.failed_sign_ins import write_failed_sign_ins
from cuelight_server.control.persons import verify_email
from cuelight_server.db import schema
from cuelight_server.db.engine import reading
from cuelight_server.kernel.actor import SYSTEM
from server.tests.openid import hostile
from server.tests.openid.hostile import (
    drops,
    ec,
    ed,
    endless,
    open_issuer,
    rsa,
    say,
    signed,
    silent,
    unsigned,
    with_secret,
)
from server.tests.openid.serving import serving

pytestmark = pytest.mark.database("sqlite")


@pytest.fixture
def issuer():
    with open_issuer() as made:
        yield made


@pytest.fixture
def at(today, issuer):
    with serving(today, {**OURS, "issuer": issuer.url}) as made:
        yield made


OURS = {"client_id": "desk", "name": "Example Corp", "newcomers": Newcomers.ADD, "trusts_email": True}


class Return:
    """One sign-in by hand: begun, and then back with whatever the issuer answers to the code."""

    def __init__(self, at, issuer):
        self.at, self.issuer = at, issuer
        self.browser = at.browser(follow_redirects=False)
        begun = self.browser.get(f"{at.url}/signin/oidc")
        self.status, self.page = begun.status_code, begun
        self.sent = {name: one[0] for name, one in parse_qs(urlsplit(begun.headers.get("location", "")).query).items()}

    def claims(self, **more):
        now = int(time.time())
        plain = {"iss": self.issuer.url, "aud": "desk", "sub": "u-1", "exp": now + 300, "iat": now}
        full = {**plain, "nonce": self.sent["nonce"], "preferred_username": "ben", "name": "Ben", **more}
        return {name: one for name, one in full.items() if one is not None}

    def back(self, token, **more):
        self.issuer.answers["/token"] = {"access_token": "at-1", "token_type": "Bearer", "id_token": token}
        self.page = self.browser.get(self.at.callback, params={"state": self.sent["state"], "code": "c-1", **more})
        return self

    @property
    def inside(self):
        there = self.browser.get(f"{self.at.url}/account").status_code == 200
        assert there == (self.page.status_code == 303)
        return there

    @property
    def problem(self):
        found = re.search(r'role="alert">([^<]+)<', self.page.text)
        return found[1].lower() if found else ""


@pytest.fixture
def begun(at, issuer):
    return Return(at, issuer)


def kinds(desk):
    """Why nobody got in, as the log tells it once its minute is over."""
    write_failed_sign_ins(desk, all_of_it=True)
    with reading(desk.registry) as sql:
        return [one.facts["kind"] for one in audit.readable(sql) if one.verb == "sign_in.fail"]


@pytest.mark.parametrize("alg", ["RS256", "PS256", "ES256", "EdDSA"])
def test_an_honest_token_of_any_good_algorithm_opens(at, issuer, alg):
    issuer.key = {"ES256": ec, "EdDSA": ed}.get(alg, rsa)()
    begun = Return(at, issuer)
    assert begun.back(signed(begun.claims(), issuer.key, alg)).inside
    form = parse_qs(issuer.asked[-1][2].decode())
    assert form["code_verifier"][0]
    assert "client_secret" not in form


def wrong(**claims):
    return lambda begun, key: signed(begun.claims(**claims), key)


NOW, OWN = int(time.time()), rsa()
LIES = {
    "none": (lambda begun, _: unsigned(begun.claims()), "algorithm", "not signed in a way"),
    "None": (lambda begun, _: unsigned(begun.claims(), "None"), "algorithm", "not signed in a way"),
    "HS256 signed with the public key": (
        lambda begun, key: with_secret(begun.claims(), key),
        "algorithm",
        "not signed",
    ),
    "another key under the name of ours": (
        lambda begun, key: signed(begun.claims(), rsa(), kid=key.kid),
        "signature",
        "not its issuer",
    ),
    "a key that is not on the list": (lambda begun, _: signed(begun.claims(), rsa()), "key", "does not have"),
    "a key in the header": (
        lambda begun, _: signed(begun.claims(), OWN, jwk=OWN.as_dict(private=False)),
        "key",
        "does not have",
    ),
    "something critical": (
        lambda begun, key: signed(begun.claims(), key, crit=["b64"], b64=True),
        "header",
        "not done here",
    ),
    "an access token": (lambda begun, key: signed(begun.claims(), key, typ="at+jwt"), "type", "something else"),
    "another nonce": (wrong(nonce="0" * 64), "nonce", "another sign-in"),
    "no nonce": (wrong(nonce=None), "nonce", "another sign-in"),
    "a nonce that is no text": (wrong(nonce=7), "nonce", "another sign-in"),
    "another audience": (wrong(aud="somebody"), "audience", "somebody else"),
    "no audience": (wrong(aud=None), "audience", "somebody else"),
    "several audiences and nobody who asked": (wrong(aud=["desk", "other"]), "audience", "does not say who asked"),
    "asked by somebody else": (wrong(azp="other"), "audience", "somebody else asked"),
    "another issuer": (wrong(iss="https://other.example"), "issuer", "another issuer"),
    "the issuer with a slash": (lambda begun, key: signed(begun.claims(iss=f"{begun.issuer.url}/"), key), "issuer", ""),
    "expired": (wrong(exp=NOW - 120, iat=NOW - 300), "expired", "has expired"),
    "no end": (wrong(exp=None), "time", "does not say its exp"),
    "an end that is text": (wrong(exp="later"), "time", "does not say its exp"),
    "an end that is no number": (wrong(exp=float("nan")), "time", "does not say its exp"),
    "an end that is true": (wrong(exp=True), "time", "does not say its exp"),
    "an end in a thousand years": (wrong(exp=NOW + 10**12), "time", "is no time"),
    "an end in a year": (wrong(exp=NOW + 365 * 86400), "lifetime", "too long"),
    "from tomorrow": (wrong(iat=NOW + 86400, exp=NOW + 90000), "too_early", "in the future"),
    "not good yet": (wrong(nbf=NOW + 3600), "too_early", "not good yet"),
    "nobody": (wrong(sub=None), "subject", "whose it is"),
    "an empty name": (wrong(sub=""), "subject", "whose it is"),
    "a very long name": (wrong(sub="x" * 256), "subject", "whose it is"),
    "a name with unseen signs": (wrong(sub="u-1\u200b"), "subject", "whose it is"),
    "an at_hash of something else": (wrong(at_hash="AAAA"), "at_hash", "do not belong together"),
    "no token": (lambda *_: "", "form", "no signed token"),
    "rubbish": (lambda *_: "a.b.c", "form", "no signed token"),
    "brackets without end": (
        lambda *_: f"{hostile._packed({'alg': 'RS256'})}.{'W1tb' * 3900}.x",
        "form",
        "no signed token",
    ),
    "far too large": (lambda begun, key: signed(begun.claims(fill="x" * 20_000), key), "size", "too large"),
    "a list instead of a token": (lambda *_: ["x"], "form", "does not say who you are"),
}


@pytest.mark.parametrize("lie", LIES)
def test_nobody_comes_in_with_a_token_that_is(lie, begun, issuer, today):
    token, reason, words = LIES[lie]
    begun.back(token(begun, issuer.key))
    assert not begun.inside
    assert (begun.page.status_code, kinds(today)) == (403, [f"oidc {reason}"])
    assert words in begun.problem
    with reading(today.registry) as sql:
        assert store.account(sql, "ben") is None


@pytest.mark.filterwarnings("ignore:Key size")
def test_a_weak_key_of_the_provider_itself_does_not_count(at, issuer):
    issuer.key = rsa(1024)
    begun = Return(at, issuer)
    assert not begun.back(signed(begun.claims(), issuer.key)).inside
    assert "too weak" in begun.problem


def test_a_key_that_is_made_for_something_else_does_not_count(at, issuer):
    issuer.published = [{**issuer.key.as_dict(private=False), "use": "enc"}]
    begun = Return(at, issuer)
    assert not begun.back(signed(begun.claims(), issuer.key)).inside
    issuer.published = [{**issuer.key.as_dict(private=False), "alg": "PS256"}]
    at.seconds.now += 700
    again = Return(at, issuer)
    assert not again.back(signed(again.claims(), issuer.key)).inside
    assert "for which its key is made" in again.problem


def test_two_keys_of_one_name_are_no_key(at, issuer):
    issuer.published = [issuer.key.as_dict(private=False), {**rsa().as_dict(private=False), "kid": issuer.key.kid}]
    begun = Return(at, issuer)
    assert not begun.back(signed(begun.claims(), issuer.key)).inside


def test_a_key_without_a_name_counts_only_where_it_is_alone(begun, issuer):
    assert begun.back(signed(begun.claims(), issuer.key, kid=None)).inside
    issuer.published = [issuer.key.as_dict(private=False), rsa().as_dict(private=False)]
    begun.at.seconds.now += 700
    again = Return(begun.at, issuer)
    assert not again.back(signed(again.claims(), issuer.key, kid=None)).inside


def test_an_unknown_key_makes_the_desk_look_once_and_not_again_for_half_a_minute(at, issuer):
    first = Return(at, issuer)
    assert first.back(signed(first.claims(), issuer.key)).inside
    assert issuer.times("/keys") == 1
    for _ in range(5):
        one = Return(at, issuer)
        one.back(signed(one.claims(), rsa()))
    assert issuer.times("/keys") == 1
    at.seconds.now += 31
    for _ in range(3):
        one = Return(at, issuer)
        one.back(signed(one.claims(), rsa()))
    assert issuer.times("/keys") == 2
    issuer.key = rsa()
    at.seconds.now += 31
    new = Return(at, issuer)
    assert new.back(signed(new.claims(), issuer.key)).inside
    assert issuer.times("/keys") == 3


def test_a_key_that_the_provider_took_back_is_believed_for_ten_minutes_and_no_longer(at, issuer):
    stolen = issuer.key
    first = Return(at, issuer)
    assert first.back(signed(first.claims(), stolen)).inside
    issuer.key = rsa()
    at.seconds.now += 601
    late = Return(at, issuer)
    assert not late.back(signed(late.claims(), stolen)).inside


def test_the_answer_has_to_name_the_provider_where_it_says_that_it_will(at, issuer):
    issuer.more["authorization_response_iss_parameter_supported"] = True
    for sent, inside in (({}, False), ({"iss": "https://other.example"}, False), ({"iss": issuer.url}, True)):
        one = Return(at, issuer)
        assert one.back(signed(one.claims(), issuer.key), **sent).inside == inside
    assert issuer.times("/token") == 1  # the code of the others was not even shown to anybody


@pytest.mark.parametrize(
    "more", [{"state": "0" * 64}, {"state": ""}, {"state": "é"}, {"code": ""}, {"code": "x" * 5000}]
)
def test_an_answer_that_belongs_to_no_sign_in_is_shown_to_nobody(begun, issuer, more):
    assert not begun.back(signed(begun.claims(), issuer.key), **more).inside
    assert issuer.times("/token") == 0


def test_a_parameter_that_stands_there_twice_counts_as_none(begun, issuer):
    issuer.answers["/token"] = {"id_token": signed(begun.claims(), issuer.key)}
    begun.page = begun.browser.get(f"{begun.at.callback}?state={begun.sent['state']}&code=a&code=b")
    assert not begun.inside
    assert issuer.times("/token") == 0


def test_a_sign_in_that_took_too_long_begins_again(begun, issuer, shifted):
    shifted.by = timedelta(minutes=11)
    assert not begun.back(signed(begun.claims(), issuer.key)).inside
    assert "took too long" in begun.problem


def test_a_sign_in_counts_once_also_for_who_keeps_its_cookie(begun, issuer):
    cookie = begun.browser.cookies["cuelight_oidc"]
    assert begun.back(signed(begun.claims(), issuer.key)).inside
    thief = begun.at.browser(follow_redirects=False, cookies={"cuelight_oidc": cookie})
    page = thief.get(begun.at.callback, params={"state": begun.sent["state"], "code": "c-1"})
    assert page.status_code == 403
    assert issuer.times("/token") == 1


@pytest.mark.parametrize(
    ("error", "words"), [("access_denied", "not allowed there"), ("<script>alert(1)</script>", "it refused")]
)
def test_what_the_provider_refuses_is_said_in_our_words_only(begun, error, words):
    asked = {"state": begun.sent["state"], "error": error, "error_description": "<b>call 555-0199</b>"}
    begun.page = begun.browser.get(begun.at.callback, params=asked)
    assert not begun.inside
    assert words in begun.problem
    assert "script" not in begun.page.text
    assert "555" not in begun.page.text


DOWN = {
    "silent": (silent, "does not answer"),
    "in drops": (drops, "does not answer"),
    "endless": (endless, "more than 256 kb"),
    "rubbish": (lambda handler: say(handler, b"<html>not found</html>"), "no json object"),
    "a list": (lambda handler: say(handler, [1]), "no json object"),
    "deep": (lambda handler: say(handler, b"[" * 200_000), "no json object"),
    "broken": (lambda handler: say(handler, {}, 500), "refused (500)"),
    "elsewhere": (lambda handler: say(handler, {}, 302, Location="http://169.254.169.254/"), "refused (302)"),
    "packed": (lambda handler: say(handler, {}, Content_Encoding="gzip"), "packs its answer"),
}


@pytest.mark.parametrize("how", DOWN)
@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/keys", "/token"])
def test_a_provider_that_is(how, path, at, issuer, today):
    answer, words = DOWN[how]
    begun = Return(at, issuer) if path == "/token" else None
    issuer.answers[path] = answer
    began = time.monotonic()
    if begun is None:
        begun = Return(at, issuer)
    else:
        begun.page = begun.browser.get(at.callback, params={"state": begun.sent["state"], "code": "c"})
    assert time.monotonic() - began < 4
    assert (begun.page.status_code, words in begun.problem) == (503, True), begun.problem
    assert not begun.inside
    assert kinds(today) == []  # nobody failed: the provider did
    issuer.answers.clear()
    at.seconds.now += 5
    after = Return(at, issuer)
    assert after.back(signed(after.claims(), issuer.key)).inside


def test_a_provider_that_is_gone_is_not_asked_again_at_once(today, issuer):
    with open_issuer() as gone:
        url = gone.url
    with serving(today, {**OURS, "issuer": url}) as at:
        for _ in range(3):
            page = at.browser(follow_redirects=False).get(f"{at.url}/signin/oidc")
            assert page.status_code == 503
            assert "does not answer" in page.text
        assert at.browser().get(f"{at.url}/signin").status_code == 200  # whoever has a password comes in as ever


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"issuer": "https://other.example"}, "somebody else"),
        ({"jwks_uri": "http://169.254.169.254/keys"}, "not https"),
        ({"token_endpoint": "file:///etc/passwd"}, "no address"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "no address"),
        ({"token_endpoint": "http://user:pass@127.0.0.1/"}, "no address"),
        ({"jwks_uri": None}, "where its keys are"),
        ({"authorization_endpoint": None}, "nobody can sign in"),
    ],
)
def test_a_document_that_says_something_wrong_leads_nowhere(at, issuer, more, words):
    issuer.more.update(more)
    begun = Return(at, issuer)
    assert (begun.status, words in begun.problem) == (503, True), begun.problem


def test_keys_that_are_no_list_or_far_too_many_are_no_keys(at, issuer):
    for published in ({"a": 1}, [1], [rsa().as_dict(private=False)] * 51):
        issuer.published = published
        assert Return(at, issuer).status == 503
        at.seconds.now += 5


def test_an_address_counts_only_where_the_provider_calls_it_verified(at, issuer, today):
    add_actor(today, SYSTEM, "pia.lund", "Pia Lund")
    verify_email(today, SYSTEM, "pia.lund", "pia@example.org")
    for number, verified in enumerate((None, False, "yes", 1, "false")):
        one = Return(at, issuer)
        claims = one.claims(
            sub=f"s{number}", preferred_username=f"x{number}", email="pia@example.org", name=f"N {number}"
        )
        one.back(signed(claims | ({} if verified is None else {"email_verified": verified}), issuer.key))
        with reading(today.registry) as sql:
            assert store.identities_of(sql, "pia.lund") == []
            assert store.email(sql, f"x{number}") is None
    one = Return(at, issuer)
    one.back(signed(one.claims(sub="real", email="PIA@example.org", email_verified=True), issuer.key))
    with reading(today.registry) as sql:
        assert [found.subject for found in store.identities_of(sql, "pia.lund")] == ["real"]


def test_groups_are_asked_for_where_the_token_has_none_but_not_about_somebody_else(at, issuer, today):
    issuer.more["userinfo_endpoint"] = f"{issuer.url}/me"
    issuer.answers["/me"] = {"sub": "u-1", "groups": ["a"], "email": "ben@example.org", "email_verified": True}
    one = Return(at, issuer)
    assert one.back(signed(one.claims(), issuer.key)).inside
    assert issuer.asked[-1][3]["Authorization"] == "Bearer at-1"
    with reading(today.registry) as sql:
        assert store.email(sql, "ben").address == "ben@example.org"
    issuer.answers["/me"] = {"sub": "u-2", "groups": ["admins"]}
    other = Return(at, issuer)
    assert not other.back(signed(other.claims(), issuer.key)).inside
    assert "two different people" in other.problem


def test_a_verified_word_from_one_place_never_makes_an_address_from_another_place_good(at, issuer, today):
    issuer.more["userinfo_endpoint"] = f"{issuer.url}/me"
    issuer.answers["/me"] = {"sub": "u-1", "email": "mine@example.org", "email_verified": True}
    one = Return(at, issuer)
    assert one.back(signed(one.claims(email="boss@example.org"), issuer.key)).inside
    with reading(today.registry) as sql:
        assert store.email(sql, "ben") is None


def test_who_fails_often_waits_and_the_log_does_not_grow_for_ever(at, issuer, today):
    for _ in range(40):
        page = at.browser(follow_redirects=False).get(at.callback, params={"state": "x", "code": "y"})
    assert page.status_code == 429
    assert int(page.headers["retry-after"]) >= 1
    assert len(kinds(today)) < 30


def test_sign_ins_that_nobody_finishes_do_not_pile_up(at, issuer, today, monkeypatch):
    monkeypatch.setattr(oidc, "MOST_FLOWS_OF_SOURCE", 5)
    for _ in range(9):
        last = Return(at, issuer)
    with reading(today.registry) as sql:
        assert sql.scalar(select(func.count()).select_from(schema.sign_in_flow)) == 5
    assert last.back(signed(last.claims(), issuer.key)).inside


def test_the_database_keeps_nothing_with_which_a_sign_in_could_be_finished(at, issuer, today):
    begun = Return(at, issuer)
    cookie = begun.browser.cookies["cuelight_oidc"]
    with reading(today.registry) as sql:
        stored = str([list(row) for table in schema.registry.sorted_tables for row in sql.execute(select(table))])
    for secret in (cookie, begun.sent["state"], begun.sent["nonce"], begun.sent["code_challenge"]):
        assert secret not in stored
