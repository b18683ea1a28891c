"""Templates: plain ones become strict, others jinja, and what has no counterpart is refused by its name."""

import pytest

from cuelight.contract.jinja import compile_as
from cuelight.moving.nunjucks import translate
from cuelight.moving.report import CannotCarry


@pytest.mark.parametrize(
    ("text", "made", "names"),
    [
        ("no variable", "no variable", ()),
        ("Hi {{name}}, {{ name }}", "Hi {{name}}, {{name}}", ("name", "name")),
        ("{{ body | safe }}", "{{body}}", ("body",)),
        ('{"a": {"b": 1}}', '{"a": {"b": 1}}', ()),
        ("left {{ open", "left {{{{ open", ()),
    ],
)
def test_plain_variables_become_strict(text, made, names):
    found = translate(text, {}, {})
    assert (found.text, found.syntax, found.names) == (made, "", names)


@pytest.mark.parametrize(
    ("text", "values", "said"),
    [
        ("{{ a | upper }}", {"a": "x"}, "X"),
        ("{{ a.b }}|{{ a.c }}", {"a": {"b": 1}}, "1|"),
        ("{% if a === 'x' %}yes{% elseif a !== 'y' %}no{% endif %}", {"a": "z"}, "no"),
        ("{{ a.length }} {{ a.toUpperCase() }} {{ l.join('-') }}", {"a": "xy", "l": ["p", "q"]}, "2 XY p-q"),
        ("{% for k, v in a %}{{ k }}={{ v }};{% endfor %}", {"a": {"x": 1}}, "x=1;"),
        ("{% if a.b %}in{% else %}out{% endif %}", {"a": {}}, "out"),
        ("{{ a | dump }}", {"a": {"x": [1]}}, '{"x":[1]}'),
        ("{{ 'a.length === {{' }}{# a note #}", {}, "a.length === {{"),
        ("{% raw %}{{ a }}{% endraw %}", {}, "{{ a }}"),
        ("{% if a == null %}none{% endif %}", {"a": None}, "none"),
        ("{% set b = a %}{{ b }}", {"a": 1.0}, "1"),
    ],
)
def test_code_becomes_jinja_and_says_the_same(text, values, said):
    found = translate(text, {name: [value] for name, value in values.items()}, {})
    assert found.syntax == "jinja"
    assert compile_as("jinja", found.text).render(values) == said


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("{{ a | shorten }}", "shorten"),
        ("{{ a.slice(1) }}", "slice"),
        ("{% include 'b.txt' %}", "include"),
        ("{% extends 'b' %}", "extends"),
        ("{% if %}", "jinja"),
        ("{{ a b }}", "jinja"),
    ],
)
def test_what_has_no_counterpart_is_named(text, word):
    with pytest.raises(CannotCarry, match=word):
        translate(text, {}, {})


def test_a_value_of_the_configs_own_env_is_put_in_and_one_of_the_process_is_not_read(monkeypatch):
    monkeypatch.setenv("SECRET", "do not look")
    found = translate("{{ env.TEAM }} {{ env.SECRET }}", {}, {"TEAM": "north"})
    assert (found.text, found.names) == ("north {{env_SECRET}}", ("env_SECRET",))


def test_an_empty_list_in_a_condition_is_a_difference():
    assert "true in JavaScript" in translate("{% if a %}x{% endif %}", {"a": [[]]}, {}).differs[0]
