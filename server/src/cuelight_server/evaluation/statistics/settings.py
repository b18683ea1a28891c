"""How a version is compared: what the gate says, what its tier asks on top, and what holds where neither speaks."""

from dataclasses import dataclass
from typing import Any

from cuelight_server.evaluation.model import Json
from cuelight_server.kernel.statistics.planning import CONFIDENCE, LOOKS, MARGIN, cases_for
from cuelight_server.kernel.statistics.sequential import look_confidence
from cuelight_server.kernel.terms import Tier

REQUIRED, REPORTED = "required", "reported"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """`margin` is the largest drop of the share that is no loss; `confidence` is that of each one-sided bound."""

    margin: float = MARGIN
    confidence: float = CONFIDENCE
    required: bool = False
    strict: bool = False
    allow_underpowered: bool = False
    stop_early: bool = False

    @property
    def alpha(self) -> float:
        """The rate at which an unchanged version may be blocked."""
        return 1 - self.confidence

    def bound(self, look: int = LOOKS, share: float = 1.0) -> float:
        """The confidence of a one-sided bound that has a share of the error rate, at a look or at the end.

        Where the run may stop early each look needs more, and the end a little more (O'Brien and Fleming).
        """
        alpha = self.alpha * share
        found = look_confidence(look, LOOKS, alpha) if self.stop_early else None
        return 1 - alpha if found is None else found


def settings(gate: Json) -> Settings:
    """What a gate says of the comparison, and the defaults for what it leaves out."""
    said = gate.get("comparison", {})
    return Settings(
        margin=said.get("margin", MARGIN),
        confidence=said.get("confidence", CONFIDENCE),
        required=said.get("rule") == REQUIRED,
        strict=said.get("strict", False),
        allow_underpowered=said.get("allow_underpowered", False),
        stop_early=said.get("stop_early", False),
    )


def resolved(gate: Json, tier: Tier, cases: int, *, settings_changed: bool) -> dict[str, Any]:
    """The gate with its comparison said in full.

    From tier high up, another model or other settings must be shown to be no worse than production, where the suite
    is large enough to show it. No gate can ask for less than that: its margin, confidence and leave to be too small
    count only as far as they are stricter.
    """
    own = settings(gate)
    margin, confidence = min(own.margin, MARGIN), max(own.confidence, CONFIDENCE)
    by_tier = tier >= Tier.HIGH and settings_changed and cases >= cases_for(margin, confidence)
    said = {
        "rule": REQUIRED if own.required or by_tier else REPORTED,
        "margin": margin if by_tier else own.margin,
        "confidence": confidence if by_tier else own.confidence,
        "strict": own.strict,
        "allow_underpowered": own.allow_underpowered and not by_tier,
        "stop_early": own.stop_early,
    }
    return {**gate, "comparison": said}
