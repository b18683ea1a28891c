"""Configs that lead out of their folder, unfold without end, or bring code: each is stopped, named, and nothing is run."""

import os
import time

import pytest

from client.tests.moving.conftest import refused
from cuelight.contract.errors import Invalid, NotFound
from cuelight.moving import sources
from cuelight.moving.promptfoo import import_config

ECHO = {"providers": ["echo"], "prompts": ["{{a}}"]}


@pytest.mark.parametrize("path", ["../secret.txt", "/etc/hostname", "inner/../../secret.txt"])
def test_a_path_out_of_the_folder_is_refused_unless_it_was_asked_for(moved, tmp_path, path):
    (tmp_path / "secret.txt").write_text("the secret")
    config = {**ECHO, "tests": [{"vars": {"a": f"file://{path}"}, "assert": [{"type": "contains", "value": "x"}]}]}
    made = moved(config)
    assert "leaves the folder" in refused(made.report)[0][2]
    assert "the secret" not in str(made.bundle)
    if path.endswith("secret.txt"):
        files = {"inner/x.txt": ""}
        assert "the secret" in str(moved(config, files, allow_outside=True).bundle)


@pytest.mark.parametrize("place", ["prompts", "tests", "vars", "value", "code", "glob"])
def test_a_link_out_of_the_folder_is_refused_everywhere(moved, tmp_path, place):
    (tmp_path / "secret.txt").write_text("contains the secret")
    (tmp_path / "place").mkdir()
    for name in ("link.txt", "link.csv", "link.js"):
        (tmp_path / "place" / name).symlink_to(tmp_path / "secret.txt")
    test = {"vars": {"a": "b"}, "assert": [{"type": "contains", "value": "b"}]}
    config = {**ECHO, "tests": [test]}
    if place == "prompts":
        config["prompts"] = ["file://link.txt"]
    elif place == "tests":
        config["tests"] = "file://link.csv"
    elif place in ("vars", "glob"):
        config["tests"] = [{"vars": {"a": "file://link.txt" if place == "vars" else "file://*.txt"}}]
    elif place == "value":
        test["assert"][0]["value"] = "file://link.txt"
    else:
        test["assert"] = [{"type": "javascript", "value": "file://link.js"}]
    made = moved(config)
    assert any("leaves the folder" in why for _, _, why in refused(made.report))
    assert "the secret" not in str(made.bundle)


def test_a_link_to_itself_and_a_pipe_are_no_files(moved, tmp_path):
    (tmp_path / "place").mkdir()
    (tmp_path / "place" / "round.txt").symlink_to("round.txt")
    os.mkfifo(tmp_path / "place" / "pipe.txt")
    tests = [
        {"vars": {"a": f"file://{name}.txt"}, "assert": [{"type": "equals", "value": 1}]} for name in ("round", "pipe")
    ]
    assert len([one for one in refused(moved({**ECHO, "tests": tests}).report) if one[0] == "test"]) == 2


def test_aliases_that_unfold_without_end_are_refused(moved):
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    with pytest.raises(Invalid, match="unfold"):
        moved("\n".join(rows))


def test_references_in_a_circle_are_refused(moved):
    with pytest.raises(Invalid, match="back to itself"):
        moved(
            {
                **ECHO,
                "assertionTemplates": {
                    "a": {"$ref": "#/assertionTemplates/b"},
                    "b": {"$ref": "#/assertionTemplates/a"},
                },
            }
        )


def test_references_that_unfold_without_end_are_refused(moved):
    templates = {f"a{n}": {"x": [{"$ref": f"#/assertionTemplates/a{n + 1}"}] * 30} for n in range(6)}
    begun = time.perf_counter()
    with pytest.raises(Invalid, match="unfolds"):
        moved({**ECHO, "assertionTemplates": {**templates, "a6": {"type": "equals"}}})
    assert time.perf_counter() - begun < 20


def test_files_that_name_each_other_are_refused(moved):
    files = {"a.yaml": "x: file://b.yaml\n", "b.yaml": "x: file://a.yaml\n"}
    made = moved({**ECHO, "tests": [{"vars": "a.yaml", "assert": [{"type": "equals", "value": 1}]}]}, files)
    assert "more than 30 deep" in str(refused(made.report))


def test_a_matrix_that_multiplies_beyond_a_suite_is_refused(moved):
    lists = {f"v{n}": [str(one) for one in range(30)] for n in range(8)}
    made = moved({**ECHO, "tests": [{"vars": lists, "assert": [{"type": "equals", "value": 1}]}]})
    assert "multiply to 656,100,000,000 cases" in str(refused(made.report))


def test_variables_that_grow_by_naming_each_other_are_refused(moved):
    names = {f"v{n}": "".join(f"{{{{v{n + 1}}}}}" for _ in range(40)) for n in range(9)}
    made = moved({**ECHO, "tests": [{"vars": {**names, "v9": "x" * 50}, "assert": [{"type": "equals", "value": 1}]}]})
    assert "grows by naming others" in str(refused(made.report))


def test_a_file_beyond_the_limit_is_refused(moved, monkeypatch):
    monkeypatch.setattr(sources, "MAX_FILE", 1000)
    made = moved({**ECHO, "tests": [{"vars": {"a": "file://big.txt"}}]}, {"big.txt": "x" * 1001})
    assert "big.txt has more than" in str(refused(made.report))


@pytest.mark.parametrize(
    "text", ["", "- a list", "just words", "a: [", "a: 1\na: 2\n", "prompts: !!python/object/apply:os.system ['true']"]
)
def test_what_is_no_config_is_refused_and_never_run(moved, text):
    with pytest.raises(Invalid) as caught:
        moved(text)
    assert caught.value.hint


def test_a_config_in_code_and_a_folder_without_one_are_told_so(tmp_path):
    (tmp_path / "promptfooconfig.js").write_text("module.exports = {}")
    with pytest.raises(Invalid, match="is code"):
        import_config(tmp_path / "promptfooconfig.js")
    with pytest.raises(NotFound, match="no promptfooconfig"):
        import_config(tmp_path)


def test_a_key_in_a_config_is_written_nowhere(moved):
    config = {"apiKey": "sk-secret", "headers": {"Authorization": "Bearer sk-secret"}, "temperature": 0.5}
    made = moved({**ECHO, "providers": [{"id": "openai:chat:gpt-4o", "config": config}]})
    assert "sk-secret" not in str(made.bundle)
    assert "sk-secret" not in str(made.report.to_json())


def test_merge_keys_numbers_as_keys_and_dates_are_read(moved):
    made = moved(
        """
shared: &shared {type: contains, weight: 2}
prompts: ["{{a}} {{day}}"]
providers: [echo]
tests:
  - vars: {a: 1, day: 2024-05-01, 5: five}
    assert:
      - <<: *shared
        value: "1"
"""
    )
    case = made.bundle["suites"]["it"]["cases"][0]
    assert case["input"] == {"a": 1, "day": "2024-05-01", "5": "five"}
    assert case["graders"] == [{"type": "contains", "severity": "major", "value": "1", "weight": 2}]
