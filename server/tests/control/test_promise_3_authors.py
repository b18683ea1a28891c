"""Promise 3, the makers: whoever wrote the change, its rules or its tests does not also say yes to it."""

import pytest
from sqlalchemy import insert

from cuelight.contract.canonical import digest
from cuelight_server.control.evidence import gather
from cuelight_server.control.push import push
from cuelight_server.control.releases import approve, check, release, roll_back
from cuelight_server.db import schema
from cuelight_server.db.engine import Intent, reading, transaction
from cuelight_server.kernel.actor import SYSTEM
from cuelight_server.kernel.errors import Blocked, Denied
from cuelight_server.prompts import store as prompts
from cuelight_server.prompts.model import Numbered
from server.tests.folders import OWNERS, folder, prompt
from server.tests.folders import PROMPT as DRAFTED
from server.tests.releasing import (
    BACKUP,
    ENGINEER,
    OWNER,
    PROMPT,
    RISK,
    document,
    evaluate,
    govern,
    prepare,
    suite,
    who,
)

AT = "2026-01-05T09:00:00.000000Z"
EASY = {"approvals": ["workflow_owner"]}


def served(desk, **how):
    """v1 is live, on the yes of both owners."""
    prepare(desk, **how)
    evaluate(desk, "v1")
    for one in (OWNER, ENGINEER):
        approve(desk, who(desk, one), PROMPT, "v1")
    release(desk, who(desk, ENGINEER), PROMPT, "v1")


def missing(desk, label="v2"):
    return {item.id: item.words for item in check(desk, PROMPT, label).missing}


def words(desk, id, label="v2"):
    return next(item.words for item in check(desk, PROMPT, label).items if item.id == id)


def numbered(made, number=1, name=""):
    facts = {"digest": digest(made), "document": made, "actor": "x", "created_at": AT}
    return Numbered(workflow="sales", name=name, number=number, **facts)


def put(desk, save, row):
    with transaction(desk.registry, Intent.WRITE) as sql:
        save(sql, row)


def test_promise_3_easier_rules_that_were_pushed_first_do_not_spare_the_old_yes(desk):
    served(desk)
    govern(desk, document(release=EASY))
    evaluate(desk, "v2")
    assert set(missing(desk)) == {"approval:workflow_owner", "approval:engineering_owner"}
    approve(desk, who(desk, OWNER), PROMPT, "v2")
    with pytest.raises(Blocked, match="engineering owner"):
        release(desk, who(desk, ENGINEER), PROMPT, "v2")


def test_promise_3_an_empty_list_of_approvals_asks_for_the_tiers_and_stands_in_the_way(desk):
    served(desk)
    rules = {"qualify": {"use_case": "x", "fallback": {"message": "m"}, "release": {"approvals": []}}}
    govern(desk, document(prompts=rules))
    evaluate(desk, "v2")
    assert set(missing(desk)) == {"lint", "approval:workflow_owner", "approval:engineering_owner"}
    assert missing(desk)["lint"] == "nobody's yes is asked for before a release"


def test_promise_3_who_changed_the_release_rules_since_the_last_release_is_an_author(desk):
    served(desk)
    govern(desk, document(title="Sales, anew"), by=ENGINEER)
    evaluate(desk, "v2")
    with pytest.raises(Denied, match=rf"{ENGINEER} changed the release rules since v1 went live"):
        approve(desk, who(desk, ENGINEER), PROMPT, "v2")
    assert f"{ENGINEER} changed the release rules since v1 went live" in missing(desk)["approval:engineering_owner"]
    approve(desk, who(desk, OWNER), PROMPT, "v2")
    approve(desk, who(desk, BACKUP), PROMPT, "v2")
    assert missing(desk) == {}


def test_promise_3_who_changed_the_suite_since_the_last_release_is_an_author_and_the_change_is_told(desk):
    served(desk)
    suite(desk, by=OWNER, cases=[{"id": "C01", "category": "normal", "title": "t", "input": {"lead": "x"}}])
    evaluate(desk, "v2")
    assert "9 cases removed, 1 case changed" in words(desk, "suite")
    with pytest.raises(Denied, match=f"{OWNER} changed the suite since v1 went live"):
        approve(desk, who(desk, OWNER), PROMPT, "v2")
    assert "lint" in missing(desk)  # categories without a case


def test_promise_3_switching_off_first_does_not_make_the_rules_forgotten(desk):
    served(desk)
    roll_back(desk, SYSTEM, PROMPT, why="bad")
    govern(desk, document(release=EASY), by=OWNER)
    evaluate(desk, "v2")
    assert "approval:engineering_owner" in missing(desk)
    with pytest.raises(Denied, match="changed the release rules"):
        approve(desk, who(desk, OWNER), PROMPT, "v2")


def test_before_a_first_release_the_rules_have_no_authors(desk):
    prepare(desk)
    govern(desk, document(title="Sales, anew"), by=OWNER)
    evaluate(desk, "v1")
    approve(desk, who(desk, OWNER), PROMPT, "v1")


def test_promise_3_another_authority_than_the_one_in_force_is_a_change_of_boundary(desk):
    extra = document(release={"extra": [{"classes": ["boundary"], "roles": ["risk_owner"]}]})
    prepare(desk, workflow=extra)
    evaluate(desk, "v1")
    for one in (OWNER, ENGINEER, RISK):
        approve(desk, who(desk, one), PROMPT, "v1")
    release(desk, who(desk, ENGINEER), PROMPT, "v1")
    evaluate(desk, "v2")
    assert "approval:risk_owner" not in missing(desk)
    govern(desk, extra, {"actions": [{"action": "crm.write", "mode": "may_execute"}]})
    assert "approval:risk_owner" in missing(desk)


def authors(desk, prompt, label):
    with reading(desk.registry) as sql:
        return gather(desk, sql, prompt, label, "production").authors


def test_promise_3_who_wrote_a_draft_of_the_version_is_an_author_of_it(desk, person):
    ana, chi, ben = (person(OWNERS[role]) for role in ("workflow_owner", "engineering_owner", "domain_expert"))
    push(desk, chi, folder())
    wip = prompt(settings={**DRAFTED["settings"], "max_output_tokens": 200})
    last = prompt(settings={**DRAFTED["settings"], "max_output_tokens": 100})
    push(desk, ana, folder(labels={"v1": DRAFTED, "wip": last}))  # the same content under another label
    push(desk, ben, folder(labels={"v1": DRAFTED, "v2": wip}), as_drafts=True)  # other content under its label
    push(desk, chi, folder(labels={"v1": DRAFTED, "v2": last}))
    assert authors(desk, "library.answer", "v2") == {
        chi.id: "wrote v2",
        ana.id: "wrote parts of v2",
        ben.id: "wrote parts of v2",
    }


def test_who_contributed_is_written_once_and_stays(desk):
    prepare(desk)
    row = {"prompt": PROMPT, "digest": "sha256:x", "label": "v1", "actor": OWNER, "at": AT}
    with transaction(desk.registry, Intent.WRITE) as sql:
        sql.execute(insert(schema.contribution).values(**row))
    for change in (schema.contribution.update().values(actor="x"), schema.contribution.delete()):
        with pytest.raises(Exception, match="never changes"), transaction(desk.registry, Intent.WRITE) as sql:
            sql.execute(change)


def test_promise_3_a_report_measured_with_other_prices_does_not_count(desk):
    prepare(desk)
    evaluate(desk, "v1")
    approve(desk, who(desk, OWNER), PROMPT, "v1")
    put(desk, prompts.save_prices, numbered({"models": [{"model": "*", "input_per_1k": 5, "output_per_1k": 5}]}))
    assert "prices changed since" in missing(desk, "v1")["report"]
    assert "approval:workflow_owner" in missing(desk, "v1")
    with pytest.raises(Blocked, match="prices changed since"):
        approve(desk, who(desk, ENGINEER), PROMPT, "v1")


def test_promise_3_a_yes_is_void_when_what_the_workflow_knows_changes(desk):
    prepare(desk)
    evaluate(desk, "v1")
    approve(desk, who(desk, OWNER), PROMPT, "v1")
    assert set(missing(desk, "v1")) == {"approval:engineering_owner"}
    put(desk, prompts.save_knowledge, numbered({"knowledge": "hours", "items": []}, name="hours"))
    assert "approval:workflow_owner" in missing(desk, "v1")


def test_how_many_runs_it_took_to_pass_is_told(desk):
    prepare(desk)
    evaluate(desk, "v1")
    assert "runs" not in words(desk, "report", "v1")
    evaluate(desk, "v1", "fail")
    evaluate(desk, "v1")
    assert words(desk, "report", "v1").endswith("says pass; 2 of 3 runs for exactly this passed")
