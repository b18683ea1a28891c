"""What serves where, and what needs a person."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, select

from cuelight.contract.bucket import PLACES
from cuelight_server.access import store as access
from cuelight_server.db import schema
from cuelight_server.db.desk import Desk
from cuelight_server.db.engine import reading
from cuelight_server.evaluation.store import is_recorded
from cuelight_server.governance import store as governance
from cuelight_server.kernel.actor import Actor
from cuelight_server.kernel.page import MAX_SIZE
from cuelight_server.kernel.sight import EVERYTHING, Sight
from cuelight_server.kernel.terms import ActorKind, Environment, ReleaseState, Role
from cuelight_server.kernel.verdict import Verdict
from cuelight_server.prompts import store as prompts
from cuelight_server.releases import store as releases
from cuelight_server.releases.model import Release
from cuelight_server.routing import store as routing
from cuelight_server.routing.model import Deployment
from cuelight_server.routing.rules import label
from cuelight_server.views.runtime import observed

_MOST = 1000
WORDS = {"go": "Go", "standby": "Standby", "hold": "Hold", "off": "Off"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportLine:
    """The newest evaluation of a prompt; `at` is RFC 3339."""

    id: str
    label: str
    state: str
    verdict: str | None
    recorded: bool
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Following:
    """How many clients of the environment are known, alive, and alive with its newest snapshot.

    Who is known and does not follow is named by `/runtime/observed`.
    """

    known: int
    live: int
    following: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What one prompt serves in one environment.

    `state` is go (one approved version serves), standby (a newer one passed and waits, or more than one serves), hold (rolled
    back or switched off by the kill switch) or off (nothing was released); `word` says it and `why` explains it.
    `serves` are (label, weight of 100,000) pairs.
    """

    prompt: str
    environment: str
    tenant: str
    state: str
    word: str
    why: str
    serves: tuple[tuple[str, int], ...]
    since: str | None
    release: str | None
    note: str
    rollback_target: str | None
    report: ReportLine | None
    clients: Following


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The whole desk at one moment."""

    rows: tuple[Row, ...]
    demo: bool
    local: bool

    def to_json(self) -> dict[str, Any]:
        """The status as it goes over the wire."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Me:
    """Who asks, and the roles they hold by workflow: as an owner of it, or let in.

    `auditor`: may look at every workflow.
    """

    id: str
    name: str
    kind: str
    admin: bool
    demo: bool
    local: bool
    roles: Mapping[str, tuple[str, ...]]
    auditor: bool = False

    def to_json(self) -> dict[str, Any]:
        """The answer as it goes over the wire."""
        return asdict(self)


def status(desk: Desk, sight: Sight = EVERYTHING) -> Status:
    """Every prompt in sight in production, and in the other environments where it was ever released; by prompt."""
    clients = {place.value: _following(desk, place.value) for place in Environment}
    with reading(desk.registry) as sql:
        deployed = {
            (one.prompt, one.environment, one.tenant): one
            for place in Environment
            for one in routing.deployments(sql, place.value)
        }
        names = sql.scalars(select(schema.prompt.c.name).where(schema.prompt.c.retired_at.is_(None)).limit(_MOST))
        gone = {one.name for one in prompts.retired(sql)}
        kept = {key for key in deployed if key[0] not in gone}
        wanted = {(name, Environment.PRODUCTION.value, "") for name in names} | kept
        seen = sorted((key for key in wanted if sight.sees(key[0])), key=_order)
        rows = tuple(_row(sql, key, deployed.get(key), clients) for key in seen)
    return Status(rows=rows, demo=desk.demo, local=desk.local)


def me(desk: Desk, actor: Actor) -> Me:
    """Who this is and what they are here."""
    with reading(desk.registry) as sql:
        names = prompts.workflows(sql, size=MAX_SIZE).items
        places = governance.memberships(sql, actor.id)
        roles = {
            name: (*_roles(sql, name, actor.id), *(one.role for one in places if one.workflow == name))
            for name in names
        }
        auditor = governance.is_auditor(sql, actor.id)
    return Me(
        id=actor.id,
        name=actor.name,
        kind=actor.kind.value,
        admin=actor.admin,
        demo=desk.demo,
        local=desk.local,
        roles={name: held for name, held in roles.items() if held},
        auditor=auditor,
    )


def person(desk: Desk, id: str) -> Actor | None:
    """A person who is not disabled, or None."""
    with reading(desk.registry) as sql:
        account = access.account(sql, id)
    if account is None or account.disabled_at is not None or account.kind is not ActorKind.PERSON:
        return None
    return account.actor()


def people(desk: Desk) -> tuple[Actor, ...]:
    """The people of this desk who are not disabled, by id; at most 200."""
    with reading(desk.registry) as sql:
        found = access.accounts(sql, size=MAX_SIZE).items
    return tuple(one.actor() for one in found if one.kind is ActorKind.PERSON and one.disabled_at is None)


def _order(key: tuple[str, str, str]) -> tuple[str, int, str]:
    return key[0], -list(Environment).index(Environment(key[1])), key[2]


def _following(desk: Desk, environment: str) -> Following:
    seen = observed(desk, environment)
    return Following(known=seen.known, live=seen.live, following=seen.following)


def _row(
    sql: Connection, key: tuple[str, str, str], deployed: Deployment | None, clients: Mapping[str, Following]
) -> Row:
    prompt, environment, tenant = key
    release = releases.release(sql, deployed.release) if deployed and deployed.release else None
    state, why = _state(sql, prompt, environment, deployed)
    return Row(
        prompt=prompt,
        environment=environment,
        tenant=tenant,
        state=state,
        word=WORDS[state],
        why=why,
        serves=tuple((label(number), weight) for number, weight in deployed.weights) if deployed else (),
        since=deployed.since if deployed else None,
        release=release.id if release else None,
        note=release.note if release else "",
        rollback_target=label(deployed.rollback_target) if deployed and deployed.rollback_target else None,
        report=_report(sql, prompt),
        clients=clients[environment],
    )


def _state(sql: Connection, prompt: str, environment: str, deployed: Deployment | None) -> tuple[str, str]:
    if deployed is None:
        return "off", "no version was released here"
    if deployed.kill is not None:
        return "hold", f"switched off: {deployed.kill.reason}"
    back = _last_rollback(sql, prompt, environment)
    if back is not None and back.ended_at == deployed.since:
        return "hold", f"rolled back from {label(back.number)}: {back.ended_why}"
    if len(deployed.weights) > 1:
        shares = ", ".join(f"{label(number)} {weight * 100 / PLACES:g} %" for number, weight in deployed.weights)
        return "standby", f"more than one version serves: {shares}"
    newest = sql.scalar(
        select(schema.version.c.number)
        .where(schema.version.c.prompt == prompt)
        .order_by(schema.version.c.number.desc())
        .limit(1)
    )
    if newest is not None and deployed.live is not None and newest > deployed.live and environment == "production":
        return _newer(sql, prompt, environment, newest)
    return "go", "serving as approved"


def _newer(sql: Connection, prompt: str, environment: str, newest: int) -> tuple[str, str]:
    """A candidate changes the state only when it waits for people: one that failed, or was never tried, does not."""
    if releases.rolled_back(sql, prompt, newest, environment):
        return "go", f"serving as approved; {label(newest)} was rolled back"
    report = _report(sql, prompt, label(newest))
    if report is None or report.verdict is None:
        return "go", f"serving as approved; {label(newest)} was not evaluated yet"
    if report.verdict == Verdict.PASS:
        return "standby", f"{label(newest)} passed its evaluation and waits for its release"
    outcome = "did not pass its evaluation" if report.verdict == Verdict.FAIL else "has no clear evaluation"
    return "go", f"serving as approved; {label(newest)} {outcome}"


def _last_rollback(sql: Connection, prompt: str, environment: str) -> Release | None:
    table = schema.release
    found = select(table.c.id).where(
        table.c.prompt == prompt,
        table.c.environment == environment,
        table.c.state == ReleaseState.ROLLED_BACK.value,
    )
    id = sql.scalar(found.order_by(table.c.ended_at.desc()).limit(1))
    return releases.release(sql, id) if id else None


def _report(sql: Connection, prompt: str, wanted: str | None = None) -> ReportLine | None:
    table = schema.evaluation
    among = table.c.prompt == prompt if wanted is None else (table.c.prompt == prompt) & (table.c.label == wanted)
    found = select(table).where(among).order_by(table.c.created_at.desc(), table.c.id.desc()).limit(1)
    row = sql.execute(found).one_or_none()
    return None if row is None else _as_report(row)


def _as_report(row: Any) -> ReportLine:
    return ReportLine(
        id=row.id,
        label=row.label,
        state=row.state,
        verdict=row.verdict,
        recorded=is_recorded(row.provider),
        at=row.finished_at or row.created_at,
    )


def _roles(sql: Connection, workflow: str, person: str) -> tuple[str, ...]:
    owners = prompts.owners_of(sql, workflow)
    held = {role for role, who in owners.items() if person in (who.get("person"), who.get("backup"))}
    return tuple(role.value for role in Role if role.value in held)
