"""Recorded outputs in the place of a model: tied to the exact content, case and sample, or an error."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cuelight_server.kernel.errors import Invalid
from cuelight_server.providers.port import Completion, CompletionRequest

Recording = Mapping[str, Any]  # one line of recordings/*.jsonl
Key = tuple[str, str, int]  # content digest, case id, sample


@dataclass(frozen=True, slots=True)
class Recorded:
    """Answers from a look-up; what is not in it is Invalid, never another version's output."""

    lookup: Mapping[Key, Recording]
    name: str = "recorded"
    concurrency: int = 1
    recorded: bool = True
    adapter: str = ""  # nothing is paid, so nothing is cached

    def complete(self, request: CompletionRequest) -> Completion:
        """The recorded output. A recording that names no model counts as one of the content's own model."""
        found = self.lookup.get((request.content_digest, request.case, request.sample))
        if found is None:
            raise missing(request.content_digest, request.case, request.sample)
        return Completion(
            text=found["output"],
            tool_calls=tuple(found.get("tool_calls", ())),
            input_tokens=found.get("input_tokens"),
            output_tokens=found.get("output_tokens"),
            cached_input_tokens=found.get("cached_input_tokens"),
            cache_write_tokens=found.get("cache_write_tokens"),
            reasoning_tokens=found.get("reasoning_tokens"),
            latency_ms=found.get("latency_ms"),
            model=found.get("model") or str(request.settings.get("model", "")),
            finish_reason="recorded",
            provenance=found.get("provenance", ""),
        )

    def samples_of(self, digest: str, cases: tuple[str, ...]) -> dict[str, int]:
        """How many samples, counted from 1 without a gap, each case has. Invalid names the cases that have none."""
        counts = {case: self._count(digest, case) for case in cases}
        absent = [case for case, count in counts.items() if not count]
        if absent:
            raise missing(digest, absent[0], 1, len(absent) - 1)
        return counts

    def _count(self, digest: str, case: str) -> int:
        sample = 1
        while (digest, case, sample) in self.lookup:
            sample += 1
        return sample - 1


def missing(digest: str, case: str, sample: int, more: int = 0) -> Invalid:
    """The error for a recording that is not there."""
    others = f" and {more} more cases" if more > 1 else " and one more case" if more else ""
    return Invalid(
        f"there is no recorded output for case {case} (sample {sample}){others} of content {digest}",
        "push recordings made with exactly this content (`cuelight digest` shows its digest), or choose a live provider",
        content=digest,
        case=case,
        sample=sample,
    )
