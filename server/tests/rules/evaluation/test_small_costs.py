"""A small cost in a report keeps the digits that tell it from nothing."""

import pytest

from cuelight_server.evaluation.report import _cost


@pytest.mark.parametrize(
    ("usd", "kept"),
    [(None, None), (float("nan"), None), (0.0, 0.0), (0.0000021, 0.0000021), (0.002871, 0.00287), (0.0001, 0.0001)],
)
def test_a_cost_is_rounded_to_five_places_or_to_eight_digits(usd, kept):
    assert _cost(usd) == kept
