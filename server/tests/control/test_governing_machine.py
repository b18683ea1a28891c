"""Governance as a machine: whatever people try in whatever order, the rules in force change by agreed proposals only."""

import tempfile
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from cuelight_server.control import governing, handing
from cuelight_server.control.opening import create_desk
from cuelight_server.control.proposals import show
from cuelight_server.control.push import push
from cuelight_server.control.verify import verify_desk
from cuelight_server.kernel.errors import CuelightError
from cuelight_server.prompts.governed import governance_digest
from server.tests.conftest import TickingClock, counting_ids
from server.tests.folders import folder
from server.tests.governed import ADMIN, ANA, ANN, BEN, CHI, CY, DEE, ELI, STRANGER, actor, library, now, rules

PEOPLE = st.sampled_from([ANA, ANN, BEN, CHI, CY, DEE, ELI, STRANGER, ADMIN])
ENDED = {"in_force", "withdrawn", "declined", "replaced"}


class Governance(RuleBasedStateMachine):
    """The model: which proposals there are, who said yes to each, and what governs."""

    places: ClassVar = None
    came_into_force: ClassVar = 0

    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.place = self.places()
        databases = self.place.__enter__()
        self.desk = create_desk(
            Path(self.folder.name) / "d", clock=TickingClock(), new_id=counting_ids(), databases=databases
        )
        library(self.desk)
        self.known: dict[str, dict[str, str]] = {}  # proposal -> role -> who
        self.ended: dict[str, str] = {}
        self.governs = self.digest()

    def teardown(self):
        self.desk.close()
        self.place.__exit__(None, None, None)
        self.folder.cleanup()

    def digest(self):
        found = now(self.desk)
        return governance_digest(found.document, found.authority)

    def tried(self, act, *args, **how):
        """What came of it; None where it was refused."""
        try:
            return act(self.desk, *args, **how)
        except CuelightError:
            return None

    @rule(
        by=PEOPLE,
        tier=st.sampled_from(["low", "standard", "elevated"]),
        role=st.sampled_from(["risk_owner", "workflow_owner"]),
    )
    def push_a_change(self, by, tier, role):
        changed = rules(tier=tier, release={"approvals": [role]})
        raised = self.tried(push, actor(self.desk, by), folder(workflow=changed))
        if raised is None:
            return
        told = raised.to_json()
        if told["governance"] == "changed":  # one person decides in tier low, or the tier only went up
            self.governs = self.digest()
        elif told["proposal"]:
            self.known.setdefault(told["proposal"]["id"], {"author": by})

    @rule(by=PEOPLE, to=PEOPLE)
    def offer_a_role(self, by, to):
        made = self.tried(handing.offer, actor(self.desk, by), "library", "engineering_owner", to, why="x")
        if made is not None:
            self.known[made.id] = {"author": by, "receiver_to_be": to}

    @precondition(lambda self: self.known)
    @rule(data=st.data(), by=PEOPLE)
    def agree(self, data, by):
        id = data.draw(st.sampled_from(sorted(self.known)))
        given = self.tried(governing.approve, actor(self.desk, by), id)
        if given is not None:
            assert by not in (self.known[id]["author"], self.known[id].get("receiver_to_be"))
            self.known[id][given.role] = by

    @precondition(lambda self: self.known)
    @rule(data=st.data())
    def agree_as_one_who_is_asked(self, data):
        id = data.draw(st.sampled_from(sorted(self.known)))
        for need in show(self.desk, id).needs:
            if need.given_by is None and need.could:
                by = data.draw(st.sampled_from(need.could))
                act = governing.accept if need.role == "receiver" else governing.approve
                given = self.tried(act, actor(self.desk, by), id)
                if given is not None:
                    self.known[id][given.role] = by

    @precondition(lambda self: self.known)
    @rule(data=st.data(), by=PEOPLE)
    def accept(self, data, by):
        id = data.draw(st.sampled_from(sorted(self.known)))
        if self.tried(governing.accept, actor(self.desk, by), id) is not None:
            assert by == self.known[id]["receiver_to_be"]
            self.known[id]["receiver"] = by

    @precondition(lambda self: self.known)
    @rule(data=st.data(), by=PEOPLE, how=st.sampled_from(["withdraw", "decline"]))
    def end(self, data, by, how):
        id = data.draw(st.sampled_from(sorted(self.known)))
        self.tried(getattr(governing, how), actor(self.desk, by), id, "why")

    @precondition(lambda self: self.known)
    @rule(data=st.data(), by=PEOPLE)
    def put_into_force(self, data, by):
        id = data.draw(st.sampled_from(sorted(self.known)))
        tier = now(self.desk).document["tier"]
        done = self.tried(governing.put_into_force, actor(self.desk, by), id)
        if done is None:
            return
        said = {role: who for role, who in self.known[id].items() if role not in ("author", "receiver_to_be")}
        least = {"low": 0, "standard": 1, "elevated": 2}[tier]
        assert len({*said.values()} - {self.known[id].get("receiver_to_be")}) >= least
        assert "receiver_to_be" not in self.known[id] or "receiver" in said
        self.governs = self.digest()
        type(self).came_into_force += 1

    @invariant()
    def only_what_was_agreed_to_governs(self):
        assert self.digest() == self.governs

    @invariant()
    def what_has_ended_stays_ended_and_at_most_one_is_open(self):
        states = {id: show(self.desk, id).state for id in self.known}
        assert sum(state == "open" for state in states.values()) <= 1
        for id, state in self.ended.items():
            assert states[id] == state
        self.ended = {id: state for id, state in states.items() if state in ENDED}

    @invariant()
    def the_rows_are_what_the_log_tells(self):
        assert verify_desk(self.desk).problems == ()


@pytest.mark.parametrize("steps", [20])
def test_the_rules_in_force_change_by_agreed_proposals_only(fresh, steps):
    made = type("OnThisDatabase", (Governance,), {"places": staticmethod(fresh)})
    run_state_machine_as_test(
        made,
        settings=settings(
            max_examples=8,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=True,
        ),
    )
    assert made.came_into_force > 0  # else the machine has only looked at refusals
