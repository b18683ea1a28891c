"""What a call costs, and what many of them come to: unknown stays unknown and never becomes 0."""

import math
from collections.abc import Iterable, Sequence

from cuelight_server.evaluation.model import Json

ANY_MODEL = "*"


def cost_usd(prices: Json | None, model: str, input_tokens: int | None, output_tokens: int | None) -> float | None:
    """USD of one call; None where the model has no price (`*` is the price of every other one) or tokens are missing."""
    price = _price(prices, model)
    if price is None or input_tokens is None or output_tokens is None:
        return None
    return float(input_tokens * price["input_per_1k"] + output_tokens * price["output_per_1k"]) / 1000


def mean(values: Iterable[float | None]) -> float | None:
    """The arithmetic mean; None where there is no value or one of them is not known."""
    known = complete(values)
    return math.fsum(known) / len(known) if known else None


def nearest_rank_p95(values: Iterable[float | None]) -> float | None:
    """The value at rank ceil(0.95 n) (nearest rank); None where there is none or one of them is not known."""
    known = complete(values)
    return sorted(known)[-(-95 * len(known) // 100) - 1] if known else None


def complete(values: Iterable[float | None]) -> Sequence[float] | None:
    """The values, or None where one is missing or not finite."""
    known: list[float] = []
    for value in values:
        if value is None or not math.isfinite(value):
            return None
        known.append(value)
    return known


def _price(prices: Json | None, model: str) -> Json | None:
    models = {one["model"]: one for one in (prices or {}).get("models", [])}
    found: Json | None = models.get(model, models.get(ANY_MODEL))
    return found
