"""Assertions that compare word by word: ROUGE-N, BLEU, GLEU and METEOR, each a score from 0 to 1."""

import math
import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from cuelight_server.evaluation.graders.asked import Asked, Assertion, scored
from cuelight_server.evaluation.graders.outcome import Outcome, not_run
from cuelight_server.evaluation.graders.sample import Rule

_LONGEST = 50_000  # characters
_TOKEN = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]")
_ALPHA, _BETA, _GAMMA = 0.9, 3.0, 0.5
_TINY = 1e-7


def rouge(output: str, reference: str) -> float:
    """ROUGE-1 as F1 of shared words (Lin 2004), whatever the case."""
    mine, theirs = (Counter(_TOKEN.findall(text.lower())) for text in (output, reference))
    shared = (mine & theirs).total()
    return 2 * shared / (mine.total() + theirs.total()) if shared else 0.0


def bleu(output: str, references: Sequence[str]) -> float:
    """BLEU-4 with equal weights (Papineni et al. 2002) over words; a precision of 0 counts as 1e-7."""
    words = output.lower().split()
    others = [text.lower().split() for text in references]
    if not words:
        return 0.0
    length = min(map(len, others), key=lambda one: abs(one - len(words)))
    total = 0.0
    for size in range(1, 5):
        grams = Counter(_grams(words, size))
        shared = max((grams & Counter(_grams(other, size))).total() for other in others)
        total += 0.25 * math.log(shared / grams.total() if shared else _TINY)
    penalty = 1.0 if len(words) > length else math.exp(1 - length / len(words))
    return penalty * math.exp(total)


def gleu(output: str, references: Sequence[str]) -> float:
    """GLEU (Wu et al. 2016): the lesser of precision and recall over all runs of 1 to 4 words; the best reference counts."""
    return max(_gleu(_bare(output), _bare(reference)) for reference in references)


def _gleu(words: list[str], others: list[str]) -> float:
    if words == others:
        return 1.0
    mine, theirs = (Counter(gram for n in range(1, 5) for gram in _grams(text, n)) for text in (words, others))
    most = max(mine.total(), theirs.total())
    return (mine & theirs).total() / most if most and words and others else 0.0


def meteor(output: str, reference: str) -> tuple[float, bool]:
    """METEOR (Banerjee and Lavie 2005) on equal words, and whether words are left that could be synonyms of one another.

    alpha 0.9, beta 3, gamma 0.5.
    """
    words, others = _bare(output), _bare(reference)
    free: dict[str, list[int]] = {}
    for place, word in enumerate(others):
        free.setdefault(word, []).append(place)
    pairs = sorted((at, free[word].pop()) for at, word in reversed(list(enumerate(words))) if free.get(word))
    left = len(pairs) < min(len(words), len(others))
    if not pairs:
        return 0.0, left
    precision, recall = len(pairs) / len(words), len(pairs) / len(others)
    mean = precision * recall / (_ALPHA * precision + (1 - _ALPHA) * recall)
    chunks = 1 + sum(b[0] != a[0] + 1 or b[1] != a[1] + 1 for a, b in pairwise(pairs))
    return (1 - _GAMMA * (chunks / len(pairs)) ** _BETA) * mean, left


def _rouge(asked: Asked) -> Outcome:
    return _short(asked) or scored(asked, rouge(asked.text, asked.ready[0]), 0.75, "ROUGE-N")


def _bleu(asked: Asked) -> Outcome:
    return _short(asked) or scored(asked, bleu(asked.text, asked.ready), 0.5, "BLEU")


def _gleu_of(asked: Asked) -> Outcome:
    return _short(asked) or scored(asked, gleu(asked.text, asked.ready), 0.5, "GLEU")


def _meteor(asked: Asked) -> Outcome:
    if long := _short(asked):
        return long
    each = [meteor(asked.text, one) for one in asked.ready]
    score, left = max(each)[0], any(left for _, left in each)
    if score < asked.threshold(0.5) and left:
        return not_run(
            f"METEOR on equal words is {score:.2f}; whether stems and synonyms lift it is not known without WordNet"
        )
    return scored(asked, score, 0.5, "METEOR")


def _short(asked: Asked) -> Outcome | None:
    """None, or that the texts are too long to compare."""
    if max(len(asked.text), *map(len, asked.ready)) <= _LONGEST:
        return None
    return not_run(f"the texts have more than {_LONGEST} characters, too many to compare word by word")


def _references(_rule: Rule, value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]


def _grams(words: list[str], size: int) -> list[tuple[str, ...]]:
    return [tuple(words[at : at + size]) for at in range(len(words) - size + 1)]


def _bare(text: str) -> list[str]:
    return [word.rstrip(".") for word in text.lower().split()]


TABLE = {
    "rouge-n": Assertion(check=_rouge, ready=_references),
    "bleu": Assertion(check=_bleu, ready=_references),
    "gleu": Assertion(check=_gleu_of, ready=_references),
    "meteor": Assertion(check=_meteor, ready=_references),
}
