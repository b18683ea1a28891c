"""Comparisons that a gate asks for and this suite cannot give: too few cases, a metric without a direction, no looks."""

from collections.abc import Iterator, Mapping
from typing import Any

from cuelight_server.kernel.statistics.planning import CONFIDENCE, LOOKS, MARGIN, cases_for, sees_with
from cuelight_server.kernel.statistics.sequential import look_confidence
from cuelight_server.prompts.findings import error, warning
from cuelight_server.prompts.model import Finding

Json = Mapping[str, Any]


def findings_of_comparison(gate: Json, suite: Json, place: str) -> Iterator[Finding]:
    """What of `comparison`, and of the margins of metrics, cannot work on this suite."""
    for at, metric in enumerate(gate.get("metrics", ())):
        if "margin" in metric and ("min" in metric) == ("max" in metric):
            words = f"metric {metric['id']} has a margin, and nothing says whether more of it is better"
            hint = "give it a min where more is better, a max where less is: one of the two"
            yield error("margin_without_direction", words, hint, place, "evaluation", "gate", "metrics", at, "margin")
    said = gate.get("comparison", {})
    confidence = said.get("confidence", CONFIDENCE)
    if said.get("rule") == "required" and not said.get("allow_underpowered"):
        yield from _too_small(said.get("margin", MARGIN), confidence, len(suite["cases"]), place)
    if said.get("stop_early") and look_confidence(LOOKS, LOOKS, 1 - confidence) is None:
        words = f"a run cannot look early for harm at confidence {confidence:g}: it ends early only by the hard rules"
        hint = "confidence 0.95 or 0.975 has looks"
        yield warning("looks_without_table", words, hint, place, "evaluation", "gate", "comparison", "confidence")


def _too_small(margin: float, confidence: float, cases: int, place: str) -> Iterator[Finding]:
    wanted = cases_for(margin, confidence)
    if 0 < cases < wanted:
        words = (
            f"no loss of more than {margin * 100:g} points is to be shown: where one case in ten changes that takes "
            f"{wanted} cases, and with {cases} this suite can see a drop of {sees_with(cases, confidence) * 100:.0f} points or more"
        )
        hint = "write more cases, ask for a wider margin, or say allow_underpowered; most reports will be inconclusive"
        yield warning("comparison_underpowered", words, hint, place, "evaluation", "gate", "comparison", "margin")
