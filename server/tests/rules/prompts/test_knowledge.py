"""Releases of knowledge: what differs, what a version holds on to, and what lint says of sources."""

import pytest

from cuelight.contract.canonical import digest
from cuelight.contract.knowledge import Source, index
from cuelight_server.prompts.knowledge import Reader, as_release, difference, holds_old, in_full, origins
from cuelight_server.prompts.lint import lint
from cuelight_server.prompts.model import Numbered, Severity
from cuelight_server.views.knowledge import Origin, traced
from server.tests.folders import PROMPT, content, edited, facts, folder, workflow

OLD = {"items": [{"ref": "H-1", "text": "nine to five"}, {"ref": "H-2", "text": "shut"}], "description": "a"}
NEW = {"items": [{"ref": "H-1", "text": "nine to six"}, {"ref": "H-3", "text": "open"}], "description": "b"}


def release(number, document):
    document = {"knowledge": "hours", **document}
    return as_release(
        Numbered(
            workflow="w",
            name="hours",
            number=number,
            digest=digest(document),
            document=document,
            actor="x",
            created_at="",
        )
    )


def test_items_are_added_changed_and_removed_by_ref():
    made = difference(OLD, NEW)
    assert (made.added, made.changed, made.removed, made.about) == (("H-3",), ("H-1",), ("H-2",), ("description",))
    assert made.words == "1 added, 1 changed, 1 removed, other description"
    assert difference(OLD, OLD).words == "nothing"


def test_a_large_difference_is_bounded_and_the_rest_is_counted():
    many = {"items": [{"ref": f"R-{number}"} for number in range(250)]}
    made = in_full({"items": []}, many)
    assert (len(made["added"]), made["left_out"], made["changes"]) == (200, 50, "250 added")


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"rule": "pinned_value", "value": "nine to five"}, ("H-1",)),
        ({"rule": "pinned_value", "value": [{"ref": "H-2", "text": "shut"}]}, ("H-2",)),
        ({"rule": "allowed_values", "field": "text", "values": ["nine to five", "shut"]}, ("H-1", "H-2")),
        ({"rule": "pinned_value", "value": "nine to six"}, ()),
        ({"declared_only": "nine to five"}, ()),
    ],
)
def test_a_context_rule_that_holds_the_old_words_is_found(rule, expected):
    made = content({**PROMPT, "context": [{"id": "a", "variable": "catalogue", **rule}]})
    assert holds_old(made, OLD, difference(OLD, NEW)) == expected


def test_the_words_of_a_reader_say_what_to_do():
    calm = Reader(prompt="a.b", label="v1", released_with={"production": 1})
    assert calm.means == (
        "serves production as it was released; its evaluation was on another release: evaluate it again before it is"
        " released"
    )
    held = Reader(prompt="a.b", label="v1", released_with={}, holds_old=("H-1",))
    assert held.means.startswith("its context rules hold the old words of H-1: mint a version")


def test_an_item_is_of_the_first_release_that_has_it():
    one, two = release(1, OLD), release(2, NEW)
    asked = [digest(OLD["items"][1]), digest("nine to six"), digest("never")]
    assert origins(asked, [two, one]) == {asked[0]: (1, "H-2"), asked[1]: (2, "H-1")}


def test_a_release_that_was_changed_behind_our_back_has_no_items():
    row = Numbered(
        workflow="w", name="hours", number=1, digest=digest({"x": 1}), document=OLD, actor="x", created_at=""
    )
    assert as_release(row).items == {}


def told(*digests, number=1, **more):
    items = [{"known": True, "digest": one} for one in digests]
    return {
        "variable": "facts",
        "name": "hours",
        "number": number,
        "release": release(1, OLD).digest,
        "items": items,
        **more,
    }


H1, H2, H3, H1_NEW = (
    index(document)[ref][0] for document, ref in ((OLD, "H-1"), (OLD, "H-2"), (NEW, "H-3"), (NEW, "H-1"))
)


@pytest.mark.parametrize(
    ("call", "refs", "origin", "numbers"),
    [
        (told(H1, H2), (), Origin.AS_RELEASED, [1, 1]),
        (told(H1, H3), (), Origin.OTHER_RELEASE, [1, 2]),
        (told(H1, digest("made up")), (), Origin.UNKNOWN, [1, None]),
        (told(H1), ("H-2",), Origin.UNKNOWN, [None]),
        (told(H1, left_out=1), (), Origin.UNKNOWN, [1]),
        (told(), (), Origin.NOTHING_GIVEN, []),
        (None, (), Origin.NOT_RECORDED, []),
        ({"variable": "facts", "name": "hours", "items": [{"known": False}]}, (), Origin.UNKNOWN, [None]),
    ],
)
def test_what_a_call_told_is_looked_up_again_and_its_own_word_does_not_count(call, refs, origin, numbers):
    pinned = release(1, OLD) if call and "release" in call else None
    found = traced(Source("facts", "hours", refs), call, pinned, [release(2, NEW), release(1, OLD)])
    assert (found.origin, [one.number for one in found.items]) == (origin, numbers)
    assert found.words


def test_an_app_that_knew_no_release_is_told_which_one_it_used():
    call = {"variable": "facts", "name": "hours", "items": [{"known": False, "digest": H1_NEW}]}
    found = traced(Source("facts", "hours"), call, None, [release(2, NEW)])
    assert (found.origin, found.words) == (Origin.OTHER_RELEASE, "from hours release 2; the app knew no release")


def codes(bundle):
    return [(one.code, one.severity) for one in lint(facts(bundle)) if one.code.startswith("knowledge")]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("knowledge hours", []),
        ("knowledge hours, H-1", []),
        ("knowledge hours, H-9", [("knowledge_missing", Severity.ERROR)]),
        ("knowledge ours", [("knowledge_missing", Severity.ERROR)]),
        ("Knowledge: hours", [("knowledge_source_unread", Severity.WARNING)]),
        ("the catalogue", []),
    ],
)
def test_lint_holds_a_source_against_the_knowledge_that_there_is(source, expected):
    assert codes(folder(labels={"v1": edited(PROMPT, "variables", 0, "source", to=source)})) == expected


def test_below_elevated_missing_knowledge_is_a_warning():
    labels = {"v1": edited(PROMPT, "variables", 0, "source", to="knowledge ours")}
    assert codes(folder(labels=labels, workflow=workflow(tier="standard"))) == [("knowledge_missing", Severity.WARNING)]


def test_a_ref_that_stands_twice_is_told():
    twice = {"hours": {"knowledge": "hours", "items": [{"ref": "H-1"}, {"ref": "H-1", "text": "x"}]}}
    assert codes(folder(knowledge=twice)) == [("knowledge_ref_twice", Severity.WARNING)]
