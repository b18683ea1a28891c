"""The main job, end to end, as `make demo` plays it, on all four example workflows."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from cuelight_server.demo.story import CHAPTERS
from walks.conftest import ROOT, Played


def test_the_demo_keeps_every_promise(played: Played):
    assert played.code == 0, played.text
    assert "NOT TRUE" not in played.text


def test_the_demo_stops_each_improvement_for_its_own_reason(played: Played):
    for words in (
        "breaks the format the CRM reads",
        "discards real buyers",
        "writes as if things were sent and approved",
        "teaches beside the lesson, gives answers away and stores private data",
        "is right in every case and costs too much",
        "says nothing that a nurse could trace",
        "names causes, suggests a dose and talks emergencies down",
    ):
        assert f"is stopped: it {words}" in played.text, played.text


def test_the_demo_refuses_the_clinical_candidate_with_its_six_findings_and_keeps_it_as_a_draft(played: Played):
    assert "v2 is refused with six findings" in played.text
    assert (
        "context_ref_missing, endpoint_not_approved, include_not_pinned, model_alias_not_pinned, "
        "output_contract_loosened, settings_incomplete"
    ) in played.text


def test_the_demo_says_that_its_outputs_are_a_simulation(played: Played):
    assert "Every output is a recorded one, written by hand: a simulation" in played.text
    assert "No model is asked" in played.text


def test_the_demo_asks_as_many_people_as_each_tier_wants(played: Played):
    asked = dict(re.findall(r"✓ (\S+@v1) approved by (.+), and live", played.text))
    people = {prompt: len(names.split(", ")) for prompt, names in asked.items()}
    assert people == {
        "sales.research_summary@v1": 1,
        "sales.lead_qualification@v1": 3,
        "sales.outreach_draft@v1": 3,
        "tutoring.lesson_turn@v1": 4,
        "clinical.intake_summary@v1": 4,
    }
    assert "notes.meeting_summary@v1 needs nobody else's yes, and is live" in played.text


def test_after_the_demo_every_workflow_shows_a_state_that_the_story_led_to(desk_url):
    answer = httpx2.get(f"{desk_url}/api/v1/status", headers={"Cuelight-As": "ines.duarte"}, trust_env=False)
    rows = {one["prompt"]: (one["state"], one["serves"], one["why"]) for one in answer.json()["rows"]}
    v1 = [["v1", 100_000]]
    assert rows == {
        "sales.lead_qualification": ("go", v1, "serving as approved; v2 did not pass its evaluation"),
        "sales.outreach_draft": ("go", v1, "serving as approved; v2 did not pass its evaluation"),
        "sales.research_summary": ("hold", v1, "rolled back from v3: code fences break the CRM form"),
        "tutoring.lesson_turn": ("go", v1, "serving as approved; v3 did not pass its evaluation"),
        "clinical.intake_summary": ("go", v1, "serving as approved; v3 did not pass its evaluation"),
        "notes.meeting_summary": ("standby", v1, "v2 passed its evaluation and waits for its release"),
    }


def test_the_demo_never_clears_a_folder_that_is_not_its_own(tmp_path: Path):
    (tmp_path / "precious.txt").write_text("mine")
    command = [sys.executable, "-m", "cuelight_server.cli", "demo", "--data", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode >= 20
    assert (tmp_path / "precious.txt").read_text() == "mine"
    assert "nothing was touched" in done.stderr


def spoil_sales(example: Path) -> None:
    """One answer of v1 is no JSON any more."""
    path = example / "recordings/lead_qualification.v1.jsonl"
    lines = path.read_text("utf-8").splitlines()
    lines[0] = json.dumps({**json.loads(lines[0]), "output": "Sorry, I cannot do that."})
    path.write_text("\n".join(lines) + "\n", "utf-8")


def spoil_tutoring(example: Path) -> None:
    """The turn that is right and dear became cheap and quick: nothing is left to stop it."""
    path = example / "recordings/lesson_turn.v3.jsonl"
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    cheap = [{**one, "input_tokens": 10, "output_tokens": 10, "latency_ms": 100} for one in lines]
    path.write_text("".join(json.dumps(one) + "\n" for one in cheap), "utf-8")


def spoil_clinical(example: Path) -> None:
    """The candidate names a dated model: one of the six findings is gone."""
    path = example / "prompts/intake_summary/v2.yaml"
    path.write_text(path.read_text("utf-8").replace("example-clinical-latest", "example-clinical-2026-06-01"), "utf-8")


def spoil_notes(example: Path) -> None:
    """The warmer version changes a rule, too: its class is not wording any more."""
    path = example / "prompts/meeting_summary/v2.yaml"
    path.write_text(path.read_text("utf-8").replace("Keep to what the notes say.", "Keep to the notes."), "utf-8")


@pytest.mark.parametrize(
    ("name", "spoil", "broken"),
    [
        ("sales", spoil_sales, "lead_qualification v1: fail"),
        ("tutoring", spoil_tutoring, "lesson_turn v3 is stopped"),
        ("clinical", spoil_clinical, "v2 is refused with six findings"),
        ("notes", spoil_notes, "the class of the change: wording"),
    ],
)
def test_the_demo_fails_loudly_when_a_promise_does_not_hold(tmp_path: Path, name, spoil, broken):
    shutil.copytree(ROOT / "examples" / name, tmp_path / "examples" / name)
    spoil(tmp_path / "examples" / name)
    command = [sys.executable, "-m", "cuelight_server.cli", "demo", "--only", name, "--data", str(tmp_path / "data")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    assert broken in done.stdout.partition("This did not hold")[2], done.stdout


def test_the_demo_plays_a_chapter_for_every_example():
    examples = {path.parent.name for path in (ROOT / "examples").glob("*/workflow.yaml")}
    assert set(CHAPTERS) == examples
