"""Any order of pushing, evaluating, approving, releasing and rolling back: promises 1, 3 and 5 hold after every step."""

import contextlib
import itertools
import json
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from cuelight.contract.snapshot import parse
from cuelight_server.control.access import disable_actor
from cuelight_server.control.opening import create_desk
from cuelight_server.control.releases import approve, release, roll_back
from cuelight_server.db import schema
from cuelight_server.db.engine import reading
from cuelight_server.kernel.actor import SYSTEM
from cuelight_server.kernel.errors import Blocked, Conflict, Denied, Invalid, NotFound
from cuelight_server.releases import store as releases
from cuelight_server.routing import store as routing
from cuelight_server.views.runtime import current
from server.tests.releasing import (
    AUTHOR,
    BACKUP,
    ENGINEER,
    OWNER,
    PEOPLE,
    PROMPT,
    RISK,
    document,
    draft,
    evaluate,
    govern,
    mint,
    prepare,
    suite,
    who,
)

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
LABELS = st.sampled_from(["v1", "v2", "v3", "v4", "idea"])
SAYS = st.sampled_from([AUTHOR, OWNER, ENGINEER, BACKUP, RISK])
REQUIRED = {"workflow_owner": {OWNER, BACKUP}, "engineering_owner": {ENGINEER, BACKUP}}
REFUSALS = (Blocked, Conflict, Denied, Invalid, NotFound)


class Desk(RuleBasedStateMachine):
    fresh = None  # the fixture: a new place for each run

    def __init__(self) -> None:
        super().__init__()
        self.open = contextlib.ExitStack()
        folder = self.open.enter_context(tempfile.TemporaryDirectory())
        ids, ticks = itertools.count(1), itertools.count(0)
        self.desk = create_desk(
            Path(folder) / "desk",
            clock=lambda: START + timedelta(seconds=next(ticks)),
            new_id=lambda prefix: f"{prefix}_{next(ids):06d}",
            databases=self.open.enter_context(type(self).fresh()),
        )
        self.open.callback(self.desk.close)
        prepare(self.desk, versions=2)
        draft(self.desk)
        self.minted, self.passed, self.revisions, self.cases = 2, set(), 1, 1
        self.disabled: set[str] = set()

    def teardown(self) -> None:
        self.open.close()

    def seen(self):
        with reading(self.desk.registry) as sql:
            return routing.deployment(sql, PROMPT, "production")

    @rule(author=st.sampled_from([AUTHOR, OWNER]))
    @precondition(lambda self: self.minted < 4)
    def push_a_version(self, author):
        self.minted += 1
        mint(self.desk, self.minted, author=author)

    @rule(label=LABELS, verdict=st.sampled_from(["pass", "pass", "pass", "fail"]))
    def run_an_evaluation(self, label, verdict):
        if label == "idea" or int(label[1:]) <= self.minted:
            evaluate(self.desk, label, verdict)

    @rule()
    @precondition(lambda self: self.revisions < 3)
    def change_the_workflow(self):
        self.revisions += 1
        govern(self.desk, document(purpose=f"revision {self.revisions}"))

    @rule()
    @precondition(lambda self: self.cases < 3)
    def change_the_suite(self):
        self.cases += 1
        suite(self.desk, f"more_{self.cases}")

    @rule(person=st.sampled_from([OWNER, ENGINEER]))
    @precondition(lambda self: not self.disabled)
    def disable_someone(self, person):
        disable_actor(self.desk, SYSTEM, person)
        self.disabled.add(person)

    @rule(person=SAYS, label=LABELS, role=st.sampled_from([None, "workflow_owner", "engineering_owner"]))
    def say_yes(self, person, label, role):
        with contextlib.suppress(*REFUSALS):
            approve(self.desk, who(self.desk, person), PROMPT, label, role=role)

    @rule(label=LABELS)
    def all_green_but_not_released(self, label):
        if label == "idea" or int(label[1:]) <= self.minted:
            evaluate(self.desk, label)
            for person in (OWNER, ENGINEER, BACKUP):
                with contextlib.suppress(*REFUSALS):
                    approve(self.desk, who(self.desk, person), PROMPT, label)

    @rule(person=st.sampled_from([ENGINEER, OWNER, RISK]), label=LABELS)
    def try_to_release(self, person, label):
        before = self.seen()
        try:
            done = release(self.desk, who(self.desk, person), PROMPT, label)
        except REFUSALS:
            assert self.seen() == before
            return
        assert person not in self.disabled
        self.holds_promise_3(done.id)
        now = self.seen()
        assert now.live == int(label[1:])
        assert now.rollback_target == (before.live if before else None)

    @rule(person=st.sampled_from([*PEOPLE, "system"]), label=st.sampled_from([None, "v1", "v2", "v3"]))
    def try_to_roll_back(self, person, label):
        before = self.seen()
        actor = SYSTEM if person == "system" else who(self.desk, person)
        try:
            done = roll_back(self.desk, actor, PROMPT, why="bad", from_label=label)
        except REFUSALS:
            assert self.seen() == before
            return
        now = self.seen()
        if done.no_op:
            assert now == before
        else:
            assert now.live == before.rollback_target

    def holds_promise_3(self, id: str) -> None:
        """Who said yes: for each required role another person, entitled, not disabled, not the author."""
        with reading(self.desk.registry) as sql:
            made = releases.release(sql, id)
            given = releases.approvals(sql, PROMPT, made.number, "production", made.binding)
            author = sql.scalar(select(schema.version.c.author).where(schema.version.c.number == made.number))
        counted = [one for one in given if one.person not in self.disabled | {author}]
        pairs = [
            (a.person, b.person)
            for a in counted
            for b in counted
            if a.role == "workflow_owner" and b.role == "engineering_owner" and a.person != b.person
        ]
        assert pairs, given
        assert all(one.person in REQUIRED[one.role] for one in given)

    @invariant()
    def what_serves_is_a_released_version_and_the_snapshot_says_the_same(self):
        now = self.seen()
        seen = parse(json.loads(current(self.desk, "production").body))
        if now is None:
            assert seen.version == 0
            return
        with reading(self.desk.registry) as sql:
            assert seen.version == routing.version(sql, "production")
            if now.live is not None:
                assert releases.release(sql, now.release).number == now.live
                assert releases.rolled_back(sql, PROMPT, now.live, "production") is None
                assert releases.release(sql, now.release).state == "live"
        served = seen.resolve(PROMPT)
        assert served.version == (f"v{now.live}" if now.live else None)
        assert served.release == now.release

    @invariant()
    def at_most_one_release_is_live(self):
        with reading(self.desk.registry) as sql:
            found = list(sql.scalars(select(schema.release.c.id).where(schema.release.c.state == "live")))
        now = self.seen()
        assert found == ([now.release] if now and now.live else [])


def test_any_order_of_steps_keeps_the_promises(fresh):
    here = type("Here", (Desk,), {"fresh": staticmethod(fresh)})
    run_state_machine_as_test(
        here,
        settings=settings(
            max_examples=25, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
