"""Who made a change: the version's writers, and whoever changed what it is judged by since the last release."""

from collections.abc import Iterable, Mapping

from cuelight_server.access import store as access
from cuelight_server.db.engine import Connection
from cuelight_server.prompts import store as prompts
from cuelight_server.prompts.model import Draft, Version
from cuelight_server.releases.model import Release
from cuelight_server.routing.publish import workflow_of
from cuelight_server.routing.rules import label


def authors(sql: Connection, found: Version | Draft, suite: str | None, governing: Release | None) -> dict[str, str]:
    """Person -> what they did, in words; none of them may say yes. `governing` is the release of what serves.

    Whoever wrote any of it: the version, the same content before, a draft under its label. And since that release:
    whoever pushed rules (a revision of the workflow, its authority with it), tests (a number of its suite), or
    knowledge.
    """
    writers = prompts.contributors(sql, found.prompt, found.digest, found.label)
    made = dict.fromkeys(writers, f"wrote parts of {found.label}")
    if governing is not None:
        name, since = workflow_of(found.prompt), f"since {label(governing.number)} went live"
        for person in prompts.revised_since(sql, name, governing.governed_by):
            made.setdefault(person, f"changed the release rules {since}")
        for person in _testers(sql, name, suite, governing):
            made.setdefault(person, f"changed the suite {since}")
        for person in prompts.knowledge_pushed_since(sql, name, governing.checklist["bound"].get("knowledge") or {}):
            made.setdefault(person, f"changed the knowledge {since}")
    return {**made, found.author: f"wrote {found.label}"}


def _testers(sql: Connection, workflow: str, suite: str | None, governing: Release) -> list[str]:
    """Everyone who pushed the suite after the number that was bound; all of them where another suite was bound."""
    if suite is None:
        return []
    bound = governing.checklist["bound"].get("suite")
    then = prompts.suite_by_digest(sql, workflow, suite, bound) if bound else None
    return prompts.suite_pushed_since(sql, workflow, suite, then.number if then else 0)


def same_person(sql: Connection, accounts: Iterable[str]) -> dict[str, str]:
    """Account -> the verified person behind it."""
    known = {id: access.account(sql, id) for id in accounts}
    return {id: account.actor().who if account else id for id, account in known.items()}


def through_any_account(made: Mapping[str, str], person_of: Mapping[str, str]) -> dict[str, str]:
    """The authors, and every other account of theirs among those that were looked at."""
    people = {person_of.get(id, id): (id, words) for id, words in made.items()}
    others = {id: people[who] for id, who in person_of.items() if who in people and id not in made}
    return {**made, **{id: f"is {author}, who {words}" for id, (author, words) in others.items()}}
