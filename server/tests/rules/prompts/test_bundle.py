"""Whatever a sender says, a bundle is checked again: every problem is told, and none gets in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuelight.contract.canonical import digest_bytes
from cuelight.contract.errors import Invalid
from cuelight_server.prompts.bundle import checked, number_of
from server.tests.folders import PROMPT, content, edited, folder, prompt, recording, suite, without, workflow

SYSTEM = ("messages", 0, "parts")
RULE = (*SYSTEM, 1)
HERE = "prompts/answer/v1"


def of(document):
    return folder(labels={"v1": document})


def labelled(label):
    return folder(labels={label: PROMPT})


def nested(depth):
    value = "deep"
    for _ in range(depth):
        value = [value]
    return value


def recorded(*lines):
    return folder(recordings=list(lines))


DIGEST = content().digest
TEXT = "Be kind.\n"
PIN = digest_bytes(TEXT.encode())

TABLE = {
    "no object": ([], "", "a bundle is a JSON object"),
    "no workflow": (without(folder(), "workflow"), "workflow", "missing"),
    "a key too many": ({**folder(), "secrets": {}}, "", "secrets"),
    "prompts that are a list": (folder(prompts=[]), "prompts", "expected an object"),
    "labels that are a list": (folder(prompts={"answer": []}), "prompts/answer", "object of labels"),
    "a workflow that is a text": (folder(workflow="library"), "workflow", "object"),
    "a workflow without a tier": (folder(workflow=without(workflow(), "tier")), "workflow", "tier"),
    "a tier nobody knows": (folder(workflow=workflow(tier="mild")), "workflow", "mild"),
    "a person who is the desk": (folder(workflow=workflow(people=[{"id": "system", "name": "X"}])), "workflow", "desk"),
    "a key with a slip": (of({**PROMPT, "mesages": []}), HERE, "mesages"),
    "a prompt that is null": (of(None), HERE, "object"),
    "a variable declared twice": (of(prompt(variables=PROMPT["variables"] * 2)), HERE, "twice"),
    "a schema that is a file": (of(edited(PROMPT, "output", "schema", to="schemas/x.json")), HERE, "not inlined"),
    "a tool with a file": (of(edited(PROMPT, "tools", 0, "parameters", to="x.json")), HERE, "not inlined"),
    "a grader with a file": (
        folder(suites={"answer": suite(graders=[{"type": "schema", "severity": "blocker", "schema": "x.json"}])}),
        "suites/answer",
        "not inlined",
    ),
    "a fragment without its text": (of(edited(PROMPT, *RULE, to={"include": "kind"})), HERE, "not inlined"),
    "a fragment with another text": (
        of(edited(PROMPT, *RULE, to={"include": f"kind@{PIN}", "text": "Be rude.\n"})),
        HERE,
        "not the one",
    ),
    "not a number": (of(edited(PROMPT, "settings", "extra", to={"x": float("nan")})), HERE, "NaN"),
    "half a character": (of(edited(PROMPT, *RULE, "text", to="\ud800")), HERE, ""),
    "a number beyond all doubles": (of(edited(PROMPT, "settings", "seed", to=2**60)), HERE, "2^53"),
    "a prompt with a capital": (folder(prompts={"Answer": {"v1": PROMPT}}), "prompts/Answer/v1", "no name"),
    "a prompt with a dot": (folder(prompts={"a.b": {"v1": PROMPT}}), "prompts/a.b/v1", "no name"),
    "a version with a zero": (labelled("v01"), "prompts/answer/v01", "no label"),
    "version zero": (labelled("v0"), "prompts/answer/v0", "no label"),
    "a draft named like an environment": (labelled("production"), "prompts/answer/production", "no label"),
    "a draft with a space": (labelled("my draft"), "prompts/answer/my draft", "no label"),
    "a suite with another name": (folder(suites={"other": suite()}), "suites/other", "calls itself answer"),
    "knowledge with another name": (
        folder(knowledge={"x": {"knowledge": "hours", "items": []}}),
        "knowledge/x",
        "calls itself hours",
    ),
    "a price below nothing": (
        folder(prices={"models": [{"model": "*", "input_per_1k": -1, "output_per_1k": 0}]}),
        "prices",
        "-1",
    ),
    "a recording without provenance": (
        recorded(without(recording(DIGEST), "provenance")),
        "recordings/0",
        "provenance",
    ),
    "one output recorded in two ways": (
        recorded(recording(DIGEST), recording(DIGEST, output="[]")),
        "recordings/1",
        "recorded twice",
    ),
}


@pytest.mark.parametrize(("bundle", "document", "word"), TABLE.values(), ids=TABLE)
def test_a_broken_bundle_is_refused_with_its_place(bundle, document, word):
    with pytest.raises(Invalid) as refused:
        checked(bundle)
    problems = refused.value.details.get("problems", [{"document": "", "message": refused.value.message}])
    assert document in {one["document"] for one in problems}
    assert any(word in f"{one.get('path', '')} {one['message']}" for one in problems)


def test_all_problems_are_told_at_once():
    bundle = folder(workflow=workflow(tier="mild"), labels={"v1": without(PROMPT, "settings"), "v0": PROMPT})
    with pytest.raises(Invalid) as refused:
        checked(bundle)
    assert {one["document"] for one in refused.value.details["problems"]} == {"workflow", HERE, "prompts/answer/v0"}
    assert "and 2 more" in refused.value.message


def test_a_thousand_problems_are_told_up_to_a_hundred():
    with pytest.raises(Invalid) as refused:
        checked(recorded(*[{"case": "x"}] * 500))
    assert len(refused.value.details["problems"]) == 100


@pytest.mark.parametrize("depth", [200, 5_000, 100_000])
def test_a_bundle_that_goes_down_for_ever_is_refused(depth):
    with pytest.raises(Invalid, match="nested deeper"):
        checked({**folder(), "suites": {"answer": nested(depth)}})


def test_line_ends_do_not_change_a_digest():
    carriage = edited(PROMPT, *RULE, "text", to="Answer from the catalogue only.\r\n")
    assert checked(of(carriage)).prompts["answer"]["v1"].content.digest == DIGEST
    rule = workflow(purpose="Line one.\r\nLine two.")
    assert checked(folder(workflow=rule)).workflow["purpose"] == "Line one.\nLine two."


def test_a_recorded_output_keeps_its_line_ends():
    bundle = checked(recorded(recording(DIGEST, output="a\r\nb")))
    assert [r"a\r\nb" in text for text in bundle.recordings.values()] == [True]


def test_a_pinned_fragment_with_its_own_text_comes_in():
    for text in (TEXT, TEXT.replace("\n", "\r\n")):
        bundle = checked(of(edited(PROMPT, *RULE, to={"include": f"kind@{PIN}", "text": text})))
        assert ("system", "rules", TEXT) in [*bundle.prompts["answer"]["v1"].content.texts()]


def test_claims_about_the_desk_are_reported_and_never_hashed():
    claims = {
        "status": "approved",
        "author": "ana.reyes",
        "last_approved_by": ["ana.reyes"],
        "environment": "production",
    }
    bundle = checked({**of({**PROMPT, **claims}), "ignored": [{"file": "prompts/answer/v1.yaml", "key": "created"}]})
    assert bundle.prompts["answer"]["v1"].content.digest == DIGEST
    assert {one["key"] for one in bundle.ignored} == {*claims, "created"}
    assert {one["file"] for one in bundle.ignored} == {"prompts/answer/v1.yaml"}


def test_what_is_missing_is_empty_and_allows_nothing():
    bundle = checked({"workflow": workflow()})
    assert (bundle.authority, bundle.prompts, bundle.suites, bundle.prices) == ({"actions": []}, {}, {}, None)


@pytest.mark.parametrize(
    ("label", "number"),
    [("v1", 1), ("v12", 12), ("v0", None), ("v01", None), ("v", None), ("v1a", None), ("draft", None), ("V1", None),
     ("v\u0661", None), ("v1\n", None)],
)  # fmt: skip
def test_only_a_plain_number_makes_a_version(label, number):
    assert number_of(label) == number


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(
                    ["workflow", "prompts", "v1", "answer", "suites", "messages", "recordings", "people", "id"]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_nonsense_is_refused_and_never_an_accident(value):
    with pytest.raises(Invalid):
        checked(value)


@given(
    st.sampled_from(["workflow", "authority", "prompts", "suites", "knowledge", "recordings", "prices", "ignored"]),
    st.data(),
)
def test_one_piece_replaced_by_nonsense_is_refused_and_a_missing_one_is_empty(key, data):
    value = data.draw(st.none() | st.booleans() | st.text(max_size=3) | st.lists(st.text(max_size=3), max_size=2))
    if key == "workflow" or (value is not None and not isinstance(value, list)):
        with pytest.raises(Invalid) as refused:
            checked(folder(**{key: value}))
        assert refused.value.details["problems"]
    elif value is None:
        assert checked(folder(**{key: value})).name == "library"
