"""The published test vectors, run against our own contract, and checked a second way where there is one."""

import json
import struct
from dataclasses import asdict
from datetime import date
from hashlib import sha256
from pathlib import Path

import pytest
import rfc8785

from cuelight.contract import content, context, snapshot
from cuelight.contract.authority import Authority, decide
from cuelight.contract.bucket import bucket, choose
from cuelight.contract.canonical import canonical, digest
from cuelight.contract.condition import holds
from cuelight.contract.errors import KINDS, CuelightError, Invalid
from cuelight.contract.output import OutputContract, next_step
from cuelight.contract.rendering import render

FOLDER = Path(__file__).parents[1] / "vectors"
FILES = {path.stem: json.loads(path.read_text("ascii")) for path in sorted(FOLDER.glob("*.json"))}
LARGEST_INTEGER_OF_THE_PACKAGE = 2**53 - 1
NAMES = ["authority", "bucket", "canonical", "condition", "context", "digest", "output", "snapshot", "template"]


def cases(file, part="cases"):
    """Every case of a file as a pytest parameter, named as it names itself."""
    found = FILES[file][part]
    assert found
    return pytest.mark.parametrize(
        "case", [pytest.param(one, id=one.get("name") or str(at)) for at, one in enumerate(found)]
    )


def test_every_vector_file_says_its_format_and_is_run():
    assert list(FILES) == NAMES
    assert all(len(one["format"]) > 20 and len(one["cases"]) >= 15 for one in FILES.values())


@cases("canonical")
def test_canonical(case):
    value = json.loads(case["json"])
    if case["canonical"] is None:
        with pytest.raises(Invalid):
            canonical(value)
    else:
        assert canonical(value).decode() == case["canonical"]
        assert digest(value) == case["digest"] == "sha256:" + sha256(case["canonical"].encode()).hexdigest()
        if not (isinstance(value, int) and abs(value) > LARGEST_INTEGER_OF_THE_PACKAGE):
            assert rfc8785.dumps(value) == canonical(value)


@cases("digest")
def test_digest(case):
    assert (content.parse(case["document"]).digest == FILES["digest"]["digest"]) is case["same"]


def test_the_base_digest_is_plain_sha256_of_the_seven_parts():
    seven = FILES["digest"]["seven_parts"]
    assert content.parse(FILES["digest"]["base"]).to_json() == seven
    assert "sha256:" + sha256(rfc8785.dumps(seven)).hexdigest() == FILES["digest"]["digest"]
    changed = {case["name"] for case in FILES["digest"]["cases"] if not case["same"]}
    assert set(content.PARTS) <= changed


@cases("template")
def test_template(case):
    document = {
        "messages": [{"role": "user", "content": case["text"]}],
        "variables": case["variables"],
        "settings": {"model": "m"},
        "evaluation": {},
    }
    if case["rendered"] is None:
        with pytest.raises(Invalid) as refused:
            render(content.parse(document), case["values"])
        assert refused.value.hint
    else:
        rendered = render(content.parse(document), case["values"])
        assert rendered.messages == ({"role": "user", "content": case["rendered"]},)


def place_by_hand(seed, key):
    """The formula of the format text, with nothing of ours."""
    text = b"cue1" + struct.pack(">I", len(seed.encode())) + seed.encode()
    hashed = sha256(text + struct.pack(">I", len(key.encode())) + key.encode()).digest()
    return (struct.unpack(">Q", hashed[:8])[0] * 100_000) // 2**64


@cases("bucket")
def test_bucket(case):
    assert bucket(case["seed"], case["key"]) == case["place"] == place_by_hand(case["seed"], case["key"])


def test_lengths_keep_seed_and_key_apart():
    places = {(case["seed"], case["key"]): case["place"] for case in FILES["bucket"]["cases"]}
    assert places["ab", "c"] != places["a", "bc"]


def test_nobody_who_had_the_candidate_loses_it_while_it_grows():
    file, before = FILES["bucket"], set()
    keys = [case["key"] for case in file["cases"] if case["seed"] == file["growth_seed"]]
    for step in file["growth"]:
        weights = [("candidate", step["weight"]), ("stable", 100_000 - step["weight"])]
        now = {key for key in keys if choose(weights, bucket(file["growth_seed"], key)) == "candidate"}
        assert now == set(step["candidate"])
        assert before <= now
        before = now
    assert before == set(keys)


@cases("bucket", "choose")
def test_choose(case):
    assert choose([tuple(pair) for pair in case["weights"]], case["place"]) == case["arm"]


@cases("snapshot")
def test_snapshot(case):
    served = snapshot.parse(FILES["snapshot"]["document"])
    ask = {"key": case["key"], "tenant": case["tenant"], "experiment": case["experiment"]}
    if "refused" in case:
        with pytest.raises(KINDS[case["refused"]]):
            served.resolve(case["prompt"], **ask)
    else:
        answer = asdict(served.resolve(case["prompt"], **ask))
        assert answer == {"prompt": case["prompt"], **case["answer"]}


@cases("snapshot", "broken")
def test_a_broken_snapshot_is_refused_whole(case):
    with pytest.raises(Invalid):
        snapshot.parse(case["document"])


@cases("output")
def test_output(case):
    validation = OutputContract(FILES["output"]["contract"]).validate(case["text"], case["facts"])
    assert sorted(finding.code for finding in validation.findings) == case["codes"]
    assert validation.ok is (case["codes"] == [])
    assert all(finding.message for finding in validation.findings)


STEPS = [
    {"name": "the contract", "on_invalid": FILES["output"]["contract"]["on_invalid"], **one}
    for one in FILES["output"]["steps"]
]


@pytest.mark.parametrize(
    "case", [*STEPS, *FILES["output"]["other_steps"]], ids=lambda one: f"{one['name']} {one['attempts']}"
)
def test_what_follows_a_broken_output(case):
    step = asdict(next_step(case["on_invalid"], case["attempts"]))
    assert step == {"kind": "", "target": "", "value": None, "with_error": False, **case["step"]}


@cases("authority")
def test_authority(case):
    tools = None if case["tools"] is None else frozenset(case["tools"])
    asked = {"arguments": case["arguments"], "document": case["document"], "done": case["done"], "tools": tools}
    decision = Authority(FILES["authority"]["table"]).decide(case["action"], **asked, calls=case["calls"])
    assert (decision.mode, decision.allowed) == (case["mode"], case["allowed"])
    assert decision.reason
    if not case["calls"]:
        assert decide(FILES["authority"]["table"], case["action"], **asked) == decision


def test_the_authority_vectors_cover_the_five_modes():
    assert {case["mode"] for case in FILES["authority"]["cases"]} == {
        "may_execute",
        "may_prepare",
        "may_suggest",
        "needs_human_approval",
        "never",
    }


@cases("condition")
def test_condition(case):
    assert holds(case["condition"], FILES["condition"]["document"]) is case["holds"]


@pytest.mark.parametrize("condition", FILES["condition"]["unreadable"], ids=str)
def test_an_unreadable_condition_is_refused_whatever_the_document(condition):
    for document in (FILES["condition"]["document"], {}):
        with pytest.raises(Invalid):
            holds(condition, document)


@cases("context")
def test_context(case):
    today = date.fromisoformat(FILES["context"]["today"])
    if "refused" in case:
        with pytest.raises(CuelightError) as refused:
            context.apply(case["rules"], case["values"], today)
        assert refused.value.kind == case["refused"]
    else:
        kept, cuts = context.apply(case["rules"], case["values"], today)
        assert (kept, [[cut.rule, cut.count] for cut in cuts]) == (case["kept"], case["cuts"])
        assert all(cut.words for cut in cuts)


def test_a_rule_can_be_left_out_in_tests_only():
    case, today = FILES["context"]["tests"], date.fromisoformat(FILES["context"]["today"])
    assert context.apply(case["rules"], case["values"], today, testing=True) == (case["values"], [])
    assert context.apply(case["rules"], case["values"], today)[1]
