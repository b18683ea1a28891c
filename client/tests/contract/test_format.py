"""What the file format says about a document that does not fit: the place, the likely key, however deep."""

import pytest

from cuelight.contract.format import KINDS, check, schema

PROMPT = {
    "messages": [{"role": "system", "content": "x"}],
    "settings": {"model": "m"},
    "evaluation": {"suite": "s", "gate": {"min_pass_rate": 0.9}},
}


def only(problems):
    assert len(problems) == 1, problems
    return problems[0]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_schema_complete_in_itself(kind):
    whole = schema(kind)
    assert whole["$ref"] == f"#/$defs/{kind}"
    assert check(kind, [])


def test_a_document_that_fits_has_no_problem():
    assert check("prompt", PROMPT) == []


@pytest.mark.parametrize(
    ("change", "path", "hint"),
    [
        pytest.param(
            {"messages": [{"role": "system", "parts": [{"text": "x", "blok": "rules"}]}]},
            ("messages", 0, "parts", 0, "blok"),
            "did you mean block?",
            id="a part inside a message",
        ),
        pytest.param(
            {"messages": [{"role": "system", "parts": [{"image": {"url": "u", "detal": "x"}}]}]},
            ("messages", 0, "parts", 0, "image", "detal"),
            "did you mean detail?",
            id="an image inside a part",
        ),
        pytest.param(
            {"settings": {"model": "m", "temprature": 1}},
            ("settings", "temprature"),
            "did you mean temperature?",
            id="a setting",
        ),
        pytest.param(
            {"context": [{"id": "a", "rule": "max_itemz", "variable": "v", "n": 1}]},
            ("context", 0, "rule"),
            "did you mean max_items?",
            id="a kind of context rule",
        ),
        pytest.param(
            {"output": {"rules": [{"id": "r", "require": {"any": [{"path": "x", "equal": 2, "at_most": 1}]}}]}},
            ("output", "rules", 0, "require", "any", 0, "equal"),
            "did you mean equals?",
            id="an operator deep in a condition",
        ),
    ],
)
def test_an_unknown_key_is_named_where_it_stands_with_what_was_meant(change, path, hint):
    problem = only(check("prompt", {**PROMPT, **change}))
    assert (problem.path, problem.hint) == (path, hint)


def test_a_misspelt_tag_and_its_missing_key_are_both_named():
    problems = check("prompt", {**PROMPT, "messages": [{"rol": "system", "content": "x"}]})
    assert {problem.path for problem in problems} == {("messages", 0), ("messages", 0, "rol")}
    assert any("did you mean role?" in problem.hint for problem in problems)


def test_the_shape_with_the_nearest_key_is_explained():
    problems = check("prompt", {**PROMPT, "output": {"on_invalid": [{"retri": 1}]}})
    assert [problem.hint for problem in problems if problem.path[-1] == "retri"] == ["did you mean retry?"]


def test_a_text_where_a_shape_belongs_says_which_keys_are_known():
    problem = only(check("prompt", {**PROMPT, "messages": ["hello"]}))
    assert problem.path == ("messages", 0)
    assert "placeholder" in problem.message


def test_keys_of_two_shapes_at_once_are_refused():
    both = {"role": "user", "content": "x", "parts": [{"text": "y"}]}
    assert check("prompt", {**PROMPT, "messages": [both]})


def test_a_document_full_of_mistakes_gives_twenty():
    assert len(check("prompt", {**PROMPT, "messages": [{"rol": "x"}] * 100})) == 20
