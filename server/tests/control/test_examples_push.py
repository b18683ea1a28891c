"""The examples are what we tell people to write: each one pushes whole, and every rule in it is accounted for."""

from pathlib import Path

import pytest

from cuelight.files import read_folder
from cuelight_server.control.prompts import export, lint_bundle, verify_prompts
from cuelight_server.control.push import push
from server.tests.pushing import rows

SIX = {
    "model_alias_not_pinned",
    "include_not_pinned",
    "settings_incomplete",
    "output_contract_loosened",
    "context_ref_missing",
    "endpoint_not_approved",
}
REFUSED = {"clinical": {"v2", "v3"}}  # v2 is there to be refused, and v3 waits behind it
EXAMPLES = sorted(path.parent for path in (Path(__file__).parents[3] / "examples").glob("*/workflow.yaml"))


@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda path: path.name)
def test_an_example_pushes_whole(demo_desk, person, folder):
    bundle = read_folder(folder).bundle
    labels = {
        (f"{bundle['workflow']['workflow']}.{name}", label)
        for name, labels in bundle["prompts"].items()
        for label in labels
    }
    done = push(demo_desk, person("zoe.stranger", of=demo_desk), bundle).to_json()
    refused = {one["label"] for one in done["refused"]}
    assert refused == REFUSED.get(folder.name, set())
    assert bool([one for one in done["findings"] if one["severity"] == "error"]) == bool(refused)
    assert {(one["prompt"], one["label"]) for one in done["minted"]} == {one for one in labels if one[1] not in refused}
    assert done["ignored"] == []
    assert done["recordings"]["new"] == len(bundle["recordings"])
    assert {"enforced"} <= {one["state"] for one in done["rules"]} <= {"enforced", "not yet enforced", "declared only"}
    assert all(bool(one["by"]) == (one["state"] == "enforced") for one in done["rules"])
    assert verify_prompts(demo_desk) == []
    assert rows(demo_desk)["deployment"] == []


@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda path: path.name)
def test_every_recording_of_an_example_is_for_a_content_that_it_has(demo_desk, folder):
    bundle = read_folder(folder).bundle
    done = lint_bundle(demo_desk, bundle).to_json()
    known = {digest for labels in done["digests"].values() for digest in labels.values()}
    assert {one["content"] for one in bundle["recordings"]} <= known


@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda path: path.name)
def test_an_example_comes_out_as_it_went_in(desk, demo_desk, person, folder):
    first = push(desk, person("zoe.stranger", of=desk), read_folder(folder).bundle).to_json()
    out = export(desk, first["workflow"])
    again = push(demo_desk, person("zoe.stranger", of=demo_desk), out).to_json()
    for key in ("minted", "suites", "knowledge", "prices"):
        assert again[key] == first[key]


def test_there_are_examples():
    assert EXAMPLES


def clinical():
    return read_folder(EXAMPLES[0].parent / "clinical").bundle


def test_the_clinical_candidate_without_a_trail_is_refused_with_all_six_reasons(demo_desk, person):
    done = push(demo_desk, person("luca.romano", of=demo_desk), clinical()).to_json()
    second, third = done["refused"]
    assert (second["label"], {one["code"] for one in second["findings"]}) == ("v2", SIX)
    assert (third["label"], third["findings"]) == ("v3", [])
    assert "v2 comes first" in third["why"]


def test_it_is_refused_again_when_the_first_version_is_on_the_desk_only(demo_desk, person):
    luca, bundle = person("luca.romano", of=demo_desk), clinical()
    push(demo_desk, luca, bundle)
    del bundle["prompts"]["intake_summary"]["v1"]
    done = push(demo_desk, luca, {**bundle, "knowledge": {}}).to_json()
    assert {one["code"] for one in done["refused"][0]["findings"]} == SIX


def test_without_it_the_next_candidate_is_minted_and_left_to_its_evaluation(demo_desk, person):
    bundle = clinical()
    del bundle["prompts"]["intake_summary"]["v2"]
    done = push(demo_desk, person("luca.romano", of=demo_desk), bundle).to_json()
    assert [one["label"] for one in done["minted"]] == ["v1", "v3"]
    (left,) = done["findings"]  # the outputs recorded for the one that was taken out
    assert (left["code"], left["severity"]) == ("recording_unknown", "warning")


def test_as_a_draft_it_is_saved_like_any_other(demo_desk, person):
    done = push(demo_desk, person("luca.romano", of=demo_desk), clinical(), as_drafts=True).to_json()
    assert [one["label"] for one in done["drafts"]] == ["v1", "v2", "v3"]
    assert done["refused"] == []
