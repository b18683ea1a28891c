"""One change may be several: each with its own permission and line, and all of them or none."""

import pytest
from sqlalchemy import insert

from cuelight.contract.errors import Denied
from cuelight_server.audit.verbs import Verb
from cuelight_server.control.door import FIRST_CONTENT, act
from cuelight_server.db import schema
from server.tests.pushing import lines, log, rows, size


@pytest.fixture
def sales(workflow):
    workflow("sales", engineering_owner="mei.tanaka", risk_owner="noor.haddad")


def write(work, name="sales.x"):
    work.sql.execute(insert(schema.prompt).values(name=name, workflow="sales", created_at=work.at_text))


def test_further_lines_follow_the_one_that_opened_the_door(desk, person, sales):
    mei = person("mei.tanaka")
    before = size(desk)
    with act(desk, mei, Verb.WORKFLOW_PUSH, "sales") as work:
        work.also(Verb.PROMPT_MINT, "sales.x@v1", digest="d")
        write(work)
        work.also(Verb.DRAFT_SAVE, "sales.x@idea")
        work.note(minted=1)
    assert lines(desk, before) == [
        ("workflow.push", "sales"),
        ("prompt.mint", "sales.x@v1"),
        ("draft.save", "sales.x@idea"),
    ]
    assert [one.facts for one in log(desk, before)] == [{"minted": 1}, {"digest": "d"}, {}]
    assert len({one.at for one in log(desk, before)}) == 1


def test_a_further_change_that_one_may_not_make_undoes_the_first(desk, person, sales):
    mei = person("mei.tanaka")
    kept, before = rows(desk), size(desk)
    with (
        pytest.raises(Denied, match="may not change a workflow's owners"),
        act(desk, mei, Verb.WORKFLOW_PUSH, "sales") as work,
    ):
        write(work)
        work.also(Verb.WORKFLOW_GOVERN, "sales")
    assert rows(desk) == kept
    assert lines(desk, before) == [("refused", "sales")]


def test_roles_count_as_they_were_when_the_change_began(desk, person, sales):
    noor = person("noor.haddad")
    with pytest.raises(Denied), act(desk, noor, Verb.WORKFLOW_GOVERN, "sales") as work:
        values = {"workflow": "sales", "revision": 2, "digest": "", "authority": "{}", "actor": "", "created_at": ""}
        document = '{"owners": {"engineering_owner": {"person": "noor.haddad"}}}'
        work.sql.execute(insert(schema.workflow_revision).values(document=document, **values))
        work.also(Verb.PROMPT_MINT, "sales.x@v1")


def test_a_further_change_stays_in_its_workflow(desk, person, sales):
    mei = person("mei.tanaka")
    kept = rows(desk)
    with pytest.raises(ValueError, match=r"museum\.x"), act(desk, mei, Verb.WORKFLOW_PUSH, "sales") as work:
        write(work)
        work.also(Verb.PROMPT_MINT, "museum.x@v1")
    assert rows(desk) == kept


@pytest.mark.parametrize("verb", [one for one in Verb if not one.rule.anyone])
def test_whoever_creates_a_workflow_may_put_content_in_and_nothing_else(desk, person, verb):
    zoe = person("zoe.stranger")
    with act(desk, zoe, Verb.WORKFLOW_CREATE, "museum") as work:
        if verb in FIRST_CONTENT:
            work.also(verb, "museum.x")
        else:
            with pytest.raises(Denied if verb.rule.governed else ValueError):
                work.also(verb, "museum.x")
