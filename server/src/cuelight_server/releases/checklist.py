"""The release checklist: pure, facts in, every item with its answer and who could provide what is missing."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from cuelight_server.kernel.terms import Role
from cuelight_server.kernel.verdict import Verdict
from cuelight_server.releases import read_blind
from cuelight_server.releases.items import no as _no
from cuelight_server.releases.items import yes as _yes
from cuelight_server.releases.model import Approval, Checklist, Facts, Item, KnowledgeFact

_MAKERS = ("workflow owner", "domain expert", "engineering owner")


def check(facts: Facts) -> Checklist:
    """Every item that a release takes, the ones that hold too."""
    return Checklist(
        prompt=facts.prompt,
        label=facts.label,
        environment=facts.environment,
        items=tuple(_items(facts)),
        binding=facts.binding,
        bound=facts.bound,
    )


def by_id(facts: Facts) -> Facts:
    """The same facts without anybody's name: what is stored for good says who by their id."""
    people = {role: tuple((id, id) for id, _ in held) for role, held in facts.holders.items()}
    return replace(facts, holders=people)


def filled(facts: Facts) -> dict[Role, Approval]:
    """Which approval fills which required role: held now, not by an author, each by another person.

    Where a person could fill two roles the assignment that fills most is taken.
    """
    usable = {
        role: [one for one in facts.approvals if one.role is role and _counts(facts, one)] for role in facts.required
    }
    return _assign(facts, facts.required, usable, frozenset())


def _assign(
    facts: Facts, roles: tuple[Role, ...], usable: Mapping[Role, list[Approval]], taken: frozenset[str]
) -> dict[Role, Approval]:
    if not roles:
        return {}
    role, rest = roles[0], roles[1:]
    ways = [
        {role: one} | _assign(facts, rest, usable, taken | {facts.one(one.person)})
        for one in usable[role]
        if facts.one(one.person) not in taken
    ]
    return max([*ways, _assign(facts, rest, usable, taken)], key=len)


def _counts(facts: Facts, approval: Approval) -> bool:
    held = _held_by(facts, approval.role, approval.person)
    return held and approval.person not in facts.authors and approval.binding == facts.binding


def _held_by(facts: Facts, role: Role, person: str) -> bool:
    return person in [id for id, _ in facts.holders.get(role, ())]


def _items(facts: Facts) -> Iterator[Item]:
    yield _desk(facts)
    yield _version(facts)
    yield _lint(facts)
    yield _suite(facts)
    yield from read_blind.examples(facts)
    yield _report(facts)
    yield _recorded(facts)
    yield from (read_blind.review(facts, one) for one in facts.reviews)
    yield from (_knowledge(facts, one) for one in facts.knowledge)
    yield from (_approval(facts, role) for role in facts.required)
    yield _people(facts)
    yield from _held(facts)
    yield _owners(facts)
    yield _fallback(facts)
    yield _rollback(facts)
    yield _declared_only(facts)
    yield _quarantine(facts)


def _desk(facts: Facts) -> Item:
    if facts.local:
        return _no("desk", "a local desk never releases", ("a server: `cuelight-server serve`",))
    return _yes("desk", "this desk may release")


def _version(facts: Facts) -> Item:
    if facts.minted:
        return _yes("version", f"{facts.label} is a minted version")
    return _no("version", f"{facts.label} is a draft, not a minted version", _named(facts, *_MAKERS))


def _lint(facts: Facts) -> Item:
    if facts.lint:
        return _no("lint", "; ".join(facts.lint), _named(facts, *_MAKERS))
    return _yes("lint", "no error in the prompt, its suite and its workflow as they are now")


def _suite(facts: Facts) -> Item:
    """Never in the way by itself: whoever changed the suite counts as an author, so others read this and say yes."""
    if facts.live is None:
        return _yes("suite", "there is no released suite to compare with")
    return _yes("suite", facts.suite_change or f"the suite is the one that v{facts.live} was released with")


def _report(facts: Facts) -> Item:
    who = (f"anyone with a role: cuelight eval {facts.prompt}@{facts.label}",)
    if facts.suite is None:
        return _no("report", "there is no suite to evaluate against", _named(facts, *_MAKERS))
    if facts.evidence is None:
        words = "no report of this server for exactly this content, suite and production version"
        return _no("report", words, who)
    found = facts.evidence
    passing = found.verdict == Verdict.PASS and found.evidence is not None
    words = f"the report {found.evaluation} says {found.verdict}"
    if found.runs > 1:
        words += f"; {found.passed} of {found.runs} runs for exactly this passed"
    if found.stale:
        return _no("report", f"{words}, but {found.stale}", who)
    return _yes("report", words) if passing else _no("report", words, who)


def _recorded(facts: Facts) -> Item:
    recorded = facts.evidence is not None and facts.evidence.recorded
    if recorded and not facts.demo:
        words = "the report is on recorded outputs, which release on a demo desk only"
        return _no("recorded", words, ("an evaluation with a model as provider",))
    return _yes("recorded", "recorded outputs, on a demo desk" if recorded else "no recorded outputs")


def _knowledge(facts: Facts, one: KnowledgeFact) -> Item:
    """A version that names knowledge is measured on the release that it goes out with, in some case at the least."""
    id, again = f"knowledge:{one.name}", (f"anyone with a role: cuelight eval {facts.prompt}@{facts.label}",)
    if one.number is None:
        return _no(id, f"the desk has no knowledge {one.name}", (f"the workflow's folder: knowledge/{one.name}.yaml",))
    if facts.evidence is None:
        return _no(id, f"nothing was measured on {one.name} release {one.number} yet", again)
    if not one.same:
        measured = f"release {one.measured}" if one.measured else "a release that it does not name"
        return _no(id, f"the report was measured on {one.name} {measured}, the newest is release {one.number}", again)
    words = f"{one.as_released} of {one.cases} cases give {one.name} as release {one.number} has it"
    if not one.as_released:
        return _no(id, words, ("a maker: bring the suite's cases up to the release, push, and evaluate again",))
    return _yes(id, words)


def _approval(facts: Facts, role: Role) -> Item:
    words = role.value.replace("_", " ")
    given = filled(facts).get(role)
    if given:
        return _yes(f"approval:{role.value}", f"{words}: yes by {_name(facts, given.person)}")
    held = facts.holders.get(role, ())
    could = tuple(f"{name} ({person})" for person, name in held if person not in facts.authors)
    not_they = "".join(f"; {person} {facts.authors[person]}" for person, _ in held if person in facts.authors)
    who = could or (f"a {words} other than the authors",)
    return _no(f"approval:{role.value}", f"the yes of the {words} is missing{not_they}", who)


def _people(facts: Facts) -> Item:
    given = filled(facts)
    yes = {facts.one(approval.person) for approval in given.values()}
    authors = [one.person for one in facts.approvals if one.person in facts.authors and one.role not in given]
    if authors:
        why = "; ".join(dict.fromkeys(f"{one} {facts.authors[one]}" for one in authors))
        return _no("people", f"an author's yes does not count: {why}", ("another holder of the role",))
    doubled = [role for role in facts.required if role not in given and _only_taken(facts, role, yes)]
    if doubled:
        return _no("people", "one person's yes cannot fill two roles", ("another holder of the role",))
    return _yes("people", "each yes is by another person, none by the author")


def _only_taken(facts: Facts, role: Role, yes: set[str]) -> bool:
    given = [one for one in facts.approvals if one.role is role and _counts(facts, one)]
    return bool(given) and all(facts.one(one.person) in yes for one in given)


def _held(facts: Facts) -> Iterator[Item]:
    if not facts.required:
        return
    given = filled(facts)
    lost = [one for one in facts.approvals if one.role not in given and not _held_by(facts, one.role, one.person)]
    words = ", ".join(f"{one.person} is no {one.role.value.replace('_', ' ')} any more" for one in lost)
    if lost:
        yield _no("held", words, ("a present holder of the role",))
    else:
        yield _yes("held", "everyone who said yes holds the role now")


def _owners(facts: Facts) -> Item:
    if not facts.ownerless:
        return _yes("owners", "every owner that the tier asks for is named and here")
    words = f"owners that the tier asks for are missing: {'; '.join(facts.ownerless)}"
    return _no("owners", words, ("the workflow: owners, by a push or a handover (cuelight owners)",))


def _fallback(facts: Facts) -> Item:
    if facts.fallback:
        return _yes("fallback", "what callers get while it is off is declared")
    return _no("fallback", "no fallback is declared", ("the workflow: prompts.<name>.fallback",))


def _rollback(facts: Facts) -> Item:
    if facts.live is not None and facts.rollback_unread:
        words = (
            f"after a rollback to v{facts.live} a consumer cannot read its outputs: {'; '.join(facts.rollback_unread)}"
        )
        return _no("rollback", words, ("the consumer: accept both, until the older version is gone",))
    if facts.live is not None:
        unsure = f"; it cannot be told whether {'; '.join(facts.rollback_unsure)}" if facts.rollback_unsure else ""
        return _yes("rollback", f"a rollback goes to v{facts.live}{unsure}")
    if facts.fallback:
        return _yes("rollback", "first release: a rollback switches off")
    return _no("rollback", "nothing to roll back to, and no fallback", ("the workflow: prompts.<name>.fallback",))


def _declared_only(facts: Facts) -> Item:
    if facts.declared_only and facts.blocks_declared_only:
        words = f"rules that nothing enforces: {', '.join(facts.declared_only)}"
        return _no("declared_only", words, _named(facts, *_MAKERS))
    return _yes("declared_only", "no rule in words stands in the way")


def _quarantine(facts: Facts) -> Item:
    if facts.quarantined is None:
        return _yes("quarantine", "it was not rolled back here before")
    words = f"{facts.label} was rolled back here: {facts.quarantined}"
    return _no("quarantine", words, ("a new version with the cause mended",))


def _named(facts: Facts, *roles: str) -> tuple[str, ...]:
    found = [
        f"{name} ({words})" for words in roles for _, name in facts.holders.get(Role(words.replace(" ", "_")), ())[:1]
    ]
    return tuple(found) or roles


def _name(facts: Facts, person: str) -> str:
    names = {id: name for people in facts.holders.values() for id, name in people}
    return names.get(person, person)
