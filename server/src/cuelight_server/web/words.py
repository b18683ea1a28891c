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


def counted(number: int) -> str:
    """A small number as a word that begins a sentence, a larger one in digits."""
    words = ("None", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")
    return words[number] if 0 <= number < len(words) else str(number)


def is_step(event: Event) -> bool:
    """Whether an event is only a step on the way to another that is shown: the start of an evaluation, files that came along."""
    return str(event.verb) in _STEPS


def event_words(event: Event) -> str:
    """One sentence for one audit event; an unknown verb is shown as it is, never hidden."""
    facts: Any = event.facts
    if event.verb == "refused":
        return f"Refused: {_first(str(facts.get('message', 'no reason kept')))}"
    if event.verb == "evaluation.finish":
        return f"{_FINISHED.get(facts.get('verdict'), 'Finished an evaluation, without a verdict:')} {event.subject}"
    if event.verb == "sign_in.fail":
        count = facts.get("count", 0)
        return f"{'Somebody' if not facts.get('who') else facts['who']} failed to sign in, {count} {'time' if count == 1 else 'times'}"
    words = _WORDS.get(str(event.verb))
    return f"{words} {event.subject}" if words else f"{event.verb} {event.subject}"


def _first(reasons: str) -> str:
    """The first of several reasons, and how many more there are; all of them stand in the audit log."""
    first, *more = reasons.split("; ")
    return f"{first} and {len(more)} more {'reason' if len(more) == 1 else 'reasons'}" if more else first


_FINISHED = {"pass": "Evaluation passed:", "fail": "Evaluation failed:", "inconclusive": "Evaluation was not clear:"}
_WORDS = {
    "desk.create": "The desk was opened:",
    "desk.restore": "The desk was made of a backup:",
    "desk.migrate": "The tables were brought up to date:",
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
    "prompt.try": "Tried",
    "review.open": "Asked for a blind review of",
    "review.sign": "Signed a blind review of",
    "release.approve": "Approved",
    "release.open": "Released",
    "release.roll_back": "Took back",
    "prompt.switch_off": "Switched off",
    "person.erase": "Erased what the log said of",
    "key.make": "Announced the",
    "key.rotate": "Changed the",
}

_STEPS = frozenset(
    {
        "actor.add",
        "token.issue",
        "workflow.push",
        "suite.push",
        "knowledge.push",
        "prices.push",
        "recording.push",
        "evaluation.run",
    }
)
