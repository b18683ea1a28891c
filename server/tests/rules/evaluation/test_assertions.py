"""Every assertion under promptfoo's name: outputs that it lets pass, outputs that it does not, and what stays open."""

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuelight_server.evaluation.graders import prepare
from cuelight_server.evaluation.graders.asserts.similarity import bleu, gleu, meteor, rouge
from cuelight_server.evaluation.graders.asserts.structure import objects_in
from cuelight_server.evaluation.graders.asserts.texts import distance
from cuelight_server.kernel.assertions import NAMES, NEEDS, NEVER, SET, pieces
from cuelight_server.kernel.errors import Invalid
from cuelight_server.kernel.judges import ELSEWHERE
from server.tests.grading import word

PASSING = [
    ("contains", 7, "n 7"),
    ("icontains", "STRASSE", "die strasse"),
    ("contains-any", "Alpha, Gamma", "x Gamma"),
    ("contains-any", '"a, b", c', "so a, b it is"),
    ("icontains-any", ["ALPHA"], "an alpha"),
    ("contains-all", ["a", "b"], "b a"),
    ("icontains-all", "A, B", "b a"),
    ("starts-with", "he", "hello"),
    ("equals", 5.0, "5"),
    ("equals", True, "true"),
    ("equals", None, "null"),
    ("equals", {"a": 1}, '{"a": 1.0}'),
    ("equals", [1, 2], "[1,2]"),
    ("regex", "^\\w+$", "abc"),
    ("is-json", None, "5"),
    ("is-json", None, '{"a": 1, "a": 2}'),
    ("is-json", {"type": "object", "properties": {"e": {"format": "email"}}}, '{"e": "x@y.zz"}'),
    ("is-json", '{"type": "array"}', "[]"),
    ("is-json", True, "[]"),
    ("contains-json", None, 'Sure: {"a": {"b": 1}} done'),
    ("contains-json", {"required": ["b"]}, '{"a": 1} then {"b": 1}'),
    ("word-count", {"min": 1}, "one two"),
    ("word-count", {"max": 0}, "  "),
    ("levenshtein", "kitten", "sitting"),
    ("is-refusal", None, "I’m sorry, but I can’t help with that."),
    ("is-refusal", None, "We cannot assist with that request."),
    ("is-html", None, "<div>x<br></div>"),
    ("is-html", None, "<!DOCTYPE html><html><body>loose words</body></html>"),
    ("contains-html", None, "see <b>this</b>"),
    ("is-xml", None, "<?xml version='1.0'?><a>1</a>"),
    ("is-xml", {"requiredElements": ["a.b"]}, "<a><b/></a>"),
    ("contains-xml", {"requiredElements": ["a.b"]}, "so: <a x='1'><b>1</b></a>."),
    ("is-sql", None, "SELECT id FROM users WHERE name = 'x'"),
    ("is-sql", {"databaseType": "PostgreSQL", "allowedTables": ["select::null::users"]}, "SELECT id FROM users"),
    ("is-sql", {"allowedColumns": ["select::(null|users)::id"]}, "SELECT users.id FROM users"),
    ("contains-sql", None, "Here:\n```sql\nSELECT 1\n```"),
    ("rouge-n", "the cat", "The cat."),
    ("bleu", ["the cat sat on it", "a b"], "the cat sat on it"),
    ("gleu", "the cat sat on it", "The cat sat on it."),
    ("meteor", "the cat sat on it", "the cat sat on it"),
]
FAILING = [
    ("contains", "x", "abc"),
    ("contains-any", ["x", "y"], "abc"),
    ("contains-all", ["a", "y"], "abc"),
    ("starts-with", "b", "abc"),
    ("equals", "abc", " abc"),
    ("equals", True, "True"),
    ("equals", {"a": 1}, '{"a": true}'),
    ("equals", {"a": 1}, "no"),
    ("regex", "a.b", "a\nb"),
    ("regex", "b$", "ab\n"),
    ("is-json", None, "NaN"),
    ("is-json", None, "```json\n{}\n```"),
    ("is-json", False, "[]"),
    ("is-json", {"properties": {"d": {"format": "date"}}}, '{"d": "2024-02-30"}'),
    ("contains-json", None, "[1] 5 null"),
    ("contains-json", None, "{'a': 1}"),
    ("word-count", "3", "one two"),
    ("levenshtein", "kitten", "completely different"),
    ("is-refusal", None, "Sure, here it is"),
    ("is-html", None, "words <b>and</b> tags"),
    ("is-html", None, "<thing>x</thing>"),
    ("is-html", None, ""),
    ("is-html", None, "<?xml version='1.0'?><p>x</p>"),
    ("contains-html", None, "a < b and c > d"),
    ("is-xml", None, "<a><b></a>"),
    ("is-xml", None, '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>'),
    ("contains-xml", None, "1 < 2 > 1"),
    ("is-sql", None, "hello"),
    ("is-sql", None, "SELECT FROM WHERE"),
    ("is-sql", None, "(" * 5000),
    ("is-sql", {"allowedTables": ["select::null::users"]}, "SELECT 1 FROM secrets"),
    ("is-sql", {"allowedTables": ["select::null::users"]}, "DELETE FROM users"),
    ("is-sql", {"allowedColumns": ["select::null::id"]}, "SELECT * FROM users"),
    ("rouge-n", "the cat", "a dog"),
    ("bleu", "the cat", ""),
    ("gleu", "the cat", "a dog ran"),
]


@pytest.mark.parametrize(("kind", "value", "output"), PASSING)
def test_an_output_that_is_as_wanted_passes_and_with_not_it_fails(kind, value, output):
    rule = {"type": kind} if value is None and NEEDS[kind].name != "ANYTHING" else {"type": kind, "value": value}
    passed, turned = word(rule, output), word({**rule, "type": f"not-{kind}"}, output)
    assert (passed.passed, passed.message, passed.not_run) == (True, "", "")
    assert (turned.passed, turned.not_run) == (False, "")
    assert turned.message


@pytest.mark.parametrize(("kind", "value", "output"), FAILING)
def test_an_output_that_is_not_as_wanted_fails_and_with_not_it_passes(kind, value, output):
    rule = {"type": kind} if value is None else {"type": kind, "value": value}
    failed, turned = word(rule, output), word({**rule, "type": f"not-{kind}"}, output)
    assert (failed.passed, failed.not_run) == (False, "")
    assert failed.message
    assert (turned.passed, turned.not_run) == (True, "")


OPEN = [
    ({"type": "latency", "threshold": 100}, "nobody took the time"),
    ({"type": "not-latency", "threshold": 100}, "nobody took the time"),
    ({"type": "cost", "threshold": 1}, "the cost is not known"),
    ({"type": "perplexity"}, "log probabilities"),
    ({"type": "trace-span-count", "value": {"pattern": "*", "min": 1}}, "traces"),
    ({"type": "javascript", "value": "true"}, "cuelight-server[js]"),
    ({"type": "not-javascript", "value": "true"}, "cuelight-server[js]"),
    ({"type": "python", "value": "True"}, "CUELIGHT_PYTHON_GRADERS=on"),
    ({"type": "contains", "value": "x", "transform": "output"}, "cuelight-server[js]"),
    ({"type": "contains", "value": "x", "transform": "python: output"}, "CUELIGHT_PYTHON_GRADERS=on"),
    ({"type": "llm-rubric", "value": "is polite"}, "no judge is named"),
    ({"type": "webhook", "value": "https://graders.example.org"}, "CUELIGHT_GRADER_WEBHOOKS"),
    ({"type": "similar", "value": "x", "transform": "output"}, "cuelight-server[js]"),
    ({"type": "is-valid-function-call"}, "declares no tools"),
    ({"type": "contains", "value": "{{name}}"}, "nothing to look for"),
    ({"type": "regex", "value": "{{broken}}"}, "no pattern in JavaScript"),
    ({"type": "meteor", "value": "the automobile stopped"}, "WordNet"),
]


@pytest.mark.parametrize(("rule", "why"), OPEN, ids=lambda one: one["type"] if isinstance(one, dict) else "")
def test_what_cannot_run_has_no_word_and_says_why(rule, why):
    said = word(rule, "the car stopped", input={"broken": "["}, tool_calls=({"name": "search", "arguments": {}},))
    if why == "nothing to look for":
        assert "no text to look for" in said.not_run
    else:
        assert why in said.not_run
    assert not said.passed


def test_no_name_that_stands_in_the_format_is_unknown_to_the_graders():
    for name in sorted(NAMES - {SET}):
        rule = {
            "type": name,
            "value": {"name": "a", "args": {}, "steps": ["a"]} if "trajectory" in name else "x",
            "threshold": 0.5,
        }
        if name.endswith(("-json", "-xml", "-sql", "word-count")):
            rule["value"] = {} if "word" not in name else 3
        assert prepare({"severity": "minor", **rule}, None).name == name
    assert set(NEEDS) > NEVER
    assert not ELSEWHERE & set(NEEDS)


WRONG = [
    ({"type": "contains"}, "no text to look for"),
    ({"type": "contains", "value": ""}, "no text to look for"),
    ({"type": "contains-any", "value": []}, "nothing to look for"),
    ({"type": "contains-all", "value": " , "}, "nothing to look for"),
    ({"type": "equals"}, "no value"),
    ({"type": "regex", "value": "(?i)x"}, "no pattern in JavaScript"),
    ({"type": "not-regex", "value": "["}, "no pattern in JavaScript"),
    ({"type": "regex", "value": "a{1000000000}"}, "repeats to more than"),
    ({"type": "is-json", "value": 5}, "no JSON Schema"),
    ({"type": "is-json", "value": {"type": "objekt"}}, "not a JSON Schema"),
    ({"type": "is-json", "value": "type: object"}, "a text that is no JSON"),
    ({"type": "latency"}, "no limit"),
    ({"type": "cost", "threshold": -1}, "no limit"),
    ({"type": "word-count", "value": {"min": 5, "max": 2}}, "no count is at least 5 and at most 2"),
    ({"type": "word-count", "value": {}}, "neither min nor max"),
    ({"type": "word-count", "value": "many"}, "no number"),
    ({"type": "rouge-n", "value": "x", "threshold": 75}, "a score from 0 to 1"),
    ({"type": "bleu", "value": [1]}, "no text to compare with"),
    ({"type": "javascript", "value": " "}, "no code"),
    ({"type": "python", "value": "file://check.py"}, "the desk reads no files"),
    ({"type": "is-sql", "value": {"databaseType": "MyBase"}}, "no reader for SQL"),
    ({"type": "trajectory:tool-used"}, "does not say what is wanted"),
    ({"type": "trajectory:tool-args-match", "value": {"name": "x"}}, "does not say which arguments"),
    ({"type": "contains", "value": "{{name"}, "is no template"),
    ({"type": "contains", "value": "{% include 'x' %}"}, "may not use"),
    ({"type": "assert-set", "assert": []}, "no graders"),
    ({"type": "assert-set", "assert": [{"type": "contains"}]}, "no text to look for"),
    ({"type": "assert-set", "assert": [{"type": "assert-set"}]}, "an assert-set holds 'assert-set'"),
    ({"type": "assert-set", "assert": [{"type": "json_only"}]}, "an assert-set holds 'json_only'"),
]


@pytest.mark.parametrize(("rule", "words"), WRONG)
def test_what_can_never_work_is_refused_before_anything_runs(rule, words):
    with pytest.raises(Invalid) as refused:
        prepare({"severity": "major", **rule}, None)
    assert words in refused.value.message
    assert refused.value.hint


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("{{ name }}", "Gwen"),
        ("{{ name | upper }}!", "GWEN!"),
        ("{{ missing }}x", "x"),
        ("{{ missing.deep.down }}x", "x"),
        ("{{ missing | default('y') }}", "y"),
        ("{{ on }} {{ nothing }}x", "true x"),
        ("{{ five }}", "5"),
        ("{{ list }}", "a,b"),
        ("{{ list | join('-') }}", "a-b"),
        ("{{ deep | dump }}", '{"a":[1,2]}'),
        ("{% if on %}yes{% else %}no{% endif %}", "yes"),
        ("{% for one in list %}<{{ one }}>{% endfor %}", "<a><b>"),
        ("{{ tag }}", "<b>&</b>"),
        ("{{ name | replace('G', 'W') }}", "Wwen"),
    ],
)
def test_texts_in_a_value_are_rendered_with_the_inputs_of_the_case(value, text):
    given = {
        "name": "Gwen",
        "on": True,
        "nothing": None,
        "five": 5.0,
        "list": ["a", "b"],
        "deep": {"a": [1, 2]},
        "tag": "<b>&</b>",
    }
    assert word({"type": "equals", "value": value}, text, input=given).message == ""
    assert word({"type": "contains-all", "value": [value, "x"]}, f"{text}x", input=given).passed


def test_an_object_is_not_rendered():
    assert word({"type": "equals", "value": {"a": "{{ name }}"}}, '{"a": "{{ name }}"}', input={"name": "x"}).passed


@pytest.mark.parametrize(
    "bomb",
    [
        "{% for a in t %}{% for b in t %}{% for c in t %}{{ t }}{% endfor %}{% endfor %}{% endfor %}",
        "{{ t" + " | replace('a', 'aaaaaaaaaa')" * 8 + " }}",
        "{{ t | list | join(t) }}",
        "{{ t * 1000000000 }}",
        "{{ range(1000000000) }}",
        "{{ t | indent(1000000000) }}",
    ],
)
def test_a_template_that_grows_without_end_has_no_word(bomb):
    assert word({"type": "contains", "value": bomb}, "a", input={"t": "a" * 2000}).not_run


def test_a_pattern_that_takes_too_long_has_no_word_and_ends_soon():
    said = word({"type": "regex", "value": "(a+)+$"}, "a" * 5000 + "b")
    assert "ran longer than 1 s" in said.not_run


def test_a_path_looks_at_the_value_there_and_an_output_without_json_fails_both_ways():
    rule = {"type": "icontains", "path": "body", "value": "GWEN"}
    assert word(rule, '{"body": "hello gwen"}').passed
    assert not word(rule, '{"other": "hello gwen"}').passed
    for kind in ("icontains", "not-icontains"):
        said = word({**rule, "type": kind}, "no json")
        assert (said.passed, said.not_run) == (False, "")
        assert said.message.startswith("nothing to look at")
    assert word({"type": "not-icontains", "path": "$text", "value": "x"}, "no json").passed


def test_equals_and_regex_with_a_path_are_cuelights_own():
    assert word({"type": "equals", "path": "a", "value": 1}, '{"a": 1}').passed
    assert word({"type": "regex", "path": "a", "pattern": "(?i)X"}, '{"a": "x"}').passed
    assert not word({"type": "regex", "path": "a", "value": "X"}, '{"a": "x"}').passed


def test_a_weight_of_nothing_only_reports_and_always_passes():
    said = word({"type": "contains", "value": "z", "weight": 0, "metric": "m"}, "abc")
    assert (said.passed, said.score, said.weight, said.metric) == (True, 0, 0, "m")
    assert not word({"type": "python", "value": "1", "weight": 0}, "abc").passed


SETS = [
    ([("a", 1), ("z", 1)], None, False, 0.5, ""),
    ([("a", 1), ("z", 1)], 0.5, True, 0.5, ""),
    ([("a", 1), ("z", 3)], 0.5, False, 0.25, ""),
    ([("a", 1), ("z", 0)], None, True, 1.0, ""),
]


@pytest.mark.parametrize(("members", "threshold", "passes", "score", "open_"), SETS)
def test_a_set_counts_as_one(members, threshold, passes, score, open_):
    rule = {"type": "assert-set", "assert": [{"type": "contains", "value": v, "weight": w} for v, w in members]}
    said = word(rule if threshold is None else {**rule, "threshold": threshold}, "abc")
    assert (said.passed, said.score, said.not_run) == (passes, score, open_)


@pytest.mark.parametrize(
    ("found", "threshold", "passes", "open_"),
    [
        ("a", None, False, True),
        ("z", None, False, False),
        ("a", 0.5, True, False),
        ("z", 0.6, False, False),
        ("z", 0.5, False, True),
    ],
)
def test_a_set_with_a_member_that_has_not_run_is_open_where_that_member_would_decide(found, threshold, passes, open_):
    members = [{"type": "contains", "value": found}, {"type": "javascript", "value": "true"}]
    rule = {"type": "assert-set", "assert": members}
    said = word(rule if threshold is None else {**rule, "threshold": threshold}, "abc")
    assert (said.passed, bool(said.not_run)) == (passes, open_)


@given(st.text("ab", max_size=8), st.text("ab", max_size=8), st.integers(0, 8))
def test_the_distance_is_levenshteins_up_to_the_limit(one, other, most):
    row = list(range(len(other) + 1))
    for line, char in enumerate(one, 1):
        new = [line]
        for column, its in enumerate(other, 1):
            new.append(min(row[column - 1] + (char != its), row[column] + 1, new[-1] + 1))
        row = new
    assert distance(one, other, most) == min(row[-1], most + 1)


@given(st.text("ab. c", max_size=30), st.text("ab. c", min_size=1, max_size=30))
def test_every_score_of_similarity_lies_between_0_and_1_and_is_1_for_equal_words(one, other):
    for score in (rouge(one, other), bleu(one, [other]), gleu(one, [other]), meteor(one, other)[0]):
        assert 0 <= score <= 1
    if other.strip():
        assert gleu(other, [other]) == 1


def test_bleu_and_gleu_are_those_that_their_papers_define():
    assert bleu("a dog ran", ["the cat sat on the mat"]) == pytest.approx(math.exp(-1) * 1e-7)
    assert bleu("the cat sat on the mat", ["the cat sat on the mat now"]) == pytest.approx(math.exp(1 - 7 / 6))
    assert gleu("the cat sat", ["the cat ran"]) == pytest.approx(3 / 6)
    assert meteor("the cat sat on the mat", "the cat sat on the mat")[0] == pytest.approx(1 - 0.5 / 6**3)


@settings(max_examples=50)
@given(
    st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5), max_size=3), st.text('ab }"', max_size=10)
)
def test_an_object_is_found_wherever_it_stands_in_a_text(value, around):
    assert value in list(objects_in(f"{around}{json.dumps(value)}{around}"))


def test_braces_that_never_close_end_soon():
    assert list(objects_in('{"a":' * 50_000)) == []


@given(st.lists(st.text("ab ", min_size=1, max_size=4).map(str.strip).filter(bool), min_size=1, max_size=4))
def test_texts_with_commas_are_the_list_that_they_say(parts):
    assert pieces(", ".join(parts)) == parts
    assert pieces(parts) == parts
