"""What an assertion is asked: its value for this case, the output that it looks at, and what it may reach outside."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from cuelight_server.evaluation.graders.outcome import Outcome
from cuelight_server.evaluation.graders.outside import Outside
from cuelight_server.evaluation.graders.sample import Rule, Sample
from cuelight_server.kernel.javascript import written

_SHOWN = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One assertion on one output.

    `output` is what it looks at: a text, or the JSON value at its path or out of its transform; `text` is the same as a
    text. `ready` is what the value came to when it was compiled. `inverse`: it stands with `not-`.
    """

    kind: str
    rule: Rule
    inverse: bool
    value: Any
    ready: Any
    output: Any
    text: str
    sample: Sample
    outside: Outside

    def threshold(self, otherwise: float) -> float:
        """The threshold of the rule."""
        return float(self.rule.get("threshold", otherwise))


Check = Callable[[Asked], Outcome]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assertion:
    """One name: `ready` turns a value into what `check` uses, once; Invalid where it cannot. `check` gives the word."""

    check: Check
    ready: Callable[[Rule, Any], Any] = lambda _rule, value: value


def said(asked: Asked, held: bool, wanted: str) -> Outcome:  # noqa: FBT001  what it is about
    """Yes or no, turned around by `not-`; `wanted` goes on from `wanted it to`, or `not to`."""
    passed = held is not asked.inverse
    turned = "not " if asked.inverse else ""
    return Outcome(passed, "" if passed else f"{shown(asked.text)}: wanted it {turned}to {wanted}")


def scored(asked: Asked, score: float, otherwise: float, name: str) -> Outcome:
    """A score from 0 to 1 against the threshold; with `not-` below it, and the score is what is left to 1."""
    least = asked.threshold(otherwise)
    passed = (score >= least) is not asked.inverse
    side = "less than" if asked.inverse else "at least"
    words = "" if passed else f"{name} {score:.4f}, wanted {side} {least:g}"
    return Outcome(passed, words, 1 - score if asked.inverse else score)


def shown(text: str) -> str:
    """A text for a message, cut to 80 characters."""
    return json.dumps(text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…", ensure_ascii=False)


def with_output(asked: Asked, output: Any) -> Asked:
    """The same question about another output."""
    return replace(asked, output=output, text=written(output))
