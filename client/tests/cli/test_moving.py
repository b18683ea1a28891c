"""`cuelight import` and `cuelight export promptfoo`, as people type them."""

import json
import shutil

import yaml

from client.tests.cli.conftest import MINIMAL, ROOT
from cuelight.files import read_folder

EXAMPLES = ROOT / "examples" / "promptfoo"


def test_an_import_prints_how_much_was_carried_and_what_comes_next(run, tmp_path):
    done = run("import", "promptfoo", EXAMPLES / "inline", "--to", tmp_path / "it")
    assert done.code == 0
    assert "holds 2 versions, 3 cases, 6 recordings" in done.out
    assert "assertions: 8 carried, 0 approximated, 0 refused" in done.out
    assert f"cuelight eval {tmp_path / 'it'}" in done.out
    assert read_folder(tmp_path / "it").workflow == "inline"


def test_strict_ends_with_24_where_something_was_refused_and_still_writes(run, tmp_path):
    for flag, code in ((), 0), (("--strict",), 24):
        done = run("import", "promptfoo", EXAMPLES / "refused", "--to", tmp_path / f"r{code}", "--json", *flag)
        assert done.code == code
        assert done.json["assertions"]["refused"] >= 5
        assert done.json["files"]
        assert all(one["why"] for one in done.json["findings"] if one["state"] == "refused")
    assert run("import", "promptfoo", EXAMPLES / "inline", "--to", tmp_path / "s", "--strict").code == 0


def test_an_import_never_overwrites_and_names_what_it_cannot_find(run, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    assert run("import", "promptfoo", EXAMPLES / "inline", "--to", tmp_path / "full").code == 22
    assert run("import", "promptfoo", tmp_path / "nowhere", "--to", tmp_path / "x").code == 21
    assert run("import", "promptfoo", EXAMPLES / "inline", "--name", "Not A Name").code == 20
    assert run("import", "promptfoo", EXAMPLES / "inline", "--owner", "Not A Person", "--to", tmp_path / "x").code == 20
    assert not (tmp_path / "x").exists()


def test_a_folder_goes_out_to_a_file_or_to_standard_output(run, tmp_path):
    shutil.copytree(MINIMAL, tmp_path / "w")
    done = run("export", "promptfoo", tmp_path / "w")
    assert done.code == 0
    assert yaml.safe_load(done.out)["prompts"][0]["label"] == "v1"
    assert "assertions: " in done.err
    done = run("export", "promptfoo", tmp_path / "w", "--to", tmp_path / "out.yaml")
    assert (done.code, "wrote" in done.out) == (0, True)
    assert run("export", "promptfoo", tmp_path / "w", "--to", tmp_path / "out.yaml").code == 22
    assert run("export", "promptfoo", tmp_path / "w", "--strict", "--json").code == 24


def test_any_other_word_after_export_is_a_workflow_of_the_desk(run, tmp_path):
    done = run("export", "--json", "sales", tmp_path / "x", "--server", "http://127.0.0.1:9")
    assert (done.code, json.loads(done.err)["error"]["kind"]) == (25, "unavailable")


def test_a_table_becomes_a_new_suite_of_the_folder(run, tmp_path):
    shutil.copytree(MINIMAL, tmp_path / "w")
    (tmp_path / "more rows.csv").write_text("summary,__expected,extra\nWe moved.,contains: moved,x\n", encoding="utf-8")
    done = run("import", "suite", tmp_path / "more rows.csv", "--folder", tmp_path / "w")
    assert done.code == 0
    assert "column extra" in done.out
    suite = read_folder(tmp_path / "w").bundle["suites"]["more_rows"]
    assert suite["cases"][0]["input"] == {"summary": "We moved."}
    assert run("import", "suite", tmp_path / "more rows.csv", "--folder", tmp_path / "w").code == 22
    named = run(
        "import",
        "suite",
        tmp_path / "more rows.csv",
        "--folder",
        tmp_path / "w",
        "--name",
        "other",
        "--strict",
        "--json",
    )
    assert (named.code, named.json["cases"]) == (24, 1)
    (tmp_path / "odd.csv").write_text("nothing\n1\n", encoding="utf-8")
    assert run("import", "suite", tmp_path / "odd.csv", "--folder", tmp_path / "w").code == 20
