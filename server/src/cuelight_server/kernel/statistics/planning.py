"""What a comparison is planned with where nobody says otherwise, and how many cases that takes."""

import math

from cuelight_server.kernel.statistics.paired import detectable, needed

MARGIN, CONFIDENCE = 0.05, 0.95
LOOKS = 5  # of a run that may stop early, evenly spread
CHANGING = 0.1  # the share of cases that changes between two good versions


def cases_for(margin: float, confidence: float = CONFIDENCE) -> int:
    """How many cases a suite needs to show the margin: 248 for 5 points."""
    return needed(CHANGING, margin, confidence)


def sees_with(cases: int, confidence: float = CONFIDENCE) -> float:
    """The least drop that so many cases find in four of five runs."""
    return min(1.0, detectable(math.sqrt(CHANGING / cases), confidence))
