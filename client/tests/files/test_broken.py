"""Every way in which a file can be wrong: said with file, line, what was found, what was expected, and what to do."""

import pytest

from cuelight.contract.errors import Invalid
from cuelight.files import read_folder

V1 = "prompts/greeting/v1.yaml"
INCLUDE = "  - role: system\n    parts:\n      - include: house\n"


def problems(folder):
    with pytest.raises(Invalid) as refused:
        read_folder(folder)
    return refused.value.details["problems"]


# One line a way to be wrong: (file, old, new) or (file, whole text), then the file, line, words and hint that must come.
BROKEN = {
    "broken yaml": ((V1, "settings:", "settings: ["), V1, 11, "an unclosed [", "close the bracket"),
    "a tab": ((V1, "  model:", "\tmodel:"), V1, 10, "a tab in the indentation", "spaces only"),
    "an unquoted brace": (
        (V1, "model: example-small-2026-06-01", "model: {{model}}"),
        V1,
        10,
        "an object or a list as a key",
        "quote a value",
    ),
    "a percent sign": ((V1, "release_note: First.", "release_note: %1"), V1, 1, "begins with '%'", "quote"),
    "a colon in a text": (
        (V1, "release_note: First.", "release_note: First: one"),
        V1,
        1,
        "a ': ' where none may stand",
        "quote",
    ),
    "a doubled key": (
        (V1, "settings:", "messages: []\nsettings:"),
        V1,
        9,
        "the key 'messages' a second time, first on line 2",
        "keep one",
    ),
    "an unknown key": (
        (V1, "settings:", "setings: 1\nsettings:"),
        V1,
        9,
        "unknown key 'setings'",
        "did you mean settings?",
    ),
    "an unknown key inside": (
        (V1, "    type: string", "    type: string\n    typ: string"),
        V1,
        9,
        "variables[0]: unknown key 'typ'",
        "did you mean type?",
    ),
    "a missing key": ((V1, "  suite: greeting\n", ""), V1, 13, '"suite" is missing', ""),
    "a number as a key": ((V1, "settings:", "settings:\n  1: a"), V1, 10, "the key 1 is no text", 'quote it: "1"'),
    "a NaN": ((V1, "min_pass_rate: 1", "min_pass_rate: .nan"), V1, 16, ".nan is no JSON number", "quote it"),
    "a huge integer": (
        (V1, "min_pass_rate: 1", "min_pass_rate: 9007199254740993"),
        V1,
        16,
        "beyond 2^53 - 1",
        "quote it",
    ),
    "a tag": (
        (V1, "release_note: First.", "release_note: !python/object:os.system ls"),
        V1,
        1,
        "the tag",
        "tags are not read",
    ),
    "a merge key": ((V1, "settings:\n", "settings:\n  <<: {}\n"), V1, 10, "a merge key (<<)", "write the keys out"),
    "an unknown alias": (
        (V1, "release_note: First.", "release_note: *first"),
        V1,
        1,
        "*first points to nothing",
        "&first",
    ),
    "two documents": ((V1, "settings:", "---\nsettings:"), V1, 9, "a second document", "remove the ---"),
    "a variable declared twice": (
        (V1, "settings:", "  - name: name\n    type: string\nsettings:"),
        V1,
        9,
        "the variable name is declared twice",
        "keep one",
    ),
    "a missing schema file": (
        (V1, "greeting.json", "greting.json"),
        V1,
        12,
        "the schema file schemas/greting.json is not there",
        "did you mean schemas/greeting.json?",
    ),
    "a schema outside": (
        (V1, "schemas/greeting.json", "../secret.json"),
        V1,
        12,
        "leaves the folder",
        "inside the workflow folder",
    ),
    "an absolute schema": (
        (V1, "schemas/greeting.json", "/etc/passwd"),
        V1,
        12,
        "leaves the folder",
        "inside the workflow folder",
    ),
    "broken schema json": (
        ("schemas/greeting.json", '{\n "type": "object",\n}'),
        "schemas/greeting.json",
        3,
        "broken JSON",
        "no comma follows",
    ),
    "a schema with a doubled key": (
        ("schemas/greeting.json", '{"type": "object", "type": "array"}'),
        "schemas/greeting.json",
        1,
        "the key 'type' twice",
        "unique keys",
    ),
    "a schema that is a list": (("schemas/greeting.json", "[]"), V1, 12, "holds a list", "begin it with {"),
    "a schema that is none": (
        ("schemas/greeting.json", '{"type": "objekt"}'),
        V1,
        12,
        "is not a JSON Schema that Cuelight can use",
        "2020-12",
    ),
    "a remote reference": (
        ("schemas/greeting.json", '{"$ref": "https://example.com/a.json"}'),
        V1,
        12,
        "the remote reference",
        "copy that schema",
    ),
    "a reference outside": (
        ("schemas/greeting.json", '{"$ref": "../../x.json"}'),
        V1,
        12,
        "leaves the folder",
        "inside the workflow folder",
    ),
    "a schema without end": (
        ("schemas/greeting.json", "[" * 90 + "]" * 90),
        "schemas/greeting.json",
        1,
        "nested deeper than 60",
        "flatten",
    ),
    "a suite of another name": (
        ("suites/greeting.yaml", "suite: greeting", "suite: greetings"),
        "suites/greeting.yaml",
        1,
        "calls itself greetings, expected greeting",
        "rename the file",
    ),
    "an unknown grader": (
        ("suites/greeting.yaml", "type: json_only", "type: jason_only"),
        "suites/greeting.yaml",
        3,
        "there is no type 'jason_only'",
        "did you mean json_only?",
    ),
    "a broken recording": (
        ("recordings/a.jsonl", '\n{"content": 1}\n{'),
        "recordings/a.jsonl",
        3,
        "broken JSON",
        "double quotes",
    ),
    "an empty file": (
        (V1, "# nothing\n"),
        V1,
        1,
        "the file is empty, expected a prompt document",
        "cuelight schema prompt",
    ),
    "a list": ((V1, "- 1\n"), V1, 1, "a list, expected an object", "cuelight schema prompt"),
    "a single text": (
        ("authority.yaml", "hello"),
        "authority.yaml",
        1,
        "a single value, expected an object",
        "cuelight schema authority",
    ),
    "not utf-8": (
        (V1, b"release_note: First.\n# caf\xe9\n"),
        V1,
        2,
        "the byte 0xe9, expected UTF-8",
        "save the file as UTF-8",
    ),
    "utf-16": (
        (V1, "release_note: x".encode("utf-16")),
        V1,
        1,
        "UTF-16 text, expected UTF-8",
        "save the file as UTF-8",
    ),
    "a control character": ((V1, b"release_note: First.\nx: \x01"), V1, 2, "the control character U+0001", "remove it"),
    "half a character": ((V1, 'release_note: "\\ud83d"'), V1, 1, "half of a surrogate pair", "the character itself"),
    "a fragment that is missing": (
        (V1, "  - role: system\n", INCLUDE + "  - role: system\n"),
        V1,
        5,
        "the fragment fragments/house.md is not there",
        "put it at",
    ),
    "a misnamed file": (
        ("workflows.yaml", "a: 1"),
        "workflows.yaml",
        1,
        "which is not read",
        "did you mean workflow.yaml?",
    ),
    "a misnamed folder": (("suite/x.yaml", "a: 1"), "suite", 1, "which is not read", "did you mean suites?"),
    "an odd version": (
        ("prompts/greeting/v02.yaml", "a: 1"),
        "prompts/greeting/v02.yaml",
        1,
        "expected v1.yaml, v2.yaml",
        "no zeros in front",
    ),
    "a file right in prompts": (
        ("prompts/v1.yaml", "a: 1"),
        "prompts/v1.yaml",
        1,
        "expected prompts/<name>/v1.yaml",
        "one folder down",
    ),
    "a draft called production": (
        ("prompts/greeting/production.yaml", "a: 1"),
        "prompts/greeting/production.yaml",
        1,
        "names an environment",
        "rename",
    ),
    "a name with capitals": (
        ("suites/Greeting.yaml", "a: 1"),
        "suites/Greeting.yaml",
        1,
        "expected lower-case",
        "rename the file",
    ),
    "a second file for a label": (
        ("prompts/greeting/v1.yml", "a: 1"),
        "prompts/greeting/v1.yml",
        1,
        "a second file for v1",
        "keep one",
    ),
    "an unlisted prompt": (
        ("prompts/farewell/v1.yaml", ""),
        "prompts/farewell",
        1,
        "workflow.yaml knows no prompt farewell",
        "known: greeting",
    ),
    "a prompt without a file": (
        ("workflow.yaml", "prompts:\n", "prompts:\n  farewell: {use_case: x, fallback: {message: x}}\n"),
        "workflow.yaml",
        8,
        "the prompt farewell has no file",
        "write prompts/farewell/v1.yaml",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_wrong_is_said_with_file_line_and_hint(shop, case):
    change, file, line, message, hint = BROKEN[case]
    shop.write(*change) if len(change) == 2 else shop.edit(*change)
    at = [one for one in problems(shop.path) if one["file"] == str(shop.path / file) and one["line"] == line]
    assert any(message in one["message"] and hint in one["hint"] for one in at), problems(shop.path)
