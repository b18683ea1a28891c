"""What people saw for themselves before a release: examples tried by hand, and blind reviews; pure."""

from collections.abc import Iterator

from cuelight_server.releases.items import no, yes
from cuelight_server.releases.model import Facts, Item, ReviewFact, SignedReview

_SHOWN = 5


def examples(facts: Facts) -> Iterator[Item]:
    """The examples that were tried by hand; in the way only where the gate asks for them."""
    one = facts.examples
    if one is None:
        return
    words = f"{one.tried} {'example was' if one.tried == 1 else 'examples were'} tried by hand"
    if one.tried < one.asked:
        who = (f"anyone who drafts: cuelight try {facts.prompt}@{facts.label}",)
        yield no("examples", f"{words}, the gate asks for {one.asked}", who)
    else:
        yield yes("examples", f"{words}, by {', '.join(one.by)}" if one.by else words)


def review(facts: Facts, one: ReviewFact) -> Item:
    """Enough holders of the role, none of them an author, read enough cases blind and can live with the new outputs."""
    id, role = f"human_review:{one.role.value}", one.role.value.replace("_", " ")
    counted = _counted(facts, one)
    people = list(dict.fromkeys(facts.one(each.person) for each in counted))
    if len(people) < one.reviewers:
        each = f"{one.cases} {'case' if one.cases == 1 else 'cases'}"
        words = f"{len(people)} of {one.reviewers} blind reviews of {each} by the {role} are signed"
        return no(id, "; ".join([words, *_but(facts, one)]), _who(facts, one))
    refused = [each for each in counted if len(each.unacceptable) > one.unacceptable_max]
    if refused:
        words = "; ".join(_cannot(facts, each) for each in refused)
        return no(id, words, ("a new version with these cases mended",))
    names = ", ".join(dict.fromkeys(_name(facts, each.person) for each in counted))
    further = f"; they disagree about {_some(one.disagree)}" if one.disagree else ""
    return yes(id, f"read blind and signed by {names} ({role}){further}")


def _counted(facts: Facts, one: ReviewFact) -> list[SignedReview]:
    held = {id for id, _ in facts.holders.get(one.role, ())}
    return [
        each
        for each in one.signed
        if each.person in held and each.person not in facts.authors and each.drawn >= one.cases
    ]


def _but(facts: Facts, one: ReviewFact) -> Iterator[str]:
    """Why what there is does not count."""
    for each in one.signed:
        if each.person in facts.authors:
            yield f"the review by {each.person} does not count: {each.person} {facts.authors[each.person]}"
        elif each.person not in {id for id, _ in facts.holders.get(one.role, ())}:
            yield f"the review by {each.person} does not count: they hold the role no longer"
        elif each.drawn < one.cases:
            yield f"the review by {each.person} has {each.drawn} drawn cases"
    if one.elsewhere:
        count = "a signed review" if one.elsewhere == 1 else f"{one.elsewhere} signed reviews"
        yield f"{count} of another report or question {'does' if one.elsewhere == 1 else 'do'} not count"


def _who(facts: Facts, one: ReviewFact) -> tuple[str, ...]:
    """Who could sign: holders of the role who are no authors."""
    could = [f"{name} ({id})" for id, name in facts.holders.get(one.role, ()) if id not in facts.authors]
    return tuple(could) or (f"a {one.role.value.replace('_', ' ')} other than the authors",)


def _cannot(facts: Facts, each: SignedReview) -> str:
    count = len(each.unacceptable)
    return f"{_name(facts, each.person)} cannot live with {count} of {each.cases} cases: {_some(each.unacceptable)}"


def _name(facts: Facts, person: str) -> str:
    names = {id: name for people in facts.holders.values() for id, name in people}
    return names.get(person, person)


def _some(cases: tuple[str, ...]) -> str:
    more = len(cases) - _SHOWN
    return ", ".join(cases[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
