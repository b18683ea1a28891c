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
    "actor.link": "One more account of the same person:",
    "email.verify": "Vouched for the address of",
    "invitation.issue": "Made a one-time link for",
    "invitation.accept": "Set a password:",
    "password.change": "Changed the password:",
    "sign_in.fail": "Did not get in:",
    "token.issue": "Gave a key to",
    "token.issue_own": "Made a token:",
    "token.revoke": "Revoked key",
    "token.revoke_own": "Revoked key",
    "token.exchange": "Let a pipeline in as",
    "identity.link": "Linked with the sign-in provider:",
    "identity.connect": "Connected with the sign-in provider:",
    "identity.unlink": "No longer linked with the sign-in provider:",
    "admin.appoint": "Made an administrator of",
    "admin.dismiss": "No longer an administrator:",
    "trust.add": "Trusted a pipeline to act as",
    "trust.end": "Ended the trust",
    "workflow.create": "Brought the workflow",
    "workflow.push": "Pushed",
    "workflow.govern": "Changed owners, tier or rules of",
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
