"""Who runs an evaluation: one worker at a time, another when it is gone, and nobody for ever; time that never goes back."""

import threading
import time
from datetime import timedelta

import pytest

from cuelight_server.audit import store as audit
from cuelight_server.audit.verbs import Verb
from cuelight_server.control import push as pushes
from cuelight_server.control.access import add_actor
from cuelight_server.control.door import act
from cuelight_server.control.evaluation import abandon, requeue, run_pending, start
from cuelight_server.control.push import push
from cuelight_server.db.engine import reading
from cuelight_server.db.operational import operational
from cuelight_server.db.writing import governed
from cuelight_server.evaluation import store
from cuelight_server.kernel.actor import SYSTEM
from cuelight_server.kernel.clock import rfc3339
from cuelight_server.kernel.errors import Conflict
from cuelight_server.providers import Completion
from cuelight_server.views import evaluation as view
from server.tests.folders import OWNERS, folder, prompt

GOOD = '{"ok": true}'


@pytest.fixture
def waiting(shelf):
    made = shelf.content()
    shelf.version(1, made)
    shelf.record(made, shelf.all_say(GOOD))
    return shelf, start(shelf.desk, shelf.mei, "shop.talk", "v1", "recorded")


def claim(desk, id, worker):
    with operational(desk.registry) as sql:
        assert store.claim(sql, id, worker, rfc3339(desk.clock()))


def test_what_another_worker_runs_is_left_alone_until_its_lease_has_run_out(waiting, clock):
    shelf, id = waiting
    claim(shelf.desk, id, "one")
    assert requeue(shelf.desk) == 0
    abandon(shelf.desk, "a fault of worker two", "two")
    assert view.show(shelf.desk, id).line.state == "running"
    clock.forward(timedelta(seconds=31))
    assert requeue(shelf.desk) == 1
    assert run_pending(shelf.desk, {}, worker="two")
    assert view.show(shelf.desk, id).line.verdict == "pass"


def test_what_was_started_twice_and_never_ended_is_an_error_and_is_not_started_again(waiting, clock):
    shelf, id = waiting
    for _ in range(2):
        claim(shelf.desk, id, "one")
        clock.forward(timedelta(seconds=31))
        assert requeue(shelf.desk) == 1
    seen = view.show(shelf.desk, id)
    assert (seen.line.state, seen.report["why"]) == ("error", ["error: started 2 times and never came to an end"])
    assert run_pending(shelf.desk, {}) is False


def test_a_worker_that_lost_its_lease_writes_neither_outputs_nor_a_report(shelf, clock):
    shelf.version(1, shelf.content())
    id = start(shelf.desk, shelf.mei, "shop.talk", "v1", "openai")

    class Slow:
        name, recorded, concurrency, adapter = "openai", False, 1, ""

        def complete(self, request):
            if request.case == "C2":  # it stalls; another takes over
                clock.forward(timedelta(seconds=31))
                assert requeue(shelf.desk) == 1
                claim(shelf.desk, id, "two")
            return Completion(text=GOOD, input_tokens=1, output_tokens=1, latency_ms=1.0, model="m-1")

    assert run_pending(shelf.desk, {"openai": Slow()}, worker="one")
    seen = view.show(shelf.desk, id)
    assert (seen.line.state, seen.report) == ("running", None)
    kept = [one.case for one in view.results(shelf.desk, id).items]
    assert kept == ["C1"]  # paid for and written down while the lease was still held; nothing after that


def test_the_time_of_what_is_done_never_goes_back_even_when_the_clock_does(desk, clock):
    add_actor(desk, SYSTEM, "ana.reyes", "Ana")
    clock.forward(-timedelta(hours=1))
    for one in ("ben.cole", "chi.okafor"):
        add_actor(desk, SYSTEM, one, one)
    with reading(desk.registry) as sql:
        times = [one.at for one in audit.after(sql).items]
    assert times == sorted(set(times))


def test_a_rollback_waits_out_a_writer_that_others_give_up_on(shelf):
    shelf.version(1, shelf.content())
    taken = threading.Event()

    def hold():
        with governed(shelf.desk.registry):
            taken.set()
            time.sleep(6)

    other = threading.Thread(target=hold)
    other.start()
    assert taken.wait(10)
    with act(shelf.desk, SYSTEM, Verb.RELEASE_ROLL_BACK, "shop.talk") as work:
        work.note(why="test")
    other.join()


def library(desk):
    return add_actor(desk, SYSTEM, "ana.reyes", "Ana").actor()


def drafts(count):
    return folder(labels={"v1": prompt(), **{f"idea{n}": prompt(release_note=f"{n}") for n in range(count)}})


def test_lint_and_digests_of_a_push_run_while_nobody_waits_for_the_lock(desk, monkeypatch):
    """The desk is free for others during the slow part: a write goes through while lint runs."""
    ana, lint, seen = library(desk), pushes.lint, []

    def slow(facts):
        with act(desk, SYSTEM, Verb.DESK_CREATE, "desk"):
            seen.append("written")
        return lint(facts)

    monkeypatch.setattr(pushes, "lint", slow)
    assert push(desk, ana, drafts(1)).plan.mint
    assert seen == ["written"]


def test_a_desk_that_changes_under_a_push_is_looked_at_again_and_at_most_three_times(desk, monkeypatch):
    ana, lint, looks = library(desk), pushes.lint, []
    known = iter(list(OWNERS.values())[1:])

    def slow(facts):
        looks.append(1)
        if len(looks) <= changes:
            one = next(known)
            add_actor(desk, SYSTEM, one, one)
        return lint(facts)

    monkeypatch.setattr(pushes, "lint", slow)
    changes = 3
    with pytest.raises(Conflict, match="pushing library as well"):
        push(desk, ana, drafts(1))
    assert len(looks) == 3
    looks.clear()
    changes = 1
    assert push(desk, ana, drafts(1)).plan.mint
    assert len(looks) == 2
