"""Gathering what a release is judged on, from every noun, inside one transaction."""

from dataclasses import dataclass
from typing import Any

from cuelight.contract.content import parse
from cuelight_server.access import store as access
from cuelight_server.control.desk import Desk
from cuelight_server.db.engine import Connection
from cuelight_server.evaluation import store as evaluation
from cuelight_server.kernel.errors import Blocked, NotFound
from cuelight_server.kernel.terms import ChangeClass, Environment, Role
from cuelight_server.kernel.verdict import Verdict
from cuelight_server.prompts import store as prompts
from cuelight_server.prompts.diff import diff
from cuelight_server.prompts.model import Draft, Version, Workflow
from cuelight_server.releases import policy, store
from cuelight_server.releases.checklist import binding
from cuelight_server.releases.model import Evidence, Facts
from cuelight_server.routing import store as routing
from cuelight_server.routing.publish import workflow_of

Holders = dict[Role, tuple[tuple[str, str], ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    found: Version | Draft
    number: int | None
    workflow: Workflow
    suite: str | None
    production: Version | None


def gather(desk: Desk, sql: Connection, prompt: str, label: str, environment: str) -> Facts:
    """The facts about releasing `prompt`@`label` into `environment`, as they are now. NotFound where there is no such."""
    refuse_retired(sql, prompt)
    one = _candidate(sql, prompt, label)
    evidence = _evidence(sql, one)
    bound = _bound(one, prompt, environment, evidence)
    bind = binding(bound) if bound["evidence"] is not None and one.number is not None else None
    document, short = one.workflow.document, prompt.partition(".")[2]
    return Facts(
        prompt=prompt,
        label=label,
        environment=environment,
        minted=one.number is not None,
        author=one.found.author,
        local=desk.local,
        demo=desk.demo,
        live=routing.served(sql, prompt, environment),
        number=one.number,
        suite=one.suite,
        evidence=evidence,
        required=policy.required(document, short, _change(one), environment),
        holders=_holders(sql, policy.holders(document, short)),
        approvals=store.approvals(sql, prompt, one.number, environment, bind) if bind and one.number else (),
        fallback=policy.fallback_declared(document, short),
        declared_only=policy.declared_only(document, one.workflow.authority, one.found.content),
        blocks_declared_only=policy.blocks_declared_only(document),
        quarantined=_quarantined(sql, prompt, one.number, environment),
        binding=bind,
        bound=bound,
    )


def refuse_retired(sql: Connection, prompt: str) -> None:
    """Blocked where the prompt is retired: nothing of it goes live until its name is revived."""
    found = prompts.prompt(sql, prompt)
    if found is not None and found.retired_at is not None:
        hint = f"its workflow owner may revive the name: cuelight push <folder> --revive {prompt}"
        raise Blocked(f"{prompt} is retired since {found.retired_at[:10]}", hint)


def _candidate(sql: Connection, prompt: str, label: str) -> _Candidate:
    found = prompts.labelled(sql, prompt, label)
    workflow = prompts.workflow(sql, workflow_of(prompt))
    if found is None or workflow is None:
        raise NotFound(f"there is no {prompt}@{label}", "push it first: cuelight push <folder>")
    name = found.content["evaluation"].get("suite")
    suite = prompts.suite(sql, workflow.name, name) if name else None
    live = routing.served(sql, prompt, Environment.PRODUCTION)
    return _Candidate(
        found=found,
        number=found.number if isinstance(found, Version) else None,
        workflow=workflow,
        suite=suite.digest if suite else None,
        production=prompts.version(sql, prompt, live) if live else None,
    )


def _evidence(sql: Connection, one: _Candidate) -> Evidence | None:
    if one.suite is None:
        return None
    baseline = one.production.digest if one.production else None
    asked = (one.found.prompt, one.found.digest, one.suite, baseline)
    newest = evaluation.newest_finished(sql, *asked)
    passing = evaluation.newest_passing(sql, *asked)
    if newest is None:
        return None
    return Evidence(
        evaluation=newest.id,
        verdict=newest.verdict or Verdict.INCONCLUSIVE,
        recorded=newest.recorded,
        evidence=passing.evidence_digest if passing else None,
    )


def _bound(one: _Candidate, prompt: str, environment: str, evidence: Evidence | None) -> dict[str, Any]:
    return {
        "content": one.found.digest,
        "prompt": prompt,
        "number": one.number,
        "environment": environment,
        "revision": one.workflow.digest,
        "revision_number": one.workflow.revision,
        "suite": one.suite,
        "evidence": evidence.evidence if evidence else None,
        "evaluation": evidence.evaluation if evidence else None,
    }


def _change(one: _Candidate) -> ChangeClass:
    """The class of change against production; the strictest without one, the mildest when nothing changed."""
    old = parse(one.production.content) if one.production else None
    return diff(old, parse(one.found.content)).change_class or ChangeClass.WORDING


def _holders(sql: Connection, named: Holders) -> Holders:
    """Those of the named people who are not disabled."""
    return {role: tuple(who for who in people if _enabled(sql, who[0])) for role, people in named.items()}


def _enabled(sql: Connection, person: str) -> bool:
    account = access.account(sql, person)
    return account is None or account.disabled_at is None


def _quarantined(sql: Connection, prompt: str, number: int | None, environment: str) -> str | None:
    found = store.rolled_back(sql, prompt, number, environment) if number else None
    return f"{found.ended_why} ({found.ended_at})" if found else None
