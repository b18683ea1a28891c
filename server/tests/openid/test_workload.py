"""Pipelines that come in with a token of their own issuer, over real sockets."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import httpx2
import pytest
from sqlalchemy import func, select

from cuelight_server.access import store
from cuelight_server.audit import store as audit
from cuelight_server.audit.permissions import may
from cuelight_server.audit.verbs import Verb
from cuelight_server.control.access import add_actor, authenticate, disable_actor
from cuelight_server.control.failed_sign_ins import write_failed_sign_ins
from cuelight_server.control.trusts import Wished, add_trust, end_trust
from cuelight_server.control.verify import verify_desk
from cuelight_server.db import schema
from cuelight_server.db.engine import reading
from cuelight_server.kernel.actor import SYSTEM
from cuelight_server.kernel.errors import Denied, Invalid
from cuelight_server.kernel.terms import Environment, Role
from cuelight_server.views.trusts import trust_lines
from server.tests.openid.hostile import open_issuer, rsa, say, signed, silent, unsigned, with_secret
from server.tests.openid.serving import serving

AUDIENCE = "https://desk.example.org"
CLAIMS = {"repository": "acme/prompts", "ref": "refs/heads/main"}
DOOR = "/api/v1/token-exchange"


@pytest.fixture
def github():
    """An issuer as GitHub is one: it also makes a token for a job that asks for one."""
    with open_issuer() as made:
        yield made


@pytest.fixture
def at(today, github):
    trust(today, github)
    with serving(today) as made:
        yield made


def trust(desk, github, service="ci", **more):
    wished = {"issuer": github.url, "audience": AUDIENCE, "conditions": CLAIMS, "scopes": ["read", "push", "evaluate"]}
    return add_trust(desk, SYSTEM, service, Wished(**{**wished, **more}), plain_at_home=True)


def claims(github, **more):
    now = int(time.time())
    plain = {"iss": github.url, "aud": AUDIENCE, "sub": "repo:acme/prompts:ref:refs/heads/main", "iat": now}
    run = {"exp": now + 300, "jti": f"{time.monotonic_ns()}", "run_id": "77", "sha": "c0ffee", "actor": "mei"}
    return {name: one for name, one in {**plain, **run, **CLAIMS, **more}.items() if one is not None}


def send(at, token, **more):
    return httpx2.post(f"{at.url}{DOOR}", json={"token": token, **more}, trust_env=False)


def kinds(desk):
    """Why nobody got in, as the log tells it once its minute is over."""
    write_failed_sign_ins(desk, all_of_it=True)
    with reading(desk.registry) as sql:
        return [one.facts["kind"] for one in audit.readable(sql) if one.verb == "sign_in.fail"]


def test_a_pipeline_gets_a_short_key_that_opens_the_api(at, github, today):
    answer = send(at, signed(claims(github), github.key))
    assert answer.status_code == 200, answer.text
    given = answer.json()
    assert (given["account"], given["scopes"]) == ("service:ci", ["evaluate", "push", "read"])
    head = {"Authorization": f"Bearer {given['key']}"}
    assert httpx2.get(f"{at.url}/api/v1/me", headers=head, trust_env=False).status_code == 200
    with reading(today.registry) as sql:
        line = next(one for one in audit.readable(sql) if one.verb == "token.exchange")
    assert line.facts["run"] == {
        "sub": "repo:acme/prompts:ref:refs/heads/main",
        "jti": line.facts["run"]["jti"],
        **CLAIMS,
        "sha": "c0ffee",
        "run_id": "77",
    }
    assert given["key"].split("_")[3] not in str(line.facts)
    assert "mei" not in str(line.facts)
    (trusted,) = trust_lines(today, SYSTEM).items
    assert trusted.last_used_at == line.at
    assert verify_desk(today).problems == ()


def test_the_key_ends_after_minutes_and_approves_nothing(at, github, today, shifted):
    text = send(at, signed(claims(github), github.key)).json()["key"]
    actor = authenticate(today, text)
    for verb in (Verb.RELEASE_APPROVE, Verb.TOKEN_ISSUE, Verb.TOKEN_ISSUE_OWN, Verb.ACTOR_ADD, Verb.TRUST_ADD):
        assert not may(verb, actor, frozenset(Role)).allowed, verb
    shifted.by = timedelta(minutes=10, seconds=1)
    with pytest.raises(Denied) as over:
        authenticate(today, text)
    assert over.value.details == {"credentials": "expired"}


def test_a_token_counts_once_also_with_another_signature(at, github, today):
    said = claims(github)
    assert send(at, signed(said, github.key)).status_code == 200
    assert send(at, signed(said, github.key, "PS256")).status_code == 401
    assert kinds(today) == ["workload replay"]
    nameless = claims(github, jti=None)
    token = signed(nameless, github.key)
    assert [send(at, token).status_code for _ in range(2)] == [200, 401]


def test_used_tokens_are_forgotten_once_they_are_over(at, github, today, shifted):
    for _ in range(3):
        send(at, signed(claims(github), github.key))
    shifted.by = timedelta(minutes=7)
    now = int(time.time()) + 420
    assert send(at, signed(claims(github, iat=now, exp=now + 300), github.key)).status_code == 200
    with reading(today.registry) as sql:
        assert sql.scalar(select(func.count()).select_from(schema.workload_token)) == 1


NOW = int(time.time())
LIES = {
    "another repository": ({"repository": "evil/prompts"}, "claims"),
    "a longer repository": ({"repository": "acme/prompts-evil"}, "claims"),
    "another letter case": ({"repository": "Acme/prompts"}, "claims"),
    "another branch": ({"ref": "refs/heads/feature"}, "claims"),
    "no branch": ({"ref": None}, "claims"),
    "a list of branches": ({"ref": ["refs/heads/main"]}, "claims"),
    "another audience": ({"aud": "https://other.example"}, "audience"),
    "no audience": ({"aud": None}, "audience"),
    "the issuer of nobody": ({"iss": "https://evil.example"}, "issuer"),
    "no issuer": ({"iss": None}, "issuer"),
    "an issuer that is a list": ({"iss": ["a"]}, "issuer"),
    "no subject": ({"sub": None}, "subject"),
    "expired": ({"iat": NOW - 900, "exp": NOW - 300}, "expired"),
    "no end": ({"exp": None}, "time"),
    "no beginning": ({"iat": None}, "time"),
    "a week long": ({"exp": NOW + 7 * 86400}, "lifetime"),
    "not good yet": ({"nbf": NOW + 3600}, "too_early"),
}


@pytest.mark.parametrize("lie", LIES)
@pytest.mark.database("sqlite")
@pytest.mark.database("sqlite")
def test_a_token_opens_nothing_that_is(lie, at, github, today):
    more, reason = LIES[lie]
    said = {name: one for name, one in {**claims(github), **more}.items() if one is not None}
    answer = send(at, signed(said, github.key))
    assert (answer.status_code, kinds(today)) == (401, [f"workload {reason}"])
    assert answer.json()["error"]["message"] == "this token opens nothing here"  # always the same words
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (lambda said, _: unsigned(said), "algorithm"),
        (with_secret, "algorithm"),
        (lambda said, key: signed(said, rsa(), kid=key.kid), "signature"),
        (lambda said, _: signed(said, rsa()), "key"),
        (lambda said, key: signed(said, key)[:-6] + "AAAAAA", "signature"),
        (lambda *_: "a.b.c", "form"),
        (lambda said, key: "Bearer " + signed(said, key), "form"),
        (lambda *_: "' OR 1=1 --", "form"),
    ],
)
@pytest.mark.database("sqlite")
@pytest.mark.database("sqlite")
def test_a_token_that_nobody_signed_so_opens_nothing(made, reason, at, github, today):
    assert send(at, made(claims(github), github.key)).status_code == 401
    assert kinds(today) == [f"workload {reason}"]


def test_nobody_is_asked_whom_nobody_trusts(at, github, today):
    with open_issuer() as stranger:
        said = {**claims(github), "iss": stranger.url}
        assert send(at, signed(said, stranger.key)).status_code == 401
        assert stranger.asked == []


@pytest.mark.parametrize("body", [{}, {"token": ""}, {"token": 7}, {"token": "x" * 20_000}, {"token": "a", "x": 1}])
@pytest.mark.database("sqlite")
@pytest.mark.database("sqlite")
def test_a_request_that_is_none_is_refused_before_anything_is_looked_at(at, body):
    answer = httpx2.post(f"{at.url}{DOOR}", json=body, trust_env=False)
    assert answer.status_code in (401, 422)


def test_a_trust_that_ended_and_an_account_that_is_disabled_open_nothing(at, github, today):
    other = trust(today, github, conditions={"repository": "acme/other"})
    end_trust(today, SYSTEM, other.id)
    assert send(at, signed(claims(github, repository="acme/other"), github.key)).status_code == 401
    text = send(at, signed(claims(github), github.key)).json()["key"]
    disable_actor(today, SYSTEM, "service:ci")
    with pytest.raises(Denied):
        authenticate(today, text)
    assert send(at, signed(claims(github), github.key)).status_code == 401


def test_a_trust_that_ends_while_the_token_is_looked_at_opens_nothing(at, github, today):
    with reading(today.registry) as sql:
        (one,) = store.trusts_in(sql, github.url)

    def end_first(handler):
        end_trust(today, SYSTEM, one.id)
        say(handler, {"keys": github.keys})

    github.answers["/keys"] = end_first
    assert send(at, signed(claims(github), github.key)).status_code == 401
    assert kinds(today) == ["workload ended"]


def test_a_token_that_opens_several_accounts_has_to_say_which(at, github, today):
    trust(today, github, "nightly", environment=Environment.STAGING, scopes=["read"], minutes=3)
    token = signed(claims(github), github.key)
    answer = send(at, token)
    assert (answer.status_code, answer.json()["error"]["kind"]) == (422, "invalid")
    given = send(at, token, service="nightly").json()
    assert (given["account"], given["environment"], given["scopes"]) == ("service:nightly", "staging", ["read"])
    assert send(at, signed(claims(github), github.key), service="nobody").status_code == 401


@pytest.mark.database("sqlite")
def test_an_issuer_that_does_not_answer_costs_the_pipeline_no_waiting_afterwards(at, github, today):
    github.answers["/keys"] = silent
    for _ in range(25):
        assert send(at, signed(claims(github), github.key)).status_code == 503
    github.answers.clear()
    at.seconds.now += 5
    assert send(at, signed(claims(github), github.key)).status_code == 200
    assert kinds(today) == []


@pytest.mark.database("sqlite")
def test_who_sends_many_bad_tokens_waits(at, github, today):
    answers = [send(at, "a.b.c") for _ in range(30)]
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["retry-after"]) == answers[-1].json()["error"]["details"]["retry_after"]
    assert len(kinds(today)) < 30


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"issuer": "http://ci.example.org"}, "not https"),
        ({"issuer": "ci.example.org"}, "no address"),
        ({"issuer": "https://user@ci.example.org"}, "no address"),
        ({"issuer": "https://ci.example.org?x=1"}, "no issuer"),
        ({"audience": ""}, "audience"),
        ({"audience": "a b"}, "audience"),
        ({"conditions": {}}, "conditions"),
        ({"conditions": {"ref": "refs/heads/main"}}, "whose the pipeline is"),
        ({"conditions": {"repository": "*"}}, "too loose"),
        ({"conditions": {"repository": "acme*"}}, "fit others"),
        ({"conditions": {"repository": "/*"}}, "fit others"),
        ({"conditions": {"repository": "a*me/x"}}, "too loose"),
        ({"conditions": {"repository": "acme/**"}}, "too loose"),
        ({"conditions": {"sub": "repo:*"}}, "fit others"),
        ({"conditions": {"sub": "repo:acme*"}}, "fit others"),
        ({"conditions": {"repository": ""}}, "needs a value"),
        ({"conditions": {"repository": "acme/\u200bx"}}, "needs a value"),
        ({"conditions": {"repository": "acme/x", "aud": "y"}}, "no claim"),
        ({"conditions": {"repository": "acme/x", "a b": "y"}}, "no claim"),
        ({"scopes": []}, "what the pipeline is for"),
        ({"scopes": ["everything"]}, "no scope"),
        ({"scopes": ["release.approve"]}, "release.approve"),
        ({"scopes": ["release.*"]}, "release.approve"),
        ({"scopes": ["token.*"]}, "token.issue"),
        ({"minutes": 0}, "1 to 15"),
        ({"minutes": 16}, "1 to 15"),
    ],
)
@pytest.mark.database("sqlite")
@pytest.mark.database("sqlite")
def test_a_trust_that_is_too_loose_is_refused(today, github, more, words):
    with pytest.raises(Invalid, match=words):
        trust(today, github, **more)


@pytest.mark.parametrize(
    ("conditions", "said", "opens"),
    [
        ({"repository": "acme/*"}, {"repository": "acme/anything"}, True),
        ({"repository": "acme/*"}, {"repository": "acme-evil/anything"}, False),
        ({"repository": "acme/prompts", "ref": "refs/tags/v*"}, {"ref": "refs/tags/v1.2"}, True),
        ({"repository": "acme/prompts", "ref": "refs/tags/v*"}, {"ref": "refs/heads/v1"}, False),
        ({"sub": "repo:acme/prompts:*"}, {}, True),
        ({"sub": "project_path:acme/*", "ref_protected": "true"}, {"sub": "project_path:acme/x:ref:main"}, False),
        (
            {"sub": "project_path:acme/*", "ref_protected": "true"},
            {"sub": "project_path:acme/x:ref:main", "ref_protected": True},
            True,
        ),
        ({"project_id": "42"}, {"project_id": 42}, True),
        ({"project_id": "42"}, {"project_id": 420}, False),
    ],
)
@pytest.mark.database("sqlite")
@pytest.mark.database("sqlite")
def test_conditions_are_exact_or_a_beginning(today, github, conditions, said, opens):
    trust(today, github, conditions=conditions)
    with serving(today) as at:
        answer = send(at, signed(claims(github, **said), github.key))
    assert (answer.status_code == 200) == opens, answer.text


def test_only_an_administrator_says_whom_to_trust(today, github):
    with pytest.raises(Denied):
        add_trust(
            today,
            add_actor(today, SYSTEM, "ben.okoro", "Ben Okoro").actor(),
            "ci",
            Wished(issuer="https://ci.example.org", audience="x", conditions=CLAIMS, scopes=["read"]),
        )


def test_two_who_come_with_one_token_at_once_get_one_key(at, github, today):
    token = signed(claims(github), github.key)
    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(lambda _: send(at, token).status_code, range(8)))
    assert codes.count(200) == 1, codes
