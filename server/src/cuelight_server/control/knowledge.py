"""What a new release of knowledge means: the prompts that read it, what they were released with, and their evidence."""

from collections.abc import Iterator, Mapping

from cuelight.contract.content import Content, parse
from cuelight_server.db.engine import Connection
from cuelight_server.kernel.terms import Environment
from cuelight_server.prompts import store
from cuelight_server.prompts.knowledge import KnowledgeChange, Reader, difference, holds_old, names
from cuelight_server.prompts.model import Numbered
from cuelight_server.prompts.plan import Placed, State
from cuelight_server.releases import store as releases
from cuelight_server.routing import store as routing

_Found = tuple[str, int, Content, Mapping[str, int]]  # prompt, number, content, environment -> number that it serves


def changes(
    sql: Connection, workflow: str, stored: Mapping[str, Numbered], placed: tuple[Placed, ...]
) -> list[KnowledgeChange]:
    """For each knowledge of the folder that the desk has in another release: what differs and who reads it.

    Of each prompt the newest version counts, and whatever an environment serves.
    """
    new = [one for one in placed if one.state is State.NEW and one.name in stored]
    if not new:
        return []
    found = list(_versions(sql, workflow))
    return [_change(sql, workflow, stored[one.name], one, found) for one in new]


def _change(sql: Connection, workflow: str, old: Numbered, new: Placed, found: list[_Found]) -> KnowledgeChange:
    diff = difference(old.document, new.document)
    readers = []
    for prompt, number, content, serving in found:
        held = holds_old(content, old.document, diff)
        if new.name in names(content) or held:
            with_ = {place: _released_with(sql, workflow, (prompt, number, place), old.name) for place in serving}
            readers.append(Reader(prompt=prompt, label=f"v{number}", released_with=with_, holds_old=held))
    return KnowledgeChange(name=new.name, before=old.number, number=new.number, diff=diff, readers=tuple(readers))


def _versions(sql: Connection, workflow: str) -> Iterator[_Found]:
    for one in store.prompts_of(sql, workflow):
        served = {str(place): routing.served(sql, one.name, place) for place in Environment}
        newest = store.newest(sql, one.name)
        numbers = {number for number in served.values() if number is not None} | ({newest.number} if newest else set())
        for number in sorted(numbers):
            version = store.version(sql, one.name, number)
            if version is not None:
                serving = {place: number for place, at in served.items() if at == number}
                yield one.name, number, parse(version.content), serving


def _released_with(sql: Connection, workflow: str, at: tuple[str, int, str], name: str) -> int | None:
    release = releases.newest_of(sql, *at)
    bound = release.checklist["bound"].get("knowledge", {}).get(name) if release is not None else None
    found = store.knowledge_by_digest(sql, workflow, name, bound) if bound else None
    return found.number if found is not None else None
