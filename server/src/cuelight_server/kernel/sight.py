"""What somebody may see: workflows by name, or the whole desk; what is outside of it is not there for them."""

from dataclasses import dataclass

from cuelight_server.kernel.errors import NotFound


@dataclass(frozen=True, slots=True)
class Sight:
    """The workflows that one sees; `everything` is for administrators, auditors and the desk itself."""

    workflows: frozenset[str] = frozenset()
    everything: bool = False

    def sees(self, subject: str) -> bool:
        """Whether `sales`, `sales.x` or `sales.x@v2` lies in a workflow that one sees."""
        return self.everything or place_of(subject) in self.workflows

    def enter(self, subject: str) -> None:
        """Unseen, the same for what belongs to others and for what was never there."""
        if not self.sees(subject):
            raise unseen(subject)


EVERYTHING = Sight(everything=True)


def place_of(subject: str) -> str:
    """`sales` for `sales`, `sales.lead_qualification` and `sales.lead_qualification@v2`."""
    return subject.partition("@")[0].partition(".")[0]


class Unseen(NotFound):
    """The one answer about a place that somebody does not see, whether there is such a place or not."""


def unseen(subject: str) -> Unseen:
    """Say so, with nothing in it that a place that never was would not say."""
    return Unseen(f"there is no {subject} here for you", "see what is: cuelight status; an owner can let you in")
