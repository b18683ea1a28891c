"""The pure rules of releasing: what it takes, who may say yes, and where a rollback goes."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuelight.contract.bucket import PLACES
from cuelight.contract.meaning import binding
from cuelight.contract.snapshot import Reason, parse
from cuelight_server.kernel.errors import Blocked, Conflict, Denied, Invalid
from cuelight_server.kernel.terms import ChangeClass, Role, Tier
from cuelight_server.kernel.verdict import Verdict
from cuelight_server.releases import policy
from cuelight_server.releases.checklist import check, filled
from cuelight_server.releases.model import Approval, Evidence, Facts
from cuelight_server.releases.rules import Back, role_for, way_back
from cuelight_server.routing import publish, rules
from cuelight_server.routing.model import Deployment, Governance, Kill, Served

OWNER, EXPERT, ENGINEER, RISK = Role.WORKFLOW_OWNER, Role.DOMAIN_EXPERT, Role.ENGINEERING_OWNER, Role.RISK_OWNER
FOUR = (OWNER, EXPERT, ENGINEER, RISK)


@pytest.mark.parametrize(
    ("tier", "roles"),
    [
        ("low", ()),
        ("standard", (OWNER,)),
        ("elevated", (OWNER, ENGINEER)),
        ("high", FOUR),
        ("regulated", FOUR),
        (None, FOUR),
    ],
)
def test_the_tier_decides_who_must_say_yes(tier, roles):
    document = {"tier": tier} if tier else {}
    assert policy.required(document, "x", ChangeClass.WORDING, "production") == roles
    assert policy.required(document, "x", ChangeClass.BOUNDARY, "staging") == ()


def test_the_prompts_own_rule_wins_over_the_workflows_which_wins_over_the_tier():
    document = {
        "tier": "regulated",
        "release": {"approvals": ["risk_owner"]},
        "prompts": {"own": {"release": {"approvals": ["domain_expert"]}}, "none": {"release": {"approvals": []}}},
    }
    said = {name: policy.required(document, name, ChangeClass.CONTEXT, "production") for name in ("own", "none", "x")}
    assert said == {"own": (EXPERT,), "none": FOUR, "x": (RISK,)}


@pytest.mark.parametrize("change", list(ChangeClass))
def test_extra_roles_come_on_top_for_their_class_of_change_only(change):
    extra = [{"classes": ["boundary", "context"], "roles": ["risk_owner"]}]
    document = {"tier": "standard", "prompts": {"x": {"release": {"extra": extra}}}}
    wanted = (OWNER, RISK) if change in ("boundary", "context") else (OWNER,)
    assert policy.required(document, "x", change, "production") == wanted


def test_a_rule_in_words_is_found_wherever_it_stands():
    document = {"guardrails": [{"metric": "errors", "declared_only": "look now and then"}, {"metric": "cost"}]}
    authority = {"actions": [{"action": "crm.write", "mode": "never", "declared_only": "by hand"}]}
    content = {"output": {"on_invalid": [{"retry": 1}, {"declared_only": "phone Bob"}]}}
    found = policy.declared_only(document, authority, content)
    assert found == ("authority: crm.write", "on_invalid: step 2", "guardrail: errors")
    assert [policy.blocks_declared_only({"tier": tier}) for tier in Tier] == [False, False, True, True, True]


BOUND = {
    "content": "sha256:c",
    "prompt": "a.b",
    "number": 1,
    "environment": "production",
    "revision": "sha256:r",
    "suite": "sha256:s",
    "prices": "sha256:p",
    "knowledge": {"hours": "sha256:k"},
    "evidence": "sha256:e",
    "evaluation": "eval_1",
    "revision_number": 3,
}


@pytest.mark.parametrize("part", [name for name in BOUND if name not in ("evaluation", "revision_number")])
def test_the_binding_changes_with_every_part_of_what_is_approved(part):
    assert binding(BOUND) != binding({**BOUND, part: "other"})


def test_the_binding_does_not_change_with_the_id_of_an_equal_report():
    assert binding(BOUND) == binding({**BOUND, "evaluation": "eval_2", "revision_number": 4})


HELD = {
    OWNER: (("olu", "Olu"), ("bea", "Bea")),
    ENGINEER: (("eva", "Eva"), ("bea", "Bea")),
    RISK: (("rik", "Rik"),),
}


def yes(role, person, bind="b"):
    return Approval(
        id=f"{role}{person}",
        prompt="a.b",
        number=1,
        environment="production",
        binding=bind,
        role=role,
        person=person,
        note="",
        created_at="t",
    )


def facts(*approvals, **changes):
    made = Facts(
        prompt="a.b",
        label="v1",
        environment="production",
        minted=True,
        authors={"ana": "wrote v1"},
        local=False,
        demo=False,
        live=None,
        number=1,
        suite="sha256:s",
        suite_change="",
        lint=(),
        evidence=Evidence(evaluation="eval_1", verdict=Verdict.PASS, recorded=False, evidence="sha256:e"),
        required=(OWNER, ENGINEER),
        holders=HELD,
        approvals=approvals,
        fallback=True,
        declared_only=(),
        blocks_declared_only=True,
        quarantined=None,
        binding="b",
        bound=BOUND,
    )
    return replace(made, **changes)


GREEN = (yes(OWNER, "olu"), yes(ENGINEER, "eva"))


def missing(made):
    return {item.id for item in check(made).missing}


def test_with_everything_there_nothing_is_missing():
    assert check(facts(*GREEN)).ok


@pytest.mark.parametrize(
    ("changes", "item"),
    [
        ({"local": True}, "desk"),
        ({"minted": False}, "version"),
        ({"evidence": None}, "report"),
        ({"suite": None}, "report"),
        ({"lint": ("nobody's yes is asked for",)}, "lint"),
        ({"fallback": False}, "fallback"),
        ({"declared_only": ("authority: x",)}, "declared_only"),
        ({"quarantined": "fences"}, "quarantine"),
        ({"required": (OWNER, ENGINEER, RISK)}, "approval:risk_owner"),
        *[
            ({"evidence": Evidence(evaluation="e", verdict=verdict, recorded=False, evidence="x")}, "report")
            for verdict in (Verdict.FAIL, Verdict.INCONCLUSIVE)
        ],
        ({"evidence": Evidence(evaluation="e", verdict=Verdict.PASS, recorded=False, evidence=None)}, "report"),
        ({"evidence": Evidence(evaluation="e", verdict=Verdict.PASS, recorded=True, evidence="x")}, "recorded"),
    ],
)
def test_each_thing_that_is_missing_is_an_item_of_its_own_that_says_who_can_provide_it(changes, item):
    found = {one.id: one for one in check(facts(*GREEN, **changes)).missing}
    assert item in found
    assert found[item].who
    assert found[item].words


@pytest.mark.parametrize(
    ("approvals", "gone"),
    [
        ((), {"approval:workflow_owner", "approval:engineering_owner"}),
        ((yes(OWNER, "olu"),), {"approval:engineering_owner"}),
        ((yes(OWNER, "bea"), yes(ENGINEER, "bea")), {"approval:engineering_owner", "people"}),
        ((yes(OWNER, "bea"), yes(ENGINEER, "bea"), yes(OWNER, "olu")), set()),
        ((yes(OWNER, "olu", "old"), yes(ENGINEER, "eva")), {"approval:workflow_owner"}),
        ((yes(OWNER, "zoe"), yes(ENGINEER, "eva")), {"approval:workflow_owner", "held"}),
        ((yes(OWNER, "ana"), yes(ENGINEER, "eva")), {"approval:workflow_owner", "held", "people"}),
        ((yes(RISK, "rik"), yes(ENGINEER, "eva")), {"approval:workflow_owner"}),
    ],
)
def test_which_yes_counts(approvals, gone):
    assert missing(facts(*approvals)) == gone


def test_an_author_who_holds_the_role_does_not_count():
    made = facts(yes(OWNER, "olu"), yes(ENGINEER, "eva"), authors={"olu": "wrote v1"})
    assert missing(made) == {"approval:workflow_owner", "people"}


@given(st.lists(st.tuples(st.sampled_from(list(HELD)), st.sampled_from(["olu", "bea", "eva", "rik", "ana", "zoe"]))))
def test_whoever_fills_a_role_holds_it_is_no_author_and_fills_no_other(pairs):
    made = facts(*[yes(role, person) for role, person in pairs], required=(OWNER, ENGINEER, RISK))
    found = filled(made)
    people = [one.person for one in found.values()]
    assert len(set(people)) == len(people)
    assert all(one.person in [id for id, _ in HELD[role]] and one.person != "ana" for role, one in found.items())


@pytest.mark.parametrize(
    ("person", "asked", "made", "kind"),
    [
        ("olu", None, facts(minted=False), Blocked),
        ("olu", None, facts(evidence=None), Blocked),
        ("olu", None, facts(authors={"olu": "wrote v1"}), Denied),
        ("rik", None, facts(), Denied),
        ("olu", ENGINEER, facts(), Denied),
        ("olu", RISK, facts(), Invalid),
        ("olu", None, facts(required=()), Invalid),
        ("olu", None, facts(yes(OWNER, "olu")), Conflict),
        ("bea", ENGINEER, facts(yes(OWNER, "bea")), Blocked),
    ],
)
def test_a_yes_that_cannot_be_given_is_refused_in_the_right_kind(person, asked, made, kind):
    with pytest.raises(kind) as refused:
        role_for(made, person, asked)
    assert refused.value.hint


def test_who_holds_two_roles_fills_the_one_that_is_still_open():
    assert role_for(facts(yes(OWNER, "olu")), "bea", None) is ENGINEER
    assert role_for(facts(), "bea", None) is OWNER
    assert role_for(facts(), "bea", ENGINEER) is ENGINEER


@pytest.mark.parametrize(
    ("live", "target", "asked", "before", "back"),
    [
        (2, 1, None, False, Back.TO_TARGET),
        (2, 1, 2, False, Back.TO_TARGET),
        (1, None, None, False, Back.SWITCH_OFF),
        (1, None, 2, True, Back.DONE_ALREADY),
        (None, None, None, False, Back.DONE_ALREADY),
        (None, None, 1, True, Back.DONE_ALREADY),
    ],
)
def test_where_a_rollback_goes(live, target, asked, before, back):
    assert way_back(live, target, asked, asked_was_rolled_back=before) is back


@pytest.mark.parametrize("live", [2, None])
def test_rolling_back_what_never_served_is_a_conflict(live):
    with pytest.raises(Conflict):
        way_back(live, 1, 3, asked_was_rolled_back=False)


MOVES = st.lists(st.one_of(st.integers(1, 9), st.sampled_from(["back", "kill", "off"])), max_size=12)


@given(MOVES)
def test_however_it_moves_a_deployment_serves_one_whole_version_or_is_switched_off(moves):
    here = Deployment(prompt="a.b", environment="production")
    for at, step in enumerate(moves):
        before = here
        if isinstance(step, int):
            here = rules.move(here, step, release=f"rel_{at}", at=str(at))
            pinned = before.rollback_target if before.rollback_target != step else None
            assert (here.live, here.rollback_target) == (step, before.live or pinned)
        elif step == "back" and here.rollback_target is not None:
            here = rules.rolled_back(here, here.rollback_target, release=None, next_target=None, at=str(at))
            assert here.live == before.rollback_target
        else:
            end = rules.off if step == "off" else rules.killed
            here = end(here, Kill(reason="x", by="y", at=str(at)))
            assert (here.live, here.rollback_target) == (None, before.rollback_target if step == "off" else None)
        assert here.revision == before.revision + 1
        assert sum(weight for _, weight in here.weights) == (PLACES if here.live else 0)
        contents = {("a.b", number): (f"d{number}", {}) for number in range(1, 10)}
        governed = {("a.b", ""): Governance(document={"prompts": {"b": {"fallback": {"message": "m"}}}}, authority={})}
        served = Served(deployments=(here,), contents=contents, governed=governed)
        made = publish.build("production", "e", at, [served])
        turned = replace(served, contents=dict(reversed(contents.items())))
        again = publish.build("production", "e", at, [turned])
        assert made == again
        served = parse(json.loads(made.body)).resolve("a.b")
        assert served.version == (rules.label(here.live) if here.live else None)
        assert here.live or (served.reason, served.fallback) == (Reason.KILL_SWITCH, {"message": "m"})


@pytest.mark.parametrize(
    ("text", "number"),
    [("v1", 1), ("v12", 12), ("v0", None), ("v01", None), ("1", None), ("idea", None), ("v1a", None)],
)
def test_only_a_versions_label_has_a_number(text, number):
    assert rules.number_of(text) == number
