"""Solid ground: what a governed commit, a push, the door, the log, its verification and a snapshot read cost on both databases.

The peer of each is the bare driver (sqlite3, psycopg) with the same promise: WAL and FULL, or fsync and synchronous commit.
"""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from itertools import count
from statistics import median
from typing import Any

from sqlalchemy import insert

from benchmarks.client import snapshot_document
from benchmarks.figures import best, figure, in_turns
from benchmarks.peers import measured
from benchmarks.places import Place, every, has_postgresql, sqlite
from cuelight.contract.canonical import canonical, digest_bytes
from cuelight_server.access import store as access
from cuelight_server.audit import store as audit
from cuelight_server.audit.model import Event
from cuelight_server.audit.verbs import Verb
from cuelight_server.control.desk import Desk
from cuelight_server.control.door import act
from cuelight_server.control.opening import create_desk
from cuelight_server.control.push import push
from cuelight_server.db import schema
from cuelight_server.db.engine import reading
from cuelight_server.db.writing import governed
from cuelight_server.kernel.actor import Actor
from cuelight_server.kernel.clock import rfc3339
from cuelight_server.kernel.terms import Role
from cuelight_server.routing import store as routing
from cuelight_server.routing.model import Published
from cuelight_server.views.runtime import current

PERSON, PLACE = "mei.tanaka", "production"
AT = "2026-01-05T09:00:00.000000Z"


def figures() -> Iterator[Mapping[str, Any]]:
    """Every figure of this part."""
    yield from on_both(postgres=has_postgresql())
    yield from beside_others()


def on_both(
    *, postgres: bool, times: int = 200, prompts: int = 20, pushes: int = 7, lines: int = 5_000
) -> Iterator[dict[str, Any]]:
    """What is measured on each database; smaller numbers are for seeing that it runs, not for measuring."""
    for place in every("store.* and push.* on PostgreSQL", durable=True, postgres=postgres):
        with _desk(place) as (desk, actor):
            yield commit_ms(place, desk, times)
            yield push_ms(place, desk, actor, prompts, pushes)
    rest = "act.*, snapshot.read_us, audit.* and verify.* on PostgreSQL"
    for place in every(rest, durable=False, postgres=postgres):
        with _desk(place) as (desk, actor):
            yield act_us(place, desk, actor, times)
            yield snapshot_read_us(place, desk, times)
            yield append_us(place, desk, lines)
            yield verify_rate(place, desk)


def beside_others(times: int = 20) -> Iterator[dict[str, Any]]:
    """A push of a single prompt, durable on SQLite, beside MLflow's registry on SQLite; skipped where there is none."""
    name = "push.one_prompt_ms.mlflow"
    theirs = measured("mlflow_prompts", name, {"times": times, "text": _prompt(0)["messages"][0]["content"]})
    if theirs is None:
        return
    with sqlite(durable=True) as place, _desk(place) as (desk, actor):
        took = []
        for number in range(times):
            begun = time.perf_counter()
            push(desk, actor, _bundle(f"bench{number}", 1))
            took.append((time.perf_counter() - begun) * 1000)
    yield figure(name, median(took), "ms", theirs["push_ms"])


def commit_ms(place: Place, desk: Desk, times: int) -> dict[str, Any]:
    """Milliseconds of one governed transaction with one small row, on disk when it returns."""
    number = count()

    def ours() -> None:
        with governed(desk.registry) as sql:
            sql.execute(insert(schema.workflow).values(name=f"w{next(number)}", revision=1, created_at=AT))

    def bare() -> None:
        place.write([(next(number), "w", AT)])

    mine, theirs = in_turns(ours, bare, times)
    return figure(f"store.commit_ms.{place.name}", mine / 1000, "ms", theirs / 1000)


def push_ms(place: Place, desk: Desk, actor: Actor, prompts: int, pushes: int) -> dict[str, Any]:
    """Milliseconds a prompt of a push that mints so many; the peer writes and hashes the same bytes in one bare commit."""
    number = count()

    def ours() -> None:
        done = push(desk, actor, _bundle(f"bench{next(number)}", prompts))
        assert len(done.to_json()["minted"]) == prompts

    def bare() -> None:
        bundle = _bundle("bench", prompts)
        bodies = [json.dumps(one, sort_keys=True) for one in bundle["prompts"].values()]
        seqs = (1_000_000 + next(number) for _ in bodies)
        place.write([(seq, body, sha256(body.encode()).hexdigest()) for seq, body in zip(seqs, bodies, strict=True)])

    mine, theirs = in_turns(ours, bare, pushes)
    return figure(f"push.ms_per_prompt.{place.name}", mine / 1000 / prompts, "ms", theirs / 1000 / prompts)


def act_us(place: Place, desk: Desk, actor: Actor, times: int) -> dict[str, Any]:
    """Microseconds that `act` adds (who, may they, the audit line) to the bare governed transaction, its peer; no disk in it."""
    number = count()

    def row() -> Any:
        return insert(schema.workflow).values(name=f"act{next(number)}", revision=1, created_at=AT)

    def ours() -> None:
        with act(desk, actor, Verb.DRAFT_SAVE, "base.prompt0") as work:
            work.sql.execute(row())
            work.note(content="sha256:0", label="draft")

    def bare() -> None:
        with governed(desk.registry) as sql:
            sql.execute(row())

    mine, theirs = in_turns(ours, bare, times)
    return figure(f"act.us.{place.name}", mine - theirs, "us", theirs)


def append_us(place: Place, desk: Desk, lines: int) -> dict[str, Any]:
    """Microseconds of one line of the log inside an open transaction; the peer hashes and inserts the same line, and no tree."""
    with governed(desk.registry) as sql:
        first = audit.head(sql).size + 1
        begun = time.perf_counter()
        for seq in range(first, first + lines):
            audit.append(sql, _event(seq))
        mine = time.perf_counter() - begun
    begun = time.perf_counter()
    bodies = ((seq, json.dumps(_body(seq))) for seq in range(2_000_000, 2_000_000 + lines))
    place.write([(seq, body, sha256(b"\0" + body.encode()).hexdigest()) for seq, body in bodies])
    theirs = time.perf_counter() - begun
    return figure(f"audit.append_us.{place.name}", mine / lines * 1e6, "us", theirs / lines * 1e6)


def verify_rate(place: Place, desk: Desk) -> dict[str, Any]:
    """Lines of the log a second, recomputed with every head; the peer reads as many bare rows and hashes each once."""
    with reading(desk.registry) as sql:
        size = audit.head(sql).size
        begun = time.perf_counter()
        assert audit.examine(sql) == []
        mine = size / (time.perf_counter() - begun)
    begun = time.perf_counter()
    rows = place.read()
    for _, body, _ in rows:
        sha256(b"\0" + str(body).encode()).hexdigest()
    theirs = len(rows) / (time.perf_counter() - begun)
    return figure(f"verify.lines_per_s.{place.name}", mine, "1/s", theirs)


def snapshot_read_us(place: Place, desk: Desk, times: int) -> dict[str, Any]:
    """Microseconds to read the newest snapshot of 20 prompts from the store; the peer is one bare SELECT of the same bytes."""
    body = canonical({**snapshot_document(20), "epoch": desk.epoch})
    with governed(desk.registry) as sql:
        published = Published(version=routing.raise_version(sql, PLACE), digest=digest_bytes(body), body=body)
        routing.save_snapshot(sql, PLACE, published, rfc3339(desk.clock()))
    place.write([(1, body.decode(), published.digest)])
    assert current(desk, PLACE).body == body
    assert len(place.read()) == 1
    mine = best(lambda: current(desk, PLACE), times, 5)
    theirs = best(place.read, times, 5)
    return figure(f"snapshot.read_us.{place.name}", mine, "us", theirs)


@contextmanager
def _desk(place: Place) -> Iterator[tuple[Desk, Actor]]:
    desk = create_desk(place.folder, admin=(PERSON, "Mei Tanaka"), databases=place.databases)
    try:
        with reading(desk.registry) as sql:
            account = access.account(sql, PERSON)
        assert account is not None
        push(desk, account.actor(), _bundle("base", 1), as_drafts=True)
        yield desk, account.actor()
    finally:
        desk.close()


def _event(seq: int) -> Event:
    return Event(**_body(seq))


def _body(seq: int) -> dict[str, Any]:
    facts = {"content": "sha256:" + "0" * 64, "label": "v1", "note": "a line of the usual length"}
    return {"seq": seq, "at": AT, "actor": PERSON, "verb": "prompt.mint", "subject": f"bench.p@v{seq}", "facts": facts}


def _bundle(name: str, prompts: int) -> dict[str, Any]:
    """A workflow of so many small prompts and no suite."""
    questions = ("automated_decision", "brand_or_legal", "system_of_record", "personal_data", "tools")
    return {
        "workflow": {
            "workflow": name,
            "title": "A benchmark",
            "purpose": "To be measured.",
            "tier": "low",
            "situations": dict.fromkeys(questions, False),
            "people": [{"id": PERSON, "name": "Mei Tanaka"}],
            "owners": {role.value: {"person": PERSON} for role in Role},
            "business_owner": PERSON,
            "technical_owner": PERSON,
            "prompts": {
                f"prompt{number}": {"use_case": "Weigh leads.", "fallback": {"person": "the desk"}}
                for number in range(prompts)
            },
        },
        "authority": {"actions": []},
        "prompts": {f"prompt{number}": {"v1": _prompt(number)} for number in range(prompts)},
        "suites": {"leads": _suite()},
        "knowledge": {},
        "prices": {"models": [{"model": "*", "input_per_1k": 0.001, "output_per_1k": 0.002}]},
        "recordings": [],
        "ignored": [],
    }


def _prompt(number: int) -> dict[str, Any]:
    return {
        "release_note": "First version.",
        "messages": [
            {"role": "user", "content": f"Weigh the lead {{{{lead}}}}. {number} " + "Say what is known. " * 40}
        ],
        "variables": [{"name": "lead", "type": "string"}],
        "settings": {"model": "m-1"},
        "evaluation": {"suite": "leads", "gate": {"min_pass_rate": 0.8, "cost": {"mean_max_usd": 1}}},
    }


def _suite() -> dict[str, Any]:
    case = {"id": "C1", "category": "normal", "title": "A lead", "input": {"lead": "Acme"}}
    grader = {"type": "equals", "severity": "major", "path": "decision", "value": "qualified"}
    return {"suite": "leads", "schema": {"type": "object"}, "graders": [grader], "cases": [case]}


if __name__ == "__main__":
    for one in figures():
        print(json.dumps(one))
