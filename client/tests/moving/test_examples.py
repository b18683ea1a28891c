"""Every config in examples/promptfoo: how much of it is carried, and the very prompts that promptfoo itself renders."""

import json
from pathlib import Path

import pytest

from cuelight.contract import content
from cuelight.files import read_folder, write_folder
from cuelight.moving.promptfoo import import_config

EXAMPLES = Path(__file__).parents[3] / "examples" / "promptfoo"
FOLDERS = sorted(one.name for one in EXAMPLES.iterdir() if one.is_dir())


def known(name):
    return json.loads((EXAMPLES / name / "known.json").read_text("utf-8"))


def test_there_are_at_least_a_dozen():
    assert len(FOLDERS) >= 12


@pytest.mark.parametrize("name", FOLDERS)
def test_as_many_assertions_are_carried_as_is_known(name):
    assert import_config(EXAMPLES / name).report.assertions() == known(name)["assertions"]


@pytest.mark.parametrize("name", [one for one in FOLDERS if "results" in known(one)])
def test_the_recorded_outputs_are_what_promptfoo_got(name):
    """Rendered by us from the files that were written; `known.json` was written by promptfoo's own echo provider."""
    bundle = import_config(EXAMPLES / name).bundle
    short = next(iter(bundle["prompts"]))
    recorded = {(one["content"], one["case"]): one["output"] for one in bundle["recordings"]}
    labels = {label: content.parse(document).digest for label, document in bundle["prompts"][short].items()}
    wanted = known(name)["results"]
    assert list(wanted) == list(labels)
    for label, cases in wanted.items():
        assert {case: recorded[labels[label], case] for case in cases} == {
            case: one["output"] for case, one in cases.items()
        }
    assert len(recorded) == sum(map(len, wanted.values()))


@pytest.mark.parametrize("name", FOLDERS)
def test_the_folder_reads_back_as_it_was_made(name, tmp_path):
    bundle = import_config(EXAMPLES / name).bundle
    write_folder(bundle, tmp_path / "made")
    again = read_folder(tmp_path / "made").bundle
    assert again["suites"] == bundle["suites"]
    short = next(iter(bundle["prompts"]))
    for label, document in bundle["prompts"][short].items():
        assert content.parse(again["prompts"][short][label]).digest == content.parse(document).digest


def test_what_is_refused_has_its_name_and_reason():
    report = import_config(EXAMPLES / "refused").report
    said = {(one.kind, one.what.partition(":")[0]): one.why for one in report.findings if one.state == "refused"}
    for key, words in {
        ("assertion", "ruby"): "rewrite",
        ("assertion", "trajectory"): "",
        ("assertion", "max-length"): "no such assertion",
        ("assertion", "human"): "people judge",
        ("assertion", "javascript"): "require",
        ("config", "nunjucksFilters"): "filters in code",
        ("config", "extensions"): "code",
        ("metric", "f1"): "computed from other scores",
        ("prompt", "file"): "nothing is run at import",
        ("prompt", "the text"): "has no counterpart",
        ("test", "file"): "generator is code",
        ("test", "huggingface"): "far away",
        ("provider", "file"): "a provider in code",
    }.items():
        if key == ("assertion", "trajectory"):
            continue  # how much of a call's steps is known is the graders' matter
        assert words in said[key], key
    assert all(one.why for one in report.findings if one.state == "refused")
