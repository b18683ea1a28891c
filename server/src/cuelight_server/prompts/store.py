"""Where workflows, prompts, their versions and drafts, suites, knowledge, prices and recordings are kept."""

# long because: nine tables of one noun, a query or two each

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import Column, Connection, Row, Table, and_, delete, func, insert, or_, select, union_all, update

from cuelight.contract.canonical import canonical_text
from cuelight_server.db import schema
from cuelight_server.kernel.page import DEFAULT_SIZE, Page, checked_size, page_of
from cuelight_server.prompts.model import Draft, Numbered, Prompt, RecordingKey, RetiredModel, Version, Workflow

_MOST = 100_000  # rows of one workflow that a push or an export looks at
_AT_ONCE = 200  # values in one IN (...)


def workflow(sql: Connection, name: str) -> Workflow | None:
    """A workflow at its newest revision, or None."""
    table = schema.workflow_revision
    found = select(table).where(table.c.workflow == name).order_by(table.c.revision.desc()).limit(1)
    row = sql.execute(found).one_or_none()
    return None if row is None else _workflow(row)


def workflow_at(sql: Connection, name: str, revision: int) -> Workflow | None:
    """A workflow as one of its revisions says, or None."""
    table = schema.workflow_revision
    row = sql.execute(select(table).where(table.c.workflow == name, table.c.revision == revision)).one_or_none()
    return None if row is None else _workflow(row)


def workflows(sql: Connection, after: str = "", size: int = DEFAULT_SIZE) -> Page[str]:
    """Names of workflows, from above `after`."""
    table = schema.workflow
    found = select(table.c.name).where(table.c.name > after).order_by(table.c.name).limit(checked_size(size) + 1)
    return page_of(list(sql.scalars(found)), size, str)


def save_workflow(sql: Connection, new: Workflow) -> None:
    """Store a revision: the first makes the workflow, each later one must be the next."""
    table = schema.workflow
    if new.revision == 1:
        sql.execute(insert(table).values(name=new.name, revision=1, created_at=new.created_at))
    else:
        sql.execute(update(table).where(table.c.name == new.name).values(revision=new.revision))
    sql.execute(
        insert(schema.workflow_revision).values(
            workflow=new.name,
            revision=new.revision,
            digest=new.digest,
            document=canonical_text(dict(new.document)),
            authority=canonical_text(dict(new.authority)),
            actor=new.actor,
            created_at=new.created_at,
        )
    )


def revised_since(sql: Connection, workflow: str, revision: int) -> list[str]:
    """Ids of those who pushed a revision above this one."""
    table = schema.workflow_revision
    found = select(table.c.actor).where(table.c.workflow == workflow, table.c.revision > revision).distinct()
    return list(sql.scalars(found.order_by(table.c.actor).limit(_MOST)))


def owners_of(sql: Connection, workflow: str, prompt: str = "") -> dict[str, dict[str, Any]]:
    """Role -> {"person": id, "backup": id or null} from the workflow's newest revision; empty when there is none.

    With the short name of a prompt its own owners stand in for the workflow's, role by role.
    """
    table = schema.workflow_revision
    query = select(table.c.document).where(table.c.workflow == workflow)
    text = sql.scalar(query.order_by(table.c.revision.desc()).limit(1))
    document = json.loads(text) if text else {}
    return {**document.get("owners", {}), **document.get("prompts", {}).get(prompt, {}).get("owners", {})}


def prompt(sql: Connection, name: str) -> Prompt | None:
    """A prompt by its full name, or None."""
    row = sql.execute(select(schema.prompt).where(schema.prompt.c.name == name)).one_or_none()
    return None if row is None else _prompt(row)


def prompts(
    sql: Connection, after: str = "", size: int = DEFAULT_SIZE, among: Collection[str] | None = None
) -> Page[Prompt]:
    """Prompts by full name, from above `after`; those of the workflows `among`, where some are given."""
    table = schema.prompt
    found = select(table).where(table.c.name > after).order_by(table.c.name).limit(checked_size(size) + 1)
    if among is not None:
        found = found.where(table.c.workflow.in_(among))
    return page_of([_prompt(row) for row in sql.execute(found)], size, lambda one: one.name)


def prompts_of(sql: Connection, workflow: str) -> list[Prompt]:
    """The prompts of one workflow, by name."""
    table = schema.prompt
    found = select(table).where(table.c.workflow == workflow).order_by(table.c.name).limit(_MOST)
    return [_prompt(row) for row in sql.execute(found)]


def save_prompt(sql: Connection, new: Prompt) -> None:
    """Store a new prompt; Conflict when its name is taken."""
    sql.execute(insert(schema.prompt).values(name=new.name, workflow=new.workflow, created_at=new.created_at))


def mark_retired(sql: Connection, name: str, at: str | None) -> None:
    """A prompt is retired from now on, or with None no longer."""
    sql.execute(update(schema.prompt).where(schema.prompt.c.name == name).values(retired_at=at))


def retired(sql: Connection) -> list[Prompt]:
    """Every retired prompt, by name."""
    table = schema.prompt
    found = select(table).where(table.c.retired_at.is_not(None)).order_by(table.c.name).limit(_MOST)
    return [_prompt(row) for row in sql.execute(found)]


def retired_models(sql: Connection) -> dict[str, RetiredModel]:
    """Every retired model, by name."""
    found = select(schema.retired_model).order_by(schema.retired_model.c.model).limit(_MOST)
    return {row.model: RetiredModel(**row._mapping) for row in sql.execute(found)}  # noqa: SLF001  its public name


def save_retired_model(sql: Connection, new: RetiredModel) -> None:
    """Record that a model is no longer offered; Conflict when that is recorded already."""
    sql.execute(insert(schema.retired_model).values(**asdict(new)))


def version(sql: Connection, prompt: str, number: int) -> Version | None:
    """One version, or None."""
    table = schema.version
    row = sql.execute(select(table).where(table.c.prompt == prompt, table.c.number == number)).one_or_none()
    return None if row is None else _version(row)


def versions(sql: Connection, prompt: str, before: int | None = None, size: int = DEFAULT_SIZE) -> Page[Version]:
    """The versions of a prompt, newest first, from below the number `before`."""
    table = schema.version
    found = select(table).where(table.c.prompt == prompt).order_by(table.c.number.desc())
    if before is not None:
        found = found.where(table.c.number < before)
    rows = sql.execute(found.limit(checked_size(size) + 1))
    return page_of([_version(row) for row in rows], size, lambda one: str(one.number))


def newest(sql: Connection, prompt: str) -> Version | None:
    """The version with the highest number, or None."""
    return next(iter(versions(sql, prompt, size=1).items), None)


def lowest(sql: Connection, prompt: str) -> Version | None:
    """The version with the lowest number, or None."""
    table = schema.version
    row = sql.execute(select(table).where(table.c.prompt == prompt).order_by(table.c.number).limit(1)).one_or_none()
    return None if row is None else _version(row)


def versions_of(sql: Connection, workflow: str) -> Iterator[Version]:
    """Every version of one workflow, prompt by prompt, oldest first."""
    table = schema.version
    joined = select(table).join(schema.prompt, schema.prompt.c.name == table.c.prompt)
    rows = sql.execute(
        joined.where(schema.prompt.c.workflow == workflow).order_by(table.c.prompt, table.c.number).limit(_MOST)
    )
    yield from (_version(row) for row in rows)


def every_version(sql: Connection) -> Iterator[Version]:
    """All versions of the desk, one after the other, for `verify`; what cannot be read has its text as content."""
    query = select(schema.version).order_by(schema.version.c.prompt, schema.version.c.number)
    for row in sql.execute(query, execution_options={"yield_per": 100}):
        try:
            yield _version(row)
        except ValueError:
            yield _version(row, {"unreadable": row.content})


def save_version(sql: Connection, new: Version) -> None:
    """Store a new version, for good; Conflict when its number is taken."""
    sql.execute(
        insert(schema.version).values(
            prompt=new.prompt,
            number=new.number,
            digest=new.digest,
            content=new.text or canonical_text(dict(new.content)),
            author=new.author,
            release_note=new.release_note,
            created_at=new.created_at,
        )
    )


def draft(sql: Connection, prompt: str, label: str) -> Draft | None:
    """One draft, or None."""
    table = schema.draft
    row = sql.execute(select(table).where(table.c.prompt == prompt, table.c.label == label)).one_or_none()
    return None if row is None else _draft(row)


def drafts(sql: Connection, prompt: str, after: str = "", size: int = DEFAULT_SIZE) -> Page[Draft]:
    """The drafts of a prompt by label, from above `after`."""
    table = schema.draft
    found = select(table).where(table.c.prompt == prompt, table.c.label > after).order_by(table.c.label)
    rows = sql.execute(found.limit(checked_size(size) + 1))
    return page_of([_draft(row) for row in rows], size, lambda one: one.label)


def save_draft(sql: Connection, new: Draft) -> None:
    """Store a draft, over the one that has its label."""
    table, content = schema.draft, new.text or canonical_text(dict(new.content))
    values = {"digest": new.digest, "content": content, "author": new.author, "updated_at": new.updated_at}
    same = and_(table.c.prompt == new.prompt, table.c.label == new.label)
    if sql.execute(update(table).where(same).values(**values)).rowcount == 0:
        sql.execute(insert(table).values(prompt=new.prompt, label=new.label, **values))


def contribute(sql: Connection, made: Version | Draft, actor: str, at: str) -> None:
    """Remember for good that `actor` had a hand in this content under this label; once is enough."""
    table = schema.contribution
    key = {"prompt": made.prompt, "digest": made.digest, "actor": actor, "label": made.label}
    known = select(table.c.at).where(*(table.c[name] == value for name, value in key.items()))
    if sql.execute(known).one_or_none() is None:
        sql.execute(insert(table).values(**key, at=at))


def contributors(sql: Connection, prompt: str, digest: str, label: str) -> list[str]:
    """Ids of those who had a hand in this content, or in any content under this label."""
    table = schema.contribution
    same = or_(table.c.digest == digest, table.c.label == label)
    found = select(table.c.actor).where(table.c.prompt == prompt, same).distinct()
    return list(sql.scalars(found.order_by(table.c.actor).limit(_MOST)))


def drop_draft(sql: Connection, prompt: str, label: str) -> None:
    """Forget a draft, where there is one: a version has taken its label."""
    table = schema.draft
    sql.execute(delete(table).where(table.c.prompt == prompt, table.c.label == label))


def labelled(sql: Connection, prompt: str, label: str) -> Version | Draft | None:
    """What a label of this prompt names: a version before a draft, since a local desk may hold a draft `v2`."""
    number = label[1:]
    is_number = label.startswith("v") and number.isascii() and number.isdigit() and not number.startswith("0")
    found = version(sql, prompt, int(number)) if is_number and len(number) < 10 else None
    return found or draft(sql, prompt, label)


def version_digests(sql: Connection, workflow: str) -> dict[str, dict[int, str]]:
    """Prompt -> number -> digest, for every version of one workflow."""
    return _by_prompt(sql, workflow, schema.version.c.number, schema.version.c.digest)


def release_notes(sql: Connection, workflow: str) -> dict[str, dict[int, str]]:
    """Prompt -> number -> release note, for every version of one workflow."""
    return _by_prompt(sql, workflow, schema.version.c.number, schema.version.c.release_note)


def draft_digests(sql: Connection, workflow: str) -> dict[str, dict[str, str]]:
    """Prompt -> label -> digest, for every draft of one workflow."""
    return _by_prompt(sql, workflow, schema.draft.c.label, schema.draft.c.digest)


def declared(sql: Connection, prompt: str) -> frozenset[str]:
    """The variables that any version or draft of a prompt declares."""
    both = union_all(*(select(one.c.content).where(one.c.prompt == prompt) for one in (schema.version, schema.draft)))
    contents = (json.loads(text) for text in sql.scalars(both.limit(_MOST)))
    return frozenset(one["name"] for content in contents for one in content["variables"])


def suite(sql: Connection, workflow: str, name: str) -> Numbered | None:
    """A suite at its newest number, or None."""
    return _newest(sql, schema.suite, workflow, name)


def suite_by_digest(sql: Connection, workflow: str, name: str, digest: str) -> Numbered | None:
    """The suite as it was under this digest, or None."""
    table = schema.suite
    found = select(table).where(table.c.workflow == workflow, table.c.name == name, table.c.digest == digest)
    row = sql.execute(found.order_by(table.c.number.desc()).limit(1)).one_or_none()
    return None if row is None else _numbered(row)


def suites(sql: Connection, workflow: str) -> list[Numbered]:
    """Every suite of a workflow at its newest number, by name."""
    return _each_newest(sql, schema.suite, workflow)


def save_suite(sql: Connection, new: Numbered) -> None:
    """Store a suite under a new number, for good."""
    sql.execute(insert(schema.suite).values(name=new.name, **_values(new)))


def suite_pushed_since(sql: Connection, workflow: str, name: str, number: int) -> list[str]:
    """Ids of those who pushed this suite under a number above this one."""
    table = schema.suite
    above = (table.c.workflow == workflow, table.c.name == name, table.c.number > number)
    found = select(table.c.actor).where(*above).distinct()
    return list(sql.scalars(found.order_by(table.c.actor).limit(_MOST)))


def all_knowledge(sql: Connection, workflow: str) -> list[Numbered]:
    """Everything a workflow knows at its newest number, by name."""
    return _each_newest(sql, schema.knowledge, workflow)


def knowledge(sql: Connection, workflow: str, name: str, number: int | None = None) -> Numbered | None:
    """One release of knowledge, the newest without a number, or None."""
    if number is None:
        return _newest(sql, schema.knowledge, workflow, name)
    table = schema.knowledge
    here = (table.c.workflow == workflow, table.c.name == name, table.c.number == number)
    row = sql.execute(select(table).where(*here)).one_or_none()
    return None if row is None else _numbered(row)


def knowledge_by_digest(sql: Connection, workflow: str, name: str, digest: str) -> Numbered | None:
    """The newest release of this knowledge under this digest, or None."""
    table = schema.knowledge
    found = select(table).where(table.c.workflow == workflow, table.c.name == name, table.c.digest == digest)
    row = sql.execute(found.order_by(table.c.number.desc()).limit(1)).one_or_none()
    return None if row is None else _numbered(row)


def knowledge_releases(
    sql: Connection, workflow: str, name: str, before: int | None = None, size: int = DEFAULT_SIZE
) -> Page[Numbered]:
    """The releases of one knowledge, newest first, from below the number `before`."""
    table = schema.knowledge
    found = select(table).where(table.c.workflow == workflow, table.c.name == name).order_by(table.c.number.desc())
    if before is not None:
        found = found.where(table.c.number < before)
    rows = sql.execute(found.limit(checked_size(size) + 1))
    return page_of([_numbered(row) for row in rows], size, lambda one: str(one.number))


def knowledge_pushed_since(sql: Connection, workflow: str, bound: Mapping[str, str]) -> list[str]:
    """Ids of those who pushed knowledge after what is `bound` (name -> digest); all of a name that is not bound."""
    table, found = schema.knowledge, set[str]()
    query = select(table.c.name, table.c.number, table.c.digest, table.c.actor).where(table.c.workflow == workflow)
    rows = sql.execute(query.order_by(table.c.name, table.c.number).limit(_MOST)).all()
    then = {row.name: row.number for row in rows if bound.get(row.name) == row.digest}
    found.update(row.actor for row in rows if row.number > then.get(row.name, 0))
    return sorted(found)


def save_knowledge(sql: Connection, new: Numbered) -> None:
    """Store knowledge under a new number, for good."""
    sql.execute(insert(schema.knowledge).values(name=new.name, **_values(new)))


def prices(sql: Connection, workflow: str) -> Numbered | None:
    """The prices of a workflow at their newest number, or None."""
    table = schema.prices
    found = select(table).where(table.c.workflow == workflow).order_by(table.c.number.desc()).limit(1)
    row = sql.execute(found).one_or_none()
    return None if row is None else _numbered(row)


def save_prices(sql: Connection, new: Numbered) -> None:
    """Store prices under a new number, for good."""
    sql.execute(insert(schema.prices).values(**_values(new)))


def recordings_of(sql: Connection, workflow: str, content_digest: str) -> dict[tuple[str, int], dict[str, Any]]:
    """(case, sample) -> recording, for one content in one workflow."""
    table = schema.recording
    here = and_(table.c.workflow == workflow, table.c.content_digest == content_digest)
    return {
        (row.case_id, row.sample): json.loads(row.document)
        for row in sql.execute(select(table).where(here).limit(_MOST))
    }


def recording_texts(sql: Connection, workflow: str, contents: Collection[str]) -> dict[RecordingKey, str]:
    """The stored canonical text of every recording of these contents in one workflow."""
    table, wanted, found = schema.recording, sorted(contents), {}
    for start in range(0, len(wanted), _AT_ONCE):
        some = table.c.content_digest.in_(wanted[start : start + _AT_ONCE])
        for row in sql.execute(select(table).where(table.c.workflow == workflow, some)):
            found[row.content_digest, row.case_id, row.sample] = row.document
    return found


def all_recordings(sql: Connection, workflow: str) -> Iterator[tuple[str, str, int, str]]:
    """Every recording of a workflow: content digest, case, sample and canonical text."""
    table = schema.recording
    wanted = (table.c.content_digest, table.c.case_id, table.c.sample, table.c.document)
    for row in sql.execute(select(*wanted).where(table.c.workflow == workflow)):
        yield row.content_digest, row.case_id, row.sample, row.document


def recorded_contents(sql: Connection, workflow: str) -> list[str]:
    """Digests of the contents that have recordings in one workflow."""
    table = schema.recording
    found = select(table.c.content_digest).where(table.c.workflow == workflow).distinct()
    return list(sql.scalars(found.order_by(table.c.content_digest).limit(_MOST)))


def save_recordings(
    sql: Connection, workflow: str, new: Mapping[RecordingKey, str], changed: Mapping[RecordingKey, str]
) -> None:
    """Store new recordings and replace changed ones; the values are canonical text."""
    table = schema.recording
    if new:
        sql.execute(insert(table), [{**_key(workflow, key), "document": text} for key, text in new.items()])
    for key, text in changed.items():
        same = [table.c[name] == value for name, value in _key(workflow, key).items()]
        sql.execute(update(table).where(*same).values(document=text))


def _key(workflow: str, key: RecordingKey) -> dict[str, Any]:
    return {"content_digest": key[0], "case_id": key[1], "sample": key[2], "workflow": workflow}


def marks(sql: Connection, workflow: str) -> tuple[Any, ...]:
    """What tells one state of a workflow from another, without reading a document: numbers and digests."""
    revision = sql.scalar(select(schema.workflow.c.revision).where(schema.workflow.c.name == workflow))
    prompts = [(one.name, one.retired_at) for one in prompts_of(sql, workflow)]
    numbered = [_digests(sql, table, workflow) for table in (schema.suite, schema.knowledge, schema.prices)]
    return revision, prompts, version_digests(sql, workflow), draft_digests(sql, workflow), numbered


def _by_prompt(sql: Connection, workflow: str, key: Column[Any], value: Column[Any]) -> dict[str, dict[Any, str]]:
    """Prompt -> key -> value, two columns of one table, for all prompts of a workflow."""
    table = key.table
    joined = table.join(schema.prompt, schema.prompt.c.name == table.c.prompt)
    query = select(table.c.prompt, key, value).select_from(joined).where(schema.prompt.c.workflow == workflow)
    found: dict[str, dict[Any, str]] = {}
    for prompt, at, one in sql.execute(query.limit(_MOST)):
        found.setdefault(prompt, {})[at] = one
    return found


def _digests(sql: Connection, table: Table, workflow: str) -> list[tuple[int, str]]:
    found = select(table.c.number, table.c.digest).where(table.c.workflow == workflow)
    return [
        (row.number, row.digest) for row in sql.execute(found.order_by(table.c.number, table.c.digest).limit(_MOST))
    ]


def _newest(sql: Connection, table: Table, workflow: str, name: str) -> Numbered | None:
    found = select(table).where(table.c.workflow == workflow, table.c.name == name)
    row = sql.execute(found.order_by(table.c.number.desc()).limit(1)).one_or_none()
    return None if row is None else _numbered(row)


def _each_newest(sql: Connection, table: Table, workflow: str) -> list[Numbered]:
    last = select(table.c.name, func.max(table.c.number).label("number")).where(table.c.workflow == workflow)
    top = last.group_by(table.c.name).subquery()
    both = and_(table.c.name == top.c.name, table.c.number == top.c.number, table.c.workflow == workflow)
    found = select(table).join(top, both).order_by(table.c.name).limit(_MOST)
    return [_numbered(row) for row in sql.execute(found)]


def _values(new: Numbered) -> dict[str, Any]:
    return {
        "workflow": new.workflow,
        "number": new.number,
        "digest": new.digest,
        "document": new.text or canonical_text(dict(new.document)),
        "actor": new.actor,
        "created_at": new.created_at,
    }


def _numbered(row: Row[Any]) -> Numbered:
    return Numbered(
        workflow=row.workflow,
        name=getattr(row, "name", ""),
        number=row.number,
        digest=row.digest,
        document=json.loads(row.document),
        actor=row.actor,
        created_at=row.created_at,
    )


def _workflow(row: Row[Any]) -> Workflow:
    return Workflow(
        name=row.workflow,
        revision=row.revision,
        digest=row.digest,
        document=json.loads(row.document),
        authority=json.loads(row.authority),
        actor=row.actor,
        created_at=row.created_at,
    )


def _prompt(row: Row[Any]) -> Prompt:
    return Prompt(name=row.name, workflow=row.workflow, created_at=row.created_at, retired_at=row.retired_at)


def _version(row: Row[Any], content: dict[str, Any] | None = None) -> Version:
    return Version(
        prompt=row.prompt,
        number=row.number,
        digest=row.digest,
        content=json.loads(row.content) if content is None else content,
        author=row.author,
        release_note=row.release_note,
        created_at=row.created_at,
    )


def _draft(row: Row[Any]) -> Draft:
    return Draft(
        prompt=row.prompt,
        label=row.label,
        digest=row.digest,
        content=json.loads(row.content),
        author=row.author,
        updated_at=row.updated_at,
    )
