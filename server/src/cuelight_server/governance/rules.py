"""Who may say yes to a change of what governs a workflow, and when it may be put into force: pure."""

from collections.abc import Iterator, Mapping, Sequence

from cuelight_server.governance.model import ADMINISTRATOR, RECEIVER, Consent, Facts, Kind, Need, State
from cuelight_server.kernel.errors import Blocked, Conflict, Denied, Invalid
from cuelight_server.kernel.terms import Role


def needs(facts: Facts) -> tuple[Need, ...]:
    """Every yes that the proposal takes under the old rules, each by another person, none of them its author.

    Roles that nobody but the author could fill are filled together by one administrator. A handover also takes the
    yes of whoever receives the role.
    """
    filled = _filled(facts)
    listed = [Need(role.value, filled.get(role), _could(facts, role)) for role in _staffed(facts)]
    if _vacant(facts):
        given = next((one.person for one in facts.given if _stands_in(facts, one)), None)
        listed.append(Need(ADMINISTRATOR, given, _admins(facts)))
    receiver = facts.proposal.receiver
    if receiver is not None:
        accepted = any(one.role == RECEIVER and one.person == receiver for one in facts.given)
        listed.append(Need(RECEIVER, receiver if accepted else None, (receiver,)))
    return tuple(listed)


def missing(facts: Facts) -> tuple[Need, ...]:
    """What stands between the proposal and being in force."""
    return tuple(one for one in needs(facts) if one.given_by is None)


def seat(facts: Facts, account: str, asked: str | None, *, admin: bool) -> str:
    """The role in which this account says yes, `asked` or the first that is open.

    Conflict where it is not open any more or the yes is there; Denied for its author, for whoever it is handed to,
    and for whoever holds none of the roles; Invalid for a role that is not asked for.
    """
    refuse_closed(facts)
    _refuse_interested(facts, account)
    asked_for = [one for one in needs(facts) if one.role != RECEIVER]
    if not asked_for:
        raise Invalid("nobody's yes is asked for here", f"put it into force: cuelight govern apply {facts.proposal.id}")
    names = [one.role for one in asked_for]
    if asked is not None and asked not in names:
        raise Invalid(f"the yes of the {_words(asked)} is not asked for", f"asked for: {', '.join(map(_words, names))}")
    mine = [one for one in asked_for if _is_mine(one, account, admin=admin)]
    if asked is not None:
        mine = [one for one in mine if one.role == asked]
    if not mine:
        raise Denied(f"{account} holds none of the roles whose yes is asked for", f"ask {_names(asked_for)}")
    before = [one for one in facts.given if facts.one(one.person) == facts.one(account) and one.role != RECEIVER]
    if before:
        raise Conflict(
            f"{account} said yes as {_words(before[0].role)} already", "one person fills one role: ask another holder"
        )
    return next((one.role for one in mine if one.given_by is None), mine[0].role)


def refuse_force(facts: Facts) -> None:
    """Conflict where it is closed or something else governs by now; Blocked while a yes is missing."""
    refuse_closed(facts)
    if facts.now != facts.proposal.base:
        raise Conflict(
            f"what governs {facts.proposal.workflow} has changed since {facts.proposal.id} was proposed",
            "push the folder again: that makes a new proposal from what governs now",
        )
    lacking = missing(facts)
    if lacking:
        words = ", ".join(_words(one.role) for one in lacking)
        raise Blocked(
            f"{facts.proposal.id} still takes the yes of the {words}",
            f"ask {_names(lacking)}",
            missing=[{"role": one.role, "could": list(one.could)} for one in lacking],
        )


def refuse_closed(facts: Facts) -> None:
    """Conflict for a proposal that has ended."""
    one = facts.proposal
    if one.state is not State.OPEN:
        raise Conflict(f"{one.id} is {one.state.value.replace('_', ' ')} since {one.ended_at}", "propose it anew")


def refuse_withdrawal(facts: Facts, account: str) -> None:
    """Conflict for a proposal that has ended; Denied for anyone but its author."""
    refuse_closed(facts)
    if facts.one(account) != facts.one(facts.proposal.author):
        raise Denied(
            f"{facts.proposal.author} proposed {facts.proposal.id}, so only they take it back",
            "an owner whose yes is asked for can decline it: cuelight govern decline",
        )


def refuse_decline(facts: Facts, account: str, *, admin: bool) -> None:
    """Conflict for a proposal that has ended; Denied for whoever is not asked."""
    refuse_closed(facts)
    if not any(_is_mine(one, account, admin=admin) for one in needs(facts) if one.role != RECEIVER):
        raise Denied(f"{account} is not asked about {facts.proposal.id}", f"ask {_names(needs(facts))}")


def refuse_receiving(facts: Facts, account: str) -> None:
    """Conflict for a proposal that has ended, or where it was accepted; Denied for anyone but the receiver."""
    refuse_closed(facts)
    if facts.proposal.kind is not Kind.HANDOVER or facts.proposal.receiver != account:
        raise Denied(
            f"{facts.proposal.id} hands nothing over to {account}", f"ask {facts.proposal.receiver or 'nobody'}"
        )
    if any(one.role == RECEIVER for one in facts.given):
        raise Conflict(f"{account} has accepted {facts.proposal.id} already", "nothing to do")


def _refuse_interested(facts: Facts, account: str) -> None:
    one = facts.proposal
    if facts.one(account) == facts.one(one.author):
        raise Denied(
            f"{account} proposed {one.id}, and no author says yes to their own change", f"ask {_others(facts)}"
        )
    if one.receiver is not None and facts.one(account) == facts.one(one.receiver):
        raise Denied(f"{one.id} hands a role over to {account}", f"accept it, and ask {_others(facts)}")


def _others(facts: Facts) -> str:
    return _names([one for one in needs(facts) if one.role != RECEIVER]) or "nobody: no other yes is needed"


def _interested(facts: Facts) -> set[str]:
    one = facts.proposal
    return {facts.one(one.author), *([facts.one(one.receiver)] if one.receiver else [])}


def _could(facts: Facts, role: Role) -> tuple[str, ...]:
    out = _interested(facts)
    return tuple(who for who in facts.holders.get(role, ()) if facts.one(who) not in out)


def _staffed(facts: Facts) -> tuple[Role, ...]:
    return tuple(role for role in facts.required if _could(facts, role))


def _vacant(facts: Facts) -> tuple[Role, ...]:
    return tuple(role for role in facts.required if not _could(facts, role))


def _admins(facts: Facts) -> tuple[str, ...]:
    out = _interested(facts)
    return tuple(who for who in facts.admins if facts.one(who) not in out)


def _stands_in(facts: Facts, one: Consent) -> bool:
    return one.role == ADMINISTRATOR and one.person in _admins(facts)


def _is_mine(need: Need, account: str, *, admin: bool) -> bool:
    if need.role == ADMINISTRATOR:
        return admin and account in need.could
    return account in need.could


def _filled(facts: Facts) -> dict[Role, str]:
    """Role -> who filled it: held now, not by an interested person, each by another; the way that fills most."""
    usable = {
        role: [one.person for one in facts.given if one.role == role.value and one.person in _could(facts, role)]
        for role in _staffed(facts)
    }
    taken = frozenset(facts.one(one.person) for one in facts.given if _stands_in(facts, one))
    return _assign(facts, _staffed(facts), usable, taken)


def _assign(
    facts: Facts, roles: Sequence[Role], usable: Mapping[Role, list[str]], taken: frozenset[str]
) -> dict[Role, str]:
    if not roles:
        return {}
    role, others = roles[0], roles[1:]
    return max(_ways(facts, role, others, usable, taken), key=len)


def _ways(
    facts: Facts, role: Role, others: Sequence[Role], usable: Mapping[Role, list[str]], taken: frozenset[str]
) -> Iterator[dict[Role, str]]:
    for who in usable[role]:
        if facts.one(who) not in taken:
            yield {role: who} | _assign(facts, others, usable, taken | {facts.one(who)})
    yield _assign(facts, others, usable, taken)


def _names(asked: Sequence[Need]) -> str:
    found = [f"{' or '.join(one.could) or 'nobody yet'} ({_words(one.role)})" for one in asked]
    return ", ".join(found)


def _words(role: str) -> str:
    return role.replace("_", " ")
