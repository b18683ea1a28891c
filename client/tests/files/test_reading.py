"""Reading a folder: all or nothing, within limits, never outside, and text stays text."""

import json

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


def test_labels_beside_a_suite_are_a_part_of_it(shop):
    line = {"grader": "llm-rubric", "case": "G01", "output": "Dear Ada", "passed": True, "by": "mei.tanaka"}
    shop.write("suites/greeting.labels.jsonl", f"{json.dumps(line)}\n\n{json.dumps({**line, 'passed': False})}\n")
    folder = read_folder(shop.path)
    assert [one["passed"] for one in folder.bundle["suites"]["greeting"]["labels"]] == [True, False]
    assert folder.unread == {}
    shop.write("suites/greeting.labels.jsonl", f"{json.dumps(line)}\n{json.dumps({**line, 'passed': 'yes'})}\n")
    found = only(shop.path)
    assert (found["file"], found["line"]) == (str(shop.path / "suites/greeting.labels.jsonl"), 2)


def test_labels_without_a_suite_are_named_as_unread(shop):
    shop.write("suites/other.labels.jsonl", "{}")
    assert "suites/other.labels.jsonl" in read_folder(shop.path).unread


def test_a_file_of_20_mb_is_refused_by_name_and_size(shop):
    with (shop.path / V1).open("wb") as file:
        file.truncate(20 * 1024 * 1024)
    found = only(shop.path)
    assert (found["file"], found["message"]) == (str(shop.path / V1), "20.0 MB, expected at most 5 MB")
    assert found["hint"] == "split the file"


def test_a_folder_over_50_mb_is_refused_once(shop):
    for number in range(11):
        shop.write(f"recordings/{number:02}.jsonl", b" " * (MAX_FILE - 1) + b"\n")
    found = only(shop.path)
    assert "passes 50 MB" in found["message"]


def test_a_link_out_of_the_folder_is_not_followed(shop, tmp_path):
    (tmp_path / "secret.yaml").write_text("knowledge: secret\nitems: []\n")
    (shop.path / "knowledge").mkdir()
    (shop.path / "knowledge/secret.yaml").symlink_to(tmp_path / "secret.yaml")
    found = only(shop.path)
    assert "leads out of the workflow folder" in found["message"]
    assert found["file"].endswith("knowledge/secret.yaml")


def test_a_linked_folder_outside_is_not_entered(shop, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.yaml").write_text("knowledge: a\nitems: []\n")
    (shop.path / "knowledge").symlink_to(outside)
    assert "leads out of the workflow folder" in only(shop.path)["message"]


def test_a_link_that_goes_in_circles_is_refused(shop):
    (shop.path / "knowledge").mkdir()
    (shop.path / "knowledge/loop.yaml").symlink_to("loop.yaml")
    assert only(shop.path)["file"].endswith("knowledge/loop.yaml")


def test_a_link_inside_the_folder_is_read(shop):
    (shop.path / "schemas/other.json").symlink_to("greeting.json")
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
