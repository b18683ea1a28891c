"""What a config may also say: matrices, prefixes, types that differ, prompts in every shape, judges, tools, filters of prompts."""

import json

import pytest

from client.tests.moving.conftest import refused
from cuelight.moving.models import endpoint
from cuelight.moving.promptfoo import import_config

ASK = [{"type": "contains", "value": "x"}]


def suite(made):
    return made.bundle["suites"]["it"]


def prompts(made):
    return made.bundle["prompts"]["it"]


def text(made, label="v1"):
    return prompts(made)[label]["messages"][0]["content"]


def test_lists_of_texts_multiply_in_order_and_other_lists_are_one_value(moved):
    made = moved(
        {"prompts": ["{{a}}{{b}}"], "tests": [{"vars": {"a": ["1", "2"], "b": ["x", "y"], "n": [1, 2], "e": []}}]}
    )
    inputs = [{**suite(made)["defaults"], **one["input"]} for one in suite(made)["cases"]]
    assert [(one["a"], one["b"]) for one in inputs] == [("1", "x"), ("1", "y"), ("2", "x"), ("2", "y")]
    assert all((one["n"], one["e"]) == ([1, 2], []) for one in inputs)
    assert [one["id"] for one in suite(made)["cases"]] == ["t1.1", "t1.2", "t1.3", "t1.4"]


def test_expansion_can_be_switched_off(moved):
    tests = [{"vars": {"a": ["1", "2"]}, "options": {"disableVarExpansion": True}, "assert": ASK}]
    assert suite(moved({"prompts": ["{{a}}"], "tests": tests}))["cases"][0]["input"] == {"a": ["1", "2"]}


def test_a_prefix_and_a_suffix_become_variables_around_the_prompt(moved):
    tests = [{"vars": {"a": "x"}, "options": {"prefix": "Hey ", "suffix": "!"}}, {"vars": {"a": "y"}}]
    made = moved({"prompts": ["Say {{a}}"], "providers": ["echo"], "tests": tests})
    assert [one["output"] for one in made.bundle["recordings"]] == ["Hey Say x!", "Say y"]


def test_a_variable_of_several_types_prints_as_it_does_there(moved):
    tests = [{"vars": {"a": value}} for value in ("text", 5, 1.5, True, None)]
    made = moved({"prompts": ["<{{a}}>"], "providers": ["echo"], "tests": tests})
    assert [one["output"] for one in made.bundle["recordings"]] == ["<text>", "<5>", "<1.5>", "<true>", "<>"]
    assert prompts(made)["v1"]["variables"][0]["type"] == "json"


def test_variables_that_name_others_are_filled(moved):
    tests = [{"vars": {"who": "Ann", "a": "Hello {{who}}, {{nobody}}"}}]
    made = moved({"prompts": ["{{a}}"], "providers": ["echo"], "tests": tests})
    assert made.bundle["recordings"][0]["output"] == "Hello Ann, {{nobody}}"


def test_prompts_in_every_shape(moved):
    files = {
        "two.txt": "first {{a}}\n---\nsecond {{a}}\n",
        "one.md": "# {{a}}\n",
        "talk.yaml": "- {role: system, content: be kind}\n- {role: user, content: '{{a}}'}\n",
        "lines.jsonl": '[{"role": "user", "content": "L1 {{a}}"}]\n[{"role": "user", "content": "L2 {{a}}"}]\n',
        "table.csv": 'prompt,label\n"C1 {{a}}",first row\n"C2 {{a}}",second row\n',
        "deep/x.j2": "{% if a %}{{ a }}{% endif %}",
    }
    names = ["two.txt", "file://one.md", "file://talk.yaml", "lines.jsonl", "file://table.csv", "file://deep/*.j2"]
    made = moved(
        {"prompts": [*names, "Inline/with a slash: {{a}}"], "tests": [{"vars": {"a": "x"}, "assert": ASK}]}, files
    )
    assert refused(made.report) == []
    assert list(prompts(made)) == [
        "v1", "two-2", "one", "talk", "lines-1", "lines-2", "first-row", "second-row", "x", "p10",
    ]  # fmt: skip
    assert [one["role"] for one in prompts(made)["talk"]["messages"]] == ["system", "user"]
    assert prompts(made)["x"]["messages"][0]["syntax"] == "jinja"


def test_a_prompt_as_a_map_of_paths_and_labels(moved):
    made = moved(
        {"prompts": {"a.txt": "short", "b.txt": "long"}, "tests": [{"vars": {"a": "x"}}]}, {"a.txt": "A", "b.txt": "B"}
    )
    assert list(prompts(made)) == ["v1", "long"]


def test_a_provider_can_be_for_some_prompts_only(moved):
    config = {
        "prompts": [{"label": "one", "raw": "1"}, {"label": "two", "raw": "2"}],
        "providers": ["echo", {"id": "openai:gpt-4o", "label": "big", "prompts": ["two"]}],
        "tests": [{"vars": {}, "assert": ASK}],
    }
    assert list(prompts(moved(config))) == ["v1", "two-echo", "two-big"]


@pytest.mark.parametrize(
    ("id", "settings", "state"),
    [
        ("echo", {"provider": "echo", "model": "echo"}, "carried"),
        ("openai:gpt-4o", {"provider": "openai", "model": "gpt-4o"}, "carried"),
        ("openai:chat:ft:gpt-4o:acme:x", {"provider": "openai", "model": "ft:gpt-4o:acme:x"}, "carried"),
        ("openai:responses:gpt-5", {"provider": "openai", "model": "gpt-5"}, "approximated"),
        ("openai:embedding:e", {"model": "openai:embedding:e"}, "refused"),
        ("anthropic:messages:claude-x", {"provider": "anthropic", "model": "claude-x"}, "carried"),
        ("anthropic:claude-x", {"provider": "anthropic", "model": "claude-x"}, "carried"),
        ("ollama:chat:llama3:8b", {"provider": "ollama", "model": "llama3:8b"}, "approximated"),
        ("openrouter:meta/llama", {"provider": "openrouter", "model": "meta/llama"}, "approximated"),
        ("https://a.example/x", {"provider": "http", "model": "http"}, "approximated"),
        ("exec:./run.sh", {"provider": "exec", "model": "exec"}, "approximated"),
        ("file://p.py", {"model": "file://p.py"}, "refused"),
        ("bedrock:x", {"model": "bedrock:x"}, "refused"),
    ],
)
def test_providers(id, settings, state):
    made, (said, why) = endpoint(id)
    assert (made, said) == (settings, state)
    assert why or state == "carried"


def test_settings_of_a_provider(moved):
    config = {
        "temperature": 0.3,
        "max_tokens": 50,
        "stop": "END",
        "response_format": {"type": "json_object"},
        "top_k": 3,
        "stream": True,
    }
    made = moved({"prompts": ["x"], "providers": [{"openai:chat:m-1": {"config": config}}]})
    assert prompts(made)["v1"]["settings"] == {
        "provider": "openai",
        "model": "m-1",
        "temperature": 0.3,
        "max_output_tokens": 50,
        "stop": ["END"],
        "structured_output": "json_object",
        "extra": {"top_k": 3},
    }


def test_the_judge_and_rubric_of_the_options_reach_graders_that_ask_a_model(moved):
    config = {
        "prompts": ["x"],
        "defaultTest": {"options": {"provider": "openai:chat:judge", "rubricPrompt": "file://rubric.txt"}},
        "tests": [{"assert": [{"type": "llm-rubric", "value": "kind", "provider": "openai:chat:own"}, *ASK]},
                  {"assert": [{"type": "llm-rubric", "value": "short"}]}],
    }  # fmt: skip
    made = moved(config, {"rubric.txt": "Judge {{output}}\n"})
    rules = [one["graders"][0] for one in suite(made)["cases"]]
    assert [one["provider"] for one in rules] == ["openai:chat:own", "openai:chat:judge"]
    assert {one["rubric_prompt"] for one in rules} == {"Judge {{output}}"}
    assert set(suite(made)["cases"][0]["graders"][1]) == {"type", "severity", "value"}


def test_a_weight_of_nothing_only_reports(moved):
    made = moved({"prompts": ["x"], "tests": [{"assert": [{"type": "contains", "value": "x", "weight": 0}]}]})
    assert suite(made)["cases"][0]["graders"][0]["severity"] == "minor"


def test_repeats_the_pass_rate_and_metadata(moved):
    config = {
        "prompts": ["x"],
        "evaluateOptions": {"repeat": 3, "maxConcurrency": 1},
        "env": {"PROMPTFOO_PASS_RATE_THRESHOLD": 90},
        "tests": [
            {"assert": ASK, "metadata": {"category": "edge", "lang": "de", "topics": ["a", "b"]}, "description": "one"}
        ],
    }
    made = moved(config)
    gate = prompts(made)["v1"]["evaluation"]["gate"]
    assert gate == {"min_pass_rate": 0.9, "repeat": {"samples": 3, "majors_min": 3}}
    case = suite(made)["cases"][0]
    assert (case["category"], case["title"]) == ("edge", "one")
    assert case["tags"] == ["category:edge", "lang:de", "topics:a", "topics:b"]


def test_a_test_whose_variable_is_code_takes_its_assertions_with_it(moved):
    tests = [{"vars": {"a": "file://v.js"}, "assert": ASK * 2}, {"vars": {"a": "x"}, "assert": ASK}]
    made = moved({"prompts": ["{{a}}"], "tests": tests}, {"v.js": "throw new Error('run')"})
    assert made.report.assertions() == {"carried": 1, "approximated": 0, "refused": 2}
    assert len(suite(made)["cases"]) == 1


def test_an_assertion_that_is_refused_in_a_default_is_counted_once(moved):
    config = {
        "prompts": ["x"],
        "defaultTest": {"assert": [{"type": "ruby", "value": "1"}, *ASK]},
        "tests": [{"vars": {"a": str(n)}} for n in range(5)],
    }
    made = moved(config)
    assert made.report.assertions() == {"carried": 1, "approximated": 0, "refused": 1}
    assert suite(made)["graders"] == [{"type": "contains", "severity": "major", "value": "x"}]


def test_a_prompt_that_code_makes_waits_to_be_written(moved):
    made = moved({"prompts": ["file://p.js"], "tests": [{"assert": ASK}]}, {"p.js": "module.exports = () => 'x'"})
    assert list(prompts(made)) == ["todo-file-p.js"]
    assert "To be written" in text(made, "todo-file-p.js")


def test_a_set_keeps_what_can_be_kept(moved):
    inner = [{"type": "contains", "value": "x"}, {"type": "ruby", "value": "1"}]
    made = moved({"prompts": ["x"], "tests": [{"assert": [{"type": "assert-set", "threshold": 0.5, "assert": inner}]}]})
    grader = suite(made)["cases"][0]["graders"][0]
    assert [one["type"] for one in grader["assert"]] == ["contains"]
    assert made.report.assertions() == {"carried": 1, "approximated": 0, "refused": 1}


def test_a_config_as_json_with_everything_in_one_line(tmp_path):
    file = tmp_path / "my eval.json"
    file.write_text(json.dumps({"prompts": "{{a}}", "providers": "echo", "tests": [{"vars": {"a": 1}, "assert": ASK}]}))
    made = import_config(file)
    assert made.bundle["workflow"]["workflow"] == "my_eval"
    assert made.bundle["recordings"][0]["output"] == "1"
