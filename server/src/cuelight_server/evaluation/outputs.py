"""The digest of what was answered: two reports with the same numbers on different outputs are not the same evidence."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from cuelight.contract.canonical import canonical_text, digest, digest_bytes
from cuelight_server.evaluation.model import Arm, ArmResult, SampleResult
from cuelight_server.kernel.errors import Invalid


def outputs_digest(arms: Mapping[Arm, ArmResult]) -> str:
    """Over every arm, case and sample: the seals of their outputs."""
    lines = [
        f"{arm.value} {sample.seal or seal_of(sample)}"
        for arm in sorted(arms)
        for case in arms[arm].cases
        for sample in case.samples
    ]
    return digest_bytes("\n".join(sorted(lines)).encode())


def seal_of(one: SampleResult) -> str:
    """Over one output: its text, tool calls, tokens and latency."""
    return digest_bytes(_line(one).encode())


def recordings_digest(recordings: Iterable[Mapping[str, Any]]) -> str:
    """Over the recordings that a run used, in whatever order they come."""
    return digest(sorted(canonical_text(dict(one)) for one in recordings))


def _line(one: SampleResult) -> str:
    numbers = [one.input_tokens, one.output_tokens, one.latency_ms]
    said = [one.case, one.sample, one.text, list(one.tool_calls), [_plain(number) for number in numbers]]
    try:
        return canonical_text(said)
    except Invalid:  # a model may answer with half a surrogate pair or an integer beyond 2^53
        return ascii(said)


def _plain(number: float | None) -> float | str | None:
    return number if number is None or math.isfinite(number) else str(number)
