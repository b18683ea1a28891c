"""Looking before the end: the levels of O'Brien and Fleming, which keep the error rate over all looks."""

import math
from collections.abc import Mapping

from cuelight_server.kernel.statistics.distributions import normal_tail

# Jennison and Turnbull 2000, table 2.3: C_B(K) for two-sided 10 % and 5 %, that is one-sided 5 % and 2.5 %.
_BOUNDARIES: Mapping[float, Mapping[int, float]] = {
    0.05: {1: 1.645, 2: 1.678, 3: 1.710, 4: 1.733, 5: 1.751, 6: 1.765, 7: 1.776, 8: 1.785, 9: 1.793, 10: 1.801},
    0.025: {1: 1.960, 2: 1.977, 3: 2.004, 4: 2.024, 5: 2.040, 6: 2.053, 7: 2.063, 8: 2.072, 9: 2.080, 10: 2.087},
}


def look_confidence(look: int, looks: int, alpha: float = 0.05) -> float | None:
    """The confidence that a one-sided bound needs at the look-th of `looks` even looks; None where there is no table.

    At information share t the boundary is C / sqrt(t).
    """
    table = next((found for level, found in _BOUNDARIES.items() if abs(level - alpha) < 1e-9), None)
    if table is None or looks not in table:
        return None
    return 1 - normal_tail(table[looks] / math.sqrt(look / looks))
