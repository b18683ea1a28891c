"""A small workflow with people, versions and reports, written straight into the tables: what releases are tested on."""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, insert, select, update

from cuelight.contract.canonical import canonical_text, digest
from cuelight.contract.content import parse
from cuelight_server.access import store as access
from cuelight_server.audit import store as audit
from cuelight_server.audit.model import Event
from cuelight_server.audit.verbs import Verb
from cuelight_server.control.access import add_actor
from cuelight_server.control.desk import Desk
from cuelight_server.control.routing import last_live
from cuelight_server.db import schema
from cuelight_server.db.engine import Intent, reading, transaction
from cuelight_server.evaluation.report import evidence
from cuelight_server.evaluation.seal import results_digest
from cuelight_server.kernel.actor import SYSTEM, Actor
from cuelight_server.kernel.clock import rfc3339
from cuelight_server.prompts import store as prompts
from cuelight_server.prompts.bundle import workflow_digest
from cuelight_server.prompts.lint_suite import CATEGORIES
from cuelight_server.prompts.verify import facts_of
from cuelight_server.routing import store as routing

WORKFLOW = "sales"
PROMPT = "sales.qualify"
AUTHOR, OWNER, ENGINEER, RISK, SUPPORT, BACKUP = (
    "ana.author",
    "olu.owner",
    "eva.eng",
    "rik.risk",
    "sam.support",
    "bea.backup",
)
PEOPLE = (AUTHOR, OWNER, ENGINEER, RISK, SUPPORT, BACKUP)


def document(**changes: Any) -> dict[str, Any]:
    """The workflow document: tier elevated, so the workflow owner and the engineering owner must say yes."""
    return {
        "workflow": WORKFLOW,
        "title": "Sales",
        "purpose": "x",
        "tier": "elevated",
        "people": [{"id": one, "name": one.replace(".", " ").title()} for one in PEOPLE],
        "owners": {
            "workflow_owner": {"person": OWNER, "backup": BACKUP},
            "domain_expert": {"person": AUTHOR},
            "engineering_owner": {"person": ENGINEER, "backup": BACKUP},
            "risk_owner": {"person": RISK},
            "support_owner": {"person": SUPPORT},
        },
        "prompts": {"qualify": {"use_case": "qualify a lead", "fallback": {"message": "a person will look"}}},
        "trace": {"content": "full"},
        **changes,
    }


def content(text: str, **parts: Any) -> dict[str, Any]:
    """The content of a prompt that says `text`, in normal form."""
    return parse(
        {
            "messages": [
                {"role": "system", "parts": [{"block": "boundary", "text": "Never promise a discount."}]},
                {"role": "user", "content": text + " {{lead}}"},
            ],
            "variables": [{"name": "lead"}],
            "settings": {"model": "m-2026-01-05", "temperature": 0, "max_output_tokens": 300},
            "output": {"format": "text", "on_invalid": [{"person": "sales desk"}]},
            "evaluation": {"suite": "leads", "gate": {}},
            **parts,
        }
    ).to_json()


def tell(sql: Connection, verb: Verb, subject: str, by: str, at: str, **facts: Any) -> None:
    """The line that the real way would have left: `verify` finds nothing wrong with these rows."""
    audit.append(sql, Event(at=at, actor=by, verb=verb.value, subject=subject, facts=facts))


def prepare(desk: Desk, *, versions: int = 2, workflow: Mapping[str, Any] | None = None) -> None:
    """People, the workflow, its suite, and versions v1..vN (at least one) by AUTHOR; nothing is evaluated or released."""
    for one in PEOPLE:
        add_actor(desk, SYSTEM, one, one.replace(".", " ").title())
    at = rfc3339(desk.clock())
    with transaction(desk.registry, Intent.WRITE) as sql:
        sql.execute(insert(schema.workflow).values(name=WORKFLOW, revision=0, created_at=at))
        sql.execute(insert(schema.prompt).values(name=PROMPT, workflow=WORKFLOW, created_at=at))
    govern(desk, workflow or document())
    suite(desk)
    for number in range(1, versions + 1):
        mint(desk, number)


def govern(
    desk: Desk, workflow: Mapping[str, Any], authority: Mapping[str, Any] | None = None, *, by: str = AUTHOR
) -> int:
    """A new revision of the workflow, pushed by someone; returns its number."""
    table = schema.workflow_revision
    rules, at = dict(authority or {"actions": []}), rfc3339(desk.clock())
    seal = workflow_digest(workflow, rules)
    with transaction(desk.registry, Intent.WRITE) as sql:
        last = sql.scalar(select(table.c.revision).order_by(table.c.revision.desc()).limit(1)) or 0
        sql.execute(
            insert(table).values(
                workflow=WORKFLOW,
                revision=last + 1,
                digest=seal,
                document=canonical_text(dict(workflow)),
                authority=canonical_text(rules),
                actor=by,
                created_at=at,
            )
        )
        began = {} if last else {"created_at": at}
        sql.execute(update(schema.workflow).values(revision=last + 1, **began))
        verb = Verb.WORKFLOW_GOVERN if last else Verb.WORKFLOW_CREATE
        tell(sql, verb, WORKFLOW, by, at, revision=last + 1, digest=seal)
    return int(last) + 1


def suite(desk: Desk, *more: str, by: str = AUTHOR, **parts: Any) -> str:
    """A new number of the suite `leads`: one case in each category and those named; returns its digest."""
    cases = [
        {"id": f"C{number:02d}", "category": one, "title": one, "input": {"lead": f"lead {number}"}}
        for number, one in enumerate((*CATEGORIES, *("normal" for _ in more)), start=1)
    ]
    for case, id in zip(reversed(cases), reversed(more), strict=False):
        case["id"] = id
    graders = [{"type": "not_equals", "severity": "blocker", "path": "$text", "value": ""}]
    made = {"suite": "leads", "graders": graders, "cases": cases, **parts}
    table, at = schema.suite, rfc3339(desk.clock())
    with transaction(desk.registry, Intent.WRITE) as sql:
        last = sql.scalar(select(table.c.number).order_by(table.c.number.desc()).limit(1)) or 0
        sql.execute(
            insert(table).values(
                workflow=WORKFLOW,
                name="leads",
                number=last + 1,
                digest=digest(made),
                document=canonical_text(made),
                actor=by,
                created_at=at,
            )
        )
        tell(sql, Verb.SUITE_PUSH, f"{WORKFLOW}.leads", by, at, number=last + 1, digest=digest(made))
    return digest(made)


def mint(desk: Desk, number: int, *, author: str = AUTHOR, made: Mapping[str, Any] | None = None) -> str:
    """Version `number`; returns its digest."""
    made, at = made or content(f"version {number}"), rfc3339(desk.clock())
    with transaction(desk.registry, Intent.WRITE) as sql:
        sql.execute(
            insert(schema.version).values(
                prompt=PROMPT,
                number=number,
                digest=digest(dict(made)),
                content=canonical_text(dict(made)),
                author=author,
                release_note="a note",
                created_at=at,
            )
        )
        if number == 1:
            sql.execute(update(schema.prompt).values(created_at=at))
        minted = prompts.version(sql, PROMPT, number)
        assert minted is not None
        prompts.contribute(sql, minted, author, at)
        tell(sql, Verb.PROMPT_MINT, f"{PROMPT}@v{number}", author, at, **facts_of(minted))
    return digest(dict(made))


def draft(desk: Desk, label: str = "idea") -> None:
    """A draft by AUTHOR."""
    made, at = content(f"draft {label}"), rfc3339(desk.clock())
    with transaction(desk.registry, Intent.WRITE) as sql:
        sql.execute(
            insert(schema.draft).values(
                prompt=PROMPT,
                label=label,
                digest=digest(made),
                content=canonical_text(made),
                author=AUTHOR,
                updated_at=at,
            )
        )
        tell(sql, Verb.DRAFT_SAVE, f"{PROMPT}@{label}", AUTHOR, at, digest=digest(made))


def evaluate(desk: Desk, label: str, verdict: str = "pass", provider: str = "openai") -> str:
    """A finished report of `label` for the present suite and production version; returns its id."""
    id, at = desk.new_id("eval"), rfc3339(desk.clock())
    with transaction(desk.registry, Intent.WRITE) as sql:
        candidate = prompts.labelled(sql, PROMPT, label)
        assert candidate is not None
        now = prompts.suite(sql, WORKFLOW, "leads")
        assert now is not None
        live = last_live(sql, PROMPT, "production")
        base = prompts.version(sql, PROMPT, live) if live else None
        measured = base.digest if base else None
        report = {"verdict": verdict, "digest": candidate.digest, "provider": provider}
        report |= {"suite": {"name": "leads", "digest": now.digest}, "baseline": {"digest": measured} if base else None}
        seal = digest(evidence(report))
        sql.execute(
            insert(schema.evaluation).values(
                id=id,
                prompt=PROMPT,
                label=label,
                content_digest=candidate.digest,
                baseline_label=f"v{live}" if live else None,
                baseline_digest=measured,
                suite_digest=now.digest,
                provider=provider,
                state="done",
                done=1,
                total=1,
                verdict=verdict,
                evidence_digest=seal,
                report=json.dumps(report),
                actor=AUTHOR,
                created_at=at,
                finished_at=at,
            )
        )
        asked = {"content": candidate.digest, "suite": now.digest, "provider": provider, "baseline": measured}
        tell(sql, Verb.EVALUATION_RUN, f"{PROMPT}@{label}", AUTHOR, at, evaluation=id, **asked)
        ended = {"state": "done", "verdict": verdict, "evidence": seal, "results": results_digest(())}
        tell(sql, Verb.EVALUATION_FINISH, f"{PROMPT}@{label}", SYSTEM.id, at, evaluation=id, **ended)
    return id


def who(desk: Desk, id: str) -> Actor:
    """The actor of an account."""
    with reading(desk.registry) as sql:
        account = access.account(sql, id)
    assert account is not None
    return account.actor()


def live(desk: Desk, environment: str = "production") -> int | None:
    """The number of the version that serves."""
    with reading(desk.registry) as sql:
        return routing.served(sql, PROMPT, environment)
