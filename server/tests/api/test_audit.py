"""The log over HTTP: searched, page by page, proved to whoever asks, and exported for the verifier."""

import io

import pytest
from starlette.testclient import TestClient

from cuelight.contract.merkle import leaf_hash, verify_consistency, verify_inclusion
from cuelight.contract.note import parse_signed, parse_verifier, signers
from cuelight.exported import verify
from cuelight_server.access.keys import Key
from cuelight_server.app import Keyring, build
from cuelight_server.audit.signing import KeyPlace
from cuelight_server.control.access import add_actor
from cuelight_server.control.checkpoints import Checkpoints, issue, tick
from cuelight_server.control.failed_sign_ins import write_failed_sign_ins
from cuelight_server.control.members import appoint_auditor
from cuelight_server.control.releases import approve, release, roll_back
from cuelight_server.kernel.actor import SYSTEM
from cuelight_server.sinks.port import Kept
from server.tests.releasing import ENGINEER, OWNER, PROMPT, evaluate, prepare, who

HEAD = {"Cuelight-As": OWNER}


@pytest.fixture
def how(tmp_path):
    return Checkpoints(keys=KeyPlace(file=tmp_path / "signing.key"), sinks={"kept": Kept()})


@pytest.fixture
def ask(demo_desk, how):
    """`ask("/audit", actor="x")`: the answer's JSON, on a desk with a release and a rollback."""
    prepare(demo_desk, versions=1)
    evaluate(demo_desk, "v1")
    for one in (OWNER, ENGINEER):
        approve(demo_desk, who(demo_desk, one), PROMPT, "v1")
    release(demo_desk, who(demo_desk, ENGINEER), PROMPT, "v1")
    roll_back(demo_desk, SYSTEM, PROMPT, why="bad")
    appoint_auditor(demo_desk, SYSTEM, HEAD["Cuelight-As"])
    tick(demo_desk, how)
    with TestClient(
        build(demo_desk, worker=False, keyring=Keyring(checkpoints=how)), base_url="http://localhost"
    ) as client:

        def one(path, status=200, **query):
            answer = client.get(f"/api/v1{path}", params=query, headers=HEAD)
            assert answer.status_code == status, answer.text
            return answer if path == "/audit/export" else answer.json()

        one.client = client
        yield one


def verbs(found):
    return [one["verb"] for one in found["items"]]


def test_the_log_is_searched_by_actor_verb_subject_and_time(ask):
    assert verbs(ask("/audit", verb="release.open")) == ["release.open"]
    assert set(verbs(ask("/audit", actor=ENGINEER))) == {"release.approve", "release.open"}
    within = ask("/audit", subject="sales")["items"]
    assert {one["subject"] for one in within} >= {f"{PROMPT}@v1", PROMPT}
    assert ask("/audit", subject="sale")["items"] == []
    assert ask("/audit", subject=f"{PROMPT}@v1", verb="release.approve", actor=OWNER)["items"]
    (line,) = ask("/audit", verb="release.roll_back")["items"]
    assert ask("/audit", since=line["at"])["items"][0] == line
    assert line not in ask("/audit", until=line["at"], limit=200)["items"]
    assert ask("/audit", since="yesterday", status=422)["error"]["hint"]
    assert ask("/audit", since="2026-01-05T10:00:00+01:00", verb="desk.create")["items"]


def test_a_search_goes_on_page_by_page_in_either_order(ask):
    for order, cursor in (("oldest", "after"), ("newest", "before")):
        seen, place = [], {}
        while True:
            page = ask("/audit", order=order, limit=2, subject="sales", **place)
            seen += [one["seq"] for one in page["items"]]
            if page["next"] is None:
                break
            place = {cursor: page["next"]}
        assert seen == sorted(seen, reverse=order == "newest")
        assert len(seen) == len(set(seen)) == len(ask("/audit", limit=200, subject="sales")["items"])


@pytest.mark.parametrize("text", ["' OR 1=1 --", "%", "_", "sales%", "\0", "\U0010ffff", "x" * 240, "{{7*7}}"])
@pytest.mark.parametrize("name", ["actor", "verb", "subject"])
def test_what_looks_like_a_query_is_only_text(ask, name, text):
    assert ask("/audit", **{name: text})["items"] == []


def test_a_search_text_that_is_too_long_is_refused(ask):
    ask("/audit", actor="x" * 241, status=422)


def test_a_line_is_proved_to_whoever_recomputes_it(ask):
    (line,) = ask("/audit", verb="release.open")["items"]
    found = ask(f"/audit/lines/{line['seq']}")
    leaf = leaf_hash(found["body"].encode())
    proof = ask("/audit/proof/inclusion", line=line["seq"])
    hashes = [bytes.fromhex(one) for one in proof["hashes"]]
    assert verify_inclusion(line["seq"] - 1, proof["size"], leaf, hashes, bytes.fromhex(proof["root"]))
    old = ask("/audit/proof/consistency", old=3, size=line["seq"])
    hashes = [bytes.fromhex(one) for one in old["hashes"]]
    assert verify_consistency(3, line["seq"], bytes.fromhex(old["leaf"]), bytes.fromhex(old["root"]), hashes)
    ask("/audit/lines/999", status=404)
    ask("/audit/lines/99999999999999999999", status=404)
    ask("/audit/proof/inclusion", line=0, status=422)
    ask("/audit/proof/inclusion", line=1, size=999, status=404)
    ask("/audit/proof/consistency", old=5, size=2, status=422)


def test_checkpoints_and_public_keys_are_given_and_fit_each_other(ask):
    (made,), (key,) = ask("/audit/checkpoints")["items"], ask("/audit/keys")["items"]
    assert signers(parse_signed(made["note"]).note, [parse_verifier(key["verifier"])])
    assert "PRIVATE" not in str(key)


def test_health_says_that_a_sink_fails(ask, how, demo_desk):
    assert ask("/health")["ok"] is True
    how.sinks["kept"].refuse = "no room"
    roll = ask("/health")["log"]["sinks"][0]
    assert roll["state"] == "go"
    roll_back(demo_desk, SYSTEM, PROMPT, why="again")
    issue(demo_desk, how.keys)
    tick(demo_desk, how)
    assert ask("/health")["ok"] is False
    assert "no room" in ask("/health")["log"]["words"]


def test_the_export_over_http_is_one_that_verifies(ask):
    answer = ask("/audit/export")
    outcome = verify(io.BytesIO(answer.content), "export")
    kinds = {one.kind.value for one in outcome.findings}
    assert kinds <= {"move"}  # the shelf of this test was filled past the door
    assert outcome.checkpoints == 1


def test_a_token_that_opens_nothing_leaves_a_line_with_a_count_and_a_missing_one_does_not(ask, demo_desk):
    unknown = Key(None, "0123456789abcdef", "ab" * 32).text
    for _ in range(5):
        assert ask.client.get("/api/v1/me", headers={"Authorization": f"Bearer {unknown}"}).status_code == 401
    assert ask.client.get("/api/v1/me").status_code == 401
    write_failed_sign_ins(demo_desk, all_of_it=True)
    found = ask("/audit", verb="sign_in.fail")["items"]
    assert sum(one["facts"]["count"] for one in found) == 5
    assert {one["facts"]["kind"] for one in found} == {"token unknown"}
    assert all(one["facts"]["source"].keys() == {"salted", "of"} for one in found)  # addresses are for administrators
    add_actor(demo_desk, SYSTEM, "ada.admin", "Ada", admin=True)
    shown = ask.client.get("/api/v1/audit?verb=sign_in.fail", headers={"Cuelight-As": "ada.admin"}).json()["items"]
    assert {one["facts"]["source"] for one in shown} == {"testclient"}
