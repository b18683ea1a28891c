"""The whole log as lines of JSON, with what it takes to verify it where there is no server and no database."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cuelight.contract.canonical import digest_bytes
from cuelight_server.audit import store as audit
from cuelight_server.audit.store import checkpoints
from cuelight_server.control.desk import Desk
from cuelight_server.db.engine import Connection, reading
from cuelight_server.db.rows import rows
from cuelight_server.kernel.clock import rfc3339
from cuelight_server.kernel.errors import Unavailable
from cuelight_server.kernel.terms import Environment
from cuelight_server.routing import store as routing

FORMAT = 1
_AT_ONCE = 1000
_POINTER = ("prompt", "environment", "tenant", "weights", "rollback_target", "kill", "release", "revision", "since")


def export(desk: Desk) -> Iterator[str]:
    """Line after line, each with its line end: a head, keys, checkpoints, the log, what serves, checklists, an end.

    Names of people and what else can be erased is not in it. What grows meanwhile is left for the next export; what
    serves is of the moment of the head, which stands for all.
    """
    with reading(desk.registry) as sql:
        now, known = audit.checkpoint(sql), checkpoints.keys(sql)
        signed = list(_signed(sql, now.size))
        facts = list(_facts(sql))
    yield _json(cuelight_log=FORMAT, size=now.size, root=now.root, exported_at=rfc3339(desk.clock()))
    yield from (_json(key=asdict(one)) for one in known)
    yield from (_json(checkpoint=note) for note in signed)
    yield from _lines(desk, now.size)
    yield from facts
    yield _json(end={"keys": len(known), "checkpoints": len(signed), "lines": now.size, "facts": len(facts)})


def export_to(file: Path, lines: Iterable[str]) -> int:
    """Write them to a file, whole or not at all; how many lines the log has."""
    part = file.with_name(file.name + ".part")
    count = 0
    try:
        with part.open("w", encoding="utf-8", errors="surrogatepass", newline="\n") as out:
            for line in lines:
                out.write(line)
                count += line.startswith('{"line"')
        part.replace(file)
    except OSError as bad:
        part.unlink(missing_ok=True)
        raise Unavailable(f"{file} cannot be written: {bad.strerror}", "look at the folder and its disk") from bad
    return count


def _lines(desk: Desk, size: int) -> Iterator[str]:
    last = 0
    while True:
        with reading(desk.registry) as sql:
            found = audit.lines_after(sql, last, size, _AT_ONCE)
        for one, root in found:
            yield _json(line=one.seq, body=one.body, leaf=one.leaf, root=root)
        if len(found) < _AT_ONCE:
            return
        last = found[-1][0].seq


def _signed(sql: Connection, size: int) -> Iterator[str]:
    last = 0
    while found := checkpoints.issued_after(sql, last):
        yield from (one.note for one in found if one.size <= size)
        last = found[-1].size


def _facts(sql: Connection) -> Iterator[str]:
    """What the lines are held against: what serves, the checklists of releases, the newest snapshots."""
    for row in rows(sql, "deployment"):
        yield _json(serves={name: row[name] for name in _POINTER})
    for row in rows(sql, "release"):
        yield _json(checklist={"release": row["id"], "text": row["checklist"]})
    for place in Environment:
        version = routing.version(sql, place)
        made = routing.snapshot(sql, place, version) if version else None
        if made is not None:
            published = {"environment": place.value, "version": version, "digest": digest_bytes(made.body)}
            yield _json(published=published)


def _json(**record: Any) -> str:
    return json.dumps(record, ensure_ascii=False, default=str) + "\n"
