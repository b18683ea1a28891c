"""Who decides, on a real desk from the command line: rights explained, owners shown, a change agreed to, a role handed over."""

import re
import shutil
from pathlib import Path

import pytest

from client.tests.cli.test_desk import SALES, desk  # noqa: F401  the desk of its own process

PRIYA, TOM, LEON, MEI, JONAS, AOIFE = (
    "priya.nandakumar",
    "tom.whelan",
    "leon.abara",
    "mei.tanaka",
    "jonas.berg",
    "aoife.brennan",
)


@pytest.fixture
def ask(run, desk, monkeypatch):  # noqa: F811  pytest hands the fixture in by its name
    """Run a command on the desk as one of its people."""

    def one(who, *args):
        monkeypatch.setenv("CUELIGHT_URL", desk.url)
        return run(*args, "--as", who)

    return one


@pytest.fixture
def sales(tmp_path, ask):
    """A copy of the example, pushed once."""
    folder = tmp_path / "sales"
    shutil.copytree(SALES, folder)
    assert ask(MEI, "push", folder).code == 0
    return folder


def edit(folder: Path, before: str, after: str) -> None:
    file = folder / "workflow.yaml"
    text = file.read_text("utf-8")
    assert before in text
    file.write_text(text.replace(before, after, 1), "utf-8")


def test_the_whole_way_of_a_lower_tier(ask, sales):
    edit(sales, "tier: elevated", "tier: standard")
    pushed = ask(AOIFE, "push", sales)
    assert "tier: elevated -> standard" in pushed.out
    id = re.search(r"gov_\w+", pushed.out).group()
    refused = ask(AOIFE, "govern", "apply", id)
    assert (refused.code, "workflow owner" in refused.err) == (24, True)
    own = ask(AOIFE, "govern", "approve", id)
    assert (own.code, "no author says yes" in own.err) == (23, True)
    assert ask(TOM, "govern", "approve", id, "--note", "read it").code == 0
    ready = ask(JONAS, "govern", "approve", id)
    assert f"cuelight govern apply {id}" in ready.out
    assert ask(PRIYA, "govern", "list", "--json").json["items"][0]["ready"]
    done = ask(PRIYA, "govern", "apply", id)
    assert ("in force" in done.out, done.code) == (True, 0)
    raised = ask(PRIYA, "govern", "undo", id)  # back to elevated: gated by the rules of tier standard
    assert (raised.code, "tier: standard -> elevated" in raised.out) == (0, True)


def test_a_proposal_is_declined_or_taken_back(ask, sales):
    edit(sales, "review_within_hours: 24", "review_within_hours: 48")
    id = ask(AOIFE, "push", sales, "--json").json["proposal"]["id"]
    assert ask(MEI, "govern", "decline", id, "--why", "24 hours are right").code == 0
    again = ask(AOIFE, "push", sales, "--json").json["proposal"]["id"]
    assert ask(AOIFE, "govern", "withdraw", again, "--why", "agreed").code == 0
    assert again in ask(PRIYA, "govern", "list", "sales", "--all").out


def test_a_role_is_handed_over(ask, sales):
    offered = ask(
        "dana.kim", "handover", "offer", "sales", "--role", "support_owner", "--to", LEON, "--why", "moves on"
    )
    id = re.search(r"gov_\w+", offered.out).group()
    assert ask("rui.costa", "handover", "accept", id).code == 23
    assert ask(LEON, "handover", "accept", id).code == 0
    assert "receiver" in ask(PRIYA, "govern", "show", id).out
    other = ask(LEON, "handover", "decline", id, "--why", "no")
    assert (other.code, "accepted" in other.err) == (22, True)
    assert ask("dana.kim", "govern", "withdraw", id, "--why", "stays").code == 0


@pytest.mark.parametrize("form", ["table", "md", "csv", "json"])
def test_the_owners_in_every_form(ask, sales, form):
    found = ask(PRIYA, "owners", "sales", "--format", form)
    assert (found.code, "sales.lead_qualification" in found.out, MEI in found.out) == (0, True, True)


def test_a_right_is_explained_with_an_exit_code(ask, sales):
    yes = ask(PRIYA, "access", "explain", JONAS, "release.open", "sales.lead_qualification")
    assert (yes.code, "engineering owner, as the backup" in yes.out) == (0, True)
    no = ask(PRIYA, "access", "explain", LEON, "release.open", "sales.lead_qualification")
    assert (no.code, "it takes the workflow owner or the engineering owner" in no.out) == (23, True)


def test_somebody_is_let_in_and_shown_out(ask, sales, desk):  # noqa: F811  pytest hands the fixture in by its name
    desk.server("user", "add", "zoe.stranger", "Zoe Stranger")
    assert "there is no sales" in ask("zoe.stranger", "owners", "sales").err
    assert ask("zoe.stranger", "status", "--json").json["rows"] == []
    assert ask(PRIYA, "access", "admit", "sales", "zoe.stranger", "--role", "reader").code == 0
    assert "zoe.stranger" in ask(PRIYA, "access", "list", "sales").out
    assert ask("zoe.stranger", "owners", "sales").code == 0
    assert ask(PRIYA, "access", "dismiss", "sales", "zoe.stranger").code == 0
    assert ask("zoe.stranger", "owners", "sales").code == 21
    desk.server("user", "auditor", "add", "zoe.stranger")
    assert ask("zoe.stranger", "owners", "sales").code == 0
    desk.server("user", "auditor", "remove", "zoe.stranger")
    assert ask("zoe.stranger", "owners", "sales").code == 21
