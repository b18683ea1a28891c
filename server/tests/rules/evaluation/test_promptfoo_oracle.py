"""promptfoo 0.123.1 said these words on these outputs; ours are the same but for those that are listed, with the reason."""

import json
import re
from pathlib import Path

import pytest

from cuelight_server import sandboxes
from cuelight_server.evaluation import standing
from cuelight_server.evaluation.graders import grade, prepare, read
from cuelight_server.evaluation.graders.outside import Outside
from cuelight_server.evaluation.model import SampleResult, Standing
from cuelight_server.kernel.errors import Invalid

GUIDE = Path(__file__).parents[4] / "docs/guides/graders.md"
VECTORS = Path(__file__).parents[2] / "vectors" / "promptfoo_assertions.jsonl"
OUTSIDE = Outside(javascript=sandboxes.javascript(), python=sandboxes.python)

# Ours is another word on purpose. docs/guides/graders.md tells why.
DIFFERENT = {"m0146", "m0152", "m0154"}
# promptfoo fails these or stops; here the suite is refused before anything runs.
REFUSED = {"m0030", "m0062", "m0064", "m0348"}


def rows():
    return [json.loads(line) for line in VECTORS.read_text("utf-8").splitlines()]


def ours(row):
    """(passes, score, in which way): `said`, `refused` for a rule that can never work, `undecided`."""
    shared = {"transform": row["options"]["transform"]} if row["options"].get("transform") else {}
    rules = [{"severity": "major", **shared, **one} for one in row["assert"]]
    try:
        graders = tuple(prepare(rule, None, OUTSIDE) for rule in rules)
    except Invalid:
        return False, 0, "refused"
    seen = read(row["output"], input={**row["vars"], "output": row["output"]}, latency_ms=5)
    one = SampleResult(
        case="x", sample=1, text=row["output"], grades=grade(graders, seen), counts=(), tool_calls=(), input_tokens=None,
        output_tokens=None, latency_ms=None, cost_usd=None, model="", finish_reason="", provenance="",
        threshold=row["threshold"],
    )  # fmt: skip
    stands = standing.whole(one)
    way = "undecided" if stands is Standing.UNDECIDED else "said"
    return stands is Standing.SOUND, standing.score(one) or 0, way


@pytest.fixture(scope="module")
def compared():
    return [(row, ours(row)) for row in rows()]


def test_at_least_98_of_100_words_are_those_of_promptfoo_and_the_others_are_listed(compared):
    differing = {
        row["id"]
        for row, (passes, score, _) in compared
        if passes != row["success"] or abs(score - row["score"]) > 1e-9
    }
    assert differing == DIFFERENT
    assert 1 - len(differing) / len(compared) >= 0.98


def test_what_promptfoo_finds_out_while_it_runs_is_refused_before(compared):
    assert {row["id"] for row, (_, _, way) in compared if way == "refused"} == REFUSED
    assert not any(row["success"] for row, (_, _, way) in compared if way == "refused")


def test_with_both_languages_there_nothing_stays_open(compared):
    assert [row["id"] for row, (_, _, way) in compared if way == "undecided"] == []


def test_an_error_in_promptfoo_is_never_a_pass_here(compared):
    errors = [one for one in compared if one[0]["failureReason"] == 2]
    assert errors
    assert [row["id"] for row, (passes, _, _) in errors if passes] == []


def test_the_guide_lists_exactly_the_words_that_differ_and_how_many_do_not(compared):
    text = GUIDE.read_text("utf-8")
    assert set(re.findall(r"^\| `(m\d{4})`", text, re.MULTILINE)) == DIFFERENT | REFUSED
    assert f"Of {len(compared)} words of promptfoo 0.123.1, {len(compared) - len(DIFFERENT)} are the same" in text
