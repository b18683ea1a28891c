"""Who may say yes to what, and where a rollback goes: pure."""

from collections.abc import Mapping
from enum import StrEnum

from cuelight_server.kernel.errors import Blocked, Conflict, Denied, Invalid
from cuelight_server.kernel.terms import Role
from cuelight_server.kernel.verdict import Verdict
from cuelight_server.releases.checklist import filled
from cuelight_server.releases.model import Checklist, Facts


class Back(StrEnum):
    """What a rollback comes down to."""

    TO_TARGET = "to_target"
    SWITCH_OFF = "switch_off"
    DONE_ALREADY = "done_already"


def role_for(facts: Facts, person: str, asked: Role | None) -> Role:
    """The role in which `person` says yes, `asked` or the first needed one that they hold.

    Blocked without a passing report or for a draft, or when the person said yes in another role; Denied for an author
    and for whoever does not hold the role; Invalid for a role that is not needed; Conflict when the yes is there.
    """
    _refuse_early(facts, person)
    held = [role for role in facts.required if person in [id for id, _ in facts.holders.get(role, ())]]
    if asked is not None and asked not in facts.required:
        needed = ", ".join(_words(role) for role in facts.required)
        raise Invalid(f"the yes of the {_words(asked)} is not needed here", f"needed: {needed or 'nobody'}")
    if not held or (asked is not None and asked not in held):
        raise _not_held(facts, person, asked)
    given = {one.role for one in facts.approvals if facts.one(one.person) == facts.one(person)}
    wanted = asked or next((role for role in held if role in given), None) or _open(facts, held)
    if wanted in given:
        raise Conflict(f"{person} said yes as {_words(wanted)} already", "nothing to do")
    if given:
        raise Blocked(
            f"{person} said yes as {_words(min(given))} already", "one person fills one role: ask another holder"
        )
    return wanted


def refused(checklist: Checklist) -> Blocked:
    """The refusal of a release: every missing item, and who can provide it."""
    missing = checklist.missing
    words = "; ".join(item.words for item in missing)
    hints = [f"{item.words}: {' or '.join(item.who)}" for item in missing if item.who]
    return Blocked(
        f"{checklist.prompt}@{checklist.label} cannot go to {checklist.environment}: {words}",
        "; ".join(hints),
        checklist=checklist.to_json(),
    )


def way_back(
    live: int | None,
    target: int | None,
    asked: int | None,
    *,
    asked_was_rolled_back: bool,
    rolled_back_from: int | None = None,
) -> Back:
    """Where a rollback goes. `asked` is the version that the caller saw (None = whatever is live).

    Rolling back what was rolled back already is done, not an error; what never was is a Conflict. Where what serves is
    itself the result of a rollback (`rolled_back_from` says of which version), a second one that names nothing is the
    same wish again: going further back takes `asked`.
    """
    if asked is not None and asked != live:
        if asked_was_rolled_back:
            return Back.DONE_ALREADY
        raise Conflict(f"v{asked} is not what serves now", f"v{live} does" if live else "nothing is live")
    if live is None or (asked is None and rolled_back_from is not None):
        return Back.DONE_ALREADY
    return Back.TO_TARGET if target is not None else Back.SWITCH_OFF


def _refuse_early(facts: Facts, person: str) -> None:
    if not facts.minted:
        raise Blocked(f"{facts.label} is a draft", "mint it first: cuelight push")
    if facts.evidence is None or facts.evidence.verdict != Verdict.PASS or facts.binding is None:
        raise Blocked(
            f"there is no passing report for {facts.prompt}@{facts.label} yet, so there is nothing to say yes to",
            f"run: cuelight eval {facts.prompt}@{facts.label}",
        )
    if facts.evidence.stale:
        raise Blocked(
            f"the report for {facts.prompt}@{facts.label} does not count any more: {facts.evidence.stale}",
            f"run: cuelight eval {facts.prompt}@{facts.label}",
        )
    if person in facts.authors:
        others = _others(facts.holders, facts.required, facts.authors)
        raise Denied(f"{person} is an author of {facts.label}: {person} {facts.authors[person]}", f"ask {others}")
    if not facts.required:
        raise Invalid(f"{facts.prompt}@{facts.label} needs no approval for {facts.environment}", "release it")


def _open(facts: Facts, held: list[Role]) -> Role:
    done = filled(facts)
    return next((role for role in held if role not in done), held[0])


def _not_held(facts: Facts, person: str, asked: Role | None) -> Denied:
    roles = (asked,) if asked else facts.required
    words = " or ".join(_words(role) for role in roles)
    return Denied(
        f"{person} is no {words} of {facts.prompt} now", f"ask {_others(facts.holders, roles, facts.authors)}"
    )


def _others(
    holders: Mapping[Role, tuple[tuple[str, str], ...]], roles: tuple[Role, ...], but: Mapping[str, str]
) -> str:
    found = [f"{name} ({_words(role)})" for role in roles for id, name in holders.get(role, ()) if id not in but]
    return " or ".join(found) or "the workflow owner to name someone"


def _words(role: Role) -> str:
    return role.value.replace("_", " ")
