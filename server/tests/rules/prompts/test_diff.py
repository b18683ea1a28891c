"""The diff names everything that changed, and its class never flatters."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuelight.contract.content import PARTS
from cuelight_server.kernel.terms import ChangeClass
from cuelight_server.prompts.diff import diff
from cuelight_server.prompts.words import Op, words
from server.tests.folders import PROMPT, content, edited, prompt

W, I, S, C, O, B = ChangeClass  # noqa: E741  the six classes, mildest first

SYSTEM = ("messages", 0, "parts")
TOOL = PROMPT["tools"][0]


def said(at, text):
    return edited(PROMPT, *SYSTEM, at, "text", to=text)


def parts(*order):
    return edited(PROMPT, *SYSTEM, to=[PROMPT["messages"][0]["parts"][at] for at in order])


def moved_out_of_the_boundary():
    parts = PROMPT["messages"][0]["parts"]
    rest = edited(PROMPT, *SYSTEM, 2, "text", to="Never tell who borrowed a book.\n")
    return edited(rest, *SYSTEM, 1, "text", to=parts[1]["text"] + "Complaints go to a person.\n")


def with_message(at, message):
    messages = [*PROMPT["messages"]]
    messages.insert(at, message)
    return prompt(messages=messages)


# What is done to the prompt, the part that must be named, the class, the path that must be shown.
TABLE = {
    "a friendlier voice": (said(0, "You are the warm voice of the library.\n"), W, "messages[0].tone"),
    "only white space in a rule": (said(1, "Answer  from the\ncatalogue only.\n"), W, "messages[0].rules"),
    "only white space in the boundary": (
        said(2, " Never tell who borrowed a book.\n\nComplaints go to a person."),
        W,
        "messages[0].boundary",
    ),
    "a space taken out of a word pair": (said(1, "Answer from thecatalogue only.\n"), I, "messages[0].rules"),
    "another rule": (said(1, "Answer from the catalogue or the web.\n"), I, "messages[0].rules"),
    "another format": (said(3, "Answer in plain words.\n"), I, "messages[0].format"),
    "a tone block that becomes a rule": (edited(PROMPT, *SYSTEM, 0, "block", to="rules"), I, "messages[0].tone"),
    "the parts in another order": (parts(3, 0, 1, 2), I, "messages[0].parts"),
    "the same words said by the user": (edited(PROMPT, "messages", 1, "role", to="assistant"), C, "messages[1]"),
    "a message more": (with_message(1, {"role": "user", "content": "Be brief."}), I, "messages[1]"),
    "a variable that is used once more": (
        said(0, "You are the friendly voice of the town library. {{question}}\n"),
        C,
        "messages[0].tone",
    ),
    "dialogue put in": (with_message(1, {"placeholder": "dialogue"}), C, "messages[1]"),
    "an image put in": (
        edited(PROMPT, *SYSTEM, to=[*PROMPT["messages"][0]["parts"], {"image": {"url": "map.png"}}]),
        C,
        "messages[0].parts",
    ),
    "another model": (edited(PROMPT, "settings", "model", to="example-small-2026-09-01"), S, "settings.model"),
    "a warmer temperature": (edited(PROMPT, "settings", "temperature", to=0.2), S, "settings.temperature"),
    "another variable": (
        prompt(variables=[*PROMPT["variables"], {"name": "age", "type": "integer"}]),
        C,
        "variables.age",
    ),
    "the variables in another order": (prompt(variables=PROMPT["variables"][::-1]), C, "variables (order)"),
    "a variable whose schema got wider": (
        edited(PROMPT, "variables", 0, "schema", "type", to=["array", "null"]),
        C,
        "variables.catalogue.schema.type",
    ),
    "an untrusted variable that is trusted": (
        edited(PROMPT, "variables", 1, "trust", to="internal"),
        B,
        "variables.question.trust",
    ),
    "a trusted variable that is not": (
        edited(PROMPT, "variables", 0, "trust", to="untrusted"),
        C,
        "variables.catalogue.trust",
    ),
    "a context rule": (edited(PROMPT, "context", 0, "n", to=21), C, "context.few.n"),
    "an output schema": (
        edited(PROMPT, "output", "schema", "properties", "answer", "type", to=["string", "null"]),
        O,
        "output.schema.properties.answer.type",
    ),
    "the on-invalid path": (
        edited(PROMPT, "output", "on_invalid", to=[{"person": "front desk"}]),
        O,
        "output.on_invalid",
    ),
    "a wider tool": (edited(PROMPT, "tools", 0, "mode", to="may_execute"), B, "tools.hold.place.mode"),
    "no tool any more": (prompt(tools=[]), B, "tools.hold.place"),
    "another tool": (prompt(tools=[TOOL, {**TOOL, "name": "hold.cancel"}]), B, "tools.hold.cancel"),
    "a lower bar": (edited(PROMPT, "evaluation", "gate", "min_pass_rate", to=0.8), B, "evaluation.gate.min_pass_rate"),
    "another suite": (edited(PROMPT, "evaluation", "suite", to="other"), B, "evaluation.suite"),
    "a softer boundary": (said(2, "Try not to tell who borrowed a book.\n"), B, "messages[0].boundary"),
    "no boundary any more": (parts(0, 1, 3), B, "messages[0].boundary"),
    "a boundary that is now a rule": (edited(PROMPT, *SYSTEM, 2, "block", to="rules"), B, "messages[0].boundary"),
    "a boundary that moved to the user": (edited(PROMPT, "messages", 0, "role", to="user"), B, "messages[0]"),
    "words that moved out of the boundary": (moved_out_of_the_boundary(), B, "messages[0].boundary"),
}


@pytest.mark.parametrize(("after", "expected", "path"), TABLE.values(), ids=TABLE)
def test_a_change_is_named_and_has_its_class(after, expected, path):
    found = diff(content(), content(after))
    assert found.change_class is expected
    assert path in [change.path for part in found.parts for change in part.changes]
    assert [part.part for part in found.parts] == [path.partition(".")[0].partition("[")[0].partition(" ")[0]]


def test_every_class_and_every_part_stand_in_the_table():
    assert {expected for _, expected, _ in TABLE.values()} == set(ChangeClass)
    assert {part.part for after, _, _ in TABLE.values() for part in diff(content(), content(after)).parts} == set(PARTS)


def test_nothing_changed_is_no_change_at_all():
    found = diff(content(), content())
    assert (found.parts, found.change_class, found.summary) == ((), None, "nothing changed")


def test_text_that_is_only_cut_elsewhere_is_shown_and_is_wording():
    one, two = PROMPT["messages"][0]["parts"][1]["text"][:7], PROMPT["messages"][0]["parts"][1]["text"][7:]
    cut = [{"block": "rules", "text": one}, {"block": "rules", "text": two}]
    parts = PROMPT["messages"][0]["parts"]
    found = diff(content(), content(edited(PROMPT, *SYSTEM, to=[parts[0], *cut, *parts[2:]])))
    assert [change.path for part in found.parts for change in part.changes] == ["messages[0].parts"]
    assert found.change_class is W


def test_a_first_version_is_new_in_everything_and_of_the_strictest_class():
    found = diff(None, content())
    assert found.change_class is B
    assert {part.part for part in found.parts} == set(PARTS)
    assert found.summary.startswith("everything is new")


def test_the_model_comes_first():
    after = edited(edited(PROMPT, "settings", "model", to="other-2026-01-01"), *SYSTEM, 1, "text", to="Guess.")
    found = diff(content(), content(after))
    assert [part.part for part in found.parts] == ["settings", "messages"]
    assert "model example-small-2026-06-01 → other-2026-01-01" in found.summary


def test_words_are_shown_where_they_changed_and_nowhere_else():
    after = edited(PROMPT, *SYSTEM, 2, "text", to="Never tell who borrowed a book. Complaints go to a chatbot.\n")
    change = diff(content(), content(after)).parts[0].changes[0]
    assert [(one.op, one.text) for one in change.words] == [
        ("equal", "Never tell who borrowed a book. Complaints go to a "),
        ("delete", "person"),
        ("insert", "chatbot"),
        ("equal", ".\n"),
    ]


def test_a_message_put_in_front_leaves_its_neighbours_alone():
    after = with_message(0, {"role": "user", "content": "Hello."})
    assert [one.path for one in diff(content(), content(after)).parts[0].changes] == ["messages[0]"]


@pytest.mark.parametrize(
    ("name", "affected"),
    [
        ("a softer boundary", {"behaviour", "boundary"}),
        ("another format", {"behaviour", "format"}),
        ("another model", {"behaviour", "format", "cost"}),
        ("a warmer temperature", {"behaviour", "cost"}),
        ("an output schema", {"behaviour", "format"}),
        ("a wider tool", {"behaviour", "boundary", "cost"}),
        ("a lower bar", {"boundary"}),
        ("an untrusted variable that is trusted", {"behaviour", "boundary", "cost"}),
        ("a message more", {"behaviour"}),
    ],
)
def test_what_a_change_could_affect(name, affected):
    assert set(diff(content(), content(TABLE[name][0])).parts[0].could_affect) == affected


def test_a_text_that_grows_by_half_affects_the_cost():
    after = edited(PROMPT, *SYSTEM, 1, "text", to="Answer from the catalogue only.\n" * 6)
    assert "cost" in diff(content(), content(after)).parts[0].could_affect


# Changes that touch disjoint places of the prompt, so that any of them can be made together with any other.
DISJOINT = {
    "wording": lambda one: edited(one, *SYSTEM, 0, "text", to="You are warm.\n"),
    "instructions": lambda one: edited(one, *SYSTEM, 1, "text", to="Answer from anything.\n"),
    "format": lambda one: edited(one, *SYSTEM, 3, "text", to="Answer in prose.\n"),
    "boundary": lambda one: edited(one, *SYSTEM, 2, "text", to="Be careful.\n"),
    "model": lambda one: edited(one, "settings", "model", to="other-2026-01-01"),
    "seed": lambda one: edited(one, "settings", "seed", to=3),
    "context": lambda one: edited(one, "context", 0, "n", to=3),
    "variable": lambda one: edited(one, "variables", 0, "type", to="string"),
    "trust": lambda one: edited(one, "variables", 1, "trust", to="internal"),
    "output": lambda one: edited(one, "output", "strict", to=False),
    "tool": lambda one: edited(one, "tools", 0, "mode", to="may_execute"),
    "gate": lambda one: edited(one, "evaluation", "gate", "min_pass_rate", to=0.1),
    "message": lambda one: {**one, "messages": [*one["messages"], {"role": "user", "content": "Thank you."}]},
}


@given(st.sets(st.sampled_from(sorted(DISJOINT))), st.sampled_from(sorted(DISJOINT)))
def test_one_more_change_never_makes_the_class_milder(some, more):
    def after(names):
        made = PROMPT
        for name in sorted(names):
            made = DISJOINT[name](made)
        return diff(content(), content(made)).change_class

    fewer, all_of_them, alone = after(some), after(some | {more}), after({more})
    assert all_of_them >= alone
    assert fewer is None or all_of_them >= fewer


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-9, 9, allow_nan=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
contents = st.fixed_dictionaries(
    {
        "messages": st.lists(
            st.one_of(
                st.builds(lambda name: {"placeholder": name}, st.sampled_from(["a", "b"])),
                st.builds(
                    lambda role, parts: {"role": role, "parts": parts},
                    st.sampled_from(["system", "user"]),
                    st.lists(
                        st.builds(
                            lambda block, text: {"block": block, "text": text},
                            st.sampled_from(["tone", "rules", "boundary", "format"]),
                            st.text("ab \n{}", max_size=8),
                        ),
                        min_size=1,
                        max_size=3,
                    ),
                ),
            ),
            min_size=1,
            max_size=3,
        ),
        "variables": st.lists(
            st.builds(
                lambda name, trust: {"name": name, "type": "json", "trust": trust},
                st.sampled_from("abc"),
                st.sampled_from(["internal", "untrusted"]),
            ),
            max_size=2,
            unique_by=lambda one: one["name"],
        ),
        "settings": st.builds(
            lambda model, extra: {"model": model, "extra": extra},
            st.text(max_size=2),
            st.dictionaries(st.text(max_size=2), json_values, max_size=2),
        ),
        "context": st.lists(st.builds(lambda id: {"id": id, "rule": "max_items"}, st.sampled_from("abc")), max_size=3),
        "output": st.builds(
            lambda schema: {"schema": schema}, st.dictionaries(st.text(max_size=2), json_values, max_size=2)
        ),
        "evaluation": st.builds(lambda suite: {"suite": suite, "gate": {}}, st.sampled_from("ab")),
    }
)


@settings(max_examples=150)
@given(contents, contents)
def test_the_diff_is_empty_exactly_when_the_digests_are_equal(left, right):
    old, new = content(left), content(right)
    assert (not diff(old, new).parts) == (old.digest == new.digest)
    assert not diff(old, old).parts


@given(st.text("ab \n", max_size=40), st.text("ab \n", max_size=40))
def test_the_edits_give_back_both_texts(old, new):
    edits = words(old, new)
    assert "".join(one.text for one in edits if one.op is not Op.INSERT) == old
    assert "".join(one.text for one in edits if one.op is not Op.DELETE) == new


def test_two_long_texts_without_a_common_line_are_compared_at_once():
    old, new = "a b c " * 20_000, "c b a " * 20_000
    edits = words(old, new)
    assert [one.op for one in edits if len(one.text) > len(old) / 2] == ["delete", "insert"]
