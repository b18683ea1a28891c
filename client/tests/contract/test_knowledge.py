"""Where a value came from: told by digests, never guessed."""

import pytest

from cuelight.contract.canonical import digest
from cuelight.contract.content import parse
from cuelight.contract.knowledge import MOST_ITEMS, KnowledgeRelease, Source, index, sources, uses

ONE = {"ref": "A-1", "text": "Open from nine."}
TWO = {"ref": "A-2", "text": "Closed on Sunday.", "page": 4}
RELEASE = KnowledgeRelease("hours", 3, "sha256:" + "0" * 64, index({"items": [ONE, TWO]}))


def declared(source):
    made = parse(
        {
            "messages": [{"role": "user", "content": "{{facts}}"}],
            "variables": [{"name": "facts", "type": "json", "source": source}],
            "settings": {"model": "m"},
            "evaluation": {"suite": "s", "gate": {}},
        }
    )
    return sources(made)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("knowledge hours", (Source("facts", "hours"),)),
        ("knowledge hours, A-1", (Source("facts", "hours", ("A-1",)),)),
        ("knowledge hours, A-1, A-2", (Source("facts", "hours", ("A-1", "A-2")),)),
        ("knowledge", ()),
        ("knowledge of the world", ()),
        ("our knowledge hours", ()),
        ("CRM", ()),
    ],
)
def test_a_variable_says_in_its_source_that_it_comes_from_knowledge(source, expected):
    assert declared(source) == expected


@pytest.mark.parametrize(
    ("value", "refs", "expected"),
    [
        (ONE, (), [("A-1", True)]),
        ([ONE, TWO], (), [("A-1", True), ("A-2", True)]),
        ("Open from nine.", (), [("A-1", True)]),
        (["Closed on Sunday."], (), [("A-2", True)]),
        ([TWO], ("A-1",), [("A-2", False)]),  # not the item that the version names
        ({**ONE, "text": "Open all night."}, (), [("A-1", False)]),  # claims to be A-1
        ({**TWO, "page": 5}, (), [("A-2", False)]),
        ({"ref": "A-9", "text": "Open from nine."}, (), [(None, False)]),
        ({**ONE, "score": 0.9}, (), [("A-1", False)]),
        ("Open from nine. ", (), [(None, False)]),
        ([float("nan")], (), [(None, False)]),
        ([None], (), [(None, False)]),
        ([], (), []),
        (None, (), []),
    ],
)
def test_only_what_is_word_for_word_an_item_is_known(value, refs, expected):
    (found,) = uses([Source("facts", "hours", refs)], {"facts": value}, {"hours": RELEASE})
    assert [(one.ref, one.known) for one in found.items] == expected
    assert (found.number, found.release) == (3, RELEASE.digest)
    assert found.known is all(known for _, known in expected)


def test_without_a_release_nothing_is_known():
    (found,) = uses([Source("facts", "hours")], {"facts": [ONE]}, {})
    assert (found.number, found.release, found.known) == (None, None, False)
    told = {"variable": "facts", "name": "hours", "items": [{"known": False, "digest": digest(ONE)}]}
    assert found.to_json() == told


def test_nothing_given_of_an_unknown_release_is_not_known_either():
    (found,) = uses([Source("facts", "hours")], {}, {})
    assert not found.known


def test_what_is_unknown_is_told_before_the_rest_is_counted():
    given = [*[ONE] * MOST_ITEMS, "a stranger"]
    (found,) = uses([Source("facts", "hours")], {"facts": given}, {"hours": RELEASE})
    assert (len(found.items), found.left_out, found.items[0].known, found.known) == (MOST_ITEMS, 1, False, False)
    both = uses([Source("a", "hours"), Source("b", "hours")], {"a": given[:-1], "b": [ONE]}, {"hours": RELEASE})
    assert [(len(one.items), one.left_out, one.known) for one in both] == [(MOST_ITEMS, 0, True), (0, 1, False)]
