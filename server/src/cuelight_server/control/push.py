"""Pushing a workflow folder: what is new in it becomes revisions, versions and drafts, in one transaction or not at all."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from cuelight.contract.canonical import canonical_text
from cuelight.contract.content import parse
from cuelight_server.access import store as access
from cuelight_server.audit import store as audit
from cuelight_server.audit.verbs import Verb
from cuelight_server.control.desk import Desk
from cuelight_server.control.door import Work, act, enter
from cuelight_server.control.governing import Change, hold_back, propose
from cuelight_server.control.knowledge import changes
from cuelight_server.control.on_desk import on_desk
from cuelight_server.control.pushed import PushResult
from cuelight_server.control.routing import publish_everywhere
from cuelight_server.control.shelving import Push, apply
from cuelight_server.db.engine import Connection, reading
from cuelight_server.governance import store as governance
from cuelight_server.kernel.actor import Actor
from cuelight_server.kernel.errors import Blocked, Conflict, Invalid
from cuelight_server.kernel.terms import Environment, Role
from cuelight_server.prompts import store
from cuelight_server.prompts.bundle import Bundle, Earlier, Facts, OnDesk, checked
from cuelight_server.prompts.enforcement import rules
from cuelight_server.prompts.fragments import Changed, dependants, includes
from cuelight_server.prompts.lint import lint
from cuelight_server.prompts.model import Numbered
from cuelight_server.prompts.plan import Plan, State, Stored, dropped, plan, retired_names
from cuelight_server.routing import store as routing

Step = tuple[Verb, str]
_LOOKS = 3  # at a desk that changes under a push, before it gives up


def push(desk: Desk, actor: Actor, bundle: Any, *, as_drafts: bool = False, revive: Collection[str] = ()) -> PushResult:
    """Store what a folder has that the desk has not.

    Invalid with every problem when a document does not fit its kind, Conflict for a retired name that is not among
    those to `revive` (full names), Denied where the person may not do one part of it, NotFound where the workflow is
    not there for them, Blocked for a prompt that is left out while it serves: then nothing is written. `as_drafts`
    stores every label as a draft, also `v2`. A push that changes nothing leaves no audit line.

    What governs the workflow is not changed by a push where its tier asks others: it becomes a proposal, and everything
    else is stored.
    """
    folder = checked(bundle)
    if _known(desk, folder.name):
        enter(desk, actor, Verb.WORKFLOW_PUSH, folder.name)
    for _ in range(_LOOKS):
        with suppress(_Moved):
            return _try(desk, actor, folder, revive, as_drafts=as_drafts)
    raise Conflict(f"somebody else is pushing {folder.name} as well", "look at what changed, then push again")


class _Moved(Exception):  # no error of a caller: it only ends a transaction
    """The desk changed between the look and the lock."""


def _try(desk: Desk, actor: Actor, folder: Bundle, revive: Collection[str], *, as_drafts: bool) -> PushResult:
    """Look, then store what was seen to be new. Whatever takes long is done before the lock: a rollback may wait for it."""
    with reading(desk.registry) as sql:
        marks = _marks(sql, folder)
        storable, waiting = hold_back(desk, sql, folder)
        stored, seen = _look(sql, storable, revive, as_drafts=as_drafts)
    seen = _told(seen, waiting)
    steps = list(_steps(stored, storable, seen))
    if not steps:
        return seen
    texts = _texts(seen.plan)
    with act(desk, actor, *steps[0]) as work:
        if _marks(work.sql, folder) != marks:
            raise _Moved
        _refuse_dropped(work, stored, folder)
        made = Push(work, steps[0], storable, stored, texts)
        apply(made, seen.plan)
        if retired_names(stored, storable):
            publish_everywhere(desk, work)
        return _proposed(desk, made, seen)


def _known(desk: Desk, workflow: str) -> bool:
    with reading(desk.registry) as sql:
        return store.workflow(sql, workflow) is not None


def _told(seen: PushResult, waiting: Change | None) -> PushResult:
    known = waiting.known.id if waiting is not None and waiting.known and waiting.waits_already else None
    return replace(seen, waiting=waiting, proposal=known)


def _proposed(desk: Desk, push: Push, seen: PushResult) -> PushResult:
    """What waits becomes a proposal, unless it is one already."""
    if seen.waiting is None or seen.waiting.waits_already:
        return seen
    made, told = propose(desk, push.work, seen.waiting)
    push.tell(Verb.GOVERNANCE_PROPOSE, push.folder.name, **told)
    return replace(seen, proposal=made.id)


def _marks(sql: Connection, folder: Bundle) -> tuple[Any, ...]:
    """What a push depends on, by digest and number: equal marks, equal plan."""
    contents = {content for content, _, _ in folder.recordings}
    served = {short: routing.served(sql, f"{folder.name}.{short}", Environment.PRODUCTION) for short in folder.prompts}
    texts = store.recording_texts(sql, folder.name, contents)
    waits = governance.open_proposal(sql, folder.name)
    gone = sorted(store.retired_models(sql))
    return store.marks(sql, folder.name), texts, _people(sql, folder), served, gone, waits and waits.id


def _texts(made: Plan) -> dict[str, str]:
    """Digest -> canonical text of everything large that is new."""
    placed = [*made.suites, *made.knowledge, *([made.prices] if made.prices else [])]
    documents = {one.digest: one.document for one in placed if one.state is State.NEW}
    contents = {one.item.content.digest: one.item.content.to_json() for one in (*made.mint, *made.drafts)}
    return {digest: canonical_text(dict(document)) for digest, document in {**documents, **contents}.items()}


def gather(sql: Connection, folder: Bundle) -> Stored:
    """What the desk has of the workflow that this folder is about."""
    name = folder.name
    prompts = store.prompts_of(sql, name)
    return Stored(
        workflow=store.workflow(sql, name),
        prompts=frozenset(one.name for one in prompts),
        retired=frozenset(one.name for one in prompts if one.retired_at is not None),
        versions=store.version_digests(sql, name),
        notes=store.release_notes(sql, name),
        drafts=store.draft_digests(sql, name),
        suites={one.name: one for one in store.suites(sql, name)},
        knowledge={one.name: one for one in store.all_knowledge(sql, name)},
        prices=store.prices(sql, name),
        recordings=store.recording_texts(sql, name, {content for content, _, _ in folder.recordings}),
    )


def facts(sql: Connection, folder: Bundle, suites: Mapping[str, Numbered], knowledge: Mapping[str, Numbered]) -> Facts:
    """The folder as lint and the rule report look at it, beside the suites and the knowledge that the desk has."""
    asked = {**{name: one.document for name, one in suites.items()}, **folder.suites}
    known = {**{name: one.document for name, one in knowledge.items()}, **folder.knowledge}
    earlier = {short: tuple(_earlier(sql, f"{folder.name}.{short}")) for short in folder.prompts}
    gone = frozenset(store.retired_models(sql))
    return Facts(folder, asked, _people(sql, folder), known, earlier, on_desk(sql, folder, asked), gone)


def facts_apart(sql: Connection, folder: Bundle) -> Facts:
    """The same for somebody who does not see the workflow: as if the desk had nothing of it."""
    nothing: Mapping[str, tuple[Earlier, ...]] = dict.fromkeys(folder.prompts, ())
    return Facts(folder, dict(folder.suites), _people(sql, folder), dict(folder.knowledge), nothing, OnDesk())


def _earlier(sql: Connection, prompt: str) -> Iterator[Earlier]:
    """The newest version and, where it is another, the one in production."""
    newest, served = store.newest(sql, prompt), routing.served(sql, prompt, Environment.PRODUCTION)
    found = [newest] if newest is not None else []
    if served is not None and newest is not None and served != newest.number:
        found += [one for one in (store.version(sql, prompt, served),) if one is not None]
    yield from (Earlier(one.number, parse(one.content), one.number == served) for one in found)


def _behind(sql: Connection, folder: Bundle) -> list[Changed]:
    """Versions of the desk that include another text of a fragment than the one that is new in this folder."""
    items = [
        (f"{folder.name}.{short}", label, item)
        for short in folder.prompts
        for label, item in folder.prompts[short].items()
    ]
    new = [one for prompt, label, item in items for one in includes(prompt, label, item.content)]
    if not new:
        return []
    known = [
        one
        for version in store.versions_of(sql, folder.name)
        for one in includes(version.prompt, version.label, parse(version.content))
    ]
    return dependants(new, known)


def _people(sql: Connection, folder: Bundle) -> frozenset[str]:
    """Those of the folder's owners whom the desk knows."""
    tables = [folder.workflow["owners"], *(one.get("owners", {}) for one in folder.workflow["prompts"].values())]
    held = {who[part] for table in tables for who in table.values() for part in ("person", "backup") if part in who}
    return frozenset(one for one in held if access.account(sql, one) is not None)


def _look(sql: Connection, folder: Bundle, revive: Collection[str], *, as_drafts: bool) -> tuple[Stored, PushResult]:
    stored = gather(sql, folder)
    for name in retired_names(stored, folder):
        if name not in revive:
            raise _is_retired(sql, name)
    for name in revive:
        if name not in stored.retired:
            raise Invalid(f"{name} is no retired prompt of {folder.name}", "leave out --revive")
    look = facts(sql, folder, stored.suites, stored.knowledge)
    findings = lint(look)
    made = plan(stored, folder, findings, as_drafts=as_drafts)
    readers = tuple(changes(sql, folder.name, stored.knowledge, made.knowledge))
    told = (tuple(rules(look)), tuple(findings), tuple(folder.ignored), tuple(_behind(sql, folder)), readers)
    return stored, PushResult(folder.name, made, *told)


def _is_retired(sql: Connection, name: str) -> Conflict:
    line = audit.newest_of(sql, Verb.PROMPT_RETIRE, name)
    by = f" by {line.actor} on {line.at[:10]}" if line else ""
    owner = store.owners_of(sql, name.partition(".")[0]).get(Role.WORKFLOW_OWNER, {}).get("person")
    return Conflict(
        f"{name} was retired{by}, and its name stays with it",
        f"take it out of the folder, give the new prompt another name, or ask {owner or 'the workflow owner'} to push "
        f"with --revive {name}",
        prompt=name,
    )


def _steps(stored: Stored, folder: Bundle, seen: PushResult) -> Iterator[Step]:
    """Every audit line that the push will leave, the governing one first; each asks for its own permission."""
    name, made = folder.name, seen.plan
    items = list(_items(name, made))
    if stored.workflow is None:
        yield Verb.WORKFLOW_CREATE, name
    else:
        everyone_may = {Verb.DRAFT_SAVE, Verb.SUITE_PUSH}  # these two are open to more than the makers
        if made.reworded or any(verb not in everyone_may for verb, _ in items):
            yield Verb.WORKFLOW_PUSH, name
        if made.governance is State.CHANGED:
            yield Verb.WORKFLOW_GOVERN, name
        if seen.waiting is not None and not seen.waiting.waits_already:
            yield Verb.GOVERNANCE_PROPOSE, name
    yield from ((Verb.PROMPT_REVIVE, one) for one in retired_names(stored, folder))
    yield from items


def _items(name: str, made: Plan) -> Iterator[Step]:
    yield from ((Verb.PROMPT_MINT, f"{name}.{one.prompt}@{one.label}") for one in made.mint)
    changed = (one for one in made.drafts if one.state is not State.UNCHANGED)
    yield from ((Verb.DRAFT_SAVE, f"{name}.{one.prompt}@{one.label}") for one in changed)
    yield from ((Verb.SUITE_PUSH, f"{name}.{one.name}") for one in made.suites if one.state is State.NEW)
    yield from ((Verb.KNOWLEDGE_PUSH, f"{name}.{one.name}") for one in made.knowledge if one.state is State.NEW)
    if made.prices and made.prices.state is State.NEW:
        yield Verb.PRICES_PUSH, name
    if made.new_recordings or made.changed_recordings:
        yield Verb.RECORDING_PUSH, name


def _refuse_dropped(work: Work, stored: Stored, folder: Bundle) -> None:
    """Callers of a prompt that was ever released get its fallback while it is off: only retiring it ends that."""
    for name in dropped(stored, folder):
        where = [place.value for place in Environment if routing.deployment(work.sql, name, place)]
        if where:
            raise Blocked(
                f"workflow.yaml leaves out {name}, which was released to {', '.join(where)}",
                f"put it back, or retire it first: cuelight retire {name} --why ...",
            )
