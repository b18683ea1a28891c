"""Gathering what an evaluation needs, from every noun: both contents, the suite, the gate, prices, and who answers."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from cuelight.contract.condition import same
from cuelight.contract.content import Content, parse
from cuelight.contract.knowledge import sources
from cuelight_server.control.desk import Desk
from cuelight_server.control.door import workflow_of
from cuelight_server.control.routing import last_live
from cuelight_server.db.engine import Connection
from cuelight_server.evaluation.knowledge import measured
from cuelight_server.evaluation.model import Arm, Json, Suite
from cuelight_server.evaluation.outputs import recordings_digest
from cuelight_server.evaluation.plan import read_plan, with_repeats
from cuelight_server.evaluation.runner import Side, refuse_broken, unused
from cuelight_server.evaluation.statistics.settings import resolved
from cuelight_server.evaluation.store import Stored
from cuelight_server.evaluation.strictness import lifted, raised, stricter, with_defaults
from cuelight_server.evaluation.suite import read_suite
from cuelight_server.kernel.errors import Conflict, Invalid, NotFound, Unavailable
from cuelight_server.kernel.page import MAX_SIZE
from cuelight_server.kernel.terms import Environment, Tier
from cuelight_server.kernel.tiers import FLOORS
from cuelight_server.prompts import store as prompts
from cuelight_server.prompts.knowledge import as_release
from cuelight_server.prompts.model import Draft, Numbered, Version
from cuelight_server.providers import NAMES, Provider, Recorded

PRODUCTION = "production"  # the baseline that is meant where nobody says otherwise
RECORDED = "recorded"
_NO_MODEL = (
    "recorded outputs, hand-written or captured earlier: no model was asked, so this is no evidence about a model"
)
_RECORD_LOCALLY = (
    "add them to recordings/<prompt>.jsonl in the folder, made with exactly this content (see `cuelight digest`)"
)
_NUMBERED = re.compile(r"v[1-9][0-9]{0,8}")

Providers = Mapping[str, Provider]


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A content under its label."""

    label: str
    digest: str
    content: Content


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One evaluation, ready to run. `baseline` may be the candidate itself; then `sides` has one side only."""

    candidate: Named
    baseline: Named | None
    suite: Suite
    gate: Json
    prices: Numbered | None
    provider: Provider
    sides: tuple[Side, ...]
    tier: Tier
    notes: tuple[str, ...]
    recordings_digest: str | None = None
    knowledge: tuple[Json, ...] = ()  # what the cases give of it, as `evaluation.knowledge.measured` tells


def named(sql: Connection, prompt: str, label: str) -> Named:
    """The content under a label: a version's number first, then a draft's label. NotFound says which labels there are."""
    found = prompts.labelled(sql, prompt, label)
    if found is None:
        raise NotFound(
            f"there is no {prompt}@{label}", f"there are: {', '.join(_labels(sql, prompt)) or 'none; push first'}"
        )
    return _as_named(found)


def baseline_of(desk: Desk, sql: Connection, prompt: str, asked: str) -> Named | None:
    """What a candidate is held against: the asked label, or what production serves or served last; None for nothing.

    On a local desk nothing is ever released, so the lowest-numbered label of the prompt stands in for production.
    """
    if asked != PRODUCTION:
        return named(sql, prompt, asked)
    if desk.local:
        lowest = min((int(one[1:]) for one in _labels(sql, prompt) if _NUMBERED.fullmatch(one)), default=None)
        return named(sql, prompt, f"v{lowest}") if lowest is not None else None
    number = last_live(sql, prompt, Environment.PRODUCTION)
    return named(sql, prompt, f"v{number}") if number is not None else None


def newest_suite(sql: Connection, prompt: str, content: Content) -> Numbered:
    """The suite that the content names, at its newest. NotFound where it was never pushed."""
    name = content.evaluation["suite"]
    found = prompts.suite(sql, workflow_of(prompt), name)
    if found is None:
        raise NotFound(f"the suite {name} of {prompt} is not here", f"add suites/{name}.yaml to the folder and push")
    return found


def suite_name(sql: Connection, one: Stored) -> str:
    """The name of the suite that an evaluation was asked on; empty where its draft is gone."""
    found = prompts.labelled(sql, one.prompt, one.label)
    return str(found.content["evaluation"]["suite"]) if found is not None else ""


def known_provider(name: str) -> str:
    """The name, if it is a provider's; Invalid otherwise."""
    if name not in NAMES:
        raise Invalid(f"there is no provider {name!r}", f"choose one of {', '.join(NAMES)}")
    return name


def planned_samples(provider: str, gate: Json) -> int:
    """Outputs a case: as many as the gate asks for; of recordings, one until they are counted."""
    return 1 if provider == RECORDED else int(gate.get("repeat", {}).get("samples", 1))


def tier_of(sql: Connection, prompt: str) -> Tier:
    """The tier of a prompt's workflow as it is now. NotFound without a workflow."""
    found = prompts.workflow(sql, workflow_of(prompt))
    if found is None:
        raise NotFound(f"there is no workflow {workflow_of(prompt)}", "push it first: cuelight push <folder>")
    return Tier(found.document["tier"])


def joint_gate(candidate: Content, baseline: Content | None, tier: Tier, cases: int) -> Json:
    """The gate that counts: the strictest of both and of what the tier asks for, field by field.

    What is asked of the comparison depends on the change too, and on how many cases the suite has.
    """
    gate = lifted(_both_gates(candidate, baseline), FLOORS[tier])
    changed = baseline is not None and not same(candidate.settings, baseline.settings)
    return resolved(gate, tier, cases, settings_changed=changed)


def _both_gates(candidate: Content, baseline: Content | None) -> Json:
    own: Json = candidate.evaluation["gate"]
    return stricter(own, baseline.evaluation["gate"]) if baseline is not None else with_defaults(own)


def gather(desk: Desk, sql: Connection, one: Stored, providers: Providers) -> Trial:
    """Everything for the evaluation as it was asked for.

    Conflict where a draft or the suite has changed since, Invalid where recordings are missing, NotFound, Unavailable.
    """
    candidate = _pinned(sql, one.prompt, one.label, one.content_digest)
    baseline = None
    if one.baseline_label is not None and one.baseline_digest is not None:
        baseline = _pinned(sql, one.prompt, one.baseline_label, one.baseline_digest)
    suite = _suite(sql, one, candidate.content)
    tier = tier_of(sql, one.prompt)
    gate = joint_gate(candidate.content, baseline.content if baseline else None, tier, len(suite.cases))
    gate = with_repeats(gate, read_plan(one.plan))
    provider = _provider(sql, one, providers)
    return Trial(
        candidate=candidate,
        baseline=baseline,
        suite=suite,
        gate=gate,
        prices=prompts.prices(sql, workflow_of(one.prompt)),
        provider=provider,
        sides=_sides(desk, one, candidate, baseline, suite, gate, provider),
        tier=tier,
        notes=(
            *_notes(desk, candidate, baseline, provider),
            *_floor_notes(candidate, baseline, tier),
            *_unused(suite, candidate),
        ),
        recordings_digest=_used(provider, suite) if isinstance(provider, Recorded) else None,
        knowledge=tuple(_knowledge(sql, one.prompt, candidate.content, suite)),
    )


def _knowledge(sql: Connection, prompt: str, content: Content, suite: Suite) -> list[Json]:
    """What the cases give of the knowledge that the version names, held against its newest releases."""
    declared = sources(content)
    found = [prompts.knowledge(sql, workflow_of(prompt), name) for name in {one.name for one in declared}]
    return list(measured(suite.cases, declared, {one.name: as_release(one) for one in found if one is not None}))


def _pinned(sql: Connection, prompt: str, label: str, digest: str) -> Named:
    found = named(sql, prompt, label)
    if found.digest != digest:
        raise Conflict(f"{prompt}@{label} was changed after this evaluation was asked for", "evaluate it again")
    return found


def _suite(sql: Connection, one: Stored, content: Content) -> Suite:
    name = content.evaluation["suite"]
    found = prompts.suite_by_digest(sql, workflow_of(one.prompt), name, one.suite_digest)
    if found is None:
        raise Conflict(f"the suite {name} is no longer what it was", "evaluate again")
    return read_suite(name, found.digest, found.document)


def _provider(sql: Connection, one: Stored, providers: Providers) -> Provider:
    if one.provider != RECORDED:
        if one.provider not in providers:
            raise Unavailable(f"this desk has no provider {one.provider}", "start it with the settings for one")
        return providers[one.provider]
    workflow, digests = workflow_of(one.prompt), {one.content_digest, one.baseline_digest} - {None}
    lookup = {
        (digest, *key): recording
        for digest in digests
        if digest is not None
        for key, recording in prompts.recordings_of(sql, workflow, digest).items()
    }
    return Recorded(lookup)


def _sides(
    desk: Desk, one: Stored, candidate: Named, baseline: Named | None, suite: Suite, gate: Json, provider: Provider
) -> tuple[Side, ...]:
    sides = [_side(desk, one, Arm.CANDIDATE, candidate, suite, gate, provider)]
    if baseline is not None and baseline.digest != candidate.digest:
        sides.append(_side(desk, one, Arm.BASELINE, baseline, suite, gate, provider))
    return tuple(sides)


def _side(desk: Desk, one: Stored, arm: Arm, what: Named, suite: Suite, gate: Json, provider: Provider) -> Side:
    cases = tuple(case.id for case in suite.cases)
    if not isinstance(provider, Recorded):
        return Side(arm=arm, content=what.content, samples=dict.fromkeys(cases, planned_samples(provider.name, gate)))
    try:
        return Side(arm=arm, content=what.content, samples=provider.samples_of(what.digest, cases))
    except Invalid as bad:
        if arm is Arm.CANDIDATE:  # what cannot be rendered could not be recorded either: that is the cause to name
            refuse_broken(suite, what.content, desk.clock().date())
        hint = _RECORD_LOCALLY if desk.local else bad.hint
        raise Invalid(f"{one.prompt}@{what.label}: {bad.message}", hint, **bad.details) from bad


def _notes(desk: Desk, candidate: Named, baseline: Named | None, provider: Provider) -> tuple[str, ...]:
    notes = []
    if desk.local:
        notes.append("local: this report satisfies no gate; only one made by the desk does")
    if desk.local and baseline is not None:
        notes.append(f"{baseline.label} stands in for production, which a local desk does not have")
    if baseline is not None and baseline.digest == candidate.digest:
        notes.append(f"compared with itself: {baseline.label} is the same content")
    if baseline is not None and baseline.content.evaluation["suite"] != candidate.content.evaluation["suite"]:
        notes.append(f"{baseline.label} names another suite, {baseline.content.evaluation['suite']}")
    if provider.recorded:
        notes.append(_NO_MODEL)
    return tuple(notes)


def _floor_notes(candidate: Named, baseline: Named | None, tier: Tier) -> list[str]:
    own = _both_gates(candidate.content, baseline.content if baseline else None)
    limits = raised(own, FLOORS[tier])
    return [f"from the tier {tier}, not from a gate: {', '.join(limits)}"] if limits else []


def _unused(suite: Suite, candidate: Named) -> list[str]:
    names = unused(suite, candidate.content)
    return [f"inputs that {candidate.label} does not use: {', '.join(names)}"] if names else []


def _used(provider: Recorded, suite: Suite) -> str:
    cases = {case.id for case in suite.cases}
    return recordings_digest(one for (_, case, _), one in provider.lookup.items() if case in cases)


def _labels(sql: Connection, prompt: str) -> list[str]:
    """The lowest version's label, then those of the drafts."""
    lowest = prompts.lowest(sql, prompt)
    found, after = [lowest.label] if lowest else [], ""
    while True:
        page = prompts.drafts(sql, prompt, after, MAX_SIZE)
        found += [one.label for one in page.items]
        if page.next is None:
            return found
        after = page.next


def _as_named(found: Version | Draft) -> Named:
    return Named(label=found.label, digest=found.digest, content=parse(found.content))
