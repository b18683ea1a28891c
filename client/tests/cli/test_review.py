"""Trying and reading blind on a real desk, from the command line."""

import pytest
from click.testing import CliRunner

from client.tests.cli.test_desk import SALES, desk  # noqa: F401  the desk of its own process
from cuelight.cli.main import cli

PRIYA, MEI, LEON, STRANGER = "priya.nandakumar", "mei.tanaka", "leon.abara", "nobody.here"
PROMPT = "sales.research_summary"


@pytest.fixture
def ask(run, desk, monkeypatch):  # noqa: F811  pytest hands the fixture in by its name
    """Run a command on the desk as one of its people."""

    def one(who, *args):
        monkeypatch.setenv("CUELIGHT_URL", desk.url)
        return run(*args, "--as", who)

    return one


@pytest.fixture
def report(ask):
    """The id of a report of v1."""
    assert ask(MEI, "push", SALES).code == 0
    assert ask(MEI, "eval", f"{PROMPT}@v1").code == 0


def test_a_review_from_the_question_to_the_signature(ask, report):
    opened = ask(MEI, "review", "open", f"{PROMPT}@v1", "--role", "workflow_owner", "--cases", "2", "--json")
    id = opened.json["id"]
    assert opened.json["cases"] == 2
    assert id in ask(PRIYA, "review", "list", PROMPT).out
    assert "waits for you" in ask(PRIYA, "review", "list").out
    assert f"next: cuelight review answer {id}" in ask(PRIYA, "review", "show", id).out
    assert ask(PRIYA, "review", "answer", id, "1", "--better", "both").code == 24  # it was never opened
    for number in ("1", "2"):
        shown = ask(PRIYA, "review", "show", id, number)
        assert f"Case {number} of 2" in shown.out
        assert "v1" not in shown.out
        assert ask(PRIYA, "review", "sign", id).code == 24
        assert ask(PRIYA, "review", "answer", id, number, "--better", "both", "--note", "good").code == 0
    signed = ask(PRIYA, "review", "sign", id)
    assert signed.code == 0
    assert "● signed" in signed.out
    assert "both are fine" in signed.out
    assert ask(PRIYA, "review", "sign", id).code == 22
    assert ask(LEON, "review", "answer", id, "1", "--better", "both").code == 23
    assert ask(PRIYA, "review", "show", "rev_none").code == 21


def test_a_review_is_gone_through_at_the_terminal(ask, desk, report, monkeypatch):  # noqa: F811  as above
    id = ask(MEI, "review", "open", f"{PROMPT}@v1", "--role", "workflow_owner", "--cases", "2", "--json").json["id"]
    monkeypatch.setenv("CUELIGHT_URL", desk.url)
    done = CliRunner().invoke(cli, ["review", "answer", id, "--as", PRIYA], input="both\nfine\nneither\nmade up\n")
    assert done.exit_code == 0, done.output
    assert f"next: cuelight review sign {id}" in done.output
    assert "cannot live with the new one" in ask(PRIYA, "review", "sign", id).out


def test_a_review_of_what_has_no_report_says_how_to_get_one(ask, report):
    done = ask(MEI, "review", "open", f"{PROMPT}@v9", "--role", "workflow_owner")
    assert (done.code, f"cuelight eval {PROMPT}@v9" in done.err) == (21, True)


def test_a_try_on_the_desk_is_kept_with_the_draft(ask, report):
    done = ask(PRIYA, "try", PROMPT, "--version", "v1", "--against", "v3", "--case", "S01")
    assert done.code == 0, done.err
    assert "kept with the draft" in done.out
    assert ask(PRIYA, "try", f"{PROMPT}@v1", "--no-keep", "--json").json["kept"] is False
    assert ask(PRIYA, "try", f"{PROMPT}@v7").code == 21
    assert ask(PRIYA, "try", f"{PROMPT}@v1", "--version", "v3").code == 20
