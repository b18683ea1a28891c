"""What came of a move: each thing carried, carried with a difference, refused, or left aside, with the place and the reason."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

CARRIED, APPROXIMATED, REFUSED, ASIDE = "carried", "approximated", "refused", "aside"
STATES = (CARRIED, APPROXIMATED, REFUSED)
_WORSE = {ASIDE: 0, CARRIED: 1, APPROXIMATED: 2, REFUSED: 3}
ASSERTION = "assertion"


class CannotCarry(Exception):
    """Something has no counterpart, or cannot be read; the words say why."""

    def __init__(self, why: str) -> None:
        """Keep the reason."""
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing. `kind` says of what sort, `where` its place in the source, `what` its name, `why` the difference or reason."""

    state: str
    kind: str
    where: str
    what: str
    why: str = ""


@dataclass(slots=True)
class Report:
    """All that was found, one finding a thing; said twice, the worse word counts."""

    _found: dict[tuple[str, str, str], Finding] = field(default_factory=dict)

    def add(self, state: str, kind: str, where: str, what: str, why: str = "") -> None:
        """Say what came of one thing. An assertion has one word in all, whatever uses it; other things one a reason."""
        key = (kind, where, "" if kind == ASSERTION else what + why)
        said = self._found.get(key)
        if said is None or _WORSE[state] > _WORSE[said.state]:
            self._found[key] = Finding(state, kind, where, what, why)

    @property
    def findings(self) -> list[Finding]:
        """In the order in which they were found."""
        return list(self._found.values())

    def named(self, state: str) -> Iterator[Finding]:
        """The findings of one state, assertions first."""
        return (one for one in sorted(self.findings, key=lambda one: one.kind != ASSERTION) if one.state == state)

    def assertions(self) -> dict[str, int]:
        """How many assertions were carried, approximated and refused."""
        mine = [one.state for one in self.findings if one.kind == ASSERTION]
        return {state: mine.count(state) for state in STATES}

    @property
    def refused(self) -> bool:
        """Whether anything at all was refused."""
        return any(one.state == REFUSED for one in self.findings)

    def to_json(self) -> dict[str, Any]:
        """Counts of assertions, and every finding that is more than `carried` of an assertion."""
        others = [one for one in self.findings if one.kind != ASSERTION]
        return {
            "assertions": self.assertions(),
            "others": {state: sum(one.state == state for one in others) for state in (*STATES, ASIDE)},
            "findings": [asdict(one) for one in self.findings],
        }
