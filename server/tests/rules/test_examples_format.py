"""The example workflows as files: every one fits the format, and every recording belongs to a version that is there."""

import re
from datetime import date
from functools import cache
from pathlib import Path

import pytest

from cuelight.contract.content import Content, parse
from cuelight.contract.format import check
from cuelight.contract.output import OutputContract
from cuelight.contract.rendering import Renderer, schema_validator
from cuelight.files import Folder, read_folder

EXAMPLES = Path(__file__).parents[3] / "examples"
NAMES = sorted(one.parent.name for one in EXAMPLES.glob("*/workflow.yaml"))
FILES = sorted(str(one.relative_to(EXAMPLES).with_suffix("")) for one in EXAMPLES.glob("*/prompts/*/*.yaml"))
VERSIONS = [one for one in FILES if re.fullmatch(r"v[1-9][0-9]*", one.rpartition("/")[2])]
FIRST = [one for one in VERSIONS if one.endswith("/v1")]
A_DAY = date(2026, 11, 24)


@cache
def folder(name: str) -> Folder:
    return read_folder(EXAMPLES / name)


def content(file: str) -> Content:
    name, _, prompt, label = file.split("/")
    return parse(folder(name).bundle["prompts"][prompt][label])


def suite(file: str):
    return folder(file.partition("/")[0]).bundle["suites"][content(file).evaluation["suite"]]


def recorded(file: str):
    digest = content(file).digest
    return [one for one in folder(file.partition("/")[0]).bundle["recordings"] if one["content"] == digest]


def inputs(tests):
    """Every case with its full input, and the values that its variables get."""
    for case in tests["cases"]:
        given = {**tests.get("defaults", {}), **case["input"]}
        yield case["id"], given, given | {name: at(given, path) for name, path in tests.get("derived", {}).items()}


def at(value, path: str):
    for step in path.split("."):
        value = value[step]
    return value


def test_there_are_examples():
    assert NAMES
    assert FIRST


@pytest.mark.parametrize("name", NAMES)
def test_every_document_fits_its_kind_with_its_files_inlined(name):
    bundle = folder(name).bundle
    documents = [("workflow", bundle["workflow"]), ("authority", bundle["authority"]), ("prices", bundle["prices"])]
    documents += [("prompt", one) for labels in bundle["prompts"].values() for one in labels.values()]
    documents += [
        (kind, one)
        for kind, shelf in (("suite", "suites"), ("knowledge", "knowledge"))
        for one in bundle[shelf].values()
    ]
    documents += [("recording", one) for one in bundle["recordings"]]
    assert [(kind, problem) for kind, document in documents for problem in check(kind, document)] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_recording_belongs_to_a_content_that_is_there_and_says_that_no_model_was_asked(name):
    known = {digest for labels in folder(name).digests.values() for digest in labels.values()}
    for one in folder(name).bundle["recordings"]:
        assert one["content"] in known
        assert "not captured from any model" in one["provenance"]


@pytest.mark.parametrize("file", VERSIONS)
def test_every_case_is_recorded_once_for_every_version(file):
    asked = [case["id"] for case in suite(file)["cases"]]
    assert sorted((one["case"], one.get("sample", 1)) for one in recorded(file)) == sorted((case, 1) for case in asked)
    assert {one["model"] for one in recorded(file)} == {content(file).settings["model"]}


@pytest.mark.parametrize("file", FILES)
def test_every_case_can_be_rendered(file):
    renderer, tests = Renderer(content(file)), suite(file)
    fits = schema_validator(tests.get("input_schema", {}), "the input")
    for case, given, values in inputs(tests):
        assert fits.is_valid(given), case
        rendered = renderer.render(values, A_DAY, testing=True)
        assert all(message["content"] for message in rendered.messages), case


@pytest.mark.parametrize("file", FIRST)
def test_the_first_version_keeps_its_own_output_contract(file):
    contract = OutputContract(content(file).output)
    outputs = {one["case"]: one["output"] for one in recorded(file)}
    for case, _, values in inputs(suite(file)):
        assert contract.validate(outputs[case], {"input": values}).findings == (), case


@pytest.mark.parametrize("file", VERSIONS)
def test_a_tool_is_an_action_and_goes_no_further_than_the_table(file):
    table = {one["action"]: one["mode"] for one in folder(file.partition("/")[0]).bundle["authority"]["actions"]}
    assert {tool["name"]: tool["mode"] for tool in content(file).tools}.items() <= table.items()


@pytest.mark.parametrize("name", NAMES)
def test_no_action_step_or_guardrail_is_only_declared(name):
    bundle = folder(name).bundle
    assert not [one for one in bundle["authority"]["actions"] if "declared_only" in one]
    assert not [one for one in bundle["workflow"].get("guardrails", ()) if "declared_only" in one]
    for file in [one for one in VERSIONS if one.startswith(f"{name}/")]:
        assert not [step for step in content(file).output["on_invalid"] if "declared_only" in step], file


@pytest.mark.parametrize("name", NAMES)
def test_every_owner_is_a_person_of_the_workflow(name):
    workflow = folder(name).bundle["workflow"]
    named = {owner[key] for owner in workflow["owners"].values() for key in ("person", "backup") if key in owner}
    assert named | {workflow["business_owner"], workflow["technical_owner"]} <= {
        one["id"] for one in workflow["people"]
    }


@pytest.mark.parametrize("name", NAMES)
def test_no_schema_file_is_left_over(name):
    texts = "".join(one.read_text("utf-8") for one in (EXAMPLES / name).rglob("*.yaml"))
    texts += "".join(one.read_text("utf-8") for one in (EXAMPLES / name).glob("schemas/*.json"))
    there = [one.name for one in (EXAMPLES / name).glob("schemas/*.json")]
    assert [one for one in there if f"schemas/{one}" not in texts and f'"$ref": "{one}' not in texts] == []


@pytest.mark.parametrize("file", VERSIONS)
def test_a_version_marks_what_must_never_happen(file):
    assert "boundary" in {block for _, block, _ in content(file).texts()}


def test_the_safe_wording_candidate_differs_from_its_parent_in_tone_only():
    parent, candidate = content("sales/prompts/research_summary/v1"), content("sales/prompts/research_summary/v3")
    changed = [(old, new) for old, new in zip(parent.texts(), candidate.texts(), strict=True) if old != new]
    assert [(old[1], new[1]) for old, new in changed] == [("tone", "tone")]
    assert {**candidate.to_json(), "messages": parent.messages} == parent.to_json()
