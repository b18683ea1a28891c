"""What the statistics say, in sentences that need no statistics."""

from cuelight_server.evaluation.model import Comparison, Finding
from cuelight_server.kernel.statistics.proportions import wilson

SMALL = 30  # cases: below, a share is said with how far it may be from the truth


def of_comparison(one: Comparison) -> str:
    """One sentence: what is shown, with the numbers, and what would settle what is not."""
    if one.cases == 0:
        return "no case has an answer in both arms, so nothing can be compared with production"
    measured = f"{_change(one.difference)} ({_span(one)})"
    if one.finding is Finding.NOT_WORSE:
        though = "; a drop is shown, but it lies within the margin" if one.drop_shown else ""
        return f"shown to be within {points(one.margin)} of production: {measured}{though}"
    if one.finding is Finding.HARM:
        return f"shown to be worse than production: {measured} over {_cases(one.cases)}"
    said = f"not shown to be within {points(one.margin)} of production: {measured}"
    return "; ".join([said, *([sees(one)] if one.sees is not None else []), *_settle(one)])


def sees(one: Comparison) -> str:
    """How small a drop this suite can find."""
    if one.sees is None or one.sees >= 1:
        return f"{_cases(one.cases)} cannot show any drop"
    return f"this suite can see a drop of {points(one.sees)} or more"


def points(share: float) -> str:
    """A share in percentage points: whole ones from 10 up, else to the tenth."""
    value = round(abs(share) * 100, 1)
    return f"{value:.0f} points" if value >= 10 or value == int(value) else f"{value:.1f} points"


def small_share(passed: int, of: int, name: str = "") -> str:
    """How far the share of a small set may be from the truth."""
    within = wilson(passed, of)
    whose = f" of {name}" if name else ""
    return (
        f"{passed} of {_cases(of)}{whose} pass: on cases like these the share may be anything "
        f"from {within.lower * 100:.0f} % to {within.upper * 100:.0f} %"
    )


def _settle(one: Comparison) -> list[str]:
    ways = [] if one.more_cases is None else [f"{one.more_cases} more case{'' if one.more_cases == 1 else 's'}"]
    if one.samples_instead is not None:
        ways.append(f"{one.samples_instead} samples of each")
    if not ways:
        return ["no number of cases within reach would settle it"]
    return [f"{' or '.join(ways)} would settle it"]


def _change(difference: float) -> str:
    if abs(difference) < 0.0005:
        return "no difference"
    return f"{points(difference)} {'lower' if difference < 0 else 'higher'}"


def _span(one: Comparison) -> str:
    return f"{one.lower * 100:+.1f} to {one.upper * 100:+.1f}"


def _cases(count: int) -> str:
    return f"{count} case{'' if count == 1 else 's'}"
