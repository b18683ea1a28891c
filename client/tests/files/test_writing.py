"""Writing a folder: what was read is written so that it reads back to the same content, for any text whatever."""

import json
import tempfile
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cuelight.contract.canonical import digest, digest_bytes
from cuelight.contract.content import parse
from cuelight.contract.errors import Conflict
from cuelight.files import read_folder, write_folder
from cuelight.files.yaml_lines import parse as parse_yaml
from cuelight.files.yaml_text import dump

CORPUS = [
    "",
    " ",
    "\n",
    "\n\n",
    " leading",
    "trailing ",
    "two  \nlines ",
    "\ttab\tin\ta line\n",
    "\n leading break",
    "a\n\n\nb",
    "a\r\nb",
    "a\rb",
    "# no comment",
    "- no list",
    "key: value",
    "{{name}}",
    "{{{{literal}}",
    "'quotes\" both",
    "no",
    "yes",
    "on",
    "null",
    "~",
    "true",
    "0x1F",
    "0o17",
    "017",
    "1e3",
    "1_000",
    ".inf",
    ".NaN",
    "2026-01-05",
    "12:30:45",
    "=",
    "<<",
    "*a",
    "&a",
    "!t",
    "%d",
    "@at",
    "`tick`",
    "|",
    ">",
    "---",
    "...",
    "--- a\n",
    "\ud7ff\ue000",
    "\U0001d518\U0001f3ad\nzwei",
    "\u2028line\u2029para\x85next",
    "\ufeffmark",
    "\x00\x07\x1b[31m",
    "\x7f\x9f",
    "a" * 500,
    ("word " * 60).strip(),
    "  indented\n    more\n  back\n",
    "first\n  second",
    "\n\n  x",
    "x\n\n",
    "x\n \n",
    " \n x",
    "\t\n",
    "a: |\n  b\n",
    "-\n",
    "? x",
    "\\n not a break",
    "\u00e9 combining e\u0301",
    "\u05e2\u05d1 \u200f rtl",
    "\U0001f469\u200d\U0001f467",
]


def bundle_of(document, **more):
    """A bundle around one prompt document."""
    workflow = {
        "workflow": "shop",
        "title": "Shop",
        "purpose": "Answer shoppers.",
        "tier": "low",
        "owners": {},
        "prompts": {"greeting": {"use_case": "greets shoppers", "fallback": {"message": "Hello."}}},
    }
    empty = {"suites": {}, "knowledge": {}, "prices": None, "recordings": [], "ignored": []}
    return {
        "workflow": workflow,
        "authority": {"actions": []},
        "prompts": {"greeting": {"v1": document}},
        **empty,
        **more,
    }


def prompt(**more):
    return {
        "messages": [{"role": "user", "content": "hello"}],
        "settings": {"model": "m-2026-06-01"},
        "evaluation": {"suite": "s", "gate": {"min_pass_rate": 1}},
        **more,
    }


def round_trip(bundle):
    with tempfile.TemporaryDirectory() as folder:
        write_folder(bundle, Path(folder) / "out")
        return read_folder(Path(folder) / "out")


texts = st.text(st.characters(codec="utf-8"), max_size=40) | st.sampled_from(CORPUS)
numbers = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
names = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
blocks = st.sampled_from(["boundary", "rules", "tone", "format"])
parts = st.fixed_dictionaries({"text": texts}, optional={"block": blocks})
messages = st.fixed_dictionaries(
    {"role": st.sampled_from(["system", "user"]), "content": texts}
) | st.fixed_dictionaries(
    {"role": st.sampled_from(["system", "user"]), "parts": st.lists(parts, min_size=1, max_size=3)}
)
schemas = st.fixed_dictionaries(
    {"type": st.just("object"), "title": texts, "enum": st.lists(values, min_size=1, max_size=2)}
)
variables = st.lists(
    st.fixed_dictionaries(
        {"name": names, "type": st.just("json")}, optional={"default": values, "example": values, "schema": schemas}
    ),
    max_size=3,
    unique_by=lambda one: one["name"],
)
documents = st.builds(
    lambda said, declared, extra, schema, note: prompt(
        messages=said,
        variables=declared,
        settings={"model": "m", "extra": extra},
        output={"schema": schema},
        release_note=note,
    ),
    st.lists(messages, min_size=1, max_size=3),
    variables,
    st.dictionaries(texts, values, max_size=3),
    schemas,
    texts,
)


@given(documents)
@example(prompt(messages=[{"role": "user", "parts": [{"text": text} for text in CORPUS]}]))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_content_reads_back_to_the_same_digest(document):
    folder = round_trip(bundle_of(document))
    assert folder.digests["greeting"]["v1"] == parse(document).digest
    assert folder.bundle["prompts"]["greeting"]["v1"] == document


@given(values)
@settings(max_examples=300, deadline=None)
def test_any_json_value_reads_back_from_its_yaml(value):
    parsed = parse_yaml(dump({"value": value}), "x")
    assert parsed.faults == []
    assert digest(parsed.value["value"]) == digest(value)


@pytest.mark.parametrize("text", CORPUS, ids=lambda text: repr(text)[:20])
def test_text_is_kept_to_the_character(text):
    parsed = parse_yaml(dump([text, {text: text}]), "x")
    assert parsed.value == [text, {text: text}]


@pytest.mark.parametrize(
    "text", [text for text in CORPUS if not {"\x00", "\x85"} & set(text)], ids=lambda text: repr(text)[:20]
)
def test_other_yaml_readers_see_text_where_we_wrote_text(text):
    assert isinstance(yaml.safe_load(dump({"value": text}))["value"], str)


def test_long_text_is_written_as_a_block_and_short_text_plain(tmp_path):
    document = prompt(
        messages=[{"role": "system", "content": "Be kind.\n\n  - to all\n"}, {"role": "user", "content": "{{name}}"}]
    )
    write_folder(bundle_of(document), tmp_path / "out")
    written = (tmp_path / "out/prompts/greeting/v1.yaml").read_text()
    assert "    content: |\n      Be kind.\n\n        - to all\n" in written
    assert "content: '{{name}}'" in written
    assert written.index("messages:") < written.index("settings:") < written.index("evaluation:")


def test_long_schemas_go_to_files_and_equal_ones_share_one(tmp_path):
    schema = {"type": "object", "properties": {f"field_{n}": {"type": "string"} for n in range(9)}}
    other = {**schema, "required": ["field_1"]}
    short = {"type": "integer"}
    declared = [{"name": "a", "type": "json", "schema": schema}, {"name": "b", "type": "json", "schema": short}]
    bundle = bundle_of(prompt(variables=declared, output={"schema": other}))
    bundle["prompts"]["greeting"]["v2"] = prompt(variables=declared, output={"schema": schema})
    written = write_folder(bundle, tmp_path / "out")
    assert [name for name in written if name.startswith("schemas/")] == [
        "schemas/greeting.output.json",
        "schemas/greeting.variables.a.json",
    ]
    assert read_folder(tmp_path / "out").bundle["prompts"] == bundle["prompts"]


def test_two_versions_that_pin_two_texts_of_one_fragment_both_read_back(tmp_path):
    def included(text):
        return prompt(
            messages=[{"role": "system", "parts": [{"include": f"house@{digest_bytes(text.encode())}", "text": text}]}]
        )

    bundle = bundle_of(included("Be kind.\n"))
    bundle["prompts"]["greeting"] |= {"v2": included("Be kind, and quick.\n"), "v3": included("Be kind.\n")}
    written = write_folder(bundle, tmp_path / "out")
    assert sum(name.startswith("fragments/") for name in written) == 2
    assert read_folder(tmp_path / "out").bundle["prompts"] == bundle["prompts"]


def test_everything_else_reads_back_as_well(tmp_path):
    suite = {"suite": "s", "cases": [{"id": "A1", "category": "normal", "title": "x", "input": {"name": "no"}}]}
    line = {"content": "sha256:" + "0" * 64, "case": "A1", "output": "line\nline \u2028", "provenance": "test"}
    bundle = bundle_of(
        prompt(),
        suites={"s": suite},
        knowledge={"facts": {"knowledge": "facts", "items": [{"ref": "F-1", "text": "x"}]}},
        prices={"models": [{"model": "*", "input_per_1k": 0.001, "output_per_1k": 1e-9}]},
        recordings=[line],
    )
    write_folder(bundle, tmp_path / "out")
    assert read_folder(tmp_path / "out").bundle == bundle


def test_a_folder_that_holds_anything_is_never_written_over(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(Conflict, match="not empty"):
        write_folder(bundle_of(prompt()), tmp_path)
    assert [one.name for one in tmp_path.iterdir()] == ["mine.txt"]


def test_the_worked_example_survives_the_round_trip(tmp_path):
    example_folder = read_folder(Path(__file__).parents[3] / "examples/sales")
    write_folder(json.loads(json.dumps(example_folder.bundle)), tmp_path / "out")
    again = read_folder(tmp_path / "out")
    assert again.digests == example_folder.digests
    assert again.bundle == example_folder.bundle
