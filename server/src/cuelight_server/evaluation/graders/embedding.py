"""How near two texts are in meaning, by vectors that somebody else makes: promptfoo's `similar` in its three forms."""

import math
from collections.abc import Sequence

from cuelight_server.evaluation.graders.outcome import Outcome, not_run
from cuelight_server.evaluation.graders.outside import Outside
from cuelight_server.evaluation.graders.sample import Rule
from cuelight_server.kernel.errors import CuelightError

Vector = Sequence[float]
_USUAL = 0.75
_HAIR = 1e-9
NO_VECTORS = "no embedding model is set; set CUELIGHT_EMBEDDING_MODEL, or install cuelight-server[similar]"


def similar(rule: Rule, outside: Outside, wanted: Sequence[str], text: str) -> Outcome:
    """The nearest of the wanted texts is near enough; with `not-`, none is. No vectors, or strange ones: not run."""
    if outside.embed is None:
        return not_run(NO_VECTORS)
    try:
        found = outside.embed([text, *wanted])
        near = [nearness(rule["type"], found[0], one) for one in found[1:]]
    except CuelightError as bad:
        return not_run(f"no vectors: {bad.message}")
    except (ValueError, IndexError, TypeError, OverflowError):
        return not_run("the embedding model answered with vectors that cannot be compared")
    best, threshold = max(near), float(rule.get("threshold", _USUAL))
    inverse = rule["type"].startswith("not-")
    enough = best >= threshold - _HAIR
    score = min(1.0, max(0.0, 1 - best if inverse else best))
    words = f"similarity {best:.2f}, wanted {'less than' if inverse else 'at least'} {threshold:g}"
    return Outcome(enough is not inverse, "" if enough is not inverse else words, score)


def nearness(kind: str, one: Vector, other: Vector) -> float:
    """By the cosine, the dot product, or 1/(1+distance); ValueError for what is not finite or of two lengths."""
    form = kind.removeprefix("not-").partition(":")[2] or "cosine"
    if form == "cosine":
        return cosine(one, other)
    _check(one, other)
    if form == "dot":
        return _finite(math.fsum(a * b for a, b in zip(one, other, strict=True)))
    return 1 / (1 + _finite(math.dist(one, other)))


def cosine(one: Vector, other: Vector) -> float:
    """From -1 to 1. ValueError for a vector of nothing, of another length, or that is not finite."""
    _check(one, other)
    length = math.hypot(*one) * math.hypot(*other)
    if length == 0:
        raise ValueError("a vector of length 0")
    return _finite(math.fsum(a * b for a, b in zip(one, other, strict=True)) / length)


def _check(one: Vector, other: Vector) -> None:
    if not one or len(one) != len(other):
        raise ValueError("vectors of two lengths")


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError("not finite")
    return value
