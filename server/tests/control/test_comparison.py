"""Two versions side by side on the same test set: what is not known is said, and is never a number (R62)."""

import pytest

from cuelight_server.kernel.errors import NotFound
from cuelight_server.views.comparison import compare

GOOD, BAD = '{"ok": true}', '{"ok": false}'
FIGURES = ("cases", "samples", "pass_rate", "blockers", "format_errors", "cost_per_case_usd", "p95_ms")


@pytest.fixture
def two(shelf):
    """v1 passes all three cases, v2 fails one and is slower; neither was run yet."""
    old, new = shelf.content("old"), shelf.content("new")
    shelf.version(1, old)
    shelf.version(2, new)
    shelf.record(old, shelf.all_say(GOOD))
    shelf.record(new, {**shelf.all_say(GOOD), ("C2", 1): BAD}, latency_ms=600)
    return shelf


def seen(shelf, prompt):
    return compare(shelf.desk, prompt, "v1", "v2")


def test_both_sides_are_shown_from_their_newest_reports(two):
    first, second = two.run("v1"), two.run("v2")
    found = seen(two, first.line.prompt)
    assert found.suite_digest == first.line.suite_digest == second.line.suite_digest
    assert (found.before.evaluation, found.after.evaluation) == (first.line.id, second.line.id)
    assert [getattr(found.before, name) for name in FIGURES] == [3, 1, 1.0, 0, 0, 0.00012, 500]
    assert [getattr(found.after, name) for name in FIGURES] == [3, 1, 0.667, 0, 0, 0.00012, 600]
    assert sum(rate is not None for rate in found.after.categories.values()) > 0
    assert (found.before.missing, found.after.how) == ("", "")
    assert set(found.to_json()) == {"prompt", "suite_digest", "from", "to"}


def test_a_side_without_a_report_is_not_known_and_says_how_to_get_one(two):
    first = two.run("v1")
    found = seen(two, first.line.prompt)
    assert [getattr(found.after, name) for name in (*FIGURES, "verdict", "evaluation")] == [None] * 9
    assert found.after.categories == {}
    assert found.after.missing == "v2 has no report on this test set"
    assert found.after.how == f"cuelight eval {first.line.prompt}@v2"


def test_reports_on_different_test_sets_are_not_compared(two):
    first = two.run("v1")
    two.suite(two.cases(2), number=2)
    second = two.run("v2")
    found = seen(two, first.line.prompt)
    assert found.suite_digest == second.line.suite_digest != first.line.suite_digest
    assert found.before.pass_rate is None
    again = two.run("v1")
    assert seen(two, first.line.prompt).before.evaluation == again.line.id


def test_before_any_report_nothing_is_known(two):
    found = seen(two, "shop.talk")
    assert (found.suite_digest, found.before.pass_rate, found.after.pass_rate) == (None, None, None)


def test_what_is_no_version_cannot_be_compared(two):
    first = two.run("v1")
    with pytest.raises(NotFound, match="has no v9"):
        compare(two.desk, first.line.prompt, "v1", "v9")
