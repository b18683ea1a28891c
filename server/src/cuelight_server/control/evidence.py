"""Gathering what a release is judged on, from every noun, inside one transaction."""

from dataclasses import dataclass
from typing import Any

from cuelight.contract.condition import same
from cuelight.contract.content import parse
from cuelight.contract.meaning import binding
from cuelight_server.access import store as access
from cuelight_server.control.authors import authors, same_person, through_any_account
from cuelight_server.control.desk import Desk
from cuelight_server.control.reviewed import review_facts
from cuelight_server.control.routing import last_live
from cuelight_server.control.standing import Looked, errors_now
from cuelight_server.control.trial import joint_gate
from cuelight_server.db.engine import Connection
from cuelight_server.evaluation import store as evaluation
from cuelight_server.evaluation.outputs import recordings_digest
from cuelight_server.kernel.errors import Blocked, NotFound
from cuelight_server.kernel.terms import ChangeClass, Environment, Role
from cuelight_server.kernel.tiers import tier_of
from cuelight_server.kernel.verdict import Verdict
from cuelight_server.prompts import store as prompts
from cuelight_server.prompts.contract_fit import unread
from cuelight_server.prompts.diff import diff
from cuelight_server.prompts.knowledge import names
from cuelight_server.prompts.model import Draft, Numbered, Version, Workflow
from cuelight_server.releases import policy, store, suite_change
from cuelight_server.releases.model import Evidence, ExamplesFact, Facts, KnowledgeFact, Release
from cuelight_server.routing import store as routing
from cuelight_server.routing.publish import workflow_of
from cuelight_server.tries import store as tries

_SHOWN = 5  # things that a consumer cannot read, in words
Holders = dict[Role, tuple[tuple[str, str], ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    found: Version | Draft
    number: int | None
    workflow: Workflow
    suite: Numbered | None
    prices: str | None
    knowledge: dict[str, Numbered]
    production: Version | None
    baseline: Version | None  # what production serves, or served last: what reports are measured against
    governing: Release | None  # the release of what serves, or served last, in the environment
    rules: Workflow | None  # the revision that it was approved under


def look(sql: Connection, prompt: str, label: str, environment: str) -> Looked:
    """Lint of one version as it stands, taken before the transaction that will need it. NotFound as in `gather`."""
    one = _candidate(sql, prompt, label, environment)
    return errors_now(sql, one.found, one.workflow)


def gather(
    desk: Desk, sql: Connection, prompt: str, label: str, environment: str, before: Looked | None = None
) -> Facts:
    """The facts about releasing `prompt`@`label` into `environment`, as they are now. NotFound where there is no such."""
    refuse_retired(sql, prompt)
    one = _candidate(sql, prompt, label, environment)
    evidence, report = _evidence(sql, one)
    live = routing.served(sql, prompt, environment)
    lost, unsure = _after_rollback(sql, one, live)
    bound = _bound(one, prompt, environment, evidence)
    bind = binding(bound) if bound["evidence"] is not None and one.number is not None else None
    document, short = one.workflow.document, prompt.partition(".")[2]
    held = _holders(sql, policy.holders(document, short))
    given = store.approvals(sql, prompt, one.number, environment, bind) if bind and one.number else ()
    made = authors(sql, one.found, one.suite.name if one.suite else None, one.governing)
    gate = _asked_of_people(one, environment)
    reviews = review_facts(
        sql, prompt, one.found.digest, evidence.evidence if evidence else None, gate.get("human_review")
    )
    person_of = same_person(
        sql,
        {
            *made,
            *(id for people in held.values() for id, _ in people),
            *(yes.person for yes in given),
            *(each.person for fact in reviews for each in fact.signed),
        },
    )
    return Facts(
        prompt=prompt,
        label=label,
        environment=environment,
        minted=one.number is not None,
        authors=through_any_account(made, person_of),
        local=desk.local,
        demo=desk.demo,
        live=live,
        number=one.number,
        suite=one.suite.digest if one.suite else None,
        suite_change=_suite_change(sql, one),
        lint=errors_now(sql, one.found, one.workflow, before).errors,
        evidence=evidence,
        required=policy.required(document, short, _change(one), environment, one.rules.document if one.rules else None),
        holders=held,
        approvals=given,
        fallback=policy.fallback_declared(document, short),
        declared_only=policy.declared_only(document, one.workflow.authority, one.found.content),
        blocks_declared_only=policy.blocks_declared_only(document),
        quarantined=_quarantined(sql, prompt, one.number, environment),
        binding=bind,
        bound=bound,
        knowledge=_knowledge(one, report),
        reviews=tuple(reviews),
        examples=_examples(sql, one, gate.get("internal_examples", 0)),
        rollback_unread=tuple(lost[:_SHOWN]),
        rollback_unsure=tuple(unsure[:_SHOWN]),
        ownerless=_ownerless(sql, one, short, environment),
        person_of=person_of,
    )


def _asked_of_people(one: _Candidate, environment: str) -> dict[str, Any]:
    """The gate, production's with it, in what it asks of people; only what serves people takes their eyes."""
    if environment != Environment.PRODUCTION:
        return {}
    before = parse(one.baseline.content) if one.baseline else None
    return dict(joint_gate(parse(one.found.content), before, tier_of(one.workflow.document), 0))  # whatever the cases


def _examples(sql: Connection, one: _Candidate, asked: int) -> ExamplesFact | None:
    """What was tried by hand on exactly this content."""
    tried = tries.of_content(sql, one.found.prompt, one.found.digest)
    keys = frozenset[str]().union(*(each.answered for each in tried))
    people = tuple(dict.fromkeys(each.actor for each in tried if each.answered))
    return ExamplesFact(asked=asked, tried=len(keys), by=people) if asked or keys else None


def refuse_retired(sql: Connection, prompt: str) -> None:
    """Blocked where the prompt is retired: nothing of it goes live until its name is revived."""
    found = prompts.prompt(sql, prompt)
    if found is not None and found.retired_at is not None:
        hint = f"its workflow owner may revive the name: cuelight push <folder> --revive {prompt}"
        raise Blocked(f"{prompt} is retired since {found.retired_at[:10]}", hint)


def _after_rollback(sql: Connection, one: _Candidate, live: int | None) -> tuple[list[str], list[str]]:
    """What the consumers that the candidate declares cannot read, or may not, of what a rollback brings back."""
    back = prompts.version(sql, one.found.prompt, live) if live is not None else None
    declared = [named for named in one.found.content["output"]["consumers"] if "schema" in named]
    return unread(back.content["output"], declared) if back is not None and declared else ([], [])


def _candidate(sql: Connection, prompt: str, label: str, environment: str) -> _Candidate:
    found = prompts.labelled(sql, prompt, label)
    workflow = prompts.workflow(sql, workflow_of(prompt))
    if found is None or workflow is None:
        raise NotFound(f"there is no {prompt}@{label}", "push it first: cuelight push <folder>")
    name = found.content["evaluation"].get("suite")
    prices, live = prompts.prices(sql, workflow.name), routing.served(sql, prompt, Environment.PRODUCTION)
    last = last_live(sql, prompt, Environment.PRODUCTION)
    here = routing.deployment(sql, prompt, environment)
    governing = store.release(sql, here.release) if here and here.release else None
    return _Candidate(
        found=found,
        number=found.number if isinstance(found, Version) else None,
        workflow=workflow,
        suite=prompts.suite(sql, workflow.name, name) if name else None,
        prices=prices.digest if prices else None,
        knowledge={one.name: one for one in prompts.all_knowledge(sql, workflow.name)},
        production=prompts.version(sql, prompt, live) if live else None,
        baseline=prompts.version(sql, prompt, last) if last else None,
        governing=governing,
        rules=prompts.workflow_at(sql, workflow.name, governing.governed_by) if governing else None,
    )


def _evidence(sql: Connection, one: _Candidate) -> tuple[Evidence | None, dict[str, Any]]:
    """The evidence, and the report that it is taken from."""
    if one.suite is None:
        return None, {}
    baseline = one.baseline.digest if one.baseline else None
    asked = (one.found.prompt, one.found.digest, one.suite.digest, baseline)
    newest = evaluation.newest_finished(sql, *asked)
    passing = evaluation.newest_passing(sql, *asked)
    if newest is None:
        return None, {}
    passed, runs = evaluation.runs(sql, *asked)
    report = newest.report or {}
    found = Evidence(
        evaluation=newest.id,
        verdict=newest.verdict or Verdict.INCONCLUSIVE,
        recorded=newest.recorded,
        evidence=passing.evidence_digest if passing else None,
        stale=_stale(sql, one, report),
        passed=passed,
        runs=runs,
    )
    return found, report


def _stale(sql: Connection, one: _Candidate, report: dict[str, Any]) -> str:
    """What the report was measured with that has changed since, in words."""
    if report.get("prices_digest") != one.prices:
        return "prices changed since"
    moved = [
        f"{fact.name} is at release {fact.number}" for fact in _knowledge(one, report) if fact.number and not fact.same
    ]
    if moved:
        return f"knowledge changed since: {', '.join(moved)}"
    used = report.get("recordings_digest")
    return "recordings changed since" if used is not None and used != _recordings(sql, one) else ""


def _knowledge(one: _Candidate, report: dict[str, Any]) -> tuple[KnowledgeFact, ...]:
    """Each knowledge that the version names, against the report; what a report does not say was not measured."""
    told = {line["name"]: line for line in report.get("knowledge", ())}
    return tuple(_fact(name, one.knowledge.get(name), told.get(name, {})) for name in names(parse(one.found.content)))


def _fact(name: str, known: Numbered | None, told: dict[str, Any]) -> KnowledgeFact:
    return KnowledgeFact(
        name=name,
        number=known.number if known else None,
        measured=told.get("number"),
        same=known is not None and told.get("digest") == known.digest,
        cases=told.get("cases", 0),
        as_released=told.get("as_released", 0),
    )


def _recordings(sql: Connection, one: _Candidate) -> str:
    """The digest of the recordings that a run would use now: of both contents, for the cases of the suite."""
    cases = {case["id"] for case in one.suite.document["cases"]} if one.suite else set()
    contents = {version.digest for version in (one.found, one.baseline) if version is not None}
    lines = [prompts.recordings_of(sql, one.workflow.name, content) for content in contents]
    return recordings_digest(line for found in lines for (case, _), line in found.items() if case in cases)


def _bound(one: _Candidate, prompt: str, environment: str, evidence: Evidence | None) -> dict[str, Any]:
    return {
        "content": one.found.digest,
        "prompt": prompt,
        "number": one.number,
        "environment": environment,
        "revision": one.workflow.digest,
        "revision_number": one.workflow.revision,
        "suite": one.suite.digest if one.suite else None,
        "prices": one.prices,
        "knowledge": {name: known.digest for name, known in one.knowledge.items()},
        "evidence": evidence.evidence if evidence else None,
        "evaluation": evidence.evaluation if evidence else None,
    }


def _change(one: _Candidate) -> ChangeClass:
    """The class of change against production; the strictest without one, the mildest when nothing changed.

    Another authority table than the one in force is the strictest too: it decides what an output may lead to.
    """
    if one.rules is not None and not same(one.rules.authority, one.workflow.authority):
        return ChangeClass.BOUNDARY
    old = parse(one.production.content) if one.production else None
    return diff(old, parse(one.found.content)).change_class or ChangeClass.WORDING


def _suite_change(sql: Connection, one: _Candidate) -> str:
    bound = one.governing.checklist["bound"].get("suite") if one.governing else None
    if one.suite is None or bound is None:
        return ""
    then = prompts.suite_by_digest(sql, one.workflow.name, one.suite.name, bound)
    return suite_change.words(then.document if then else None, one.suite.document)


def _holders(sql: Connection, named: Holders) -> Holders:
    """Those of the named people who are not disabled."""
    return {role: tuple(who for who in people if _enabled(sql, who[0])) for role, people in named.items()}


def _ownerless(sql: Connection, one: _Candidate, prompt: str, environment: str) -> tuple[str, ...]:
    """Owners who are missing count where people are served; an account that was never made counts as here."""
    if environment != Environment.PRODUCTION:
        return ()
    document = one.workflow.document
    named = {id for people in policy.holders(document, prompt).values() for id, _ in people}
    named |= {id for id in policy.two_owners(document) if id}
    return policy.ownerless(document, prompt, {id for id in named if _enabled(sql, id)})


def _enabled(sql: Connection, person: str) -> bool:
    account = access.account(sql, person)
    return account is None or account.disabled_at is None


def _quarantined(sql: Connection, prompt: str, number: int | None, environment: str) -> str | None:
    found = store.rolled_back(sql, prompt, number, environment) if number else None
    return f"{found.ended_why} ({found.ended_at})" if found else None
