"""The card of a prompt says what the registry must know of it (requirements R49 to R59)."""

import json

import pytest
from sqlalchemy import insert

from cuelight.contract.errors import NotFound
from cuelight_server.control.ending import retire
from cuelight_server.control.push import push
from cuelight_server.db import schema
from cuelight_server.db.engine import Intent, transaction
from cuelight_server.views import prompts as view
from server.tests.folders import OWNERS, PROMPT, content, edited, folder, prompt, workflow

NAME = "library.answer"
AT = "2026-01-06T09:00:00.000000Z"
WARM = prompt(settings={**PROMPT["settings"], "temperature": 0.3}, release_note="Warmer.")


@pytest.fixture
def filled(desk, person):
    actions = {"hold.place": "may_prepare", "fee.waive": "needs_human_approval", "reader.delete": "never"}
    bundle = folder(
        labels={"v1": PROMPT, "v2": WARM, "idea": edited(PROMPT, "settings", "seed", to=3)},
        authority={"actions": [{"action": name, "mode": mode} for name, mode in actions.items()]},
        workflow=edited(workflow(), "prompts", "answer", "owners", to={"risk_owner": {"person": "eli.stone"}}),
    )
    push(desk, person("ana.reyes"), bundle)
    return desk


def live(desk, weights, *, rollback=None, kill=None, binding="b2", number=2):
    """What production serves, with the yeses that a release rested on, past every gate."""
    released = {"prompt": NAME, "number": number, "environment": "production", "binding": binding}
    yes = {"prompt": NAME, "environment": "production", "note": "Read it.", "created_at": AT}
    with transaction(desk.registry, Intent.WRITE) as sql:
        sql.execute(
            insert(schema.release).values(
                id="rel_1", checklist="{}", state="live", actor="a", note="", created_at=AT, **released
            )
        )
        sql.execute(
            insert(schema.approval),
            [
                {"id": "a1", "number": 2, "binding": "b2", "role": "workflow_owner", "person": "ana.reyes", **yes},
                {"id": "a2", "number": 2, "binding": "b0", "role": "risk_owner", "person": "dee.lund", **yes},
                {"id": "a3", "number": 1, "binding": "b1", "role": "risk_owner", "person": "dee.lund", **yes},
            ],
        )
        sql.execute(
            insert(schema.deployment).values(
                prompt=NAME,
                environment="production",
                tenant="",
                weights=json.dumps(weights),
                rollback_target=rollback,
                kill=json.dumps(kill) if kill else None,
                release="rel_1",
                revision=1,
                since=AT,
            )
        )


def test_the_card_of_a_prompt_that_serves_nobody_yet(filled):
    card = view.card(filled, NAME)
    assert (card.name, card.use_case, card.tier) == (NAME, "Answer a reader's question", "elevated")
    assert (card.business_owner, card.technical_owner) == ("ana.reyes", "chi.okafor")
    held = {one.role: (one.person, one.own) for one in card.owners}
    assert held == {**{role: (who, False) for role, who in OWNERS.items()}, "risk_owner": ("eli.stone", True)}
    assert [(one.label, one.author, one.release_note, one.live_in) for one in card.versions] == [
        ("v2", "ana.reyes", "Warmer.", {}),
        ("v1", "ana.reyes", PROMPT["release_note"], {}),
    ]
    assert [(one.label, one.digest) for one in card.versions][1] == ("v1", content().digest)
    assert [one.label for one in card.drafts] == ["idea"]
    assert (card.environments, card.approvals, card.last_approved_by, card.rollback_version) == ((), (), (), None)
    assert (card.shown, card.model, card.settings["temperature"]) == ("v2", "example-small-2026-06-01", 0.3)
    assert [one["name"] for one in card.variables] == ["catalogue", "question"]
    assert card.output["schema"] == PROMPT["output"]["schema"]
    assert (card.suite, card.fallback) == ("answer", {"person": "front desk"})
    assert card.boundary == ("Never tell who borrowed a book. Complaints go to a person.",)
    assert (card.never, card.needs_approval) == (("reader.delete",), ("fee.waive",))


def test_the_card_tells_what_production_serves_and_who_said_yes_to_that(filled):
    live(filled, [[2, 100_000]], rollback=1)
    card = view.card(filled, NAME)
    (production,) = card.environments
    assert (production.live, production.shares, production.rollback, production.since) == (
        "v2",
        (("v2", 100.0),),
        "v1",
        AT,
    )
    assert {one.label: one.live_in for one in card.versions} == {"v2": {"production": 100.0}, "v1": {}}
    assert card.rollback_version == "v1"
    assert [(one.label, one.person, one.counts) for one in card.approvals if one.counts] == [("v2", "ana.reyes", True)]
    assert len(card.approvals) == 3
    assert [(one.person, one.role) for one in card.last_approved_by] == [("ana.reyes", "workflow_owner")]
    assert view.listing(filled).items[0].serving == {"production": "v2"}


def test_the_card_shows_the_version_that_serves_and_not_the_newest(filled):
    live(filled, [[1, 100_000]], binding="b1", number=1)
    card = view.card(filled, NAME)
    assert (card.shown, card.settings["temperature"]) == ("v1", 0)
    assert [(one.label, one.person) for one in card.last_approved_by] == [("v1", "dee.lund")]


def test_the_card_shows_shares_and_says_why_a_prompt_is_off(filled):
    live(filled, [[2, 5_000], [1, 95_000]], rollback=1)
    card = view.card(filled, NAME)
    assert {one.label: one.live_in for one in card.versions} == {"v2": {"production": 5.0}, "v1": {"production": 95.0}}


def test_a_prompt_that_is_switched_off_is_live_nowhere(filled):
    live(filled, [], kill={"reason": "wrong answers", "by": "dee.lund", "at": AT})
    card = view.card(filled, NAME)
    assert (card.environments[0].live, card.environments[0].switched_off) == (None, "wrong answers")
    assert {one.label: one.live_in for one in card.versions} == {"v2": {}, "v1": {}}
    assert view.listing(filled).items[0].serving == {}


def test_old_versions_come_page_by_page(filled):
    first = view.card(filled, NAME, size=1)
    rest = view.card(filled, NAME, before=int(first.next), size=1)
    assert ([one.label for one in first.versions], [one.label for one in rest.versions]) == (["v2"], ["v1"])
    assert rest.next is None


def test_the_list_tells_use_case_tier_owner_and_newest(filled):
    (line,) = view.listing(filled).items
    told = (line.name, line.use_case, line.tier, line.owner, line.newest, line.serving, line.retired)
    assert told == (NAME, "Answer a reader's question", "elevated", "ana.reyes", "v2", {}, False)


def test_a_card_becomes_json(filled):
    assert json.loads(json.dumps(view.card(filled, NAME).to_json()))["name"] == NAME


def test_a_prompt_of_drafts_shows_one_of_them(desk, person):
    push(desk, person("ana.reyes"), folder(labels={"idea": WARM}))
    card = view.card(desk, NAME)
    assert (card.shown, card.settings["temperature"], card.versions) == ("idea", 0.3, ())


def test_there_is_no_card_of_nothing(desk):
    with pytest.raises(NotFound):
        view.card(desk, NAME)
    with pytest.raises(NotFound):
        view.content(desk, NAME, "v1")


def test_the_card_says_what_is_shown_where_its_schema_stands_and_what_its_variables_look_like(filled):
    card = view.card(filled, NAME)
    assert (card.digest, card.release_note) == (card.versions[0].digest, "Warmer.")
    assert card.schema_link == f"/api/v1/prompts/{NAME}/v2#/content/output/schema"
    found = view.content(filled, NAME, "v2").to_json()["content"]["output"]["schema"]
    assert found == PROMPT["output"]["schema"]
    assert {
        one["name"]: (one["type"], one["trust"], one["example"], one["example_from"]) for one in card.variables
    } == {
        "catalogue": ("json", "internal", [], "the test set's defaults"),
        "question": ("string", "untrusted", "Question 1?", "case L01"),
    }
    assert (card.consumers, card.last_report, card.retired_by) == ((), None, None)


def test_the_card_of_a_retired_prompt_says_who_retired_it(filled, person):
    retire(filled, person("ana.reyes"), NAME, "replaced")
    card = view.card(filled, NAME)
    assert (card.retired_by, card.retired_at is not None) == ("ana.reyes", True)
