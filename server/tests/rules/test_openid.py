"""What tokens, claims and names have to be, without any network."""

import base64
import json
from datetime import UTC, datetime
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuelight_server.access import oidc
from cuelight_server.access.claims import Wanted, check
from cuelight_server.access.conditions import check_conditions, fits
from cuelight_server.access.fetching import check_address
from cuelight_server.access.jose import Unfit, unverified, verified
from cuelight_server.access.oidc import Known, Provider
from cuelight_server.kernel.errors import Invalid
from cuelight_server.kernel.names import ID

PROVIDER = Provider(issuer="https://login.example.org", client_id="desk", client_secret="hush")


def test_the_challenge_is_the_one_of_the_standard():
    # RFC 7636, appendix B
    secrets = oidc.Secrets("", "", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
    assert secrets.challenge == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_what_belongs_to_a_sign_in_follows_from_its_cookie_and_tells_nothing_of_it():
    one, other = oidc.secrets_of("a" * 64), oidc.secrets_of("b" * 64)
    assert one == oidc.secrets_of("a" * 64)
    assert len({one.state, one.nonce, one.verifier, other.state, other.nonce, other.verifier}) == 6
    assert 43 <= len(one.verifier) <= 128
    assert one.verifier not in repr(one)


def test_the_secret_of_the_desk_stands_in_no_repr():
    assert "hush" not in repr(PROVIDER)


def test_the_way_there_keeps_what_the_address_says_already():
    to = oidc.authorization("https://x.example/a?tenant=1", PROVIDER, oidc.secrets_of("a"), "https://d.example/back")
    assert to.startswith("https://x.example/a?tenant=1&response_type=code&")
    assert "client_secret" not in to


@pytest.mark.parametrize(
    ("claims", "claim", "found"),
    [
        ({"groups": ["a", "b"]}, "groups", {"a", "b"}),
        ({"groups": "a"}, "groups", {"a"}),
        ({"realm_access": {"roles": ["a"]}}, "realm_access.roles", {"a"}),
        ({"https://x.example/groups": ["a"]}, "https://x.example/groups", {"a"}),
        ({"groups": {"a": 1}}, "groups", set()),
        ({"groups": ["a", 1, None, ["b"]]}, "groups", {"a"}),
        ({"realm_access": "x"}, "realm_access.roles", set()),
        ({}, "groups", set()),
    ],
)
def test_groups_are_found_where_the_provider_puts_them(claims, claim, found):
    assert oidc.groups_in(claims, claim) == found


@pytest.mark.parametrize(
    ("username", "id"),
    [
        ("mei.tanaka", "mei.tanaka"),
        ("Mei.Tanaka@example.org", "mei.tanaka"),
        ("CORP\\mei", "corp-mei"),
        ("  ", None),
        ("张伟", None),
        ("-_.", None),
        ("x" * 200, "x" * 50),
        ("../../etc", "etc"),
    ],
)
def test_a_new_account_is_called_as_at_the_provider_in_letters_that_an_id_has(username, id):
    assert oidc.id_wished(someone(username=username)) == id


@given(st.text(max_size=300), st.text(max_size=300))
@settings(max_examples=300, deadline=None)
def test_whatever_a_provider_calls_somebody_gives_a_good_name_or_none(username, name):
    who = someone(username=username, name=name)
    id = oidc.id_wished(who)
    if id is not None:
        assert ID.fullmatch(id)
        try:
            assert oidc.name_wished(who, id)
        except Invalid:
            pytest.fail("a name that nobody can have")


def someone(**more):
    return Known(
        **{"issuer": "i", "subject": "s", "email": None, "name": "", "username": "", "groups": frozenset(), **more}
    )


def test_the_hash_of_an_access_token_is_the_left_half():
    access = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"
    half = base64.urlsafe_b64encode(sha256(access.encode()).digest()[:16]).rstrip(b"=").decode()
    assert half == "77QmUPtjPfzWtF2AnpK9RQ"  # OpenID Connect Core, appendix A.3
    now = datetime(2026, 1, 5, tzinfo=UTC)
    claims = {
        "iss": "i",
        "aud": "a",
        "exp": now.timestamp() + 60,
        "iat": now.timestamp(),
        "nonce": "n",
        "at_hash": half,
    }
    wanted = {"issuer": "i", "audience": "a", "now": now, "nonce": "n", "algorithm": "RS256"}
    check(claims, Wanted(**wanted, access_token=access))
    with pytest.raises(Unfit):
        check(claims, Wanted(**wanted, access_token=access + "x"))


@pytest.mark.parametrize(
    "address",
    [
        "http://login.example.org",
        "http://127.0.0.1:1",
        "http://169.254.169.254/",
        "http://localhost.example.org",
        "ftp://x.example",
        "//x.example",
        "https://",
        "https://u:p@x.example",
        "https://x.example/#part",
        "https://x.example/a b",
        "https://x.example/\n",
        "https://exämple.org",
        "https://x.example:0",
        "https://[broken",
        "x" * 3000,
        "",
    ],
)
def test_only_https_is_asked_and_this_machine_where_that_is_allowed(address):
    with pytest.raises(Invalid):
        check_address(address, plain_at_home=False)
    assert check_address("https://login.example.org/realms/x", plain_at_home=False)
    assert check_address("http://127.0.0.1:8080", plain_at_home=True)
    with pytest.raises(Invalid):
        check_address("http://localhost.example.org", plain_at_home=True)


@given(
    st.one_of(st.text(max_size=200), st.from_regex(r"[A-Za-z0-9_-]{1,40}(\.[A-Za-z0-9_-]{0,40}){1,3}", fullmatch=True))
)
@settings(max_examples=300, deadline=None)
def test_no_text_at_all_is_taken_for_a_token_or_breaks_the_reader(text):
    for read in (unverified, lambda token: verified(token, [])):
        with pytest.raises(Unfit):
            read(text)


@pytest.mark.parametrize(
    "keys", [[], [{}], [{"kty": "oct", "k": "AAAA"}], [{"kty": ["RSA"]}], [{"kty": "RSA", "n": 1}]]
)
def test_keys_that_are_none_verify_nothing(keys):
    header, body = (
        base64.urlsafe_b64encode(json.dumps(one).encode()).decode().rstrip("=") for one in ({"alg": "RS256"}, {})
    )
    with pytest.raises(Unfit):
        verified(f"{header}.{body}.AAAA", keys)


@given(
    st.dictionaries(
        st.sampled_from(["sub", "ref", "x"]), st.one_of(st.none(), st.text(), st.integers(), st.lists(st.text()))
    )
)
@settings(max_examples=200, deadline=None)
def test_conditions_never_hold_where_a_claim_is_missing(claims):
    conditions = {"sub": "repo:acme/prompts:ref", "ref": "refs/tags/*"}
    holds = fits(conditions, claims)
    assert holds == (
        claims.get("sub") == "repo:acme/prompts:ref" and str(claims.get("ref") or "").startswith("refs/tags/")
    )
    assert not fits({}, claims)


def test_good_conditions_come_back_in_order():
    good = {"sub": "repo:acme/prompts:*", "ref": "refs/tags/v*", "repository": "acme/*"}
    assert list(check_conditions(good)) == sorted(good)
