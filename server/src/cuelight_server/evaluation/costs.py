"""What a call costs, and what many of them come to: unknown stays unknown and never becomes 0."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cuelight_server.evaluation.model import Json

ANY_MODEL = "*"
UNLIMITED_OUTPUT = 4096  # tokens that are kept back for a call whose version sets no max_output_tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """Tokens of one call; None where nobody counted. `cached` and `written` are part of input, `reasoning` of output."""

    input: int | None
    output: int | None
    cached: int | None = None
    written: int | None = None
    reasoning: int | None = None

    def uncached(self) -> "Used":
        """The same call with the provider's own cache empty and not written to."""
        return Used(input=self.input, output=self.output, reasoning=self.reasoning)


def cost_usd(prices: Json | None, model: str, used: Used) -> float | None:
    """USD of one call; None where the model has no price (`*` is the price of every other one) or tokens are missing.

    Tokens of the provider's cache have prices of their own; where some were counted and they have none, it is not known.
    """
    price = _price(prices, model)
    if price is None or used.input is None or used.output is None:
        return None
    cached, written = used.cached or 0, used.written or 0
    reasoning = min(used.reasoning or 0, used.output)
    parts = [
        (max(0, used.input - cached - written), price["input_per_1k"]),
        (cached, price.get("cached_input_per_1k")),
        (written, price.get("cache_write_per_1k")),
        (used.output - reasoning, price["output_per_1k"]),
        (reasoning, price.get("reasoning_per_1k", price["output_per_1k"])),
    ]
    if any(tokens and each is None for tokens, each in parts):
        return None
    return math.fsum(tokens * (each or 0) for tokens, each in parts) / 1000


def most_usd(prices: Json | None, model: str, asked_bytes: int, max_output_tokens: int | None) -> float | None:
    """USD that a call can cost at most, known before it is made; None where the model has no price.

    No tokenizer makes more tokens than there are bytes; every token is taken at the dearest price of its side.
    """
    price = _price(prices, model)
    if price is None:
        return None
    asked = max(price["input_per_1k"], price.get("cache_write_per_1k", 0))
    answered = max(price["output_per_1k"], price.get("reasoning_per_1k", 0))
    return float(asked_bytes * asked + (max_output_tokens or UNLIMITED_OUTPUT) * answered) / 1000


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
