"""Plain words for times and events: what a page says instead of codes."""

from datetime import datetime
from typing import Any

from cuelight_server.audit.model import Event

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def ago(at: datetime, now: datetime) -> str:
    """How long ago, in the largest unit that fits: `just now`, `5 min`, `3 h`, `12 d`."""
    seconds = max(0, int((now - at).total_seconds()))
    for unit, name in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")):
        if seconds >= unit:
            return f"{seconds // unit} {name} ago"
    return "just now"


def event_words(event: Event) -> str:
    """One sentence for one audit event; an unknown verb is shown as it is, never hidden."""
    facts: Any = event.facts
    if event.verb == "refused":
        return f"Refused: {facts.get('message', 'no reason kept')}"
    words = _WORDS.get(str(event.verb))
    return f"{words} {event.subject}" if words else f"{event.verb} {event.subject}"


_WORDS = {
    "desk.create": "The desk was opened:",
    "actor.add": "Added",
    "actor.disable": "Disabled",
    "token.issue": "Gave a token to",
    "token.revoke": "Revoked token",
    "workflow.create": "Brought the workflow",
    "workflow.push": "Pushed",
    "workflow.govern": "Changed owners, tier or rules of",
    "governance.propose": "Proposed who decides in",
    "governance.approve": "Agreed to who decides in",
    "governance.decline": "Declined a change of who decides in",
    "governance.withdraw": "Took back a change of who decides in",
    "governance.apply": "Put into force who decides in",
    "handover.offer": "Offered a role of",
    "handover.accept": "Accepted a role of",
    "handover.decline": "Declined a role of",
    "member.admit": "Let somebody into",
    "member.dismiss": "Showed somebody out of",
    "auditor.appoint": "Made an auditor of",
    "auditor.dismiss": "Ended the audit by",
    "prompt.mint": "Minted",
    "draft.save": "Saved a draft of",
    "suite.push": "Updated the test set",
    "knowledge.push": "Updated knowledge",
    "prices.push": "Updated prices of",
    "recording.push": "Brought recordings for",
    "evaluation.run": "Started an evaluation of",
    "evaluation.finish": "Finished an evaluation of",
    "release.approve": "Approved",
    "release.open": "Released",
    "release.roll_back": "Took back",
    "prompt.switch_off": "Switched off",
}
