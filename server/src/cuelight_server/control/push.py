"""Pushing a workflow folder: what is new in it becomes revisions, versions and drafts, in one transaction or not at all."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from cuelight.contract.canonical import canonical_text
from cuelight.contract.content import parse
from cuelight_server.access import store as access
from cuelight_server.access.model import Account
from cuelight_server.audit.verbs import Verb
from cuelight_server.control.access import well_named
from cuelight_server.control.desk import Desk
from cuelight_server.control.door import Work, act
from cuelight_server.control.on_desk import on_desk
from cuelight_server.db.engine import Connection, reading
from cuelight_server.kernel.actor import Actor
from cuelight_server.kernel.errors import Blocked, Conflict
from cuelight_server.kernel.terms import ActorKind, Environment
from cuelight_server.prompts import store
from cuelight_server.prompts.bundle import Bundle, Earlier, Facts, checked, workflow_digest
from cuelight_server.prompts.enforcement import rules
from cuelight_server.prompts.fragments import Changed, dependants, includes
from cuelight_server.prompts.lint import lint
from cuelight_server.prompts.model import Draft, Finding, Numbered, Prompt, RuleState, Version, Workflow
from cuelight_server.prompts.plan import Entry, Placed, Plan, State, Stored, lowered, plan, retired_names
from cuelight_server.prompts.recordings import shelf_digest
from cuelight_server.prompts.verify import facts_of
from cuelight_server.routing import store as routing

Step = tuple[Verb, str]
_LOOKS = 3  # at a desk that changes under a push, before it gives up
_NAMED = 50  # recordings that an audit line names one by one


@dataclass(frozen=True, slots=True)
class PushResult:
    """What a push did. Refused versions are part of the process, so they are told and not raised."""

    workflow: str
    plan: Plan
    rules: tuple[RuleState, ...]
    findings: tuple[Finding, ...]
    ignored: tuple[Mapping[str, str], ...]
    dependants: tuple[Changed, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As it goes over the wire."""
        done = self.plan
        return {
            "workflow": self.workflow,
            "minted": [{**self._version(one), "why": one.why} for one in done.mint],
            "unchanged": [{**self._version(one), "why": one.why} for one in done.unchanged],
            "refused": [self._refused(one) for one in done.refused],
            "drafts": [{**self._named(one), "state": one.state.value} for one in done.drafts],
            "suites": [_placed_json(one) for one in done.suites],
            "knowledge": [_placed_json(one) for one in done.knowledge],
            "prices": _placed_json(done.prices) if done.prices else None,
            "recordings": {
                "new": len(done.new_recordings),
                "changed": len(done.changed_recordings),
                "unchanged": done.unchanged_recordings,
            },
            "governance": done.governance.value,
            "rules": [one.to_json() for one in self.rules],
            "ignored": [dict(one) for one in self.ignored],
            "findings": [one.to_json() for one in self.findings],
            "dependants": [one.to_json() for one in self.dependants],
        }

    def _named(self, entry: Entry) -> dict[str, Any]:
        digest = entry.item.content.digest
        return {"prompt": f"{self.workflow}.{entry.prompt}", "label": entry.label, "digest": digest}

    def _version(self, entry: Entry) -> dict[str, Any]:
        return {**self._named(entry), "number": entry.number}

    def _refused(self, entry: Entry) -> dict[str, Any]:
        told = {"why": entry.why, "hint": entry.hint, "findings": [one.to_json() for one in entry.findings]}
        return {"prompt": f"{self.workflow}.{entry.prompt}", "label": entry.label, **told}


def push(desk: Desk, actor: Actor, bundle: Any, *, as_drafts: bool = False) -> PushResult:
    """Store what a folder has that the desk has not.

    Invalid with every problem when a document does not fit its kind, Conflict for a retired name, Denied where the
    person may not do one part of it, Blocked for a lowered tier: then nothing is written. `as_drafts` stores every
    label as a draft, also `v2`. A push that changes nothing leaves no audit line.
    """
    folder = checked(bundle)
    for _ in range(_LOOKS):
        with suppress(_Moved):
            return _try(desk, actor, folder, as_drafts=as_drafts)
    raise Conflict(f"somebody else is pushing {folder.name} as well", "look at what changed, then push again")


class _Moved(Exception):  # no error of a caller: it only ends a transaction
    """The desk changed between the look and the lock."""


def _try(desk: Desk, actor: Actor, folder: Bundle, *, as_drafts: bool) -> PushResult:
    """Look, then store what was seen to be new. Whatever takes long is done before the lock: a rollback may wait for it."""
    with reading(desk.registry) as sql:
        marks = _marks(sql, folder)
        stored, seen = _look(sql, folder, as_drafts=as_drafts)
    steps = list(_steps(stored, folder, seen.plan))
    if not steps:
        return seen
    texts = _texts(seen.plan)
    with act(desk, actor, *steps[0]) as work:
        if _marks(work.sql, folder) != marks:
            raise _Moved
        _refuse_lower_tier(stored, folder)
        _apply(_Push(work, steps[0], folder, stored, texts), seen.plan)
    return seen


def _marks(sql: Connection, folder: Bundle) -> tuple[Any, ...]:
    """What a push depends on, by digest and number: equal marks, equal plan."""
    contents = {content for content, _, _ in folder.recordings}
    served = {short: routing.served(sql, f"{folder.name}.{short}", Environment.PRODUCTION) for short in folder.prompts}
    texts = store.recording_texts(sql, folder.name, contents)
    return store.marks(sql, folder.name), texts, _people(sql, folder), served


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
    return Facts(folder, asked, _people(sql, folder), known, earlier, on_desk(sql, folder, asked))


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


def _look(sql: Connection, folder: Bundle, *, as_drafts: bool) -> tuple[Stored, PushResult]:
    stored = gather(sql, folder)
    retired = retired_names(stored, folder)
    if retired:
        hint = "take it out of the folder, or give the new prompt another name"
        raise Conflict(f"{retired[0]} is retired, and its name stays with it", hint)
    look = facts(sql, folder, stored.suites, stored.knowledge)
    findings = lint(look)
    made = plan(stored, folder, findings, as_drafts=as_drafts)
    told = (tuple(rules(look)), tuple(findings), tuple(folder.ignored), tuple(_behind(sql, folder)))
    return stored, PushResult(folder.name, made, *told)


def _steps(stored: Stored, folder: Bundle, made: Plan) -> Iterator[Step]:
    """Every audit line that the push will leave, the governing one first; each asks for its own permission."""
    name = folder.name
    items = list(_items(name, made))
    if stored.workflow is None:
        yield Verb.WORKFLOW_CREATE, name
    else:
        everyone_may = {Verb.DRAFT_SAVE, Verb.SUITE_PUSH}  # these two are open to more than the makers
        if made.reworded or any(verb not in everyone_may for verb, _ in items):
            yield Verb.WORKFLOW_PUSH, name
        if made.governance is State.CHANGED:
            yield Verb.WORKFLOW_GOVERN, name
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


def _refuse_lower_tier(stored: Stored, folder: Bundle) -> None:
    tiers = lowered(stored, folder)
    if tiers:
        raise Blocked(
            f"lowering the tier of {folder.name} from {tiers[0]} to {tiers[1]} needs the approvals of tier {tiers[0]}",
            "not possible by push: put the tier back, and push the rest",
            old=tiers[0].value,
            new=tiers[1].value,
        )


@dataclass(frozen=True, slots=True)
class _Push:
    """A push under way."""

    work: Work
    first: Step
    folder: Bundle
    stored: Stored
    texts: Mapping[str, str]

    def tell(self, verb: Verb, subject: str, **told: Any) -> None:
        """Into the line that opened the door, or as one more line."""
        if (verb, subject) == self.first:
            self.work.note(**told)
        else:
            self.work.also(verb, subject, **told)


def _apply(push: _Push, made: Plan) -> None:
    _save_workflow(push, made)
    _save_prompts(push, made)
    for one in made.mint:
        _mint(push, one)
    for one in made.drafts:
        _save_draft(push, one)
    for placed in made.suites:
        if placed.state is State.NEW:
            store.save_suite(push.work.sql, _numbered(push, placed))
            push.tell(Verb.SUITE_PUSH, f"{push.folder.name}.{placed.name}", **_placed_facts(placed))
    for placed in made.knowledge:
        if placed.state is State.NEW:
            store.save_knowledge(push.work.sql, _numbered(push, placed))
            push.tell(Verb.KNOWLEDGE_PUSH, f"{push.folder.name}.{placed.name}", **_placed_facts(placed))
    if made.prices and made.prices.state is State.NEW:
        store.save_prices(push.work.sql, _numbered(push, made.prices))
        push.tell(Verb.PRICES_PUSH, push.folder.name, **_placed_facts(made.prices))
    _save_recordings(push, made)


def _save_workflow(push: _Push, made: Plan) -> None:
    folder, work, old = push.folder, push.work, push.stored.workflow
    told: dict[str, Any] = {"minted": len(made.mint), "refused": [f"{one.prompt}@{one.label}" for one in made.refused]}
    if made.revised:
        new = Workflow(
            name=folder.name,
            revision=old.revision + 1 if old else 1,
            digest=workflow_digest(folder.workflow, folder.authority),
            document=folder.workflow,
            authority=folder.authority,
            actor=work.actor.id,
            created_at=work.at_text,
        )
        store.save_workflow(work.sql, new)
        told |= {"revision": new.revision, "digest": new.digest, "people": list(_add_people(push))}
    for verb in (Verb.WORKFLOW_CREATE, Verb.WORKFLOW_PUSH, Verb.WORKFLOW_GOVERN):
        if (verb, folder.name) == push.first:
            work.note(**told)
    if push.first[0] is Verb.WORKFLOW_PUSH and made.governance is State.CHANGED:
        work.also(Verb.WORKFLOW_GOVERN, folder.name, revision=told["revision"], digest=told["digest"])


def _add_people(push: _Push) -> Iterator[str]:
    """Accounts for the folder's people whom the desk does not know: they open nothing until somebody issues a token."""
    work = push.work
    for one in push.folder.workflow.get("people", ()):
        if access.account(work.sql, one["id"]) is None:
            person, at = ActorKind.PERSON, work.at_text
            new = Account(id=one["id"], name=one["name"], kind=person, admin=False, created_at=at)
            access.save_account(work.sql, well_named(work, new))
            yield one["id"]


def _save_prompts(push: _Push, made: Plan) -> None:
    named = {f"{push.folder.name}.{one.prompt}" for one in (*made.mint, *made.drafts)}
    for name in sorted(named - push.stored.prompts):
        new = Prompt(name=name, workflow=push.folder.name, created_at=push.work.at_text)
        store.save_prompt(push.work.sql, new)


def _mint(push: _Push, entry: Entry) -> None:
    work, content = push.work, entry.item.content
    new = Version(
        prompt=f"{push.folder.name}.{entry.prompt}",
        number=entry.number or 0,
        digest=content.digest,
        content=content.to_json(),
        author=work.actor.id,
        release_note=entry.item.release_note,
        created_at=work.at_text,
        text=push.texts[content.digest],
    )
    store.save_version(work.sql, new)
    store.contribute(work.sql, new, work.actor.id, work.at_text)
    store.drop_draft(work.sql, new.prompt, new.label)
    push.tell(Verb.PROMPT_MINT, f"{new.prompt}@{new.label}", **facts_of(new))


def _save_draft(push: _Push, entry: Entry) -> None:
    if entry.state is State.UNCHANGED:
        return
    work, content = push.work, entry.item.content
    name = f"{push.folder.name}.{entry.prompt}"
    new = Draft(
        prompt=name,
        label=entry.label,
        digest=content.digest,
        content=content.to_json(),
        author=work.actor.id,
        updated_at=work.at_text,
        text=push.texts[content.digest],
    )
    store.save_draft(work.sql, new)
    store.contribute(work.sql, new, work.actor.id, work.at_text)
    push.tell(Verb.DRAFT_SAVE, f"{name}@{entry.label}", digest=content.digest)


def _save_recordings(push: _Push, made: Plan) -> None:
    if not (made.new_recordings or made.changed_recordings):
        return
    store.save_recordings(push.work.sql, push.folder.name, made.new_recordings, made.changed_recordings)
    replaced = [list(key) for key in sorted(made.changed_recordings)[:_NAMED]]
    counts = {"new": len(made.new_recordings), "changed": len(made.changed_recordings)}
    state = shelf_digest(store.all_recordings(push.work.sql, push.folder.name))  # what `verify` holds the rows against
    push.tell(Verb.RECORDING_PUSH, push.folder.name, **counts, replaced=replaced, state=state)


def _numbered(push: _Push, placed: Placed) -> Numbered:
    return Numbered(
        workflow=push.folder.name,
        name=placed.name,
        number=placed.number,
        digest=placed.digest,
        document=placed.document,
        text=push.texts[placed.digest],
        actor=push.work.actor.id,
        created_at=push.work.at_text,
    )


def _placed_facts(placed: Placed) -> dict[str, Any]:
    return {"number": placed.number, "digest": placed.digest}


def _placed_json(placed: Placed) -> dict[str, Any]:
    named = {"name": placed.name} if placed.name else {}
    return {**named, "number": placed.number, "digest": placed.digest, "state": placed.state.value}
