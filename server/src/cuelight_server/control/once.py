"""Answers that are kept so that nothing is done twice: for how long, and forgetting them."""

from datetime import timedelta

from cuelight_server.access import store
from cuelight_server.control.desk import Desk
from cuelight_server.db.engine import reading
from cuelight_server.db.operational import operational
from cuelight_server.kernel.clock import rfc3339

KEPT = timedelta(days=7)  # longer than anyone goes on asking


def forget_answers(desk: Desk) -> None:
    """A tick of the worker: drop what is older than KEPT; where nothing is, nothing is written."""
    before = rfc3339(desk.clock() - KEPT)
    with reading(desk.registry) as sql:
        due = store.any_answer(sql, before)
    if due:
        with operational(desk.registry) as sql:
            store.forget_answers(sql, before)
