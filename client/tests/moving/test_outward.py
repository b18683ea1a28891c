"""A folder as a promptfoo config: what comes back is what went out, and what has no counterpart is named."""

import json
from pathlib import Path

import pytest
import yaml

from cuelight.files import read_folder, write_folder
from cuelight.files.yaml_text import dump
from cuelight.moving.outward import export_config
from cuelight.moving.promptfoo import import_config
from cuelight.moving.scripts import script

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "examples" / "promptfoo"
BACK = [
    "assert-set",
    "csv",
    "default-test",
    "inline",
    "javascript",
    "json-schema",
    "jsonl",
    "matrix",
    "scenarios",
    "transform",
]


@pytest.mark.parametrize("name", BACK)
def test_out_and_in_again_gives_the_same_cases_and_prompts(name, tmp_path):
    first = import_config(EXAMPLES / name).bundle
    short = next(iter(first["prompts"]))
    write_folder(first, tmp_path / "made")
    read = read_folder(tmp_path / "made").bundle
    out = export_config(read, short, list(first["prompts"][short]))
    assert not [one for one in out.report.findings if one.kind == "assertion" and one.state != "carried"]
    (tmp_path / "again.yaml").write_text(dump(out.config), encoding="utf-8")
    second = import_config(tmp_path / "again.yaml", name=short).bundle
    one, other = (whole(bundle["suites"][short]) for bundle in (first, second))
    assert one == other
    texts = [[document["messages"] for document in bundle["prompts"][short].values()] for bundle in (first, second)]
    assert texts[0] == texts[1]


def whole(suite):
    """Every case with what the top of the suite adds to it, without its id."""
    return [
        (
            one["title"],
            {**suite.get("defaults", {}), **one["input"]},
            [*suite.get("graders", []), *one.get("graders", [])],
            one.get("threshold"),
        )
        for one in suite["cases"]
    ]


def exported(name, prompt, label):
    return export_config(read_folder(ROOT / "examples" / name).bundle, prompt, [label])


def test_a_reference_workflow_goes_out_with_what_it_loses_named():
    out = exported("sales", "lead_qualification", "v1")
    said = out.report.assertions()
    assert said["carried"] > 10
    named = {one.what for one in out.report.findings if one.state == "refused"}
    assert {"newly_failing_max"} <= named
    again = yaml.safe_load(dump(out.config))
    assert again["prompts"][0]["label"] == "v1"
    assert len(again["tests"]) == len(
        read_folder(ROOT / "examples/sales").bundle["suites"]["lead_qualification"]["cases"]
    )


def test_untrusted_variables_keep_their_marks_and_it_is_said_what_they_lose():
    out = exported("notes", "meeting_summary", "v1")
    assert '<untrusted name="notes">' in json.loads(out.config["prompts"][0]["raw"])[1]["content"]
    assert any("not defused" in one.why for one in out.report.findings)


def test_literal_braces_stay_literal(moved):
    made = moved({"prompts": ["{{a}} right {{ open"], "tests": [{"vars": {"a": "x"}}]}).bundle
    assert export_config(made, "it", ["v1"]).config["prompts"][0]["raw"] == "{{a}} right {{ '{{' }} open"


def test_simple_graders_become_a_script_and_others_do_not():
    assert "VALUES.some" in script({"type": "contains_any", "path": "a.b[*]", "values": ["x"]})
    assert script({"type": "contains_any", "path": "$input.x", "values": ["x"]}) is None
    assert script({"type": "refs_exist", "path": "a"}) is None
