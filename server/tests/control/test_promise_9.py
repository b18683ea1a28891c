"""Promise 9: every governed change leaves an audit line in the same transaction, and tampering is detectable."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from cuelight.contract.log import Tampering, parse_checkpoint
from cuelight_server.audit import store as audit
from cuelight_server.audit.verbs import Verb
from cuelight_server.control.door import act
from cuelight_server.control.opening import create_desk, open_desk
from cuelight_server.db import schema
from cuelight_server.db.engine import reading
from server.tests.tampering import REFUSED, a_tool, behind_our_back

# A change is two rows; the process is killed just before its n-th statement, or in an endless loop from outside.
CHILD = """
import os, signal, sys
from pathlib import Path
from sqlalchemy import event, insert
from cuelight_server.access.store import account
from cuelight_server.audit.verbs import Verb
from cuelight_server.control.door import act
from cuelight_server.control.opening import open_desk
from cuelight_server.db import schema
from cuelight_server.db.engine import Databases, reading

folder, when = Path(sys.argv[1]), sys.argv[2]
desk = open_desk(folder, databases=Databases(registry=sys.argv[3] or None, calls=sys.argv[3] or None))
with reading(desk.registry) as sql:
    mei = account(sql, "mei.tanaka").actor()

def change(number):
    name = f"w{number}"
    with act(desk, mei, Verb.WORKFLOW_CREATE, name) as work:
        row = {"name": name, "revision": 0, "created_at": work.at_text}
        work.sql.execute(insert(schema.workflow).values(row))
        prompt = {"name": name + ".x", "workflow": name, "created_at": work.at_text}
        work.sql.execute(insert(schema.prompt).values(prompt))

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

if when == "loop":
    print("ready", flush=True)
    number = 0
    while True:
        change(number)
        number += 1
elif when == "commit":
    event.listen(desk.registry, "commit", die)
elif when != "never":
    left = [int(when)]
    def count(*_):
        left[0] -= 1
        if left[0] < 0:
            die()
    event.listen(desk.registry, "before_cursor_execute", count)
change(0)
"""


def start(place, when):
    folder, databases = place
    root = Path(__file__).parents[3]
    paths = os.pathsep.join(str(root / part) for part in ("client/src", "server/src"))
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, str(folder), when, databases.registry or ""],
        env=os.environ | {"PYTHONPATH": paths},
        stdout=subprocess.PIPE,
    )


@pytest.fixture
def place(tmp_path, databases):
    """A desk, closed: its folder and its databases."""
    create_desk(tmp_path / "desk", admin=("mei.tanaka", "Mei Tanaka"), databases=databases("desk")).close()
    return tmp_path / "desk", databases("desk")


def changes_and_lines(place):
    """The names of workflows, of prompts, and of the subjects of audit lines: they must be the same."""
    folder, databases = place
    desk = open_desk(folder, databases=databases)
    with reading(desk.registry) as sql:
        workflows = sql.scalars(select(schema.workflow.c.name)).all()
        prompts = [name.removesuffix(".x") for name in sql.scalars(select(schema.prompt.c.name))]
        lines, page = [], audit.after(sql)
        while True:
            lines += [event.subject for event in page.items if event.verb == Verb.WORKFLOW_CREATE.value]
            if page.next is None:
                break
            page = audit.after(sql, int(page.next))
        assert audit.examine(sql) == []
    desk.close()
    return sorted(workflows), sorted(prompts), sorted(lines)


STATEMENTS = {"sqlite": 9, "postgresql": 8}  # of one change, each in a moment of its own; BEGIN is one of SQLite's


@pytest.mark.parametrize("when", [*map(str, range(8)), "last", "commit"])
def test_promise_9_every_governed_change_leaves_an_audit_line_in_the_same_transaction(place, when, database):
    child = start(place, str(STATEMENTS[database] - 1) if when == "last" else when)
    child.communicate()
    assert child.returncode == -signal.SIGKILL
    assert changes_and_lines(place) == ([], [], [])


def test_promise_9_a_change_that_nobody_kills_is_there_with_its_line(place):
    child = start(place, "never")
    child.communicate()
    assert child.returncode == 0
    assert changes_and_lines(place) == (["w0"], ["w0"], ["w0"])


def test_promise_9_a_kill_at_any_moment_leaves_each_change_with_its_line_or_neither(place):
    child = start(place, "loop")
    child.stdout.readline()
    time.sleep(0.3)
    child.kill()
    child.communicate()
    workflows, prompts, lines = changes_and_lines(place)
    assert workflows == prompts == lines
    assert lines


@pytest.fixture
def written(desk, person):
    """A desk with eight changes, its checkpoint as the text that somebody keeps, and four more changes after it."""
    mei = person("mei.tanaka")
    for number in range(8):
        change(desk, mei, number)
    with reading(desk.registry) as sql:
        kept = str(audit.checkpoint(sql))
    for number in range(8, 12):
        change(desk, mei, number)
    return desk, kept


def change(desk, actor, number):
    with act(desk, actor, Verb.WORKFLOW_CREATE, f"w{number}") as work:
        work.sql.execute(insert(schema.workflow).values(name=f"w{number}", revision=0, created_at=work.at_text))


EDIT = "UPDATE audit_event SET body = replace(body, 'mei.tanaka', 'eve.stone') WHERE seq = 6"
DELETE = "DELETE FROM audit_event WHERE seq = 6"
SWAP = (
    "UPDATE audit_event SET seq = -1 WHERE seq = 6",
    "UPDATE audit_event SET seq = 6 WHERE seq = 7",
    "UPDATE audit_event SET seq = 7 WHERE seq = -1",
)
CUT = "DELETE FROM audit_event WHERE seq > 11"
CUT_BELOW_THE_CHECKPOINT = ("DELETE FROM audit_event WHERE seq > 5", "DELETE FROM audit_head WHERE size > 5")
FORGED = "INSERT INTO audit_event (seq, body, leaf) SELECT 15, body, leaf FROM audit_event WHERE seq = 14"


@pytest.mark.parametrize(
    ("statements", "kind", "seq"),
    [
        ([EDIT], Tampering.EDIT, 6),
        ([DELETE], Tampering.DELETION, 6),
        (SWAP, Tampering.REORDER, 6),
        ([CUT], Tampering.TRUNCATION, 12),
        ([FORGED], Tampering.REORDER, 15),
    ],
    ids=["edit", "deletion", "reordering", "truncation", "insertion"],
)
def test_promise_9_edit_deletion_reordering_and_truncation_of_the_log_are_detectable(written, statements, kind, seq):
    desk, _ = written
    behind_our_back(desk, *statements)
    with reading(desk.registry) as sql:
        first = audit.examine(sql)[0]
    assert (first.kind, first.seq) == (kind, seq)


def test_promise_9_a_log_cut_together_with_its_heads_shows_against_a_kept_checkpoint(written):
    desk, kept = written
    behind_our_back(desk, *CUT_BELOW_THE_CHECKPOINT)
    with reading(desk.registry) as sql:
        assert audit.examine(sql) == []  # said honestly: without a checkpoint this cannot be seen
        (finding,) = audit.examine(sql, parse_checkpoint(kept))
    assert finding.kind is Tampering.TRUNCATION


def test_promise_9_an_honest_log_keeps_every_checkpoint_while_it_grows(written):
    desk, kept = written
    with reading(desk.registry) as sql:
        assert audit.head(sql).size > parse_checkpoint(kept).size
        assert audit.examine(sql, parse_checkpoint(kept)) == []


@pytest.mark.parametrize("statement", [EDIT, DELETE, CUT])
def test_promise_9_with_its_triggers_in_place_the_log_refuses_even_a_database_tool(written, statement):
    desk, _ = written
    with a_tool(desk) as raw, pytest.raises(REFUSED, match="a stored audit_event never changes"):
        raw.execute(statement)
