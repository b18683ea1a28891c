"""Versions share a suite: a version that drops a variable is minted, on a desk that knows the older one."""

import pytest

from cuelight_server.control.push import push
from cuelight_server.control.standing import errors_now
from cuelight_server.db.engine import reading
from cuelight_server.prompts import store
from server.tests.folders import OWNERS, PROMPT, folder

SHORT = {
    **PROMPT,
    "messages": [PROMPT["messages"][0], {"role": "user", "content": "<question>{{question}}</question>"}],
    "variables": PROMPT["variables"][1:],
    "context": [],
}


@pytest.fixture
def ana(person):
    """The workflow owner."""
    return person(OWNERS["workflow_owner"])


def test_a_version_that_drops_a_variable_is_minted_though_its_folder_holds_no_other(desk, ana):
    push(desk, ana, folder(labels={"v1": PROMPT}))
    done = push(desk, ana, folder(labels={"v2": SHORT})).to_json()
    assert ([one["label"] for one in done["minted"]], done["refused"], done["findings"]) == (["v2"], [], [])


def test_nothing_stands_against_a_version_that_dropped_a_variable(desk, ana):
    push(desk, ana, folder(labels={"v1": PROMPT, "v2": SHORT}))
    with reading(desk.registry) as sql:
        found, workflow = store.version(sql, "library.answer", 2), store.workflow(sql, "library")
        assert errors_now(sql, found, workflow).errors == ()


def test_a_draft_on_the_desk_knows_its_variables_too(desk, ana):
    push(desk, ana, folder(labels={"first": PROMPT}))
    assert push(desk, ana, folder(labels={"v1": SHORT})).to_json()["refused"] == []


def test_an_input_that_nobody_declares_still_stands_in_the_way(desk, ana):
    (refused,) = push(desk, ana, folder(labels={"v1": SHORT})).to_json()["refused"]
    assert "catalogue" in refused["why"]
