"""What the command line says: commands that can be pasted, small costs, one and many, and how it ends when stopped."""

import os
import subprocess
import sys

import pytest

from cuelight.cli import push
from cuelight.cli.lint import located
from cuelight.cli.local import local_desk
from cuelight.cli.show import counted, money
from cuelight.contract.errors import Unavailable
from cuelight.files import read_folder


def test_suggested_commands_can_be_pasted(run, tmp_path):
    odd = tmp_path / "Schäden & 保険"
    assert f"next: cuelight lint '{odd}'" in run("init", odd).out


@pytest.mark.parametrize(
    ("usd", "words"),
    [(None, "unknown"), (0, "$0.00000"), (0.00287, "$0.00287"), (0.0000021, "$0.0000021"), (0.00002, "$0.00002")],
)
def test_a_small_cost_is_shown_with_the_digits_that_it_needs(usd, words):
    assert money(usd) == words


def test_one_is_not_many():
    assert (counted(1, "error"), counted(2, "error"), counted(0, "error")) == ("1 error", "2 errors", "0 errors")


def test_findings_stand_in_the_order_of_files_and_lines(minimal):
    folder = read_folder(minimal)
    suite = "suites/subject_line"
    told = located(folder, [{"document": suite, "path": path} for path in (["cases", 8], ["cases", 0], ["suite"])])
    lines = [int(one["at"].rpartition(":")[2]) for one in told]
    assert lines == sorted(lines)
    assert len({len(str(line)) for line in lines}) > 1  # as numbers, not as text


def test_a_refusal_with_findings_says_each_of_them_once(minimal, capsys):
    finding = {"code": "x", "severity": "error", "message": "only this", "hint": "", "document": "workflow", "path": []}
    refused = {"prompt": "a.b", "label": "v1", "why": "only this", "hint": "do that", "findings": [finding]}
    push._show(read_folder(minimal), {"refused": [refused], "findings": [finding]}, rules=False)
    assert capsys.readouterr().out.count("only this") == 1


def test_eval_of_a_prompt_without_a_label_offers_one(run):
    done = run("eval", "sales.lead_qualification")
    assert done.code == 20
    assert "cuelight eval sales.lead_qualification@<label>" in done.err


def test_lint_of_an_empty_name_is_an_error(run):
    assert run("lint", "").code == 20


def test_schemas_that_cannot_be_written_are_an_error_with_the_reason(run):
    done = run("schema", "prompt", "--out", "/proc/zz")
    assert done.code == 25
    assert "/proc/zz cannot be written" in done.err
    assert "None" not in done.err


def test_a_local_desk_that_fails_is_not_asked_whether_it_is_one(monkeypatch):
    monkeypatch.delenv("PYTHONPATH", raising=False)
    with pytest.raises(Unavailable, match="the local desk failed") as failed, local_desk() as admin:
        raise Unavailable("the answer could not be read", "is this a Cuelight server?", answer="unreadable")
    assert "is this a" not in failed.value.hint
    assert admin.url


def test_ctrl_c_while_the_commands_are_imported_ends_with_130_and_no_traceback():
    probe = (
        "import sys\n"
        "class Stop:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'click': raise KeyboardInterrupt\n"
        "import cuelight\n"
        "sys.meta_path.insert(0, Stop())\n"
        "from cuelight.cli.main import main\n"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=False, env=env)
    assert (done.returncode, done.stderr) == (130, "stopped\n")
