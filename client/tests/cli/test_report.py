"""How a report, a diff and a refusal look: words before colour, nothing unknown called 0, no foreign control codes."""

import pytest

from cuelight.cli.diff import show_diff
from cuelight.cli.report import show_report
from cuelight.cli.show import clean, say, table

REPORT = {
    "prompt": "sales.lead_qualification",
    "version": "v2",
    "cases": 29,
    "samples": 1,
    "verdict": "fail",
    "baseline": {"version": "v1", "digest": "sha256:0", "pass_rate": 1.0, "cost_per_case_usd": 0.00324, "p95_ms": 1446},
    "pass_rate": 0.655,
    "cost_per_case_usd": 0.00287,
    "cost_delta_pct": -11.5,
    "p95_ms": 1402,
    "p95_delta_pct": -3.0,
    "why": ["2 blocker graders failing", "pass rate 0.66"],
    "newly_failing": ["Q17", "Q05"],
    "fixed": ["Q01"],
    "blockers": ["equals:decision"],
    "expected_failures": [{"case": "Q21", "reason": "known since May"}],
    "unstable": ["Q09"],
    "categories": [{"category": "normal"}, {"category": "edge"}, {"category": "conflicting_context"}],
    "case_table": [
        {
            "id": "Q17",
            "category": "conflicting_context",
            "title": "Competitor domain",
            "failed": [{"name": "equals:decision", "severity": "blocker", "message": "decision is wrong"}],
        },
        {
            "id": "Q05",
            "category": "edge",
            "title": "At the floor",
            "failed": [{"name": f"g{n}", "severity": "minor", "message": "x"} for n in range(5)],
        },
        {
            "id": "Q21",
            "category": "edge",
            "title": "Bound",
            "failed": [{"name": "g", "severity": "minor", "message": "x"}],
        },
        {
            "id": "Q22",
            "category": "normal",
            "title": "Old one",
            "failed": [{"name": "g", "severity": "minor", "message": "x"}],
        },
        {"id": "Q01", "category": "normal", "title": "Fine", "failed": []},
    ],
    "recorded": True,
    "local": True,
    "notes": ["v1 stands in for production, which a local desk does not have"],
    "error": None,
}


@pytest.fixture
def shown(capsys):
    def one(**changes):
        show_report({**REPORT, **changes}, command="cuelight try sales")
        return capsys.readouterr().out

    return one


def test_the_verdict_leads_with_a_word_and_why_follows_in_plain_words(shown):
    lines = shown().splitlines()
    assert lines[0] == "■ FAIL  sales.lead_qualification v2 against v1 (stands in for production), 29 cases"
    assert lines[1:3] == ["  - 2 blocker graders failing", "  - pass rate 0.66"]


@pytest.mark.parametrize(
    ("verdict", "head"), [("pass", "● PASS"), ("fail", "■ FAIL"), ("inconclusive", "○ INCONCLUSIVE")]
)
def test_every_verdict_has_its_sign_and_its_word(shown, verdict, head):
    assert shown(verdict=verdict).startswith(head + "  ")


def test_newly_failing_cases_stand_in_the_order_of_their_categories_with_what_failed(shown):
    text = shown()
    assert "Newly failing (2)" in text
    assert (
        text.index("  edge\n")
        < text.index("Q05  At the floor")
        < text.index("  conflicting context\n")
        < text.index("Q17")
    )
    assert "■ equals:decision (blocker): decision is wrong" in text
    assert "and 2 more" in text
    assert "Also failing (1)" in text
    assert "Q01  Fine" not in text


CALM = [
    {
        "id": "Q30",
        "category": "edge",
        "title": "Small things",
        "state": "passing",
        "samples": 3,
        "sound_samples": 3,
        "failed": [{"name": "long", "severity": "minor", "message": "x"}],
    },
    {
        "id": "Q31",
        "category": "edge",
        "title": "Nearly",
        "state": "fixed",
        "samples": 3,
        "sound_samples": 2,
        "failed": [{"name": "g", "severity": "major", "message": "x"}],
    },
    {
        "id": "Q32",
        "category": "edge",
        "title": "Really",
        "state": "failing",
        "samples": 3,
        "sound_samples": 1,
        "failed": [{"name": "g", "severity": "major", "message": "x"}],
    },
]


def test_a_case_that_passes_is_not_called_failing(shown):
    text = shown(case_table=CALM, newly_failing=[], expected_failures=[])
    failing, passing = text.split("Passing, with findings (2)")
    assert "Failing (1)" in failing
    assert "Q32  Really\n" in failing
    assert "Q30  Small things (minor findings)\n" in passing
    assert "Q31  Nearly (2 of 3 samples)\n" in passing


def test_blockers_come_with_the_number_of_cases_and_the_limit(shown):
    text = shown(blocked_cases=1, blocked_cases_max=0)
    assert "Blockers: equals:decision (in 1 case, at most 0)" in text.splitlines()


def test_blockers_fixed_and_excused_cases_are_named(shown):
    text = shown()
    for line in ("Blockers: equals:decision", "Fixed: Q01", "Expected failure: Q21 (known since May)", "Unstable: Q09"):
        assert line in text.splitlines()


def test_candidate_and_production_stand_side_by_side(shown):
    rows = [line.split() for line in shown().splitlines()]
    assert ["pass", "rate", "0.655", "1.000"] in rows
    assert ["cost", "per", "case", "$0.00287", "$0.00324", "-11.5%"] in rows
    assert ["p95", "latency", "1,402", "ms", "1,446", "ms", "-3.0%"] in rows


def test_what_is_not_known_is_called_unknown_and_never_0(shown):
    rows = [
        line.split()
        for line in shown(cost_per_case_usd=None, cost_delta_pct=None, baseline=None, newly_failing=None).splitlines()
    ]
    assert ["cost", "per", "case", "unknown"] in rows
    assert not any("$0.00000" in row or "+0.0%" in row for row in rows)


def test_local_runs_are_called_what_they_are_and_what_the_report_says_of_recordings_is_not_said_again(shown):
    text = shown(recorded=True, notes=["recorded outputs, hand-written or captured earlier"])
    assert text.count("recorded") == 1
    assert "  - local: a run on this machine releases nothing; only a run on the desk does" in text


@pytest.mark.parametrize(
    ("changes", "step"),
    [
        ({}, "cuelight try sales --case Q17"),
        (
            {"verdict": "pass", "newly_failing": [], "local": False},
            "cuelight approve sales.lead_qualification@v2 --to production",
        ),
        ({"verdict": "pass", "newly_failing": []}, "push it and run it on the desk"),
        (
            {"verdict": "inconclusive", "newly_failing": []},
            "the reasons above say what is not known; a run with that evidence decides",
        ),
        ({"newly_failing": []}, "change the prompt and run again"),
    ],
)
def test_the_last_line_says_what_to_do_next(shown, changes, step):
    assert shown(**changes).splitlines()[-1] == f"next: {step}"


def test_a_run_that_ended_in_an_error_shows_no_numbers(shown):
    text = shown(error={"kind": "invalid", "message": "x"}, verdict="inconclusive", cases=None)
    assert text == "○ ERROR  sales.lead_qualification v2: the run could not be done, so there is no verdict\n"


def test_a_pipe_gets_no_colour_and_whole_lines(capsys):
    say(("word " * 80, "bold red"))
    assert capsys.readouterr().out == "word " * 80 + "\n"


@pytest.mark.parametrize("nasty", ["\x1b[2J", "\x07", "\r", "\x9b31m", "\u202e", "\x00"])
def test_text_from_others_cannot_steer_the_terminal(capsys, nasty):
    say(f"before{nasty}after")
    table(("a",), [(nasty,)])
    shown = capsys.readouterr().out
    assert nasty not in shown
    assert f"\\x{ord(nasty[0]):02x}" in shown
    assert clean("tab\tbreak\n") == "tab\tbreak\n"


def test_markup_of_the_terminal_library_is_shown_as_it_is(capsys):
    say("[bold red]not bold[/]  :smile:")
    assert capsys.readouterr().out == "[bold red]not bold[/]  :smile:\n"


def change(path, before=None, after=None, words=None):
    return {"path": path, "before": before, "after": after, "words": words}


def test_a_diff_leads_with_its_class_and_marks_words_without_colour(capsys):
    words = [
        {"op": "equal", "text": "Be "},
        {"op": "delete", "text": "kind"},
        {"op": "insert", "text": "quick"},
        {"op": "equal", "text": "." + " x" * 200},
    ]
    show_diff(
        {
            "prompt": "sales.x",
            "from": {"label": "v1"},
            "to": {"label": "v2"},
            "change_class": "boundary",
            "summary": "boundary (settings, messages)",
            "parts": [
                {
                    "part": "settings",
                    "could_affect": ["cost"],
                    "changes": [change("temperature", 0.2, 0.7), change("seed", None, 3)],
                },
                {
                    "part": "messages",
                    "could_affect": ["behaviour"],
                    "changes": [change("messages[0].rules", "a", "b", words)],
                },
                {
                    "part": "output",
                    "could_affect": [],
                    "changes": [change("schema", None, {"type": "object", "title": "x\ny" * 200})],
                },
            ],
        }
    )
    text = capsys.readouterr().out
    assert text.startswith("sales.x  v1 → v2\nclass of change: boundary (settings, messages)\n")
    assert "settings  could affect: cost\n  temperature: [-0.2-]{+0.7+}\n  seed: {+3+}\n" in text
    assert "    Be [-kind-]{+quick+}. x" in text
    assert "…" in text
    assert "\n    + {" in text


def test_no_change_is_said(capsys):
    show_diff(
        {
            "prompt": "sales.x",
            "from": {"label": "v1"},
            "to": {"label": "v2"},
            "change_class": None,
            "summary": "",
            "parts": [],
        }
    )
    assert "no change: both behave alike" in capsys.readouterr().out


UNSTEADY = {
    "id": "Q33",
    "category": "edge",
    "title": "Now and then",
    "state": "unstable",
    "samples": 3,
    "sound_samples": 2,
    "failed": [{"name": "g", "severity": "major", "message": "x"}],
}
COST = {
    "figure": "cost_usd",
    "candidate": {"value": 0.002, "lower": 0.0018, "upper": 0.0022},
    "baseline": {"value": 0.003, "lower": 0.0027, "upper": 0.0033},
    "ratio": {"value": 0.67, "lower": 0.6, "upper": 0.75},
}
LATENCY = {
    "figure": "p95",
    "candidate": {"value": 1400.0, "lower": None, "upper": None},
    "baseline": None,
    "ratio": None,
}


def test_an_unstable_case_is_listed_as_neither_failed_nor_passed(shown):
    text = shown(newly_failing=[], case_table=[UNSTEADY])
    assert "Unstable, neither failed nor passed (1)\n" in text
    assert "Q33  Now and then (2 of 3 samples)\n" in text
    assert "Failing" not in text
    assert "Passing, with findings" not in text


def test_what_the_samples_show_is_said_once_and_with_the_intervals(shown):
    words = ["no worse than production: no difference (-2.0 to +2.0)"]
    found = {"words": words, "figures": [COST, LATENCY]}
    text = shown(statistics=found, stability={"words": ["every case came out alike"]}, notes=words)
    assert text.count(words[0]) == 1
    assert "- every case came out alike\n" in text
    assert "Between which numbers the truth lies, 90% sure" in text
    assert "$0.00180 to $0.00220" in text
    assert "-40.0% to -25.0%" in text
    assert "1,400 ms, how surely is not known" in text


def test_a_report_from_before_there_were_statistics_is_shown_without_them(shown):
    assert "What that shows" not in shown()
    assert "What that shows" not in shown(statistics=None, stability=None)
