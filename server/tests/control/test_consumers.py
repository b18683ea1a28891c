"""What reads the outputs must be able to read them after a rollback, too; what cannot be told is named."""

import pytest

from cuelight_server.control.releases import approve, check, release
from cuelight_server.kernel.errors import Blocked
from server.tests.releasing import ENGINEER, OWNER, PROMPT, content, evaluate, mint, prepare, who

NARROW = {
    "type": "object",
    "required": ["fit"],
    "properties": {"fit": {"enum": ["yes", "no"]}},
    "additionalProperties": False,
}
WIDER = {**NARROW, "properties": {"fit": {"enum": ["yes", "no", "later"]}}}


def output(schema, *consumers):
    return {"format": "json", "schema": schema, "on_invalid": [{"person": "desk"}], "consumers": list(consumers)}


def version(desk, number, *asked):
    mint(desk, number, made=content(f"version {number}", output=output(*asked)))


def go_live(desk, label):
    evaluate(desk, label)
    for person in (OWNER, ENGINEER):
        approve(desk, who(desk, person), PROMPT, label)
    return release(desk, who(desk, ENGINEER), PROMPT, label)


def rollback(desk, label):
    return next(one for one in check(desk, PROMPT, label).items if one.id == "rollback")


@pytest.fixture
def first(desk):
    """v1 is live and may say `later`."""
    prepare(desk, versions=0)
    version(desk, 1, WIDER)
    go_live(desk, "v1")


def test_a_consumer_that_could_not_read_the_version_of_a_rollback_stops_the_release(desk, first):
    version(desk, 2, NARROW, {"name": "crm", "schema": NARROW})
    found = rollback(desk, "v2")
    assert (found.ok, found.words.partition(": ")[0]) == (
        False,
        "after a rollback to v1 a consumer cannot read its outputs",
    )
    with pytest.raises(Blocked):
        go_live(desk, "v2")


def test_a_consumer_that_reads_both_lets_it_pass(desk, first):
    version(desk, 2, NARROW, {"name": "crm", "schema": WIDER})
    assert (rollback(desk, "v2").ok, rollback(desk, "v2").words) == (True, "a rollback goes to v1")


def test_what_cannot_be_told_is_named_and_does_not_stand_in_the_way(desk, first):
    version(desk, 2, NARROW, {"name": "crm", "schema": {**WIDER, "not": {"required": ["x"]}}})
    found = rollback(desk, "v2")
    assert found.ok
    assert "it cannot be told whether crm" in found.words


def test_a_first_release_has_nothing_that_a_consumer_could_not_read(desk):
    prepare(desk, versions=0)
    version(desk, 1, NARROW, {"name": "crm", "schema": NARROW})
    assert rollback(desk, "v1").ok
