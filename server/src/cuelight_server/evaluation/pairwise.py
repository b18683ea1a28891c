"""Which of two outputs a judge likes better, asked in both orders: who wins only by standing first has not won."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from cuelight_server.evaluation.model import Arm

MOST_FLIPS = 0.20  # of all pairs: a judge that follows the order more often judges the order


class Choice(StrEnum):
    """What became of one pair. FLIP: each order had another winner, so it counts as a tie."""

    CANDIDATE = "candidate"
    PRODUCTION = "production"
    TIE = "tie"
    FLIP = "flip"
    NO_WORD = "no_word"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One pair judged; `why` says why there is no word."""

    case: str
    sample: int
    choice: Choice
    reason: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """All pairs of one grader."""

    wins: int
    losses: int
    ties: int  # those that the judge called so
    flips: int
    no_word: int

    @property
    def judged(self) -> int:
        """Pairs with a word in both orders."""
        return self.wins + self.losses + self.ties + self.flips

    @property
    def flip_rate(self) -> float | None:
        """The share of judged pairs whose winner changed with the order; None where none was judged."""
        return self.flips / self.judged if self.judged else None


def orders(judge: str, case: str, sample: int) -> tuple[Arm, Arm]:
    """Who stands first in the first of both calls, then in the second: by lot, the same lot each time."""
    first = sha256(f"{judge}/{case}/{sample}".encode()).digest()[0] % 2 == 0
    return (Arm.CANDIDATE, Arm.BASELINE) if first else (Arm.BASELINE, Arm.CANDIDATE)


def together(said: Sequence[tuple[Arm, str]]) -> Choice:
    """Of (who stood first, `first`, `second` or `neither`) in both orders: a winner only where both say the same.

    A winner in one order and none in the other is a tie: it did not change sides.
    """
    liked = [_liked(first, better) for first, better in said]
    winners = {one for one in liked if one is not None}
    if len(winners) > 1:
        return Choice.FLIP
    if not winners or None in liked:
        return Choice.TIE
    return Choice.CANDIDATE if winners == {Arm.CANDIDATE} else Choice.PRODUCTION


def tally(pairs: Sequence[Pair]) -> Tally:
    """How often each came out."""
    counts = {choice: sum(one.choice is choice for one in pairs) for choice in Choice}
    return Tally(
        wins=counts[Choice.CANDIDATE],
        losses=counts[Choice.PRODUCTION],
        ties=counts[Choice.TIE],
        flips=counts[Choice.FLIP],
        no_word=counts[Choice.NO_WORD],
    )


def refused(found: Tally) -> str:
    """Why no pair of this grader counts; empty where they do."""
    rate = found.flip_rate
    if rate is None or rate <= MOST_FLIPS:
        return ""
    return (
        f"the judge changed its mind with the order in {found.flips} of {found.judged} pairs "
        f"({rate:.0%}, at most {MOST_FLIPS:.0%}): it judges the order, not the outputs"
    )


def words(found: Tally) -> str:
    """The tally in a sentence."""
    told = f"better in {found.wins}, worse in {found.losses}, no difference in {found.ties + found.flips}"
    flips = f"; in {found.flips} of {found.judged} pairs the winner changed with the order" if found.judged else ""
    lost = f"; {found.no_word} without a word" if found.no_word else ""
    return f"against production: {told}{flips}{lost}"


def _liked(first: Arm, better: str) -> Arm | None:
    if better == "neither":
        return None
    other = Arm.BASELINE if first is Arm.CANDIDATE else Arm.CANDIDATE
    return first if better == "first" else other
