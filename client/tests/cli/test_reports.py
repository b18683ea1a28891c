"""Reports in files, and pull requests that are checked: on a local desk, as a pipeline does it."""

import re
import shutil
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from cuelight.cli.checking import _note
from cuelight.cli.ending import FAIL, INVALID, OK

ROOT = Path(__file__).parents[3]


@pytest.fixture
def tutoring(tmp_path):
    """A workflow whose second version is worse than its first, and is the newest."""
    made = shutil.copytree(ROOT / "examples/tutoring", tmp_path / "tutoring")
    (made / "prompts/lesson_turn/v3.yaml").unlink()
    shutil.rmtree(made / "recordings/lesson_turn/v3", ignore_errors=True)
    return made


def test_a_run_writes_its_report_in_every_form_that_is_asked_for(run, tutoring, tmp_path):
    names = [tmp_path / f"report{end}" for end in (".html", ".md", ".xml", ".json")]
    files = [word for name in names for word in ("--report", name)]
    done = run("eval", tutoring, "--prompt", "lesson_turn", "--compare", "v1", "v2", *files, "--json")
    assert done.code == FAIL
    html, markdown, junit, plain = (name.read_text(encoding="utf-8") for name in names)
    newly = done.json["newly_failing"]
    assert len(newly) > 5
    assert all(f'id="case-{case}"' in html for case in newly)
    assert not re.search(r'(src|href)="(?!#)', html.replace('href="#', ""))
    assert f"**Newly failing** ({len(newly)})" in markdown
    assert len(ET.fromstring(junit).findall(".//failure")) == len(newly) + 1
    assert plain.startswith("{")
    assert done.json["baseline"]["version"] == "v1"


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--report", "report.pdf"), "does not say what it is"),
        (("--report", "nowhere/report.md"), "no folder that there is"),
        (("--compare", "v1", "v2", "--baseline", "v1"), "expected one of them"),
    ],
)
def test_what_cannot_be_written_is_refused_before_anything_runs(run, tutoring, args, words):
    done = run("eval", tutoring, "--prompt", "lesson_turn", *args)
    assert done.code == INVALID
    assert words in done.err


def test_a_pull_request_is_checked_and_what_got_worse_is_said_where_github_reads_along(
    run, tutoring, tmp_path, monkeypatch
):
    summary = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    done = run("ci", "check", tutoring, "--report", tmp_path / "report.xml")
    assert done.code == FAIL
    notes = [line for line in done.out.splitlines() if line.startswith("::error")]
    assert any("is newly failing" in one for one in notes)
    assert "Newly failing" in summary.read_text(encoding="utf-8")
    assert (tmp_path / "report.xml").exists()


def test_a_file_that_is_wrong_is_named_with_its_line_and_nothing_is_evaluated(run, tutoring, monkeypatch):
    file = next((tutoring / "prompts/lesson_turn").glob("v2.yaml"))
    file.write_text(file.read_text(encoding="utf-8").replace("{{", "{{not_", 1), encoding="utf-8")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    done = run("ci", "check", tutoring)
    assert done.code == INVALID
    assert re.search(r"^::error file=.*v2\.yaml,line=\d+::", done.out, re.MULTILINE)
    assert "Nothing was evaluated" in done.out


def test_what_a_model_says_is_no_command_of_the_pipeline(monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    said = _note("error", "a.yaml:3", "bad\n::set-output name=x::y")
    assert said == "::error file=a.yaml,line=3::bad%0A::set-output name=x::y"


def test_a_change_that_holds_is_let_through(run, minimal):
    done = run("ci", "check", minimal, "--json")
    assert done.code == OK, done.err
    assert [one["report"]["verdict"] for one in done.json["checked"]] == ["pass"]
