"""The one door: the change and its audit line together or not at all, and a refusal that is remembered."""

import itertools
import json
import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, insert, select

from cuelight.contract.canonical import canonical_text
from cuelight_server.access.model import Account
from cuelight_server.audit import store as audit
from cuelight_server.audit.verbs import Verb
from cuelight_server.control.access import disable_actor
from cuelight_server.control.door import act, workflow_of
from cuelight_server.db import schema
from cuelight_server.db.engine import Intent, reading, transaction
from cuelight_server.kernel.actor import SYSTEM, Actor
from cuelight_server.kernel.clock import rfc3339
from cuelight_server.kernel.errors import Blocked, Conflict, Denied, Invalid, NotFound, Unavailable
from cuelight_server.kernel.terms import ActorKind, Role

AT = "2026-01-05T09:00:00.000000Z"


@pytest.fixture
def mei(person, workflow):
    workflow("sales", workflow_owner="mei.tanaka", risk_owner="rosa.lind")
    return person("mei.tanaka")


def create(work, name):
    """A change that everybody may make: one row."""
    work.sql.execute(insert(schema.workflow).values(name=name, revision=0, created_at=work.at_text))


def events(desk):
    with reading(desk.registry) as sql:
        return list(audit.after(sql, size=200).items)


def workflows(desk):
    with reading(desk.registry) as sql:
        return set(sql.scalars(select(schema.workflow.c.name)))


def govern(desk, name, revision, **owners):
    """A later revision with other owners, past the door."""
    document = {"owners": {role: {"person": who, "backup": None} for role, who in owners.items()}}
    row = {"workflow": name, "revision": revision, "digest": "d", "document": canonical_text(document)}
    with transaction(desk.registry, Intent.WRITE) as sql:
        sql.execute(insert(schema.workflow_revision).values(row | {"authority": "{}", "actor": "x", "created_at": AT}))


def test_a_change_and_its_audit_line_are_there_together(desk, mei):
    before = len(events(desk))
    with act(desk, mei, Verb.WORKFLOW_CREATE, "clinical") as work:
        create(work, "clinical")
        work.note(reason="a new desk for nurses", count=3)
        work.note(tier="high")
    (line,) = events(desk)[before:]
    assert "clinical" in workflows(desk)
    assert (line.actor, line.verb, line.subject) == ("mei.tanaka", "workflow.create", "clinical")
    assert line.facts == {"reason": "a new desk for nurses", "count": 3, "tier": "high"}
    assert line.at == work.at_text == rfc3339(work.at)
    assert line.seq == before + 1


def test_a_change_that_fails_leaves_no_row_and_no_line(desk, mei):
    before = events(desk)
    with pytest.raises(ZeroDivisionError), act(desk, mei, Verb.WORKFLOW_CREATE, "clinical") as work:
        create(work, "clinical")
        1 / 0  # noqa: B018  the failure
    assert "clinical" not in workflows(desk)
    assert events(desk) == before


def test_an_audit_line_that_cannot_be_written_undoes_the_change(desk, mei):
    before = events(desk)
    with pytest.raises(Invalid), act(desk, mei, Verb.WORKFLOW_CREATE, "clinical") as work:
        create(work, "clinical")
        work.note(odds=float("nan"))
    assert "clinical" not in workflows(desk)
    assert events(desk) == before


@pytest.mark.parametrize("kind", [Invalid, NotFound, Conflict, Unavailable])
def test_a_mistake_or_an_accident_is_no_refusal_and_leaves_no_line(desk, mei, kind):
    before = events(desk)
    with pytest.raises(kind), act(desk, mei, Verb.WORKFLOW_CREATE, "clinical"):
        raise kind("no")
    assert events(desk) == before


def test_who_is_not_entitled_never_gets_inside_and_the_attempt_is_remembered(desk, mei, workflow):
    workflow("museum", domain_expert="mei.tanaka")
    before = len(events(desk))
    with pytest.raises(Denied) as refused, act(desk, mei, Verb.RELEASE_ROLL_BACK, "museum.guide"):
        pytest.fail("nobody may be here")
    (line,) = events(desk)[before:]
    assert (line.actor, line.verb, line.subject) == ("mei.tanaka", "refused", "museum.guide")
    assert (line.facts["verb"], line.facts["kind"]) == ("release.roll_back", "denied")
    assert line.facts["message"] == refused.value.message


def test_a_denial_says_who_could_by_name_where_there_is_one(desk, mei, person):
    place = {"workflow": "sales", "account": person("eve.stone").id, "role": "reader"}
    with transaction(desk.registry, Intent.WRITE) as sql:
        sql.execute(insert(schema.membership).values(**place, granted_by="mei.tanaka", granted_at=AT))
    with pytest.raises(Denied) as refused, act(desk, person("eve.stone"), Verb.WORKFLOW_GOVERN, "sales"):
        pytest.fail("nobody may be here")
    assert refused.value.hint == "ask mei.tanaka (workflow owner) or rosa.lind (risk owner)"
    assert refused.value.details["who"] == ["the workflow owner", "the risk owner"]
    with pytest.raises(Denied) as refused, act(desk, mei, Verb.ACTOR_ADD, "someone", workflow=""):
        pytest.fail("nobody may be here")
    assert refused.value.hint == "ask an administrator or the desk itself"


@pytest.mark.parametrize("kind", [Blocked, Denied])
def test_a_refusal_found_inside_undoes_everything_and_is_remembered(desk, mei, kind):
    before = len(events(desk))
    with pytest.raises(kind), act(desk, mei, Verb.WORKFLOW_CREATE, "clinical") as work:
        create(work, "clinical")
        work.note(secret_plan="never told")
        raise kind("no suite", "push one")
    (line,) = events(desk)[before:]
    assert "clinical" not in workflows(desk)
    assert line.verb == "refused"
    assert line.facts == {"verb": "workflow.create", "kind": kind.kind, "message": "no suite", "hint": "push one"}


def test_a_stored_thing_that_somebody_tries_to_change_is_refused_and_remembered(desk, mei):
    with pytest.raises(Blocked), act(desk, mei, Verb.WORKFLOW_PUSH, "sales") as work:
        work.sql.execute(schema.workflow_revision.update().values(document="{}"))
    assert events(desk)[-1].facts["message"] == "a stored workflow_revision never changes"


def test_roles_are_those_of_the_newest_revision_when_the_change_happens(desk, mei, person):
    with act(desk, mei, Verb.WORKFLOW_PUSH, "sales") as work:
        assert work.roles == {Role.WORKFLOW_OWNER}
    govern(desk, "sales", 2, workflow_owner="jonas.weber", support_owner="mei.tanaka")
    with pytest.raises(Denied), act(desk, mei, Verb.WORKFLOW_PUSH, "sales"):
        pytest.fail("an owner of yesterday")
    with act(desk, person("jonas.weber"), Verb.WORKFLOW_PUSH, "sales") as work:
        assert work.roles == {Role.WORKFLOW_OWNER}


def test_a_backup_holds_the_role_and_an_unknown_role_holds_nothing(desk, person):
    document = {
        "owners": {"risk_owner": {"person": "rosa.lind", "backup": "kofi.addo"}, "czar": {"person": "kofi.addo"}}
    }
    with transaction(desk.registry, Intent.WRITE) as sql:
        sql.execute(insert(schema.workflow).values(name="sales", revision=1, created_at=AT))
        row = {"workflow": "sales", "revision": 1, "digest": "d", "document": json.dumps(document)}
        sql.execute(insert(schema.workflow_revision).values(row | {"authority": "{}", "actor": "x", "created_at": AT}))
    with act(desk, person("kofi.addo"), Verb.RELEASE_APPROVE, "sales.lead_qualification@v2") as work:
        assert work.roles == {Role.RISK_OWNER}
        assert work.workflow == "sales"


def test_an_owner_of_one_workflow_has_no_say_in_another(desk, mei, workflow):
    workflow("clinical", workflow_owner="rosa.lind")
    for subject in ("clinical", "clinical.intake", "sales_eu", "sales-eu.x"):
        with (
            pytest.raises(NotFound, match=f"there is no {subject} here for you"),
            act(desk, mei, Verb.DRAFT_SAVE, subject),
        ):
            pytest.fail("not her workflow")
    with pytest.raises(Denied), act(desk, mei, Verb.DRAFT_SAVE, ""):
        pytest.fail("no workflow at all")
    with pytest.raises(NotFound), act(desk, mei, Verb.DRAFT_SAVE, "sales.x", workflow="clinical"):
        pytest.fail("the workflow that is named counts")
    with act(desk, mei, Verb.RELEASE_OPEN, "rel_1", workflow="sales") as work:
        assert work.workflow == "sales"


@pytest.mark.parametrize(
    ("subject", "workflow"),
    [
        ("sales", "sales"),
        ("sales.x", "sales"),
        ("sales.x@v2", "sales"),
        ("sales@v2", "sales"),
        ("a@b.c", "a"),
        ("", ""),
    ],
)
def test_the_workflow_is_what_stands_before_the_first_dot(subject, workflow):
    assert workflow_of(subject) == workflow


def test_who_was_disabled_a_moment_ago_is_out_though_the_token_was_good(desk, mei):
    disable_actor(desk, SYSTEM, "mei.tanaka")
    with pytest.raises(Denied), act(desk, mei, Verb.DRAFT_SAVE, "sales.x"):
        pytest.fail("she left")


def test_an_actor_counts_as_the_desk_knows_them_and_not_as_they_claim(desk, mei):
    claimed = Actor("mei.tanaka", "Mei", ActorKind.PERSON, admin=True)
    with pytest.raises(Denied), act(desk, claimed, Verb.ACTOR_ADD, "eve", workflow=""):
        pytest.fail("no administrator")
    with pytest.raises(Denied), act(desk, Actor("no.one", "?", ActorKind.PERSON), Verb.WORKFLOW_CREATE, "x"):
        pytest.fail("no one")


def test_an_app_that_was_named_owner_still_changes_nothing(desk, workflow):
    account = Account(id="app:ci", name="ci", kind=ActorKind.APP, admin=False, created_at=AT)
    with transaction(desk.registry, Intent.WRITE) as sql:
        sql.execute(insert(schema.actor).values(id="app:ci", name="ci", kind="app", admin=True, created_at=AT))
    workflow("sales", workflow_owner="app:ci", risk_owner="app:ci")
    for verb in Verb:
        with pytest.raises(Denied if verb.rule.governed else ValueError), act(desk, account.actor(), verb, "sales.x"):
            pytest.fail("an app key got in")


def test_the_time_of_a_change_is_taken_when_its_turn_comes(desk, mei, clock):
    with act(desk, mei, Verb.DRAFT_SAVE, "sales.x") as first:
        clock.forward(timedelta(hours=1))
    with act(desk, mei, Verb.DRAFT_SAVE, "sales.x") as second:
        pass
    assert second.at - first.at > timedelta(hours=1)


def test_forty_threads_make_as_many_lines_as_changes_without_a_gap(desk, mei):
    before, errors, numbers = len(events(desk)), [], itertools.count()
    together = threading.Barrier(40)

    def change():
        together.wait()
        for _ in range(3):
            name = f"w{next(numbers)}"
            try:
                with act(desk, mei, Verb.WORKFLOW_CREATE, name) as work:
                    create(work, name)
            except Exception as error:  # noqa: BLE001  whatever it is, the test must see it
                errors.append(error)

    threads = [threading.Thread(target=change) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    made = events(desk)[before:]
    assert [line.seq for line in made] == list(range(before + 1, before + 121))
    assert {line.subject for line in made} == workflows(desk) - {"sales"}
    assert [line.at for line in made] == sorted(line.at for line in made)
    with reading(desk.registry) as sql:
        assert audit.examine(sql) == []
        assert sql.scalar(select(func.count()).select_from(schema.audit_head)) == before + 120


def test_two_changes_in_one_transaction_leave_two_lines_and_fail_together(desk, mei):
    before = len(events(desk))
    with act(desk, mei, Verb.WORKFLOW_PUSH, "sales") as work:
        work.also(Verb.SUITE_PUSH, "sales", cases=12)
        work.note(revision=2)
    first, second = events(desk)[before:]
    assert [(line.verb, line.facts) for line in (first, second)] == [
        ("workflow.push", {"revision": 2}),
        ("suite.push", {"cases": 12}),
    ]
    assert (second.seq, second.at) == (first.seq + 1, first.at)
    with pytest.raises(ZeroDivisionError), act(desk, mei, Verb.WORKFLOW_PUSH, "sales") as work:
        work.also(Verb.SUITE_PUSH, "sales")
        1 / 0  # noqa: B018  the failure
    assert len(events(desk)) == before + 2


def test_a_second_change_in_one_transaction_needs_its_own_right(desk, mei, person, workflow):
    workflow("clinical", engineering_owner="jonas.weber")
    with pytest.raises(Denied), act(desk, person("jonas.weber"), Verb.WORKFLOW_PUSH, "clinical") as work:
        create(work, "smuggled")
        work.also(Verb.WORKFLOW_GOVERN, "clinical")
    assert "smuggled" not in workflows(desk)
    assert events(desk)[-1].verb == "refused"


def test_who_creates_a_workflow_fills_it_but_releases_nothing_from_it(desk, person):
    eve = person("eve.stone")
    with act(desk, eve, Verb.WORKFLOW_CREATE, "support") as work:
        work.also(Verb.PROMPT_MINT, "support.reply")
    for verb in (Verb.RELEASE_OPEN, Verb.RELEASE_APPROVE, Verb.WORKFLOW_GOVERN, Verb.ACTOR_ADD):
        with pytest.raises(Denied), act(desk, eve, Verb.WORKFLOW_CREATE, "other") as work:
            work.also(verb, "other")


def test_a_second_change_stays_in_its_workflow(desk, mei):
    with pytest.raises(ValueError, match="clinical"), act(desk, mei, Verb.WORKFLOW_PUSH, "sales") as work:
        work.also(Verb.SUITE_PUSH, "clinical")
