"""Reading a folder: what is wrong is said with file, line, what was found, what was expected, and what to do."""

import json
import os

import pytest

from cuelight.contract.canonical import digest_bytes
from cuelight.contract.errors import Invalid, NotFound
from cuelight.files import read_folder
from cuelight.files.disk import MAX_FILE

V1 = "prompts/greeting/v1.yaml"
INCLUDE = "  - role: system\n    parts:\n      - include: house\n"


def problems(folder):
    with pytest.raises(Invalid) as refused:
        read_folder(folder)
    found = refused.value.details["problems"]
    for one in found:
        assert str(one["file"]).startswith(str(folder))
        assert f"{one['file']}:{one['line']}: {one['message']}" in refused.value.message
    return found


def only(folder):
    found = problems(folder)
    assert len(found) == 1, found
    return found[0]


def test_a_whole_folder_becomes_a_bundle(shop):
    folder = read_folder(shop.path)
    assert folder.workflow == "shop"
    assert set(folder.bundle) == {
        "workflow",
        "authority",
        "prompts",
        "suites",
        "knowledge",
        "prices",
        "recordings",
        "ignored",
    }
    assert folder.bundle["prompts"]["greeting"]["v1"]["output"]["schema"] == {
        "type": "object",
        "properties": {"text": {"type": "string"}},
    }
    assert folder.digests["greeting"]["v1"].startswith("sha256:")
    assert folder.where("prompts/greeting/v1", ("settings", "model")) == f"{shop.path / V1}:10"
    assert (
        folder.where("suites/greeting", ("cases", 0, "input", "nothing here")) == f"{shop.path}/suites/greeting.yaml:9"
    )


# One line a way to be wrong: (file, old, new) or (file, whole text), then the file, line, words and hint that must come.
BROKEN = {
    "broken yaml": ((V1, "settings:", "settings: ["), V1, 11, "an unclosed [", "close the bracket"),
    "a tab": ((V1, "  model:", "\tmodel:"), V1, 10, "a tab in the indentation", "spaces only"),
    "an unquoted brace": ((V1, "model: example-small-2026-06-01", "model: {{model}}"), V1, 10, "an object or a list as a key", "quote a value"),
    "a percent sign": ((V1, "release_note: First.", "release_note: %1"), V1, 1, "begins with '%'", "quote"),
    "a colon in a text": ((V1, "release_note: First.", "release_note: First: one"), V1, 1, "a ': ' where none may stand", "quote"),
    "a doubled key": ((V1, "settings:", "messages: []\nsettings:"), V1, 9, "the key 'messages' a second time, first on line 2", "keep one"),
    "an unknown key": ((V1, "settings:", "setings: 1\nsettings:"), V1, 9, "unknown key 'setings'", "did you mean settings?"),
    "an unknown key inside": ((V1, "    type: string", "    type: string\n    typ: string"), V1, 9, "variables[0]: unknown key 'typ'", "did you mean type?"),
    "a missing key": ((V1, "  suite: greeting\n", ""), V1, 13, '"suite" is missing', ""),
    "a number as a key": ((V1, "settings:", "settings:\n  1: a"), V1, 10, "the key 1 is no text", 'quote it: "1"'),
    "a NaN": ((V1, "min_pass_rate: 1", "min_pass_rate: .nan"), V1, 16, ".nan is no JSON number", "quote it"),
    "a huge integer": ((V1, "min_pass_rate: 1", "min_pass_rate: 9007199254740993"), V1, 16, "beyond 2^53 - 1", "quote it"),
    "a tag": ((V1, "release_note: First.", "release_note: !python/object:os.system ls"), V1, 1, "the tag", "tags are not read"),
    "a merge key": ((V1, "settings:\n", "settings:\n  <<: {}\n"), V1, 10, "a merge key (<<)", "write the keys out"),
    "an unknown alias": ((V1, "release_note: First.", "release_note: *first"), V1, 1, "*first points to nothing", "&first"),
    "two documents": ((V1, "settings:", "---\nsettings:"), V1, 9, "a second document", "remove the ---"),
    "a variable declared twice": ((V1, "settings:", "  - name: name\n    type: string\nsettings:"), V1, 1, "the variable name is declared twice", "keep one"),
    "a missing schema file": ((V1, "greeting.json", "greting.json"), V1, 12, "the schema file schemas/greting.json is not there", "did you mean schemas/greeting.json?"),
    "a schema outside": ((V1, "schemas/greeting.json", "../secret.json"), V1, 12, "leaves the folder", "inside the workflow folder"),
    "an absolute schema": ((V1, "schemas/greeting.json", "/etc/passwd"), V1, 12, "leaves the folder", "inside the workflow folder"),
    "broken schema json": (("schemas/greeting.json", '{\n "type": "object",\n}'), "schemas/greeting.json", 3, "broken JSON", "no comma follows"),
    "a schema with a doubled key": (("schemas/greeting.json", '{"type": "object", "type": "array"}'), "schemas/greeting.json", 1, "the key 'type' twice", "unique keys"),
    "a schema that is a list": (("schemas/greeting.json", "[]"), V1, 12, "holds a list", "begin it with {"),
    "a schema that is none": (("schemas/greeting.json", '{"type": "objekt"}'), V1, 12, "is not a JSON Schema that Cuelight can use", "2020-12"),
    "a remote reference": (("schemas/greeting.json", '{"$ref": "https://example.com/a.json"}'), V1, 12, "the remote reference", "copy that schema"),
    "a reference outside": (("schemas/greeting.json", '{"$ref": "../../x.json"}'), V1, 12, "leaves the folder", "inside the workflow folder"),
    "a schema without end": (("schemas/greeting.json", "[" * 90 + "]" * 90), "schemas/greeting.json", 1, "nested deeper than 60", "flatten"),
    "a suite of another name": (("suites/greeting.yaml", "suite: greeting", "suite: greetings"), "suites/greeting.yaml", 1, "calls itself greetings, expected greeting", "rename the file"),
    "an unknown grader": (("suites/greeting.yaml", "type: json_only", "type: jason_only"), "suites/greeting.yaml", 3, "there is no type 'jason_only'", "did you mean json_only?"),
    "a broken recording": (("recordings/a.jsonl", '\n{"content": 1}\n{'), "recordings/a.jsonl", 3, "broken JSON", "double quotes"),
    "an empty file": ((V1, "# nothing\n"), V1, 1, "the file is empty, expected a prompt document", "cuelight schema prompt"),
    "a list": ((V1, "- 1\n"), V1, 1, "a list, expected an object", "cuelight schema prompt"),
    "a single text": (("authority.yaml", "hello"), "authority.yaml", 1, "a single value, expected an object", "cuelight schema authority"),
    "not utf-8": ((V1, b"release_note: First.\n# caf\xe9\n"), V1, 2, "the byte 0xe9, expected UTF-8", "save the file as UTF-8"),
    "utf-16": ((V1, "release_note: x".encode("utf-16")), V1, 1, "UTF-16 text, expected UTF-8", "save the file as UTF-8"),
    "a control character": ((V1, b"release_note: First.\nx: \x01"), V1, 2, "the control character U+0001", "remove it"),
    "half a character": ((V1, 'release_note: "\\ud83d"'), V1, 1, "half of a surrogate pair", "the character itself"),
    "a fragment that is missing": ((V1, "  - role: system\n", INCLUDE + "  - role: system\n"), V1, 5, "the fragment fragments/house.md is not there", "put it at"),
    "a misnamed file": (("workflows.yaml", "a: 1"), "workflows.yaml", 1, "which is not read", "did you mean workflow.yaml?"),
    "a misnamed folder": (("suite/x.yaml", "a: 1"), "suite", 1, "which is not read", "did you mean suites?"),
    "an odd version": (("prompts/greeting/v02.yaml", "a: 1"), "prompts/greeting/v02.yaml", 1, "expected v1.yaml, v2.yaml", "no zeros in front"),
    "a file right in prompts": (("prompts/v1.yaml", "a: 1"), "prompts/v1.yaml", 1, "expected prompts/<name>/v1.yaml", "one folder down"),
    "a draft called production": (("prompts/greeting/production.yaml", "a: 1"), "prompts/greeting/production.yaml", 1, "names an environment", "rename"),
    "a name with capitals": (("suites/Greeting.yaml", "a: 1"), "suites/Greeting.yaml", 1, "expected lower-case", "rename the file"),
    "a second file for a label": (("prompts/greeting/v1.yml", "a: 1"), "prompts/greeting/v1.yml", 1, "a second file for v1", "keep one"),
    "an unlisted prompt": (("prompts/farewell/v1.yaml", ""), "prompts/farewell", 1, "workflow.yaml knows no prompt farewell", "known: greeting"),
    "a prompt without a file": (("workflow.yaml", "prompts:\n", "prompts:\n  farewell: {use_case: x, fallback: {message: x}}\n"), "workflow.yaml", 8, "the prompt farewell has no file", "write prompts/farewell/v1.yaml"),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_wrong_is_said_with_file_line_and_hint(shop, case):
    change, file, line, message, hint = BROKEN[case]
    shop.write(*change) if len(change) == 2 else shop.edit(*change)
    at = [one for one in problems(shop.path) if one["file"] == str(shop.path / file) and one["line"] == line]
    assert any(message in one["message"] and hint in one["hint"] for one in at), problems(shop.path)


@pytest.mark.parametrize("name", ["workflow.yaml", "authority.yaml"])
def test_a_file_that_every_folder_has_is_missing(shop, name):
    found = only(shop.remove(name).path)
    assert found["file"] == str(shop.path / name)
    assert "there is no such file" in found["message"]


def test_all_problems_come_at_once_in_order(shop):
    shop.edit(V1, "settings:", "setings: 1\nsettings:").edit(
        "suites/greeting.yaml", "severity: blocker", "severity: huge"
    )
    shop.write("knowledge/facts.yaml", "knowledge: facts\nitems: 3\n")
    found = problems(shop.path)
    assert [(one["file"].removeprefix(f"{shop.path}/"), one["line"]) for one in found] == [
        ("knowledge/facts.yaml", 2),
        (V1, 9),
        ("suites/greeting.yaml", 4),
    ]


def test_a_case_id_that_stands_twice_is_named_with_both_lines(shop):
    again = "  - id: G01\n    category: edge\n    title: again\n    input: {name: Bo}\n"
    shop.write("suites/greeting.yaml", (shop.path / "suites/greeting.yaml").read_text() + again)
    found = only(shop.path)
    assert (found["line"], found["message"]) == (11, "the case G01 a second time, first on line 6")


def test_two_recordings_of_one_sample_that_differ_are_refused(shop):
    line = {"content": "sha256:" + "a" * 64, "case": "G01", "output": "one", "provenance": "test"}
    shop.write("recordings/a.jsonl", json.dumps(line) + "\n")
    shop.write("recordings/b.jsonl", json.dumps(line) + "\n")
    assert len(read_folder(shop.path).bundle["recordings"]) == 2
    shop.write("recordings/b.jsonl", "\n" + json.dumps({**line, "output": "two"}) + "\n")
    found = only(shop.path)
    assert found["line"] == 2
    assert "the first is recordings/a.jsonl:1" in found["message"]


def test_a_file_of_20_mb_is_refused_by_name_and_size(shop):
    with (shop.path / V1).open("wb") as file:
        file.truncate(20 * 1024 * 1024)
    found = only(shop.path)
    assert (found["file"], found["message"]) == (str(shop.path / V1), "20.0 MB, expected at most 5 MB")
    assert found["hint"] == "split the file"


def test_a_folder_over_50_mb_is_refused_once(shop):
    padding = b"#" * (MAX_FILE - 10) + b"\n"
    for number in range(11):
        shop.write(f"recordings/{number:02}.jsonl", b"\n" * len(padding))
    found = only(shop.path)
    assert "passes 50 MB" in found["message"]


def test_a_link_out_of_the_folder_is_not_followed(shop, tmp_path):
    (tmp_path / "secret.yaml").write_text("knowledge: secret\nitems: []\n")
    (shop.path / "knowledge").mkdir()
    os.symlink(tmp_path / "secret.yaml", shop.path / "knowledge/secret.yaml")
    found = only(shop.path)
    assert "leads out of the workflow folder" in found["message"]
    assert found["file"].endswith("knowledge/secret.yaml")


def test_a_linked_folder_outside_is_not_entered(shop, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.yaml").write_text("knowledge: a\nitems: []\n")
    os.symlink(outside, shop.path / "knowledge")
    assert "leads out of the workflow folder" in only(shop.path)["message"]


def test_a_link_that_goes_in_circles_is_refused(shop):
    (shop.path / "knowledge").mkdir()
    os.symlink("loop.yaml", shop.path / "knowledge/loop.yaml")
    assert only(shop.path)["file"].endswith("knowledge/loop.yaml")


def test_a_link_inside_the_folder_is_read(shop):
    os.symlink("greeting.json", shop.path / "schemas/other.json")
    shop.edit(V1, "greeting.json", "other.json")
    assert read_folder(shop.path).bundle["prompts"]["greeting"]["v1"]["output"]["schema"]["type"] == "object"


def test_a_folder_that_is_not_there_and_a_file_in_its_place(shop):
    with pytest.raises(NotFound, match="there is no folder"):
        read_folder(shop.path / "nowhere")
    with pytest.raises(Invalid, match="is a file, expected a workflow folder"):
        read_folder(shop.path / V1)


def test_facts_of_the_desk_are_taken_out_and_reported(shop):
    before = read_folder(shop.path).digests
    shop.edit(
        V1,
        "release_note: First.",
        "release_note: First.\nstatus: approved\nauthor: mei.tanaka\nenvironment: production",
    )
    folder = read_folder(shop.path)
    assert folder.digests == before
    assert "status" not in folder.bundle["prompts"]["greeting"]["v1"]
    assert folder.bundle["ignored"] == [{"file": V1, "key": key} for key in ("status", "author", "environment")]


def test_windows_line_ends_and_a_byte_order_mark_change_nothing(shop):
    before = read_folder(shop.path).bundle
    for name in (V1, "workflow.yaml", "schemas/greeting.json"):
        shop.write(name, b"\xef\xbb\xbf" + (shop.path / name).read_bytes().replace(b"\n", b"\r\n"))
    assert read_folder(shop.path).bundle == before


def test_dates_yes_and_no_stay_text(shop):
    shop.edit(
        "suites/greeting.yaml",
        "name: Ada",
        "name: no\n      day: 2026-01-05\n      on: yes\n      time: 12:30:45\n      n: 017\n      o: 0o17",
    )
    given = read_folder(shop.path).bundle["suites"]["greeting"]["cases"][0]["input"]
    assert given == {"name": "no", "day": "2026-01-05", "on": "yes", "time": "12:30:45", "n": 17, "o": 15}


def test_aliases_are_read_and_a_bomb_is_refused(shop):
    shop.edit("suites/greeting.yaml", "name: Ada", "name: &n Ada\n      again: *n")
    assert read_folder(shop.path).bundle["suites"]["greeting"]["cases"][0]["input"]["again"] == "Ada"
    rows = "".join(f"      {chr(98 + n)}: &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 10)}]\n" for n in range(9))
    shop.edit("suites/greeting.yaml", "      again: *n\n", "      a: &a [x, x, x, x, x, x, x, x, x, x]\n" + rows)
    assert any("aliases unfold to more than 10,000 values" in one["message"] for one in problems(shop.path))


def test_deep_nesting_is_refused_at_once(shop):
    shop.write(V1, "messages: " + "[" * 4_000_000)
    assert only(shop.path)["message"] == "nested deeper than 60 levels"


def test_hidden_files_and_documents_beside_are_left_alone(shop):
    shop.write(".github/workflows.yaml", "a: 1").write("README.md", "# Hello").write("prompts/greeting/notes.txt", "x")
    assert read_folder(shop.path).bundle["ignored"] == []


def test_a_fragment_is_put_in_and_its_pin_is_checked(shop):
    pin = digest_bytes(b"Be kind.\n")
    shop.write("fragments/house.md", "Be kind.\r\n")
    shop.edit(V1, "  - role: system\n", INCLUDE.replace("house", f"house@{pin}") + "  - role: system\n")
    folder = read_folder(shop.path)
    part = folder.bundle["prompts"]["greeting"]["v1"]["messages"][0]["parts"][0]
    assert part == {"include": f"house@{pin}", "text": "Be kind.\n"}
    assert folder.fragments == {"house": pin}
    shop.write("fragments/house.md", "Be quick.\n")
    found = only(shop.path)
    assert (found["line"], "has changed" in found["message"]) == (5, True)
    shop.write(f"fragments/house.{pin.removeprefix('sha256:')[:12]}.md", "Be kind.\n")
    assert read_folder(shop.path).digests == folder.digests


def test_two_folders_with_equal_content_have_equal_digests(shop):
    before = read_folder(shop.path).digests["greeting"]["v1"]
    shop.edit(V1, "schema: schemas/greeting.json", "schema: {properties: {text: {type: string}}, type: object}")
    assert read_folder(shop.path).digests["greeting"]["v1"] == before
