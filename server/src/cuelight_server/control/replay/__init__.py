"""Does what is stored say what the log says? Pure: audit lines and raw rows in, findings in plain words out."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from cuelight_server.audit.model import Event, Personal
from cuelight_server.audit.personal import opened
from cuelight_server.control.replay import (
    decisions,
    evidence,
    governance,
    identities,
    people,
    proof,
    providers,
    reading,
    shelf,
)
from cuelight_server.control.replay.compare import Log, Row

__all__ = ["Rows", "replay"]

Rows = Callable[[str], Iterable[Row]]  # table name -> its rows as they lie there, whatever is in them

_CHECKS: tuple[tuple[str, Callable[[Log, Iterable[Row]], Iterator[str]]], ...] = (
    ("desk", people.desk),
    ("personal", proof.personal),
    ("signing_key", proof.keys),
    ("audit_event", proof.searchable),
    ("actor", people.accounts),
    ("token", people.tokens),
    ("password", people.passwords),
    ("email", people.emails),
    ("invitation", people.invitations),
    ("identity", identities.identities),
    ("trust", identities.trusts),
    ("workflow", shelf.workflows),
    ("workflow_revision", shelf.revisions),
    ("prompt", shelf.prompts),
    ("version", shelf.versions),
    ("draft", shelf.drafts),
    ("contribution", shelf.contributions),
    ("suite", shelf.suites),
    ("knowledge", shelf.knowledge),
    ("prices", shelf.prices),
    ("recording", shelf.recordings),
    ("retired_model", shelf.retired_models),
    ("provider_connection", providers.connections),
    ("evaluation", evidence.evaluations),
    ("evaluation_result", evidence.results),
    ("review", reading.reviews),
    ("review_signature", reading.signatures),
    ("tried", reading.tries),
    ("proposal", governance.proposals),
    ("consent", governance.consents),
    ("membership", governance.memberships),
    ("approval", decisions.approvals),
    ("release", decisions.releases),
    ("deployment", decisions.deployments),
    ("environment", decisions.environments),
    ("snapshot", decisions.snapshots),
)


def replay(log: Log, rows: Rows) -> list[str]:
    """Everything in which the rows are not what the lines of the log made of them, table by table."""
    found: list[str] = []
    clear = _Clear(log, _texts(rows))
    for table, check in _CHECKS:
        try:
            found += check(clear if check is people.accounts else log, rows(table))
        except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as bad:
            found.append(f"{table}: cannot be compared with the log: {bad!r}")
    return found


class _Clear:
    """The lines with the texts about people that are still there."""

    def __init__(self, log: Log, kept: Sequence[Personal]) -> None:
        self._log = log
        self._kept = kept

    def __iter__(self) -> Iterator[Event]:
        return opened(self._log, self._kept)

    def of(self, *verbs: str) -> Iterator[Event]:
        return opened(self._log.of(*verbs), self._kept)

    def holding(self, *names: str) -> Iterator[Event]:
        return opened(self._log.holding(*names), self._kept)


def _texts(rows: Rows) -> Sequence[Personal]:
    """The texts about people that are still there; what cannot be read is named by its own check."""
    try:
        return [Personal(**row) for row in rows("personal")]
    except (LookupError, TypeError, ValueError, AttributeError):
        return ()
