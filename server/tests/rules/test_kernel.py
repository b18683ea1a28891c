"""The ground: times, ids, ordered words, verdicts, pages."""

from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuelight_server.kernel import clock, ids
from cuelight_server.kernel.errors import Invalid
from cuelight_server.kernel.page import MAX_SIZE, checked_size, page_of
from cuelight_server.kernel.terms import ChangeClass, Level, Role, Tier
from cuelight_server.kernel.verdict import Verdict, worst

AWARE = st.datetimes(
    min_value=datetime(1970, 1, 2),  # noqa: DTZ001  hypothesis adds the zone
    max_value=datetime(2900, 1, 1),  # noqa: DTZ001  as above
    timezones=st.just(UTC),
)


@given(AWARE)
def test_a_time_survives_being_written(at):
    assert clock.parse(clock.rfc3339(at)) == at


@given(AWARE, AWARE)
def test_written_times_sort_as_times(one, other):
    assert (clock.rfc3339(one) < clock.rfc3339(other)) == (one < other)


def test_a_time_from_elsewhere_is_written_in_utc():
    tokyo = timezone(timedelta(hours=9))
    assert clock.rfc3339(datetime(2026, 1, 5, 18, 0, tzinfo=tokyo)) == "2026-01-05T09:00:00.000000Z"
    assert clock.parse("2026-01-05T18:00:00+09:00") == datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01T00:00:00Z", "2026-01-05T09:00:00", "2026-01-05"])
def test_a_text_that_is_no_time_or_has_no_zone_is_refused(text):
    with pytest.raises(Invalid):
        clock.parse(text)


def test_a_time_without_a_zone_is_never_written():
    with pytest.raises(Invalid):
        clock.rfc3339(datetime(2026, 1, 5))  # noqa: DTZ001  the point


def test_the_machines_clock_is_aware_and_in_utc():
    assert clock.system_clock().utcoffset() == timedelta(0)


@given(AWARE, AWARE, st.binary(min_size=10, max_size=10), st.binary(min_size=10, max_size=10))
def test_ids_sort_by_the_millisecond_in_which_they_were_made(one, other, noise, more_noise):
    first, second = ids.id_at("rel", one, noise), ids.id_at("rel", other, more_noise)
    early, late = int(one.timestamp() * 1000), int(other.timestamp() * 1000)
    assert early >= late or first < second
    assert len(first) == len("rel_") + 26


def test_fresh_ids_differ_and_fit_their_column():
    new_id = ids.minter(lambda: datetime(2026, 1, 5, tzinfo=UTC))
    made = {new_id("evals") for _ in range(1000)}
    assert len(made) == 1000
    assert {len(each) for each in made} == {32}


def test_secrets_are_256_bits_and_never_the_same():
    made = {ids.token_secret() for _ in range(100)}
    assert len(made) == 100
    assert {len(bytes.fromhex(each)) for each in made} == {32}


@pytest.mark.parametrize("words", [Tier, Level, ChangeClass])
def test_words_with_an_order_compare_by_their_place_and_not_by_their_letters(words):
    listed = list(words)
    assert sorted([*listed[1:], listed[0]]) == listed
    assert max(listed) is listed[-1]
    assert all(a < b and b > a and a <= b and b >= a and not b < a for a, b in pairwise(listed))
    assert all(word <= word and word >= word and word == word.value for word in listed)  # noqa: PLR0124  the point


def test_the_strongest_class_of_change_is_found_in_plain_text_too():
    assert ChangeClass.WORDING < "boundary"
    assert max(ChangeClass.OUTPUT_CONTRACT, ChangeClass.CONTEXT) is ChangeClass.OUTPUT_CONTRACT
    with pytest.raises(ValueError, match="shouting"):
        assert ChangeClass.WORDING < "shouting"


def test_there_are_five_owner_roles():
    assert len(Role) == 5


PASS, FAIL, UNSURE = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([], UNSURE),
        ([PASS], PASS),
        ([PASS, PASS], PASS),
        ([PASS, UNSURE], UNSURE),
        ([UNSURE, FAIL, PASS], FAIL),
        ([FAIL], FAIL),
    ],
)
def test_the_worst_verdict_counts_and_nothing_at_all_is_no_pass(verdicts, expected):
    assert worst(iter(verdicts)) is expected


@given(st.lists(st.integers()), st.integers(1, MAX_SIZE))
def test_pages_give_every_item_once_and_end(items, size):
    seen, start = [], 0
    while True:
        page = page_of(list(enumerate(items))[start : start + size + 1], size, lambda item: str(item[0]))
        seen += [value for _, value in page.items]
        if page.next is None:
            break
        start = int(page.next) + 1
    assert seen == items


@pytest.mark.parametrize("size", [0, -1, MAX_SIZE + 1])
def test_a_page_without_a_limit_is_refused(size):
    with pytest.raises(Invalid):
        checked_size(size)
