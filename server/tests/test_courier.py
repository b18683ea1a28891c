"""The courier: a thread that signs and brings, says once what is wrong, and ends with one last round."""

import logging
import time
from datetime import timedelta

import pytest

from cuelight_server.audit import store as audit
from cuelight_server.audit.signing import KeyPlace
from cuelight_server.control.checkpoints import Checkpoints
from cuelight_server.control.failed_sign_ins import note_failed_sign_in
from cuelight_server.db.engine import reading
from cuelight_server.sinks.port import Kept
from cuelight_server.worker import Courier


class Broken(Kept):
    """A sink with a mistake in its program."""

    def deliver(self, *_):
        raise ZeroDivisionError


def until(true):
    for _ in range(500):
        if true():
            return
        time.sleep(0.01)
    raise AssertionError("it never came")


@pytest.fixture
def place(tmp_path):
    return KeyPlace(file=tmp_path / "signing.key")


def lines(desk, verb):
    with reading(desk.registry) as sql:
        return [one for one in audit.readable(sql) if one.verb == verb]


def test_it_signs_and_brings_by_itself_and_writes_what_was_counted_when_it_ends(desk, place):
    sink = Kept()
    courier = Courier(desk, Checkpoints(keys=place, sinks={"kept": sink}), every_s=0.01)
    courier.start()
    until(lambda: sink.sent)
    note_failed_sign_in(desk, "password", None, "203.0.113.7")
    assert courier.stop()
    assert len(lines(desk, "sign_in.fail")) == 1


def test_a_key_that_is_missing_is_said_once_and_not_every_round(desk, place, clock, caplog):
    how = Checkpoints(keys=place)
    first = Courier(desk, how, every_s=0.01)
    first.start()
    until(lambda: lines(desk, "key.make"))
    first.stop()
    place.file.unlink()
    note_failed_sign_in(desk, "password", None, "203.0.113.7")
    clock.forward(timedelta(hours=2))
    with caplog.at_level(logging.ERROR, "cuelight.worker"):
        second = Courier(desk, how, every_s=0.01)
        second.start()
        until(lambda: [one for one in caplog.records if "not where it should be" in one.message])
        time.sleep(0.2)
        second.stop()
    assert len([one for one in caplog.records if "not where it should be" in one.message]) == 1


def test_a_sink_with_a_mistake_in_it_ends_its_round_and_not_the_thread(desk, place):
    courier = Courier(desk, Checkpoints(keys=place, sinks={"broken": Broken()}), every_s=0.01)
    courier.start()
    until(lambda: lines(desk, "key.make"))
    time.sleep(0.1)
    note_failed_sign_in(desk, "password", None, "203.0.113.7")
    assert courier.stop()
    assert len(lines(desk, "sign_in.fail")) == 1
