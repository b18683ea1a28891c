"""A report in other forms: the six questions, Markdown, JUnit XML, and two outputs word by word."""

import json
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuelight_server.evaluation.written.beside import Part, Piece, apart, beside, readable
from cuelight_server.evaluation.written.junit import junit
from cuelight_server.evaluation.written.markdown import markdown
from cuelight_server.evaluation.written.six import Answer, six

FORM = {"name": "json_only", "type": "json_only", "severity": "blocker", "cases": 3}
WRONG = {"name": "json_only", "severity": "blocker", "message": "it is no JSON", "samples": [1]}


def row(id, state="passing", *, category="normal", failed=(), title=""):
    return {
        "id": id,
        "category": category,
        "title": title or f"case {id}",
        "state": state,
        "samples": 1,
        "sound_samples": int(state in ("passing", "fixed")),
        "failed": list(failed),
    }


def report(**changed):
    made = {
        "prompt": "sales.reply",
        "version": "v2",
        "digest": "sha256:aa",
        "baseline": {
            "version": "v1",
            "digest": "sha256:bb",
            "pass_rate": 1.0,
            "cost_per_case_usd": 0.01,
            "p95_ms": 900,
        },
        "suite": {"name": "reply", "digest": "sha256:cc"},
        "verdict": "pass",
        "why": [],
        "cases": 2,
        "samples": 1,
        "pass_rate": 1.0,
        "newly_failing": [],
        "fixed": [],
        "blockers": [],
        "cost_per_case_usd": 0.01,
        "cost_delta_pct": 0.0,
        "p95_ms": 900,
        "p95_delta_pct": 0.0,
        "categories": [
            {
                "category": "sensitive_data",
                "cases": 1,
                "passed": 1,
                "pass_rate": 1.0,
                "baseline_pass_rate": 1.0,
                "floor": 1.0,
            }
        ],
        "graders": [FORM],
        "case_table": [row("A"), row("B", category="sensitive_data")],
        "rulings": [
            {"rule": "blockers", "mark": "pass", "words": ""},
            {"rule": "pass_rate", "mark": "pass", "words": ""},
            {"rule": "newly_failing", "mark": "pass", "words": ""},
            {"rule": "cost_increase", "mark": "pass", "words": ""},
        ],
        "gate": {},
        "at": "2026-01-01T00:00:00Z",
        "tool_version": "0.1.0",
    }
    return {**made, **changed}


def answers(**changed):
    return {one.name: one.answer for one in six(report(**changed))}


def test_there_are_six_questions_in_the_order_of_the_requirements():
    assert list(answers()) == [
        "Quality",
        "Regression",
        "Form",
        "Safety and risk",
        "Cost and latency",
        "Human review",
    ]


def test_a_good_report_is_good_where_it_was_asked():
    assert [one.value for one in answers().values()] == ["good", "good", "good", "good", "good", "not_asked"]


@pytest.mark.parametrize(
    ("changed", "question", "answer"),
    [
        ({"baseline": None}, "Regression", Answer.NOT_ASKED),
        ({"newly_failing": None}, "Regression", Answer.UNKNOWN),
        ({"graders": []}, "Form", Answer.NOT_ASKED),
        ({"case_table": [row("A", "failing", failed=[WRONG])]}, "Form", Answer.BAD),
        ({"case_table": []}, "Quality", Answer.UNKNOWN),
        ({"case_table": []}, "Form", Answer.UNKNOWN),
        ({"categories": [], "graders": []}, "Safety and risk", Answer.NOT_ASKED),
        ({"rulings": [{"rule": "blockers", "mark": "fail", "words": ""}]}, "Safety and risk", Answer.BAD),
        ({"rulings": []}, "Cost and latency", Answer.NOT_ASKED),
        ({"rulings": [], "p95_ms": None}, "Cost and latency", Answer.UNKNOWN),
        ({"rulings": [{"rule": "p95_max", "mark": "unknown", "words": ""}]}, "Cost and latency", Answer.UNKNOWN),
        ({"gate": {"human_review": {"cases": 8}}}, "Human review", Answer.UNKNOWN),
        ({"reviews": [{"signed": 0, "against": 0}]}, "Human review", Answer.UNKNOWN),
        ({"reviews": [{"signed": 1, "against": 0}]}, "Human review", Answer.GOOD),
        ({"reviews": [{"signed": 2, "against": 1}]}, "Human review", Answer.BAD),
    ],
)
def test_what_nothing_looked_at_is_never_good(changed, question, answer):
    assert answers(**changed)[question] is answer


def test_a_report_with_nothing_in_it_answers_nothing():
    empty = {"prompt": "a.b", "version": "v1", "verdict": "inconclusive"}
    assert Answer.GOOD not in {one.answer for one in six(empty)}
    assert "Not clear" in markdown(empty)
    assert ET.fromstring(junit(empty)).get("errors") == "1"


def test_junit_counts_failures_errors_and_skips_and_the_gate_is_a_case_of_its_own():
    rows = [
        row("A"),
        row("B", "newly_failing", failed=[WRONG]),
        row("C", "undecided"),
        row("D", "expected_failure", failed=[WRONG]),
        row("E", "fixed"),
    ]
    root = ET.fromstring(junit(report(case_table=rows, verdict="fail", why=["1 newly failing"])))
    assert dict(root.attrib) == {"tests": "6", "failures": "2", "errors": "1", "skipped": "1"}
    assert root.find(".//testcase[@name='the gate as a whole']/failure").get("message") == "1 newly failing"


def test_an_unstable_case_is_skipped_in_junit_and_stands_apart_in_markdown():
    loose = {**row("A", "unstable", failed=[WRONG]), "samples": 3, "sound_samples": 2}
    made = report(case_table=[loose], unstable=["A", "B"], statistics={"words": ["no worse by 5 points"]})
    root = ET.fromstring(junit(made))
    assert (root.get("failures"), root.get("skipped")) == ("0", "1")
    assert "2 of 3 samples pass" in root.find(".//skipped").get("message")
    said = markdown(made)
    assert "**Unstable, neither failed nor passed** (1)" in said
    assert "**Not the same in every sample** (1): B" in said
    assert "- no worse by 5 points" in said


def test_harm_that_the_samples_show_is_a_regression_though_no_single_case_is_newly_failing():
    harm = {"rule": "comparison", "mark": "fail", "words": "shown to be worse"}
    made = report(rulings=[{"rule": "newly_failing", "mark": "pass", "words": ""}, harm])
    found = next(one for one in six(made) if one.name == "Regression")
    assert (found.answer, found.words.endswith("; shown to be worse")) == (Answer.BAD, True)


def test_a_verdict_that_is_not_a_pass_is_never_green_though_every_case_passes():
    for verdict, tag in (("fail", "failures"), ("inconclusive", "errors")):
        assert ET.fromstring(junit(report(verdict=verdict))).get(tag) == "1"


@given(st.text(max_size=60))
def test_whatever_a_model_says_junit_is_xml(said):
    wrong = [{**WRONG, "message": said}]
    ET.fromstring(junit(report(case_table=[row("A", "failing", failed=wrong, title=said)], verdict="fail", why=[said])))


def test_nothing_that_a_model_says_is_live_in_markdown():
    evil = "![x](http://evil.example/p.png) <img src=x> @everyone #1 [go](javascript:1) | `a`\n# head"
    text = markdown(
        report(case_table=[row("A", "newly_failing", failed=[{**WRONG, "message": evil}])], newly_failing=["A"])
    )
    line = next(line for line in text.splitlines() if line.startswith("| A "))
    for live in ("http://", "<img", " @everyone", " #1", "![x]", "[go]", "`a`"):
        assert live not in line
    assert not any(one.startswith("# head") for one in text.splitlines())


def test_markdown_shows_what_got_worse_before_the_figures_and_cuts_long_lists():
    rows = [row(f"C{n}", "newly_failing", failed=[WRONG]) for n in range(30)]
    text = markdown(report(verdict="fail", case_table=rows, newly_failing=[one["id"] for one in rows]))
    assert text.index("Newly failing") < text.index("| Question |") < text.index("pass rate")
    assert "and 10 more" in text


texts = st.text(st.sampled_from("ab \n.,\u00e9"), max_size=40)


@given(texts, texts)
def test_the_pieces_are_both_texts_whole(before, after):
    pieces = beside(before, after)
    assert "".join(one.text for one in pieces if one.part is not Part.NEW) == before
    assert "".join(one.text for one in pieces if one.part is not Part.GONE) == after


def test_words_are_compared_and_not_letters():
    pieces = beside("we send it today", "we send it tomorrow")
    assert [(one.part.value, one.text) for one in pieces] == [
        ("same", "we send it "),
        ("gone", "today"),
        ("new", "tomorrow"),
    ]


def test_very_long_texts_are_compared_by_line_and_beyond_that_as_wholes():
    long = "word " * 20_000
    assert [one.part for one in beside(long, long + "more")] == [Part.GONE, Part.NEW]
    lines = "a line of words\n" * 3_000
    assert [one.part for one in beside(lines, lines + "more\n")] == [Part.SAME, Part.NEW]


def test_json_is_laid_out_for_people_and_other_text_is_not_touched():
    assert readable('{"a": "x\\ny", "b": [1]}') == '{\n  "a": "x\ny",\n  "b": [\n    1\n  ]\n}'
    for other in ('{"a": 1', "plain", "[1]", "{" * 100_000, json.dumps("x")):
        assert readable(other) == other


def test_words_are_told_apart_side_by_side_and_a_long_text_is_shown_without_marks():
    assert apart("a red house", "a blue house") == (
        (Piece(Part.SAME, "a "), Piece(Part.GONE, "red"), Piece(Part.SAME, " house")),
        (Piece(Part.SAME, "a "), Piece(Part.NEW, "blue"), Piece(Part.SAME, " house")),
    )
    long = "word " * 5000
    assert apart(long, "other") == ((Piece(Part.SAME, long),), (Piece(Part.SAME, "other"),))
