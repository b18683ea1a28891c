"""What the command line does with no server anywhere: folders, schemas, digests, and every way to be told no."""

import json
import re
import shutil
import subprocess
import sys

import pytest
import yaml

from cuelight.cli.main import COMMANDS
from cuelight.contract import format as file_format
from cuelight.files import read_folder

NOBODY = "http://127.0.0.1:9"
V1 = "prompts/subject_line/v1.yaml"


def test_the_version_comes_quickly_and_imports_no_command(shell):
    assert shell("--version").out == "cuelight 0.1.0\n"
    probe = "import sys; from cuelight.cli import main; print(sorted({'rich', 'yaml', 'httpx2', 'jsonschema_rs'} & set(sys.modules)))"
    assert shell(env={"PYTHONSTARTUP": ""}).code == 20
    done = subprocess.run(
        [sys.executable, "-c", probe],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert done.stdout == "[]\n"


def test_the_help_lists_every_command_with_one_line(run):
    done = run("--help")
    assert done.code == 0
    for name, (_, line) in COMMANDS.items():
        assert re.search(rf"^  {name} +{re.escape(line)}$", done.out, re.MULTILINE)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(run, name):
    done = run(name, "--help")
    assert done.code == 0
    assert len(done.out.splitlines()) > 4


def test_a_mistyped_command_is_answered_with_the_one_that_was_meant(run):
    done = run("relese", "sales.x@v1")
    assert done.code == 20
    assert "there is no command 'relese'; did you mean release?" in done.err


@pytest.mark.parametrize(
    "args", [["push"], ["eval", "--nope"], ["approve", "sales.x@v1", "--to", "mars"], ["rollback", "sales.x"], []]
)
def test_a_usage_error_ends_with_20(run, args):
    assert run(*args).code == 20


def test_init_makes_a_folder_that_reads_and_points_editors_to_its_schemas(run, tmp_path):
    done = run("init", tmp_path / "news")
    assert done.code == 0
    assert "cuelight lint" in done.out
    assert read_folder(tmp_path / "news").workflow == "newsletter"
    head = (tmp_path / "news" / V1).read_text().splitlines()[0]
    assert head == "# yaml-language-server: $schema=../../.cuelight/prompt.schema.json"
    assert json.loads((tmp_path / "news/.cuelight/prompt.schema.json").read_text()) == file_format.schema("prompt")
    for file in (tmp_path / "news").rglob("*.yaml"):
        schema = file.parent / file.read_text().splitlines()[0].partition("$schema=")[2]
        assert schema.is_file()


def test_init_never_writes_into_a_folder_that_holds_something(run, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    done = run("init", tmp_path)
    assert (done.code, [one.name for one in tmp_path.iterdir()]) == (22, ["mine.txt"])
    assert "not empty" in done.err
    assert "hint: name a new folder" in done.err


def test_init_takes_the_worked_example(run, tmp_path):
    assert run("init", tmp_path / "demo", "--example", "sales", "--json").json["example"] == "sales"
    assert read_folder(tmp_path / "demo").workflow == "sales"


def test_the_recordings_of_the_minimal_example_are_those_of_its_content(minimal):
    folder = read_folder(minimal)
    assert {one["content"] for one in folder.bundle["recordings"]} == set(folder.digests["subject_line"].values())
    assert {one["case"] for one in folder.bundle["recordings"]} == {
        case["id"] for case in folder.bundle["suites"]["subject_line"]["cases"]
    }


@pytest.mark.parametrize("kind", file_format.KINDS)
def test_schema_prints_what_the_contract_holds(run, kind):
    assert run("schema", kind).json == file_format.schema(kind)


def test_schema_lists_the_kinds_and_writes_files(run, tmp_path):
    assert [line.split()[0] for line in run("schema").out.splitlines()] == list(file_format.KINDS)
    assert run("schema", "--out", tmp_path / "s").code == 0
    assert len(list((tmp_path / "s").iterdir())) == len(file_format.KINDS)


def test_digest_needs_no_server(run, minimal):
    digests = {f"newsletter.{name}": dict(labels) for name, labels in read_folder(minimal).digests.items()}
    assert run("digest", minimal, "--json").json == {"prompts": digests, "fragments": {}}
    assert (
        run("digest", minimal, "--prompt", "subject_line").out
        == f"newsletter.subject_line@v1  {digests['newsletter.subject_line']['v1']}\n"
    )


# (arguments, exit code, words on stderr); FOLDER is a good folder, BAD one with an unknown key, NOWHERE none at all.
REFUSED = {
    "a folder that is not there": (["lint", "NOWHERE"], 21, "there is no folder"),
    "an unknown key": (["lint", "BAD"], 20, "v1.yaml:1: unknown key 'realease_note'"),
    "an unknown key on push": (["push", "BAD"], 20, "did you mean release_note?"),
    "an unknown prompt": (["digest", "FOLDER", "--prompt", "subjectline"], 21, "did you mean subject_line?"),
    "an unknown prompt of eval": (["eval", "FOLDER", "--prompt", "x"], 21, "newsletter has no prompt x"),
    "an unknown version": (["eval", "FOLDER", "--version", "v11"], 21, "has no version v11"),
    "an unknown version lists the known": (["try", "FOLDER", "--version", "v10"], 21, "did you mean v1? there are: v1"),
    "an unknown baseline": (["eval", "FOLDER", "--baseline", "v7"], 21, "has no version v7"),
    "an unknown case": (["try", "FOLDER", "--case", "X99"], 21, "has no case X99"),
    "a broken reference": (
        ["approve", "sales.lead", "--to", "production"],
        20,
        "for example sales.lead_qualification@v2",
    ),
    "a reference for a prompt": (["rollback", "sales.lead@v2", "--why", "x"], 20, "leave out @v2"),
    "a folder and a server": (["eval", "FOLDER", "--server", NOBODY], 20, "expected a reference"),
    "a reference and a version": (
        ["eval", "sales.lead@v1", "--version", "v2"],
        20,
        "a reference names prompt and version already",
    ),
    "no server": (["status", "--server", NOBODY], 25, "start one with: cuelight-server serve"),
    "no server for a rollback": (
        ["rollback", "sales.lead", "--why", "x", "--server", NOBODY],
        25,
        "on the server's machine: cuelight-server rollback sales.lead",
    ),
    "an odd address": (["status", "--server", "desk.example"], 20, "is no address of a server"),
    "an odd token": (
        ["status", "--server", NOBODY, "--token", "clt_1\n"],
        20,
        "the token holds characters that cannot be sent",
    ),
    "no older label": (["diff", "FOLDER"], 20, "expected --from"),
    "two names": (["diff", "FOLDER", "FOLDER"], 20, "expected one folder"),
    "an example that is none": (["init", "NOWHERE", "--example", "mars"], 20, "'mars' is not one of"),
    "an unknown kind": (["schema", "promt"], 20, "'promt' is not one of"),
    "an unknown shell": (["completion", "tcsh"], 20, "'tcsh' is not one of"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_done_is_refused_with_a_code_and_a_hint(run, minimal, tmp_path, case):
    args, code, words = REFUSED[case]
    bad = tmp_path / "bad"
    shutil.copytree(minimal, bad)
    (bad / V1).write_text((bad / V1).read_text().replace("release_note:", "realease_note:"))
    places = {"FOLDER": minimal, "BAD": bad, "NOWHERE": tmp_path / "nowhere"}
    done = run(*(places.get(arg, arg) for arg in args))
    assert done.code == code
    assert words in done.err
    assert done.out == ""


def test_an_error_as_json_goes_to_stderr_and_leaves_stdout_empty(run, minimal):
    (minimal / V1).write_text("setings: 1\nrelease_note: 2\n")
    done = run("lint", minimal, "--json")
    error = json.loads(done.err)["error"]
    assert (done.code, done.out, error["kind"]) == (20, "", "invalid")
    assert {one["line"] for one in error["details"]["problems"]} == {1, 2}


def test_a_token_never_stands_in_what_is_shown(shell):
    done = shell("status", "--server", NOBODY, env={"CUELIGHT_TOKEN": "clt_SECRETSECRET"})
    assert done.code == 25
    assert "SECRET" not in done.out + done.err
    assert "SECRET" not in shell("status", "--help", env={"CUELIGHT_TOKEN": "clt_SECRETSECRET"}).out


def test_a_local_desk_needs_the_server_and_says_so(minimal):
    script = (
        "import importlib.util as u; real = u.find_spec\n"
        "u.find_spec = lambda name, *more: None if name == 'cuelight_server' else real(name, *more)\n"
        "from cuelight.cli.main import main; main()"
    )
    env = {"PYTHONPATH": ":".join(sys.path), "PATH": "/nowhere"}
    done = subprocess.run(
        [sys.executable, "-c", script, "lint", str(minimal)], capture_output=True, text=True, check=False, env=env
    )
    assert done.returncode == 25
    assert "needs cuelight-server, which is not installed here" in done.stderr
    assert "pip install cuelight-server" in done.stderr


def test_a_closed_pipe_is_no_error(shell, minimal):
    command = f"{sys.executable} -c 'from cuelight.cli.main import main; main()' schema prompt | head -1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": ":".join(sys.path), "PATH": "/usr/bin:/bin"},
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "{\n", "")


def test_what_was_not_expected_ends_with_29(run, tmp_path, monkeypatch):
    monkeypatch.setitem(COMMANDS, "status", ("nowhere_at_all", "x"))
    done = run("status")
    assert done.code == 29
    assert "please report it" in done.err


@pytest.mark.parametrize("kind", ["bash", "zsh", "fish"])
def test_completion_prints_a_script_for_our_command(run, kind):
    done = run("completion", kind)
    assert done.code == 0
    assert "_CUELIGHT_COMPLETE" in done.out


def test_completion_offers_commands_and_options(shell):
    offered = shell(env={"_CUELIGHT_COMPLETE": "bash_complete", "COMP_WORDS": "cuelight ro", "COMP_CWORD": "1"}).out
    assert offered == "plain,rollback\n"


def test_the_files_of_the_minimal_example_are_plain_yaml_for_others(minimal):
    for file in minimal.rglob("*.yaml"):
        assert isinstance(yaml.safe_load(file.read_text()), dict)
