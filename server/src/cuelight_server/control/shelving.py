"""Storing what a push found to be new: revisions, versions, drafts and the shelves, each with its line in the log."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cuelight_server.access import store as access
from cuelight_server.access.model import Account
from cuelight_server.audit.verbs import Verb
from cuelight_server.control.access import well_named
from cuelight_server.control.belonging import roles_in
from cuelight_server.control.door import Work
from cuelight_server.governance import store as governance
from cuelight_server.governance.model import Membership
from cuelight_server.kernel.terms import ActorKind, Member
from cuelight_server.prompts import store
from cuelight_server.prompts.bundle import Bundle, workflow_digest
from cuelight_server.prompts.model import Draft, Numbered, Prompt, Version, Workflow
from cuelight_server.prompts.plan import Entry, Placed, Plan, State, Stored, retired_names
from cuelight_server.prompts.recordings import shelf_digest
from cuelight_server.prompts.verify import facts_of

_NAMED = 50  # recordings that an audit line names one by one


@dataclass(frozen=True, slots=True)
class Push:
    """A push under way."""

    work: Work
    first: tuple[Verb, str]
    folder: Bundle
    stored: Stored
    texts: Mapping[str, str]

    def tell(self, verb: Verb, subject: str, **told: Any) -> None:
        """Into the line that opened the door, or as one more line."""
        if (verb, subject) == self.first:
            self.work.note(**told)
        else:
            self.work.also(verb, subject, **told)


def apply(push: Push, made: Plan) -> None:
    """Store all that the plan found to be new, each with its line. Denied where the person may not do one part of it."""
    _save_workflow(push, made)
    for name in retired_names(push.stored, push.folder):
        store.mark_retired(push.work.sql, name, None)
        push.tell(Verb.PROMPT_REVIVE, name)
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


def _save_workflow(push: Push, made: Plan) -> None:
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
    if old is None and not roles_in(folder.workflow["owners"], work.actor.id):
        member = Membership(
            workflow=folder.name,
            account=work.actor.id,
            role=Member.MEMBER.value,
            granted_by=work.actor.id,
            granted_at=work.at_text,
        )
        governance.admit(work.sql, member)  # whoever creates a workflow goes on seeing it
        told |= {"member": work.actor.id}
    for verb in (Verb.WORKFLOW_CREATE, Verb.WORKFLOW_PUSH, Verb.WORKFLOW_GOVERN):
        if (verb, folder.name) == push.first:
            work.note(**told)
    if push.first[0] is Verb.WORKFLOW_PUSH and made.governance is State.CHANGED:
        work.also(Verb.WORKFLOW_GOVERN, folder.name, revision=told["revision"], digest=told["digest"])


def _add_people(push: Push) -> Iterator[str]:
    """Accounts for the folder's people whom the desk does not know: they open nothing until somebody issues a token."""
    work = push.work
    for one in push.folder.workflow.get("people", ()):
        if access.account(work.sql, one["id"]) is None:
            person, at = ActorKind.PERSON, work.at_text
            new = Account(id=one["id"], name=one["name"], kind=person, admin=False, created_at=at)
            access.save_account(work.sql, well_named(work, new))
            yield one["id"]


def _save_prompts(push: Push, made: Plan) -> None:
    named = {f"{push.folder.name}.{one.prompt}" for one in (*made.mint, *made.drafts)}
    for name in sorted(named - push.stored.prompts):
        new = Prompt(name=name, workflow=push.folder.name, created_at=push.work.at_text)
        store.save_prompt(push.work.sql, new)


def _mint(push: Push, entry: Entry) -> None:
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


def _save_draft(push: Push, entry: Entry) -> None:
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


def _save_recordings(push: Push, made: Plan) -> None:
    if not (made.new_recordings or made.changed_recordings):
        return
    store.save_recordings(push.work.sql, push.folder.name, made.new_recordings, made.changed_recordings)
    replaced = [list(key) for key in sorted(made.changed_recordings)[:_NAMED]]
    counts = {"new": len(made.new_recordings), "changed": len(made.changed_recordings)}
    state = shelf_digest(store.all_recordings(push.work.sql, push.folder.name))  # what `verify` holds the rows against
    push.tell(Verb.RECORDING_PUSH, push.folder.name, **counts, replaced=replaced, state=state)


def _numbered(push: Push, placed: Placed) -> Numbered:
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
