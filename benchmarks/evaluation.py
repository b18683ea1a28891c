"""What grading costs: 5,000 recorded cases with three graders each, every result kept in SQLite, beside plain Python."""

import json
import re
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import jsonschema_rs

from benchmarks.figures import figure, skipped
from benchmarks.peers import promptfoo_eval
from cuelight.contract.content import parse
from cuelight_server.access import store as access
from cuelight_server.control.desk import Desk
from cuelight_server.control.evaluation import run_pending, start
from cuelight_server.control.opening import create_desk
from cuelight_server.control.push import push
from cuelight_server.db.engine import reading
from cuelight_server.kernel.actor import Actor
from cuelight_server.views import evaluation as view

CASES, ROUNDS = 5_000, 5
PERSON = "mei.tanaka"
SCHEMA = {
    "type": "object",
    "required": ["decision", "summary", "confidence"],
    "additionalProperties": False,
    "properties": {
        "decision": {"enum": ["qualified", "person", "disqualified"]},
        "summary": {"type": "string", "maxLength": 400},
        "confidence": {"type": "number", "minimum": 0, "maximum": 1},
    },
}
PATTERN = r"\blead \d+\b"


def figures() -> Iterator[Mapping[str, Any]]:
    """Every figure of this part."""
    yield ms_per_case()
    yield from beside_promptfoo()


def beside_promptfoo() -> Iterator[dict[str, Any]]:
    """Seconds and peak megabytes of a whole process, from its start to the kept report, beside promptfoo's.

    Ours pushes the suite to a new desk, evaluates, keeps every result and the report; both grade the same outputs with a
    JSON Schema, a piece of text and a pattern. Each peak is that of the largest process.
    """
    modules = promptfoo_eval.folder()
    if modules is None:
        skipped("eval.process_*", "the peer promptfoo is not installed: make peers")
        return
    for cases in (1_000, 5_000):
        outputs = [_output(number) for number in range(cases)]
        ours, mb = _in_process(cases)
        theirs, peer_mb = promptfoo_eval.evaluate(modules, outputs, SCHEMA, '"decision": "qualified"', PATTERN)
        yield figure(f"eval.process_s.{cases}", ours, "s", theirs)
        yield figure(f"eval.process_mb.{cases}", mb, "MB", peer_mb)


def _in_process(cases: int) -> tuple[float, float]:
    begun = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.evaluation", str(cases)], capture_output=True, text=True, check=True
    )
    return time.perf_counter() - begun, float(done.stdout)


def whole(cases: int) -> float:
    """Push, evaluate and report so many cases in this process; its peak in MB."""
    outputs = [_output(number) for number in range(cases)]
    with _desk(outputs) as (desk, actor):
        id = start(desk, actor, "bench.leads", "v1", "recorded")
        run_pending(desk, {})
        report = view.show(desk, id).report
    if report is None or report["cases"] != cases:
        raise ValueError("the run did not come to its end")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def ms_per_case() -> dict[str, Any]:
    """Milliseconds a case from the queued evaluation to its stored report, best of five.

    The peer is the same grading as a loop in plain Python (json, jsonschema_rs, re) in the same process, which keeps
    its results in a bare SQLite file, in one transaction that is on disk at the end; it renders and reports nothing.
    """
    outputs = [_output(number) for number in range(CASES)]
    with _desk(outputs) as (desk, actor):
        ours = min(_evaluate(desk, actor) for _ in range(ROUNDS))
    floor = min(_plain(outputs) for _ in range(ROUNDS))
    each = 1000 / CASES
    return figure("eval.ms_per_case", ours * each, "ms", floor * each)


def _output(number: int) -> str:
    decision = "qualified" if number % 8 else "disqualified"  # one of eight fails
    made = {"decision": decision, "summary": f"This is lead {number}, which was weighed.", "confidence": 0.5}
    return json.dumps(made)


def _plain(outputs: list[str]) -> float:
    validator, pattern = jsonschema_rs.validator_for(SCHEMA), re.compile(PATTERN, re.IGNORECASE)
    begun = time.perf_counter()
    results = []
    for number, text in enumerate(outputs):
        value = json.loads(text)
        right = validator.is_valid(value) and value["decision"] == "qualified" and pattern.search(value["summary"])
        results.append((number, text, bool(right)))
    with tempfile.TemporaryDirectory() as folder, closing(sqlite3.connect(Path(folder) / "results.db")) as raw:
        raw.execute("PRAGMA synchronous=FULL")
        raw.execute("CREATE TABLE result (number INTEGER PRIMARY KEY, output TEXT, passed INTEGER)")
        with raw:
            raw.executemany("INSERT INTO result VALUES (?, ?, ?)", results)
        spent = time.perf_counter() - begun
    assert sum(right for *_, right in results) == CASES - CASES // 8
    return spent


def _evaluate(desk: Desk, actor: Actor) -> float:
    id = start(desk, actor, "bench.leads", "v1", "recorded")
    begun = time.perf_counter()
    run_pending(desk, {})
    spent = time.perf_counter() - begun
    report = view.show(desk, id).report
    assert report is not None
    assert (report["cases"], report["pass_rate"], report["error"]) == (CASES, 0.875, None)
    with reading(desk.registry) as sql:
        kept = sql.exec_driver_sql("SELECT count(*) FROM evaluation_result WHERE evaluation = ?", (id,)).scalar_one()
    assert kept == CASES
    return spent


@contextmanager
def _desk(outputs: list[str]) -> Iterator[tuple[Desk, Actor]]:
    with tempfile.TemporaryDirectory() as folder:
        desk = create_desk(Path(folder) / "desk", local=False, admin=(PERSON, "Mei Tanaka"))
        with reading(desk.registry) as sql:
            account = access.account(sql, PERSON)
        assert account is not None
        push(desk, account.actor(), _bundle(outputs), as_drafts=True)
        yield desk, account.actor()
        desk.close()


def _bundle(outputs: list[str]) -> dict[str, Any]:
    prompt = {
        "messages": [{"role": "user", "content": "Weigh the lead {{lead}}."}],
        "variables": [{"name": "lead", "type": "string"}],
        "settings": {"model": "m-1"},
        "evaluation": {"suite": "leads", "gate": {"min_pass_rate": 0.8, "cost": {"mean_max_usd": 1}}},
    }
    graders = [
        {"type": "schema", "severity": "blocker"},
        {"type": "equals", "severity": "major", "path": "decision", "value": "qualified"},
        {"type": "regex", "severity": "major", "path": "summary", "pattern": PATTERN},
    ]
    cases = [
        {"id": f"C{number}", "category": "normal", "title": f"Lead {number}", "input": {"lead": f"lead {number}"}}
        for number in range(len(outputs))
    ]
    return {
        "workflow": _workflow(),
        "authority": {"actions": []},
        "prompts": {"leads": {"v1": prompt}},
        "suites": {"leads": {"suite": "leads", "schema": SCHEMA, "graders": graders, "cases": cases}},
        "knowledge": {},
        "prices": {"models": [{"model": "*", "input_per_1k": 0.001, "output_per_1k": 0.002}]},
        "recordings": _recordings(parse(prompt).digest, outputs),
        "ignored": [],
    }


def _recordings(digest: str, outputs: list[str]) -> list[dict[str, Any]]:
    known = {
        "content": digest,
        "input_tokens": 100,
        "output_tokens": 30,
        "latency_ms": 400,
        "provenance": "a benchmark",
    }
    return [{**known, "case": f"C{number}", "output": text} for number, text in enumerate(outputs)]


def _workflow() -> dict[str, Any]:
    questions = ("automated_decision", "brand_or_legal", "system_of_record", "personal_data", "tools")
    return {
        "workflow": "bench",
        "title": "A benchmark",
        "purpose": "To be measured.",
        "tier": "low",
        "situations": dict.fromkeys(questions, False),
        "people": [{"id": PERSON, "name": "Mei Tanaka"}],
        "owners": {"workflow_owner": {"person": PERSON}},
        "business_owner": PERSON,
        "technical_owner": PERSON,
        "prompts": {"leads": {"use_case": "Weigh leads.", "fallback": {"person": "the desk"}}},
    }


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(whole(int(sys.argv[1])))
        sys.exit()
    for one in figures():
        print(json.dumps(one))
