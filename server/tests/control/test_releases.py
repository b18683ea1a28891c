"""Approving and releasing, as people meet it."""

import json

import pytest
from sqlalchemy import select, update

from cuelight.contract.snapshot import parse
from cuelight_server.audit import store as audit
from cuelight_server.control.access import disable_actor
from cuelight_server.control.desk import Desk
from cuelight_server.control.releases import approve, check, release
from cuelight_server.db import schema
from cuelight_server.db.engine import Intent, reading, transaction
from cuelight_server.kernel.actor import SYSTEM
from cuelight_server.kernel.errors import Blocked, Conflict, Denied, Invalid, NotFound
from cuelight_server.kernel.terms import Role
from cuelight_server.routing import rules, store
from cuelight_server.views.runtime import current
from server.tests.releasing import (
    BACKUP,
    ENGINEER,
    OWNER,
    PROMPT,
    RISK,
    SUPPORT,
    content,
    document,
    draft,
    evaluate,
    govern,
    live,
    mint,
    prepare,
    suite,
    who,
)


def ready(desk: Desk, label: str = "v1", environment: str = "production") -> None:
    """Evaluated and approved."""
    evaluate(desk, label)
    for one in (OWNER, ENGINEER):
        approve(desk, who(desk, one), PROMPT, label, environment)


def released(desk: Desk, label: str = "v1") -> None:
    ready(desk, label)
    release(desk, who(desk, ENGINEER), PROMPT, label, note="go")


def missing(desk: Desk, label: str, environment: str = "production") -> set[str]:
    return {item.id for item in check(desk, PROMPT, label, environment).missing}


def snapshot(desk: Desk, environment: str = "production"):
    return parse(json.loads(current(desk, environment).body))


def test_a_version_with_report_and_both_approvals_goes_live_and_the_snapshot_says_so(desk):
    prepare(desk)
    ready(desk)
    done = release(desk, who(desk, ENGINEER), PROMPT, "v1", note="first")
    served = snapshot(desk).resolve(PROMPT)
    assert (served.version, served.release, done.previous) == ("v1", done.id, None)
    assert done.snapshot_version == snapshot(desk).version == 1


def test_a_release_without_anything_names_every_missing_item_and_who_can_provide_it(desk):
    prepare(desk)
    with pytest.raises(Blocked) as refused:
        release(desk, who(desk, ENGINEER), PROMPT, "v1")
    assert missing(desk, "v1") == {"report", "approval:workflow_owner", "approval:engineering_owner"}
    assert "no report of this server" in refused.value.message
    assert "Olu Owner (olu.owner)" in refused.value.hint
    assert "Eva Eng" in refused.value.hint
    items = {item["id"] for item in refused.value.details["checklist"]["items"] if not item["ok"]}
    assert items == missing(desk, "v1")
    assert live(desk) is None


def test_a_refused_release_stands_in_the_log(desk):
    prepare(desk)
    with pytest.raises(Blocked):
        release(desk, who(desk, ENGINEER), PROMPT, "v1")
    with reading(desk.registry) as sql:
        last = audit.newest(sql, size=1).items[0]
    assert (last.verb, last.actor, last.facts["verb"]) == ("refused", ENGINEER, "release.open")


def test_a_draft_is_never_released(desk):
    prepare(desk)
    draft(desk)
    evaluate(desk, "idea")
    assert "version" in missing(desk, "idea")
    for place in ("production", "staging", "development"):
        with pytest.raises(Blocked):
            release(desk, who(desk, ENGINEER), PROMPT, "idea", place)
    with pytest.raises(Blocked, match="is a draft"):
        approve(desk, who(desk, OWNER), PROMPT, "idea")


def test_an_unknown_version_is_not_found(desk):
    prepare(desk)
    with pytest.raises(NotFound):
        release(desk, who(desk, ENGINEER), PROMPT, "v9")


@pytest.mark.parametrize("verdict", ["fail", "inconclusive"])
def test_a_newer_report_that_does_not_pass_takes_the_older_pass_away(desk, verdict):
    prepare(desk)
    ready(desk)
    evaluate(desk, "v1", verdict)
    assert missing(desk, "v1") == {"report"}
    with pytest.raises(Blocked, match=f"says {verdict}"):
        release(desk, who(desk, ENGINEER), PROMPT, "v1")


def test_a_report_for_an_older_suite_does_not_count(desk):
    prepare(desk)
    ready(desk)
    suite(desk, "more")
    assert "report" in missing(desk, "v1")
    with pytest.raises(Blocked):
        release(desk, who(desk, ENGINEER), PROMPT, "v1")


def test_a_report_against_an_older_production_version_does_not_count(desk):
    prepare(desk, versions=3)
    evaluate(desk, "v3")
    released(desk, "v1")
    assert "report" in missing(desk, "v3")


def test_a_report_of_another_version_does_not_count(desk):
    prepare(desk)
    evaluate(desk, "v1")
    assert "report" in missing(desk, "v2")


def test_a_recorded_report_releases_on_a_demo_desk_only(desk, demo_desk):
    for one in (desk, demo_desk):
        prepare(one)
        evaluate(one, "v1", provider="recorded")
        for person in (OWNER, ENGINEER):
            approve(one, who(one, person), PROMPT, "v1")
    assert missing(desk, "v1") == {"recorded"}
    with pytest.raises(Blocked):
        release(desk, who(desk, ENGINEER), PROMPT, "v1")
    release(demo_desk, who(demo_desk, ENGINEER), PROMPT, "v1")
    assert live(demo_desk) == 1


def test_approving_before_there_is_a_report_is_blocked(desk):
    prepare(desk)
    with pytest.raises(Blocked, match="nothing to say yes to"):
        approve(desk, who(desk, OWNER), PROMPT, "v1")


def test_an_author_cannot_approve_their_own_version(desk):
    prepare(desk, versions=0)
    mint(desk, 1, author=OWNER)
    evaluate(desk, "v1")
    with pytest.raises(Denied, match="author"):
        approve(desk, who(desk, OWNER), PROMPT, "v1")
    approve(desk, who(desk, BACKUP), PROMPT, "v1", role="workflow_owner")


def test_who_does_not_hold_the_role_cannot_approve(desk):
    prepare(desk)
    evaluate(desk, "v1")
    with pytest.raises(Denied, match="no workflow owner or engineering owner"):
        approve(desk, who(desk, SUPPORT), PROMPT, "v1")
    with pytest.raises(Denied, match="no workflow owner of"):
        approve(desk, who(desk, ENGINEER), PROMPT, "v1", role="workflow_owner")
    with pytest.raises(Invalid, match="not needed"):
        approve(desk, who(desk, RISK), PROMPT, "v1", role="risk_owner")


def test_one_person_cannot_fill_two_roles(desk):
    prepare(desk)
    evaluate(desk, "v1")
    first = approve(desk, who(desk, BACKUP), PROMPT, "v1")
    assert first.role is Role.WORKFLOW_OWNER
    with pytest.raises(Blocked, match="said yes as workflow owner already"):
        approve(desk, who(desk, BACKUP), PROMPT, "v1", role="engineering_owner")
    with pytest.raises(Conflict):
        approve(desk, who(desk, BACKUP), PROMPT, "v1")


def test_an_approval_is_void_after_the_workflow_changed(desk):
    prepare(desk)
    ready(desk)
    govern(desk, document(), {"actions": [{"action": "crm.write", "mode": "may_execute"}]})
    assert {"approval:workflow_owner", "approval:engineering_owner"} <= missing(desk, "v1")
    with pytest.raises(Blocked):
        release(desk, who(desk, ENGINEER), PROMPT, "v1")


def test_an_approval_for_production_does_not_count_for_another_version(desk):
    prepare(desk)
    ready(desk)
    evaluate(desk, "v2")
    assert {"approval:workflow_owner", "approval:engineering_owner"} <= missing(desk, "v2")


def test_the_yes_of_someone_disabled_since_does_not_count(desk, person):
    prepare(desk)
    ready(desk)
    disable_actor(desk, SYSTEM, OWNER)
    assert {"approval:workflow_owner", "held"} <= missing(desk, "v1")
    approve(desk, who(desk, BACKUP), PROMPT, "v1", role="workflow_owner")
    release(desk, who(desk, ENGINEER), PROMPT, "v1")


def test_a_role_that_the_prompt_gives_to_someone_else_counts_there(desk):
    mine = document()
    mine["prompts"]["qualify"]["owners"] = {"workflow_owner": {"person": RISK}}
    prepare(desk, workflow=mine)
    evaluate(desk, "v1")
    with pytest.raises(Denied):
        approve(desk, who(desk, OWNER), PROMPT, "v1")
    assert approve(desk, who(desk, RISK), PROMPT, "v1").role is Role.WORKFLOW_OWNER


def test_staging_needs_a_report_and_no_approval(desk):
    prepare(desk)
    with pytest.raises(Blocked):
        release(desk, who(desk, ENGINEER), PROMPT, "v1", "staging")
    evaluate(desk, "v1")
    release(desk, who(desk, ENGINEER), PROMPT, "v1", "staging")
    assert (live(desk, "staging"), live(desk)) == (1, None)


def test_a_local_desk_never_releases(make_desk, clock):
    here = make_desk("local", local=True, clock=clock)
    prepare(here)
    ready(here)
    assert missing(here, "v1") == {"desk"}
    with pytest.raises(Blocked):
        release(here, who(here, ENGINEER), PROMPT, "v1")


def test_a_prompt_without_a_declared_fallback_is_not_released(desk):
    mine = document(prompts={"qualify": {"use_case": "qualify a lead"}})
    prepare(desk, workflow=mine)
    ready(desk)
    assert missing(desk, "v1") == {"lint", "fallback", "rollback"}


@pytest.mark.parametrize("tier", ["standard", "elevated"])
def test_a_rule_in_words_blocks_from_tier_elevated_up(desk, tier):
    prepare(desk, versions=0, workflow=document(tier=tier, release={"approvals": ["workflow_owner"]}))
    mint(desk, 1, made=content("x", output={"format": "text", "on_invalid": [{"declared_only": "phone Bob"}]}))
    evaluate(desk, "v1")
    approve(desk, who(desk, OWNER), PROMPT, "v1")
    assert missing(desk, "v1") == ({"declared_only"} if tier == "elevated" else set())


def test_releasing_what_is_live_is_a_conflict(desk):
    prepare(desk)
    released(desk)
    with pytest.raises(Conflict):
        release(desk, who(desk, ENGINEER), PROMPT, "v1")


def test_who_may_not_release_is_denied_even_with_everything_green(desk):
    prepare(desk)
    ready(desk)
    with pytest.raises(Denied):
        release(desk, who(desk, RISK), PROMPT, "v1")
    assert live(desk) is None


def test_a_release_pins_what_was_live_and_ends_the_release_before(desk):
    prepare(desk)
    released(desk, "v1")
    released(desk, "v2")
    with reading(desk.registry) as sql:
        states = dict(sql.execute(select(schema.release.c.number, schema.release.c.state)).all())
        target = sql.scalar(select(schema.deployment.c.rollback_target))
    assert (states, target) == ({1: "superseded", 2: "live"}, 1)


def test_the_snapshot_holds_only_versions_that_are_served(desk):
    prepare(desk)
    released(desk, "v1")
    released(desk, "v2")
    assert list(snapshot(desk).document["versions"][PROMPT]) == ["v2"]


def test_a_release_and_its_audit_line_come_together(desk):
    prepare(desk)
    released(desk, "v1")
    with reading(desk.registry) as sql:
        last = audit.newest(sql, size=1).items[0]
    assert (last.verb, last.subject, last.facts["snapshot"]["version"]) == ("release.open", f"{PROMPT}@v1", 1)
    assert last.facts["snapshot"]["digest"] == current(desk, "production").digest


def test_a_deployment_that_moved_in_between_is_not_overwritten(desk):
    prepare(desk)
    released(desk, "v1")
    with reading(desk.registry) as sql:
        stale = store.deployment(sql, PROMPT, "production")
    with transaction(desk.registry, Intent.WRITE) as sql:
        sql.execute(update(schema.deployment).values(revision=7))
    with pytest.raises(Conflict), transaction(desk.registry, Intent.WRITE) as sql:
        store.save(sql, rules.move(stale, 2, release="rel_x", at="t"))
