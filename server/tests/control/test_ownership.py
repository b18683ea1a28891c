"""Who owns what: what is missing comes first, the moment it is missing; handing over takes the yes of who receives."""

import csv
import io

import pytest

from cuelight_server.control import governing, handing
from cuelight_server.control.access import add_actor, disable_actor
from cuelight_server.control.proposals import show
from cuelight_server.control.push import push
from cuelight_server.control.releases import approve, check, release
from cuelight_server.control.verify import verify_desk
from cuelight_server.kernel.actor import SYSTEM
from cuelight_server.kernel.errors import Blocked, Conflict, Denied, Invalid, NotFound
from cuelight_server.kernel.sight import Sight
from cuelight_server.views.ownership import as_csv, as_markdown, ownership
from cuelight_server.views.sight import sight_of
from server.tests import releasing
from server.tests.folders import folder
from server.tests.governed import ADMIN, ANA, ANN, CHI, CY, DEE, ELI, STRANGER, actor, library, needs, now, rules


def kinds(desk):
    return [(one.kind, one.role, one.blocks) for one in ownership(desk).findings]


def row(desk, role):
    return next(one for one in ownership(desk).rows if one.role == role)


def test_every_prompt_and_role_has_its_line_with_backup_and_when_they_were_last_here(desk):
    library(desk)
    owner = row(desk, "workflow_owner")
    assert (owner.prompt, owner.tier, owner.state, owner.person.id, owner.backup.id) == (
        "library.answer",
        "elevated",
        "ok",
        ANA,
        ANN,
    )
    assert owner.person.last_active.startswith("2026-01-05")
    assert owner.backup.last_active is None  # never did anything: said so, and not taken for long ago
    assert len(ownership(desk).rows) == 5


def test_last_active_is_taken_from_the_log(desk):
    library(desk)
    before = row(desk, "workflow_owner").person.last_active
    push(desk, actor(desk, ANA), folder(workflow=rules(title="Answering every reader")))
    assert row(desk, "workflow_owner").person.last_active > before


def test_gaps_come_first_then_orphans_then_single_points_of_failure(desk):
    owners = rules()["owners"]
    del owners["support_owner"]
    library(desk, owners=owners)
    disable_actor(desk, SYSTEM, DEE)
    assert kinds(desk) == [
        ("gap", "support_owner", True),
        ("orphan", "risk_owner", True),
        ("single", "domain_expert", False),
    ]


def test_one_person_as_business_and_technical_owner_is_told_and_stops_from_elevated_up_only(desk):
    both = rules(tier="low", business_owner=ANA, technical_owner=ANA)
    library(desk, **{key: both[key] for key in ("tier", "business_owner", "technical_owner")})
    assert ("two_owners", "", False) in kinds(desk)
    push(desk, actor(desk, ANA), folder(workflow={**both, "tier": "elevated"}))
    assert ("two_owners", "", True) in kinds(desk)


def test_an_owner_who_is_disabled_flags_the_prompt_at_once_and_stops_its_promotion(desk):
    releasing.prepare(desk)
    releasing.evaluate(desk, "v1")
    for one in (releasing.OWNER, releasing.ENGINEER):
        approve(desk, actor(desk, one), releasing.PROMPT, "v1")
    assert check(desk, releasing.PROMPT, "v1").ok
    disable_actor(desk, SYSTEM, releasing.RISK)
    assert ("orphan", "risk_owner", True) in kinds(desk)
    with pytest.raises(Blocked, match="owners that the tier asks for are missing: the risk owner"):
        release(desk, actor(desk, releasing.ENGINEER), releasing.PROMPT, "v1")


def test_a_backup_who_is_here_keeps_it_going(desk):
    releasing.prepare(desk)
    disable_actor(desk, SYSTEM, releasing.ENGINEER)
    assert "owners" not in {one.id for one in check(desk, releasing.PROMPT, "v1").missing}
    assert ("single", "engineering_owner", False) in kinds(desk)


def test_everybody_sees_the_owners_of_their_own_workflows(desk):
    library(desk)
    zoe = actor(desk, STRANGER)
    assert ownership(desk, sight_of(desk, zoe)).rows == ()
    with pytest.raises(NotFound, match="there is no library here for you"):
        ownership(desk, sight_of(desk, zoe), "library")
    assert len(ownership(desk, Sight(frozenset({"library"}))).rows) == 5


def test_the_map_is_written_as_markdown_and_as_csv_that_no_spreadsheet_runs(desk):
    add_actor(desk, SYSTEM, DEE, "=HYPERLINK(1)|x")
    library(desk)
    found = ownership(desk)
    text = as_markdown(found)
    assert text.startswith("# Ownership map\n\n- **single** library.answer: domain expert")
    assert "=HYPERLINK(1)\\|x (dee.lund)" in text
    table = list(csv.DictReader(io.StringIO(as_csv(found))))
    assert len(table) == 5
    assert next(one["person"] for one in table if one["role"] == "risk owner") == "'=HYPERLINK(1)|x (dee.lund)"


def offered(desk, by=CHI, role="engineering_owner", to=STRANGER, **how):
    return handing.offer(desk, actor(desk, by), "library", role, to, why="leaves in May", **how).id


def test_a_role_is_handed_over_with_reason_acceptance_and_the_yes_of_others(desk):
    library(desk)
    id = offered(desk)
    assert show(desk, id).changes == (f"owners.engineering_owner.person: {CHI} -> {STRANGER}",)
    assert needs(desk, id) == {"workflow_owner": None, "engineering_owner": None, "receiver": None}
    for one in (ANA, CY):
        governing.approve(desk, actor(desk, one), id)
    with pytest.raises(Blocked, match="the yes of the receiver"):
        governing.put_into_force(desk, actor(desk, CHI), id)
    with pytest.raises(Denied, match="hands nothing over to"):
        governing.accept(desk, actor(desk, ELI), id)
    governing.accept(desk, actor(desk, STRANGER), id)
    governing.put_into_force(desk, actor(desk, CHI), id)
    assert now(desk).document["owners"]["engineering_owner"] == {"person": STRANGER, "backup": CY}
    assert row(desk, "engineering_owner").person.name == "Zoe Stranger"
    assert verify_desk(desk).problems == ()


def test_a_receiver_who_is_disabled_after_accepting_receives_nothing(desk):
    library(desk, tier="low")
    id = offered(desk)
    governing.accept(desk, actor(desk, STRANGER), id)
    disable_actor(desk, SYSTEM, STRANGER)
    with pytest.raises(Blocked, match="the yes of the receiver"):
        governing.put_into_force(desk, actor(desk, CHI), id)


def test_the_receiver_sees_the_workflow_from_the_offer_on_and_may_decline(desk):
    library(desk)
    assert not sight_of(desk, actor(desk, STRANGER)).sees("library")
    id = offered(desk)
    assert sight_of(desk, actor(desk, STRANGER)).sees("library")
    with pytest.raises(Denied, match="may not say yes to a proposed change"):
        governing.approve(desk, actor(desk, STRANGER), id)
    governing.refuse(desk, actor(desk, STRANGER), id, "no time")
    assert (show(desk, id).state, show(desk, id).ended_why) == ("declined", "no time")
    assert not sight_of(desk, actor(desk, STRANGER)).sees("library")
    assert verify_desk(desk).problems == ()


def test_a_backup_hands_over_the_backups_place(desk):
    library(desk, tier="low")
    id = offered(desk, by=CY, from_=CY)
    governing.accept(desk, actor(desk, STRANGER), id)
    governing.put_into_force(desk, actor(desk, CY), id)
    assert now(desk).document["owners"]["engineering_owner"] == {"person": CHI, "backup": STRANGER}


def test_a_role_of_one_prompt_is_handed_over_alone(desk):
    library(desk, tier="low")
    id = handing.offer(desk, actor(desk, CHI), "library.answer", "engineering_owner", STRANGER, why="x").id
    governing.accept(desk, actor(desk, STRANGER), id)
    governing.put_into_force(desk, actor(desk, CHI), id)
    assert now(desk).document["owners"]["engineering_owner"]["person"] == CHI
    assert row(desk, "engineering_owner").person.id == STRANGER
    assert row(desk, "engineering_owner").own


def test_the_named_technical_owner_goes_along_with_the_role(desk):
    library(desk, tier="low", technical_owner=CHI)
    id = offered(desk)
    governing.accept(desk, actor(desk, STRANGER), id)
    governing.put_into_force(desk, actor(desk, CHI), id)
    assert now(desk).document["technical_owner"] == STRANGER


@pytest.mark.parametrize(
    ("how", "error", "words"),
    [
        ({"by": ELI}, Denied, "does not hold the role of engineering owner"),
        ({"to": "nobody.here"}, NotFound, "there is no person nobody.here"),
        ({"to": CHI}, Conflict, "holds that role already"),
        ({"from_": ELI}, NotFound, "is not the engineering owner"),
        ({"role": "boss"}, Invalid, "there is no role boss"),
        ({"by": STRANGER}, NotFound, "there is no library here for you"),
        ({"by": ADMIN}, Denied, "does not hold the role"),
    ],
)
def test_a_handover_that_makes_no_sense_is_refused(desk, how, error, words):
    library(desk)
    with pytest.raises(error, match=words):
        offered(desk, **how)


def test_an_administrator_hands_over_what_nobody_holds_any_more(desk):
    library(desk)
    for one in (CHI, CY):
        disable_actor(desk, SYSTEM, one)
    id = offered(desk, by=ADMIN)
    assert set(needs(desk, id)) == {"workflow_owner", "administrator", "receiver"}
