"""The shipped fake of a judge: knows the truth by patterns, errs as often as it is told, and may like what stands first."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from cuelight_server.providers.port import Completion, CompletionRequest

_BLOCK = r"<{0} (\w{{32}})>\n(.*)\n</{0} \1>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scripted:
    """A judge without a model. `rules` are (pattern, whether such an output is good); what fits none is not.

    `tpr` and `tnr` are the shares of good and of bad outputs that it calls so; `first` is the share of pairs in which
    it picks whatever stands first. Which ones, a lot says that is the same each time. `instead` may answer for it.
    """

    rules: Sequence[tuple[str, bool]]
    tpr: float = 1.0
    tnr: float = 1.0
    first: float = 0.0
    seed: int = 0
    instead: Callable[[CompletionRequest], str | None] = lambda _: None
    name: str = "scripted"
    concurrency: int = 4
    recorded: bool = True
    adapter: str = ""  # nothing is paid, so nothing is cached

    def complete(self, request: CompletionRequest) -> Completion:
        """The answer in the form that was asked for."""
        told = "\n".join(str(one["content"]) for one in request.messages)
        text = self.instead(request)
        text = json.dumps(self._answer(told, request.sample)) if text is None else text
        return Completion(
            text=text,
            input_tokens=len(told) // 4,
            output_tokens=len(text) // 4,
            latency_ms=0.0,
            model=str(request.settings.get("model", "")),
            finish_reason="stop",
            provenance="a scripted judge: no model was asked",
        )

    def good(self, output: str, turn: int = 1) -> bool:
        """What it says of an output, its errors included."""
        truth = next((good for pattern, good in self.rules if re.search(pattern, output)), False)
        right = self._lot(f"{output}/{turn}") < (self.tpr if truth else self.tnr)
        return truth if right else not truth

    def _answer(self, told: str, turn: int) -> dict[str, object]:
        if '"better"' in told:
            return {"reason": "as told", "better": self._better(_shown("first", told), _shown("second", told), turn)}
        good = self.good(_shown("output", told) or told, turn)
        if '"category"' in told:
            return {"reason": "as told", "category": "C" if good else "D"}
        if '"statements"' in told:
            return {"statements": [{"text": "all of it", "holds": good}]}
        if '"questions"' in told:
            return {"questions": ["what", "when", "who"]}
        if "from 0 to 10" in told:
            return {"reason": "as told", "score": 10 if good else 0}
        return {"reason": "as told", "pass": good, "score": float(good)}

    def _better(self, first: str, second: str, turn: int) -> str:
        if self._lot("/".join(sorted((first, second)))) < self.first:
            return "first"
        one, other = self.good(first, turn), self.good(second, turn)
        return "neither" if one == other else "first" if one else "second"

    def _lot(self, words: str) -> float:
        """From 0 to 1."""
        return int.from_bytes(sha256(f"{self.seed}/{words}".encode()).digest()[:8]) / 2**64


def _shown(name: str, told: str) -> str:
    found = re.search(_BLOCK.format(name), told, re.DOTALL)
    return found.group(2) if found else ""
