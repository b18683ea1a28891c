"""The examples are what we tell people to write: each one pushes whole, and every rule in it is accounted for."""

from pathlib import Path

import pytest

from cuelight.files import read_folder
from cuelight_server.control.prompts import export, verify_prompts
from cuelight_server.control.push import push
from server.tests.pushing import rows

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
    assert [one for one in done["findings"] if one["severity"] == "error"] == []
    assert {(one["prompt"], one["label"]) for one in done["minted"]} == labels
    assert (done["refused"], done["ignored"]) == ([], [])
    assert done["recordings"]["new"] == len(bundle["recordings"])
    assert {one["state"] for one in done["rules"]} == {"enforced", "not yet enforced", "declared only"}
    assert all(bool(one["by"]) == (one["state"] == "enforced") for one in done["rules"])
    assert verify_prompts(demo_desk) == []
    assert rows(demo_desk)["deployment"] == []


@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda path: path.name)
def test_every_recording_of_an_example_is_for_a_content_that_it_has(demo_desk, person, folder):
    bundle = read_folder(folder).bundle
    done = push(demo_desk, person("zoe.stranger", of=demo_desk), bundle).to_json()
    assert {one["content"] for one in bundle["recordings"]} <= {one["digest"] for one in done["minted"]}


@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda path: path.name)
def test_an_example_comes_out_as_it_went_in(desk, demo_desk, person, folder):
    first = push(desk, person("zoe.stranger", of=desk), read_folder(folder).bundle).to_json()
    out = export(desk, first["workflow"])
    again = push(demo_desk, person("zoe.stranger", of=demo_desk), out).to_json()
    for key in ("minted", "suites", "knowledge", "prices"):
        assert again[key] == first[key]


def test_there_are_examples():
    assert EXAMPLES
