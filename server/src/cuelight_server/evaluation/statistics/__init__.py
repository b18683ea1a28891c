"""What the samples show: this version against production on the same cases, each case's steadiness, cost and time."""

from cuelight_server.evaluation.statistics.comparing import compare
from cuelight_server.evaluation.statistics.pairs import Pair, pairs
from cuelight_server.evaluation.statistics.regressions import sort_out
from cuelight_server.evaluation.statistics.settings import resolved, settings

__all__ = ["Pair", "compare", "pairs", "resolved", "settings", "sort_out"]
