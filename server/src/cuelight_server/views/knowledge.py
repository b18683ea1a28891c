"""Knowledge as one sees it: what a workflow knows, its releases, what differs between two, and what a call used of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection

from cuelight.contract.content import parse
from cuelight.contract.knowledge import KnowledgeRelease, Source, sources
from cuelight_server.db.desk import Desk
from cuelight_server.db.engine import reading
from cuelight_server.kernel.errors import NotFound
from cuelight_server.kernel.page import DEFAULT_SIZE, Page, checked_size, page_of
from cuelight_server.kernel.terms import Environment
from cuelight_server.prompts import store
from cuelight_server.prompts.knowledge import as_release, difference, in_full, origins
from cuelight_server.prompts.model import Numbered
from cuelight_server.routing import store as routing

_LOOKED_AT = 50  # releases among which the one that an item came from is looked for, newest first


class Origin(StrEnum):
    """Where the value of a knowledge variable came from."""

    AS_RELEASED = "as_released"
    OTHER_RELEASE = "other_release"
    UNKNOWN = "unknown"
    NOTHING_GIVEN = "nothing_given"
    NOT_RECORDED = "not_recorded"


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedItem:
    """One piece of a value: the ref and number of the release that it is of on this desk; None where of none.

    `claims` is the ref that the app gave it where the desk knows no such words under it.
    """

    digest: str | None
    ref: str | None
    number: int | None
    claims: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedKnowledge:
    """One knowledge variable of a call. `number` and `release` are what its version was released with, as the app knew."""

    variable: str
    name: str
    origin: Origin
    number: int | None
    release: str | None
    items: tuple[UsedItem, ...]
    left_out: int
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseLine:
    """One release of knowledge; `changes` says what differs from the one before it."""

    workflow: str
    name: str
    number: int
    digest: str
    description: str
    items: int
    actor: str
    at: str
    changes: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KnowledgeLine:
    """One knowledge at its newest release, and the versions that read it: served ones and the newest of each prompt."""

    workflow: str
    name: str
    number: int
    digest: str
    description: str
    items: int
    actor: str
    at: str
    read_by: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KnowledgeRead:
    """One knowledge that a version reads: through which variable, which refs count, and the desk's newest release."""

    variable: str
    name: str
    refs: tuple[str, ...]
    newest: int | None


def listing(desk: Desk, workflow: str, after: str = "", size: int = DEFAULT_SIZE) -> Page[KnowledgeLine]:
    """What a workflow knows, by name from above `after`. NotFound without the workflow."""
    with reading(desk.registry) as sql:
        if store.workflow(sql, workflow) is None:
            raise NotFound(f"there is no workflow {workflow}", "see the workflows with `cuelight status`")
        found = [one for one in store.all_knowledge(sql, workflow) if one.name > after][: checked_size(size) + 1]
        readers = _readers(sql, workflow)
    lines = [KnowledgeLine(**_facts(one), read_by=tuple(readers.get(one.name, ()))) for one in found]
    return page_of(lines, size, lambda one: one.name)


def releases(
    desk: Desk, workflow: str, name: str, before: int | None = None, size: int = DEFAULT_SIZE
) -> Page[ReleaseLine]:
    """The releases of one knowledge, newest first, from below the number `before`. NotFound."""
    with reading(desk.registry) as sql:
        _known(sql, workflow, name)
        page = store.knowledge_releases(sql, workflow, name, before, size)
        last = page.items[-1].number if page.items else 1
        older = store.knowledge(sql, workflow, name, last - 1)
    by_number = {one.number: one for one in (*page.items, *([older] if older else []))}
    lines = tuple(
        ReleaseLine(**_facts(one), changes=_changes(by_number.get(one.number - 1), one)) for one in page.items
    )
    return Page(lines, page.next)


def release(
    desk: Desk, workflow: str, name: str, number: int | None = None, after: int = 0, size: int = DEFAULT_SIZE
) -> dict[str, Any]:
    """One release with its items in the order of the file, from above position `after`; the newest without a number."""
    with reading(desk.registry) as sql:
        found = _known(sql, workflow, name, number)
    items = found.document["items"]
    shown = items[after : after + checked_size(size)]
    more = after + len(shown)
    rest = {"rules": list(found.document.get("rules", ())), "shown": shown, "next": more if more < len(items) else None}
    return {**_facts(found), "intact": bool(as_release(found).items) or not items, **rest}


def compared(desk: Desk, workflow: str, name: str, old: int, new: int) -> dict[str, Any]:
    """What differs from one release to another, item by item. NotFound."""
    with reading(desk.registry) as sql:
        had, has = _known(sql, workflow, name, old), _known(sql, workflow, name, new)
    ends = {"from": {"number": had.number, "digest": had.digest}, "to": {"number": has.number, "digest": has.digest}}
    return {"workflow": workflow, "name": name, **ends, **in_full(had.document, has.document)}


def read_by_content(sql: Connection, workflow: str, content: Mapping[str, Any] | None) -> tuple[KnowledgeRead, ...]:
    """The knowledge that a content (JSON) reads; `newest` is None where the desk has no such knowledge."""
    declared = sources(parse(content)) if content is not None else ()
    newest = {name: store.knowledge(sql, workflow, name) for name in {one.name for one in declared}}
    return tuple(
        KnowledgeRead(
            variable=one.variable,
            name=one.name,
            refs=one.refs,
            newest=found.number if (found := newest[one.name]) is not None else None,
        )
        for one in declared
    )


def used(
    sql: Connection, workflow: str, declared: Iterable[Source], told: Iterable[Mapping[str, Any]]
) -> tuple[UsedKnowledge, ...]:
    """What a call used of each knowledge that its version names, held against the releases that this desk has."""
    by_variable = {one["variable"]: one for one in told}
    return tuple(_used(sql, workflow, one, by_variable.get(one.variable)) for one in declared)


def _used(sql: Connection, workflow: str, source: Source, told: Mapping[str, Any] | None) -> UsedKnowledge:
    if told is None or told["name"] != source.name:
        return traced(source, None, None, [])
    pinned = store.knowledge_by_digest(sql, workflow, source.name, told["release"]) if "release" in told else None
    page = store.knowledge_releases(sql, workflow, source.name, size=_LOOKED_AT)
    return traced(source, told, as_release(pinned) if pinned else None, [as_release(one) for one in page.items])


def traced(
    source: Source, told: Mapping[str, Any] | None, pinned: KnowledgeRelease | None, known: Iterable[KnowledgeRelease]
) -> UsedKnowledge:
    """What a call told of one variable, looked up again: the digests count, never the app's word on what they are.

    `pinned` is the release that the app named, as this desk has it; `known` are others to look in, newest first.
    """
    told_items = (told or {}).get("items", ())
    digests = [one["digest"] for one in told_items if "digest" in one]
    found = origins(digests, ([pinned] if pinned else []) + list(known))
    items = tuple(_item(source, one, found.get(one.get("digest"))) for one in told_items)
    left_out = (told or {}).get("left_out", 0)
    origin = _origin(told, pinned, items, left_out)
    return UsedKnowledge(
        variable=source.variable,
        name=source.name,
        origin=origin,
        number=pinned.number if pinned else None,
        release=(told or {}).get("release"),
        items=items,
        left_out=left_out,
        words=_words(origin, source, pinned, items, left_out),
    )


def _item(source: Source, told: Mapping[str, Any], found: tuple[int, str] | None) -> UsedItem:
    digest = told.get("digest")
    if found is None or (source.refs and found[1] not in source.refs):
        return UsedItem(digest=digest, ref=None, number=None, claims=told.get("ref"))
    return UsedItem(digest=digest, ref=found[1], number=found[0])


def _origin(
    told: Mapping[str, Any] | None, pinned: KnowledgeRelease | None, items: tuple[UsedItem, ...], left_out: int
) -> Origin:
    if told is None:
        return Origin.NOT_RECORDED
    if not items and not left_out:
        return Origin.NOTHING_GIVEN
    if left_out or any(one.number is None for one in items):
        return Origin.UNKNOWN
    if pinned is None or any(one.number != pinned.number for one in items):
        return Origin.OTHER_RELEASE
    return Origin.AS_RELEASED


def _words(
    origin: Origin, source: Source, pinned: KnowledgeRelease | None, items: tuple[UsedItem, ...], left_out: int
) -> str:
    name = f"{source.name} release {pinned.number}" if pinned else f"a release of {source.name} that this desk can name"
    numbers = sorted({one.number for one in items if one.number is not None})
    strange = sum(one.number is None for one in items)
    others = ", ".join(map(str, numbers))
    return {
        Origin.AS_RELEASED: f"word for word {name}",
        Origin.OTHER_RELEASE: f"from {source.name} release {others}; "
        + (f"its version was released with {pinned.number}" if pinned else "the app knew no release"),
        Origin.UNKNOWN: f"{strange} of {len(items)} items are of no release that counts here"
        + (f", {left_out} more were not told one by one" if left_out else ""),
        Origin.NOTHING_GIVEN: "the call gave nothing of it",
        Origin.NOT_RECORDED: "the app did not record what it used: not known",
    }[origin]


def _readers(sql: Connection, workflow: str) -> dict[str, list[str]]:
    made: dict[str, list[str]] = {}
    for prompt in store.prompts_of(sql, workflow):
        newest = store.newest(sql, prompt.name)
        served = {routing.served(sql, prompt.name, place) for place in Environment} - {None}
        for number in sorted({*served, *({newest.number} if newest else ())} - {None}, key=int):
            version = store.version(sql, prompt.name, int(number))
            for name in dict.fromkeys(one.name for one in sources(parse(version.content))) if version else ():
                made.setdefault(name, []).append(f"{prompt.name}@v{number}")
    return made


def _known(sql: Connection, workflow: str, name: str, number: int | None = None) -> Numbered:
    found = store.knowledge(sql, workflow, name, number)
    if found is not None:
        return found
    newest = store.knowledge(sql, workflow, name)
    if newest is not None:
        raise NotFound(f"{workflow}.{name} has no release {number}", f"its newest is {newest.number}")
    names = [one.name for one in store.all_knowledge(sql, workflow)][:20]
    hint = f"it has: {', '.join(names)}" if names else "see the workflows with `cuelight status`"
    raise NotFound(f"the workflow {workflow} has no knowledge {name}", hint)


def _facts(one: Numbered) -> dict[str, Any]:
    return {
        "workflow": one.workflow,
        "name": one.name,
        "number": one.number,
        "digest": one.digest,
        "description": one.document.get("description", ""),
        "items": len(one.document["items"]),
        "actor": one.actor,
        "at": one.created_at,
    }


def _changes(old: Numbered | None, new: Numbered) -> str:
    return difference(old.document, new.document).words if old is not None else "the first release"
