"""The registry as one sees it: every prompt, the card of one, and the content behind a label."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, select

from cuelight.contract.bucket import PLACES
from cuelight_server.audit import store as audit
from cuelight_server.audit.verbs import Verb
from cuelight_server.db import schema
from cuelight_server.db.desk import Desk
from cuelight_server.db.engine import reading
from cuelight_server.evaluation import store as evaluation
from cuelight_server.kernel.errors import NotFound
from cuelight_server.kernel.page import DEFAULT_SIZE, Page
from cuelight_server.kernel.sight import EVERYTHING, Sight
from cuelight_server.kernel.terms import Environment, Role
from cuelight_server.prompts import store
from cuelight_server.prompts.model import Draft, Numbered, Prompt, Version, Workflow
from cuelight_server.releases import store as releases
from cuelight_server.routing import store as routing
from cuelight_server.views.knowledge import KnowledgeRead, read_by_content

_APPROVALS = 50
_AUTHORITY = {"never": "never", "needs_approval": "needs_human_approval"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptLine:
    """One prompt in the list. `serving` maps an environment to the label that is live there for everyone."""

    name: str
    use_case: str
    tier: str
    owner: str | None
    newest: str | None
    serving: Mapping[str, str]
    retired: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Who holds a role for this prompt; `own` where the prompt names them and not the workflow."""

    role: str
    person: str | None
    backup: str | None
    own: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """What one environment serves to everyone: (label, share in per cent), and the version a rollback goes to."""

    environment: str
    shares: tuple[tuple[str, float], ...]
    live: str | None
    rollback: str | None
    switched_off: str | None
    since: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionLine:
    """One version; `live_in` names the environments that serve it, with its share in per cent."""

    label: str
    digest: str
    author: str
    release_note: str
    created_at: str
    live_in: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftLine:
    """One draft."""

    label: str
    digest: str
    author: str
    updated_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalLine:
    """One yes; `counts` where it is one of those that the version went live with."""

    label: str
    environment: str
    role: str
    person: str
    at: str
    note: str
    counts: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LastReport:
    """The newest evaluation of the prompt that ended; `recorded` says that no model was asked."""

    id: str
    label: str
    verdict: str | None
    recorded: bool
    at: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """Everything the registry knows of one prompt.

    `digest` to `output` are those of `shown`: the version that production serves, else the newest, else a draft. Each
    variable has an `example` out of the test set where it has one, and `example_from` names the case.
    `never` and `needs_approval` are actions of the workflow's authority; `boundary` the texts of the boundary blocks.
    """

    name: str
    use_case: str
    workflow: str
    tier: str
    retired_at: str | None
    retired_by: str | None
    business_owner: str | None
    technical_owner: str | None
    owners: tuple[Owner, ...]
    versions: tuple[VersionLine, ...]
    next: str | None
    drafts: tuple[DraftLine, ...]
    environments: tuple[Serving, ...]
    shown: str | None
    digest: str | None
    release_note: str | None
    model: str | None
    settings: Mapping[str, Any]
    variables: tuple[Mapping[str, Any], ...]
    output: Mapping[str, Any]
    schema_link: str | None
    consumers: tuple[str, ...]
    suite: str | None
    last_report: LastReport | None
    boundary: tuple[str, ...]
    never: tuple[str, ...]
    needs_approval: tuple[str, ...]
    approvals: tuple[ApprovalLine, ...]
    last_approved_by: tuple[ApprovalLine, ...]
    rollback_version: str | None
    fallback: Mapping[str, Any] | None
    knowledge: tuple[KnowledgeRead, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The card as it goes over the wire."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledContent:
    """The content behind one label; `kind` is version or draft, `content` the seven parts."""

    prompt: str
    label: str
    kind: str
    digest: str
    author: str
    release_note: str | None
    at: str
    content: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """The content as it goes over the wire."""
        return asdict(self)


def listing(desk: Desk, after: str = "", size: int = DEFAULT_SIZE, sight: Sight = EVERYTHING) -> Page[PromptLine]:
    """Every prompt in sight by full name, from above `after`, also retired ones."""
    with reading(desk.registry) as sql:
        found = store.prompts(sql, after, size, None if sight.everything else sight.workflows)
        workflows = {name: store.workflow(sql, name) for name in {one.workflow for one in found.items}}
        return Page(tuple(_prompt_line(sql, one, workflows[one.workflow]) for one in found.items), found.next)


def card(desk: Desk, name: str, before: int | None = None, size: int = DEFAULT_SIZE) -> Card:
    """One prompt, with its versions from below the number `before`, newest first. NotFound."""
    with reading(desk.registry) as sql:
        prompt = _known(sql, name)
        workflow = store.workflow(sql, prompt.workflow)
        document = workflow.document if workflow else {}
        serving = tuple(_serving(sql, name))
        page = store.versions(sql, name, before, size)
        drafts = store.drafts(sql, name)
        shown = _shown(sql, name, serving, drafts.items)
        content = shown.content if shown else None
        approvals = tuple(_approvals(sql, name))
        suite = store.suite(sql, prompt.workflow, content["evaluation"]["suite"]) if content else None
        report = _last_report(sql, name)
        ended = audit.newest_of(sql, Verb.PROMPT_RETIRE, name) if prompt.retired_at else None
        knowledge = read_by_content(sql, prompt.workflow, content)
    rules = _rules(document, prompt.short)
    live = next((one for one in serving if one.environment == Environment.PRODUCTION), None)
    return Card(
        name=name,
        use_case=rules.get("use_case", ""),
        workflow=prompt.workflow,
        tier=document.get("tier", ""),
        retired_at=prompt.retired_at,
        retired_by=ended.actor if ended else None,
        business_owner=document.get("business_owner") or _person(document, Role.WORKFLOW_OWNER),
        technical_owner=document.get("technical_owner") or _person(document, Role.ENGINEERING_OWNER),
        owners=tuple(_owner(document, rules, role) for role in Role),
        versions=tuple(_version_line(one, serving) for one in page.items),
        next=page.next,
        drafts=tuple(
            DraftLine(label=d.label, digest=d.digest, author=d.author, updated_at=d.updated_at) for d in drafts.items
        ),
        environments=serving,
        shown=shown.label if shown else None,
        digest=shown.digest if shown else None,
        release_note=shown.release_note if isinstance(shown, Version) else None,
        model=content["settings"]["model"] if content else None,
        settings=content["settings"] if content else {},
        variables=tuple(_with_example(one, suite) for one in content["variables"]) if content else (),
        output=content["output"] if content else {},
        schema_link=_schema_link(name, shown),
        consumers=tuple(one["name"] for one in content["output"].get("consumers", ())) if content else (),
        last_report=report,
        suite=content["evaluation"]["suite"] if content else None,
        boundary=tuple(_boundary(content)) if content else (),
        **{kind: _actions(workflow, mode) for kind, mode in _AUTHORITY.items()},
        approvals=approvals,
        last_approved_by=tuple(
            one
            for one in approvals
            if one.counts and live and one.environment == live.environment and one.label == live.live
        ),
        rollback_version=live.rollback if live else None,
        fallback=rules.get("fallback"),
        knowledge=knowledge,
    )


def content(desk: Desk, name: str, label: str) -> LabelledContent:
    """The content behind one label of a prompt: `v2`, or that of a draft. NotFound."""
    with reading(desk.registry) as sql:
        _known(sql, name)
        found = store.labelled(sql, name, label)
    if found is None:
        raise NotFound(f"{name} has no {label}", f"see the labels of {name}")
    version = isinstance(found, Version)
    return LabelledContent(
        prompt=name,
        label=found.label,
        kind="version" if version else "draft",
        digest=found.digest,
        author=found.author,
        release_note=found.release_note if isinstance(found, Version) else None,
        at=found.created_at if isinstance(found, Version) else found.updated_at,
        content=found.content,
    )


def _known(sql: Connection, name: str) -> Prompt:
    found = store.prompt(sql, name)
    if found is None:
        raise NotFound(f"there is no prompt {name}", "a prompt is called <workflow>.<prompt>; see the list of prompts")
    return found


def _prompt_line(sql: Connection, prompt: Prompt, workflow: Workflow | None) -> PromptLine:
    document = workflow.document if workflow else {}
    rules = _rules(document, prompt.short)
    newest = store.newest(sql, prompt.name)
    return PromptLine(
        name=prompt.name,
        use_case=rules.get("use_case", ""),
        tier=document.get("tier", ""),
        owner=_owner(document, rules, Role.WORKFLOW_OWNER).person,
        newest=newest.label if newest else None,
        serving={one.environment: one.live for one in _serving(sql, prompt.name) if one.live},
        retired=prompt.retired_at is not None,
    )


def _serving(sql: Connection, name: str) -> list[Serving]:
    found = (routing.deployment(sql, name, place.value) for place in Environment)
    return [
        Serving(
            environment=one.environment,
            shares=tuple((f"v{number}", weight * 100 / PLACES) for number, weight in one.weights),
            live=f"v{one.live}" if one.live is not None else None,
            rollback=f"v{one.rollback_target}" if one.rollback_target is not None else None,
            switched_off=one.kill.reason if one.kill else None,
            since=one.since,
        )
        for one in found
        if one is not None
    ]


def _version_line(version: Version, serving: tuple[Serving, ...]) -> VersionLine:
    shares = {one.environment: dict(one.shares).get(version.label, 0.0) for one in serving if not one.switched_off}
    return VersionLine(
        label=version.label,
        digest=version.digest,
        author=version.author,
        release_note=version.release_note,
        created_at=version.created_at,
        live_in={place: share for place, share in shares.items() if share},
    )


def _shown(
    sql: Connection, name: str, serving: tuple[Serving, ...], drafts: tuple[Draft, ...]
) -> Version | Draft | None:
    live = next((one.live for one in serving if one.environment == Environment.PRODUCTION), None)
    found = store.labelled(sql, name, live) if live else store.newest(sql, name)
    return found or next(iter(drafts), None)


def _approvals(sql: Connection, name: str) -> list[ApprovalLine]:
    """The newest yeses to this prompt. One counts when a release of its version, there, rests on the same binding."""
    table = schema.approval
    rows = sql.execute(
        select(table).where(table.c.prompt == name).order_by(table.c.created_at.desc()).limit(_APPROVALS)
    )
    bindings = _released(sql, name)
    return [
        ApprovalLine(
            label=f"v{row.number}",
            environment=row.environment,
            role=row.role,
            person=row.person,
            at=row.created_at,
            note=row.note,
            counts=row.binding in bindings,
        )
        for row in rows
    ]


def _released(sql: Connection, name: str) -> frozenset[str]:
    return frozenset(one.binding for one in releases.history(sql, name, size=_APPROVALS).items)


def _last_report(sql: Connection, name: str) -> LastReport | None:
    table = schema.evaluation
    ended = select(table.c.id).where(table.c.prompt == name, table.c.finished_at.is_not(None))
    id = sql.scalar(ended.order_by(table.c.id.desc()).limit(1))
    found = evaluation.load(sql, id) if id else None
    if found is None:
        return None
    verdict = found.verdict.value if found.verdict else None
    return LastReport(id=found.id, label=found.label, verdict=verdict, recorded=found.recorded, at=found.finished_at)


def _with_example(variable: Mapping[str, Any], suite: Numbered | None) -> Mapping[str, Any]:
    """The variable as the first case gives it, else as the test set's defaults do."""
    document = suite.document if suite else {}
    name, cases = variable["name"], document.get("cases", ())
    case = next((one for one in cases if isinstance(one, Mapping) and name in one.get("input", {})), None)
    if case is not None:
        return {**variable, "example": case["input"][name], "example_from": f"case {case['id']}"}
    if name in document.get("defaults", {}):
        return {**variable, "example": document["defaults"][name], "example_from": "the test set's defaults"}
    return {**variable, "example": None, "example_from": None}


def _schema_link(name: str, shown: Version | Draft | None) -> str | None:
    """Where the output's JSON Schema stands: an address of the API, and the path in its answer."""
    if shown is None or shown.content["output"].get("schema") is None:
        return None
    return f"/api/v1/prompts/{name}/{shown.label}#/content/output/schema"


def _rules(document: Mapping[str, Any], short: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = document.get("prompts", {}).get(short, {})
    return found


def _owner(document: Mapping[str, Any], rules: Mapping[str, Any], role: Role) -> Owner:
    own = rules.get("owners", {}).get(role.value)
    who = own or document.get("owners", {}).get(role.value, {})
    return Owner(role=role.value, person=who.get("person"), backup=who.get("backup"), own=own is not None)


def _person(document: Mapping[str, Any], role: Role) -> str | None:
    found: str | None = document.get("owners", {}).get(role.value, {}).get("person")
    return found


def _boundary(content: Mapping[str, Any]) -> list[str]:
    parts = (part for message in content["messages"] for part in message.get("parts", ()))
    return [part["text"].strip() for part in parts if part.get("block") == "boundary" and part.get("text", "").strip()]


def _actions(workflow: Workflow | None, mode: str) -> tuple[str, ...]:
    actions = workflow.authority.get("actions", ()) if workflow else ()
    return tuple(one["action"] for one in actions if one["mode"] == mode)
