"""The main job, end to end, as `make demo` plays it."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from walks.conftest import ROOT, Played


def test_the_demo_keeps_every_promise(played: Played):
    assert played.code == 0, played.text
    assert "NOT TRUE" not in played.text


def test_the_demo_stops_each_improvement_for_its_own_reason(played: Played):
    for words in (
        "breaks the format the CRM reads",
        "discards real buyers",
        "writes as if things were sent and approved",
    ):
        assert f"is stopped: it {words}" in played.text, played.text


def test_the_demo_never_clears_a_folder_that_is_not_its_own(tmp_path: Path):
    (tmp_path / "precious.txt").write_text("mine")
    command = [sys.executable, "-m", "cuelight_server.cli", "demo", "--data", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode >= 20
    assert (tmp_path / "precious.txt").read_text() == "mine"
    assert "nothing was touched" in done.stderr


def test_the_demo_fails_loudly_when_a_promise_does_not_hold(tmp_path: Path):
    """With one recorded output spoiled, v1 no longer passes, and the demo must say so."""
    example = tmp_path / "examples" / "sales"
    shutil.copytree(ROOT / "examples" / "sales", example)
    lines = (example / "recordings" / "lead_qualification.v1.jsonl").read_text("utf-8").splitlines()
    first = json.loads(lines[0])
    first["output"] = "Sorry, I cannot do that."
    spoiled = [json.dumps(first, ensure_ascii=False), *lines[1:]]
    (example / "recordings" / "lead_qualification.v1.jsonl").write_text("\n".join(spoiled) + "\n", "utf-8")
    command = [sys.executable, "-m", "cuelight_server.cli", "demo", "--data", str(tmp_path / "data")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode != 0
    assert "lead_qualification" in done.stdout
