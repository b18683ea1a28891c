"""Schemas in files: references are put in their places, and mean what they meant."""

import json

import jsonschema_rs
import pytest

from cuelight.contract import format as file_format
from cuelight.contract.errors import Invalid
from cuelight.files import read_folder
from cuelight.files.inlining import SCHEMA_PLACES

TREE = {
    "type": "object",
    "properties": {"next": {"$ref": "#"}, "size": {"$ref": "#/$defs/size"}},
    "$defs": {"size": {"type": "integer"}},
}


def inlined(shop, **schemas):
    for name, body in schemas.items():
        shop.write(f"schemas/{name}.json", json.dumps(body))
    return read_folder(shop.path).bundle["prompts"]["greeting"]["v1"]["output"]["schema"]


def places(kind):
    """Where format.json has schema_or_file, in a kind."""
    defs, found = file_format.schema(kind)["$defs"], set()

    def walk(node, path, seen):
        name = node.get("$ref", "").rpartition("/")[2]
        if name == "schema_or_file":
            found.add(path)
        elif name and name not in seen:
            walk(defs[name], path, seen | {name})
        for key, one in node.get("properties", {}).items():
            walk(one, (*path, key), seen)
        for one in node.get("oneOf", ()):
            walk(one, path, seen)
        if isinstance(node.get("items"), dict):
            walk(node["items"], (*path, "*"), seen)

    walk(defs[kind], (), set())
    return found


@pytest.mark.parametrize("kind", file_format.KINDS)
def test_every_place_for_a_schema_in_the_format_is_known(kind):
    assert set(SCHEMA_PLACES.get(kind, ())) == places(kind)


def test_a_reference_to_a_plain_file_is_replaced_by_its_body(shop):
    body = {"properties": {"who": {"$ref": "name.json", "description": "the reader"}}}
    schema = inlined(
        shop, greeting=body, name={"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "string"}
    )
    assert schema == {"properties": {"who": {"type": "string", "description": "the reader"}}}


def test_a_reference_through_two_folders_is_found_from_the_file_that_holds_it(shop):
    shop.write("schemas/parts/a.json", json.dumps({"items": {"$ref": "b.json"}}))
    shop.write("schemas/parts/b.json", json.dumps({"$ref": "../c.json"}))
    assert inlined(shop, greeting={"$ref": "parts/a.json"}, c={"type": "null"}) == {"items": {"type": "null"}}


@pytest.mark.parametrize(
    ("body", "good", "bad"),
    [
        pytest.param(
            {"$ref": "tree.json"}, {"next": {"size": 1}}, {"next": {"size": "x"}}, id="a file that refers into itself"
        ),
        pytest.param(
            {"properties": {"a": {"$ref": "tree.json#/$defs/size"}}}, {"a": 1}, {"a": "x"}, id="a part of a file"
        ),
        pytest.param(
            {"properties": {"a": {"$ref": "greeting.json"}, "b": {"type": "null"}}},
            {"a": {"b": None}},
            {"a": {"b": 1}},
            id="itself",
        ),
        pytest.param(
            {"properties": {"$ref": {"type": "integer"}, "const": {"$ref": "tree.json"}}},
            {"$ref": 1, "const": {}},
            {"const": 1},
            id="odd names",
        ),
        pytest.param(
            {"const": {"$ref": "nothing.json"}}, {"$ref": "nothing.json"}, {}, id="a value that looks like a reference"
        ),
        pytest.param({"$ref": "tree.json", "required": ["size"]}, {"size": 1}, {}, id="a rule beside the reference"),
        pytest.param(
            {"$ref": "one.json"}, {"a": {"b": {"a": 1}}}, {"a": {"b": 1}}, id="two files that refer to each other"
        ),
    ],
)
def test_what_is_put_together_means_what_the_files_meant(shop, body, good, bad):
    pair = {
        "one": {"properties": {"a": {"$ref": "two.json"}}},
        "two": {"type": ["object", "integer"], "properties": {"b": {"$ref": "one.json", "type": "object"}}},
    }
    validator = jsonschema_rs.validator_for(inlined(shop, greeting=body, tree=TREE, **pair))
    assert validator.is_valid(good)
    assert not validator.is_valid(bad)


def test_many_references_to_many_references_are_refused_before_memory_is_full(shop):
    files = {f"f{n}": {"allOf": [{"$ref": f"f{n + 1}.json"}] * 8} for n in range(12)}
    with pytest.raises(Invalid, match=r"a schema of more than 100,000 values"):
        inlined(shop, greeting={"$ref": "f0.json"}, **files, f12={"type": "string"})


def test_a_named_anchor_in_another_file_is_refused(shop):
    with pytest.raises(Invalid, match="to an anchor, expected a path"):
        inlined(shop, greeting={"$ref": "name.json#who"}, name={"$anchor": "who"})


@pytest.mark.parametrize(
    "files",
    [
        pytest.param({"greeting": {"$ref": "greeting.json"}}, id="a file that is itself"),
        pytest.param(
            {"greeting": {"$ref": "a.json"}, "a": {"$ref": "b.json"}, "b": {"$ref": "a.json"}}, id="two files"
        ),
        pytest.param(
            {"greeting": {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}}},
            id="two parts of a file",
        ),
    ],
)
def test_a_file_that_only_refers_to_itself_is_refused(shop, files):
    with pytest.raises(Invalid, match="refers to itself"):
        inlined(shop, **files)
