"""Who owns which prompt: every role with its person, backup and when they were last here; what is wrong comes first."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, select

from cuelight_server.access import store as access
from cuelight_server.access.model import Account
from cuelight_server.db import schema
from cuelight_server.db.desk import Desk
from cuelight_server.db.engine import reading
from cuelight_server.kernel.sight import EVERYTHING, Sight
from cuelight_server.kernel.terms import Role, Tier
from cuelight_server.kernel.tiers import tier_of
from cuelight_server.prompts import store as prompts
from cuelight_server.releases import policy
from cuelight_server.views.activity import last_acts

_MOST_PROMPTS = 2000
_ORDER = ("gap", "orphan", "two_owners", "single")
WORDS = {
    "gap": "nobody is named",
    "orphan": "who is named is not here any more",
    "two_owners": "business and technical owner are one person",
    "single": "nobody stands in",
    "ok": "held",
}
HEADINGS = ("prompt", "tier", "role", "state", "person", "last act", "backup", "backup's last act")


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Somebody named for a role. `here` is false for who is disabled or unknown; `last_active` is their newest act in the log."""

    id: str
    name: str
    here: bool
    last_active: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerRow:
    """One role of one prompt. `state` is gap, orphan, single (no backup who is here) or ok."""

    prompt: str
    workflow: str
    tier: str
    role: str
    state: str
    words: str
    person: Holder | None
    backup: Holder | None
    own: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong, worst first; `blocks` where it keeps the prompt from being promoted."""

    kind: str
    prompt: str
    role: str
    words: str
    blocks: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Ownership:
    """The map: what is wrong first, then every prompt and role."""

    findings: tuple[Finding, ...]
    rows: tuple[OwnerRow, ...]

    def to_json(self) -> dict[str, Any]:
        """As it goes over the wire."""
        return asdict(self)


def ownership(desk: Desk, sight: Sight = EVERYTHING, workflow: str = "") -> Ownership:
    """The map of everything in sight, or of one workflow. NotFound where that is out of sight."""
    if workflow:
        sight.enter(workflow)
    with reading(desk.registry) as sql:
        documents = dict(_documents(sql, sight, workflow))
        names = _prompts(sql, documents)
        people = {id for document in documents.values() for id in _everyone(document)}
        accounts = {id: access.account(sql, id) for id in people}
        active = last_acts(sql, people)
    rows = [row for name in names for row in _rows(name, documents[_place(name)], accounts, active)]
    found = [one for name in names for one in _findings(name, documents[_place(name)], rows, accounts)]
    worst_first = sorted(found, key=lambda one: (_ORDER.index(one.kind), not one.blocks, one.prompt, one.role))
    in_order = sorted(rows, key=lambda row: (row.prompt, list(Role).index(Role(row.role))))
    return Ownership(findings=tuple(worst_first), rows=tuple(in_order))


def as_markdown(found: Ownership) -> str:
    """The map as a page of Markdown: what is wrong, then the table."""
    wrong = [f"- **{one.kind.replace('_', ' ')}** {one.prompt}: {one.words}{_blocking(one)}" for one in found.findings]
    head = f"| {' | '.join(HEADINGS)} |\n|{'---|' * len(HEADINGS)}"
    body = "\n".join(f"| {' | '.join(map(_cell, _cells(row)))} |" for row in found.rows)
    first = "\n".join(wrong) or "Nothing is missing."
    return f"# Ownership map\n\n{first}\n\n{head}\n{body}\n"


def as_csv(found: Ownership) -> str:
    """The map as CSV with a heading; cells that a spreadsheet would run as a formula are quoted as text."""
    made = io.StringIO()
    table = csv.writer(made, lineterminator="\n")
    table.writerow(HEADINGS)
    table.writerows([_plain(cell) for cell in _cells(row)] for row in found.rows)
    return made.getvalue()


def _documents(sql: Connection, sight: Sight, workflow: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    names = sql.scalars(select(schema.workflow.c.name).order_by(schema.workflow.c.name).limit(_MOST_PROMPTS))
    for name in [one for one in names if sight.sees(one) and workflow in ("", one)]:
        known = prompts.workflow(sql, name)
        if known is not None:
            yield name, known.document


def _prompts(sql: Connection, documents: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Every prompt that a workflow names or has, but none that is retired."""
    named = {f"{name}.{short}" for name, one in documents.items() for short in one.get("prompts", {})}
    table = schema.prompt
    found = sql.execute(select(table.c.name, table.c.retired_at).where(table.c.workflow.in_(documents))).all()
    retired = {row.name for row in found if row.retired_at is not None}
    return sorted((named | {row.name for row in found}) - retired)[:_MOST_PROMPTS]


def _everyone(document: Mapping[str, Any]) -> Iterator[str]:
    for short in ("", *document.get("prompts", {})):
        yield from (id for held in policy.holders(document, short).values() for id, _ in held)
    yield from (id for id in policy.two_owners(document) if id)


def _rows(
    name: str, document: Mapping[str, Any], accounts: Mapping[str, Account | None], active: Mapping[str, str]
) -> Iterator[OwnerRow]:
    short = name.partition(".")[2]
    owners = policy.owners_for(document, short)
    own = document.get("prompts", {}).get(short, {}).get("owners", {})
    for role in Role:
        who = owners.get(role.value, {})
        person, backup = (_holder(who.get(part), accounts, active) for part in ("person", "backup"))
        state = _state(person, backup)
        yield OwnerRow(
            prompt=name,
            workflow=_place(name),
            tier=tier_of(document).value,
            role=role.value,
            state=state,
            words=WORDS[state],
            person=person,
            backup=backup,
            own=role.value in own,
        )


def _holder(id: str | None, accounts: Mapping[str, Account | None], active: Mapping[str, str]) -> Holder | None:
    if not id:
        return None
    account = accounts.get(id)
    here = account is not None and account.disabled_at is None
    return Holder(id=id, name=account.name if account else id, here=here, last_active=active.get(id))


def _state(person: Holder | None, backup: Holder | None) -> str:
    if person is None and backup is None:
        return "gap"
    here = {one.id for one in (person, backup) if one is not None and one.here}
    if not here:
        return "orphan"
    return "ok" if len(here) > 1 else "single"


def _findings(
    name: str, document: Mapping[str, Any], rows: Iterable[OwnerRow], accounts: Mapping[str, Account | None]
) -> Iterator[Finding]:
    tier = tier_of(document)
    asked = {role.value for role in policy.OWNERS_OF_TIER[tier]}
    for row in (one for one in rows if one.prompt == name):
        role = row.role.replace("_", " ")
        blocks = row.role in asked and row.state in ("gap", "orphan")
        if row.state != "ok":
            words = f"{role}: {row.words}{_who(row)}"
            yield Finding(kind=row.state, prompt=name, role=row.role, words=words, blocks=blocks)
        elif row.person is not None and not row.person.here:
            words = (
                f"{role}: {row.person.id} is not here any more, {row.backup.id if row.backup else 'nobody'} stands in"
            )
            yield Finding(kind="single", prompt=name, role=row.role, words=words, blocks=False)
    business, technical = policy.two_owners(document)
    if business is not None and business == technical:
        words = f"{business} is the business owner and the technical owner"
        yield Finding(kind="two_owners", prompt=name, role="", words=words, blocks=tier >= Tier.ELEVATED)
    for kind, id in (("business", document.get("business_owner")), ("technical", document.get("technical_owner"))):
        account = accounts.get(id) if id else None
        if id and (account is None or account.disabled_at is not None):
            words = f"{kind} owner: {id} is not here any more"
            yield Finding(kind="orphan", prompt=name, role="", words=words, blocks=tier >= Tier.ELEVATED)


def _who(row: OwnerRow) -> str:
    named = [one.id for one in (row.person, row.backup) if one is not None]
    return f" ({', '.join(named)})" if named else ""


def _place(name: str) -> str:
    return name.partition(".")[0]


def _cells(row: OwnerRow) -> list[str]:
    return [
        row.prompt,
        row.tier,
        row.role.replace("_", " "),
        row.words,
        _named(row.person),
        _active(row.person),
        _named(row.backup),
        _active(row.backup),
    ]


def _named(one: Holder | None) -> str:
    if one is None:
        return "nobody yet"
    return f"{one.name} ({one.id})" if one.here else f"{one.name} ({one.id}), not here any more"


def _active(one: Holder | None) -> str:
    return "nobody yet" if one is None else one.last_active[:10] if one.last_active else "no act yet"


def _blocking(one: Finding) -> str:
    return " (keeps it from being promoted)" if one.blocks else ""


def _cell(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ")


def _plain(text: str) -> str:
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
