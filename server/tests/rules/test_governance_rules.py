"""Who says yes to a change of the rules: pure, from tables; persons count, not accounts."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuelight_server.governance.model import ADMINISTRATOR, RECEIVER, Consent, Facts, Kind, Proposal, State
from cuelight_server.governance.rules import missing, needs, refuse_force, seat
from cuelight_server.kernel.errors import Blocked, Conflict, CuelightError, Denied
from cuelight_server.kernel.terms import Role, Tier
from cuelight_server.prompts.governed import changes, governed, held_back, is_gated, merged, rest
from cuelight_server.releases import policy
from server.tests.folders import edited, workflow

W, E, R = Role.WORKFLOW_OWNER, Role.ENGINEERING_OWNER, Role.RISK_OWNER
OPEN = Proposal(
    id="gov_1",
    workflow="library",
    kind=Kind.CHANGE,
    base="now",
    base_revision=1,
    binding="b",
    document={},
    author="ana",
    note="",
    created_at="t",
)
FACTS = Facts(
    proposal=OPEN,
    now="now",
    required=(W, E),
    holders={W: ("ana", "ann"), E: ("chi",)},
    admins=("ada",),
    given=(),
    person_of={},
)


def yes(person, role):
    return Consent(id=f"{person}-{role}", proposal="gov_1", role=role, person=person, note="", created_at="t")


def test_promise_3_the_second_account_of_the_author_is_the_author():
    facts = replace(FACTS, person_of={"ann": "ana"})
    assert [(one.role, one.could) for one in needs(facts)] == [
        ("engineering_owner", ("chi",)),
        (ADMINISTRATOR, ("ada",)),
    ]
    with pytest.raises(Denied, match="no author says yes"):
        seat(facts, "ann", None, admin=False)


def test_promise_3_two_accounts_of_one_person_are_one_yes():
    facts = replace(FACTS, person_of={"ann": "sam", "chi": "sam"}, given=(yes("ann", W),))
    with pytest.raises(Conflict, match="said yes as workflow owner already"):
        seat(facts, "chi", None, admin=False)
    both = replace(facts, given=(yes("ann", W), yes("chi", E)))
    assert len(missing(both)) == 1


def test_an_administrator_who_owns_the_other_account_of_the_author_stands_in_for_nobody():
    facts = replace(FACTS, holders={W: ("ana",), E: ("chi",)}, person_of={"ada": "ana"})
    assert needs(facts)[-1].could == ()
    with pytest.raises(Denied):
        seat(facts, "ada", None, admin=True)


def test_a_yes_of_the_administrator_does_not_count_once_somebody_holds_the_role_again():
    vacant = replace(FACTS, holders={W: ("ana",), E: ("chi",)}, given=(yes("ada", ADMINISTRATOR), yes("chi", E)))
    assert missing(vacant) == ()
    held = replace(vacant, holders={W: ("ana", "ann"), E: ("chi",)})
    assert [one.role for one in missing(held)] == ["workflow_owner"]


def test_the_way_that_fills_most_roles_is_taken():
    facts = replace(
        FACTS, holders={W: ("ann", "chi"), E: ("chi",)}, given=(yes("chi", W), yes("ann", W), yes("chi", E))
    )
    assert missing(facts) == ()


PEOPLE = ("ana", "ann", "chi", "dee", "ada")


@given(
    given_yes=st.lists(
        st.tuples(st.sampled_from(PEOPLE), st.sampled_from([*Role, ADMINISTRATOR, RECEIVER])), max_size=8
    ),
    held=st.dictionaries(st.sampled_from([W, E, R]), st.lists(st.sampled_from(PEOPLE), max_size=3).map(tuple)),
    required=st.lists(st.sampled_from([W, E, R]), unique=True).map(tuple),
    persons=st.dictionaries(st.sampled_from(PEOPLE), st.sampled_from(PEOPLE)),
    receiver=st.none() | st.sampled_from(PEOPLE),
    state=st.sampled_from(State),
)
def test_promise_3_nothing_comes_into_force_without_distinct_people_who_are_not_interested(
    given_yes, held, required, persons, receiver, state
):
    proposal = replace(OPEN, receiver=receiver, state=state)
    facts = Facts(
        proposal=proposal,
        now="now",
        required=required,
        holders=held,
        admins=("ada",),
        given=tuple(yes(who, str(role)) for who, role in given_yes),
        person_of=persons,
    )
    try:
        refuse_force(facts)
    except CuelightError:
        return
    assert state is State.OPEN
    filled = [one for one in needs(facts) if one.role != RECEIVER]
    people = [facts.one(one.given_by) for one in filled]
    assert len(people) == len(set(people))
    assert facts.one("ana") not in people
    assert receiver is None or facts.one(receiver) not in people
    if required:
        assert filled


@pytest.mark.parametrize("state", [one for one in State if one is not State.OPEN])
def test_what_has_ended_moves_no_more(state):
    with pytest.raises(Conflict):
        refuse_force(replace(FACTS, proposal=replace(OPEN, state=state), required=()))


def test_a_missing_yes_is_named_with_who_could_give_it():
    with pytest.raises(Blocked) as refused:
        refuse_force(FACTS)
    assert refused.value.hint == "ask ann (workflow owner), chi (engineering owner)"


@pytest.mark.parametrize(
    ("tier", "asked"),
    [(Tier.LOW, ()), (Tier.STANDARD, (W,)), (Tier.ELEVATED, (W, E)), (Tier.REGULATED, (W, Role.DOMAIN_EXPERT, E, R))],
)
def test_the_tier_in_force_says_who_is_asked(tier, asked):
    assert policy.for_governance(workflow(tier=tier), (), authority=False) == asked


def test_the_rules_of_a_prompt_that_change_ask_whom_they_asked():
    document = edited(workflow(), "prompts", "answer", "release", to={"approvals": ["risk_owner"]})
    assert policy.for_governance(document, ("answer",), authority=False) == (W, E, R)
    assert policy.for_governance(document, (), authority=False) == (W, E)


NO_ACTIONS = {"actions": []}


@pytest.mark.parametrize("tier", ["low", "standard", "elevated", "high", "regulated"])
@pytest.mark.parametrize("after", ["low", "standard", "elevated", "high", "regulated"])
def test_a_tier_that_only_goes_up_is_free_and_everything_else_is_gated(tier, after):
    old, new = workflow(tier=tier), workflow(tier=after)
    down = list(Tier).index(Tier(after)) < list(Tier).index(Tier(tier))
    assert is_gated(old, NO_ACTIONS, new, NO_ACTIONS) is down
    other = {"actions": [{"action": "x", "mode": "never"}]}
    assert is_gated(old, NO_ACTIONS, new, other) is (tier != "low")
    assert is_gated(old, NO_ACTIONS, {**new, "business_owner": "eve"}, NO_ACTIONS) is (tier != "low")


def test_taking_out_and_putting_back_gives_the_same_document():
    document = edited(
        workflow(release={"approvals": ["risk_owner"]}),
        "prompts",
        "answer",
        "owners",
        to={"risk_owner": {"person": "x"}},
    )
    assert merged(rest(document), {**governed(document), "people": document["people"]}) == document
    assert held_back(document, document) == document


def test_changes_are_told_a_line_each():
    new = edited(workflow(tier="low"), "owners", "risk_owner", to={"person": "eve", "backup": "bob"})
    wider = {"actions": [{"action": "hold.place", "mode": "may_execute"}]}
    assert changes(workflow(), NO_ACTIONS, new, wider) == (
        "owners.risk_owner.backup: (nothing) -> bob",
        "owners.risk_owner.person: dee.lund -> eve",
        "tier: elevated -> low",
        "authority.hold.place: (nothing) -> action hold.place, mode may_execute",
    )
