"""Pushing a folder: what is new is stored, what is wrong is refused, and half a push does not exist."""

import json
import threading

import pytest
from sqlalchemy import func, select, update

from cuelight.contract.content import parse
from cuelight.contract.errors import Conflict, Invalid
from cuelight_server.control import prompts as control
from cuelight_server.control.push import push
from cuelight_server.db import schema
from cuelight_server.db.engine import Intent, reading, transaction
from cuelight_server.prompts import store
from server.tests.folders import OWNERS, PROMPT, content, edited, folder, recording, suite, without, workflow
from server.tests.pushing import lines, log, rows, size, told

NAME = "library.answer"
RULE = ("messages", 0, "parts", 1, "text")
WARM = edited(PROMPT, "settings", "temperature", to=0.3)
BRIEF = edited(PROMPT, *RULE, to="Answer from the catalogue, in brief.\n")


@pytest.fixture
def ana(person):
    """The workflow owner."""
    return person(OWNERS["workflow_owner"])


@pytest.fixture
def sent(desk, ana):
    """`sent(v1=PROMPT, draft=...)`: pushes these labels as the workflow owner, and gives the result as JSON."""

    def send(*, by=ana, as_drafts=False, bundle=None, **labels):
        return push(desk, by, bundle or folder(labels=labels or None), as_drafts=as_drafts).to_json()

    return send


def test_a_new_folder_becomes_a_workflow_with_everything_in_it(desk, ana, sent):
    before = size(desk)
    done = sent(bundle=folder(recordings=[recording(content().digest)]))
    assert done["workflow"] == "library"
    assert done["minted"] == [{"prompt": NAME, "label": "v1", "number": 1, "digest": content().digest, "why": ""}]
    assert [(one["name"], one["number"], one["state"]) for one in done["suites"]] == [("answer", 1, "new")]
    assert [(one["name"], one["number"], one["state"]) for one in done["knowledge"]] == [("hours", 1, "new")]
    assert (done["prices"]["number"], done["prices"]["state"]) == (1, "new")
    assert done["recordings"] == {"new": 1, "changed": 0, "unchanged": 0}
    assert (done["governance"], done["refused"], done["drafts"], done["findings"]) == ("new", [], [], [])
    assert lines(desk, before) == [
        ("workflow.create", "library"),
        ("prompt.mint", "library.answer@v1"),
        ("suite.push", "library.answer"),
        ("knowledge.push", "library.hours"),
        ("prices.push", "library"),
        ("recording.push", "library"),
    ]
    with reading(desk.registry) as sql:
        stored = store.version(sql, NAME, 1)
        assert (stored.author, stored.release_note, parse(stored.content)) == (
            ana.id,
            PROMPT["release_note"],
            content(),
        )
        assert store.recordings_of(sql, "library", content().digest)["L01", 1]["output"] == "{}"


def test_the_folders_people_become_accounts_that_open_nothing(desk, sent):
    sent()
    with reading(desk.registry) as sql:
        kinds = dict(sql.execute(select(schema.actor.c.id, schema.actor.c.kind)).all())
        assert kinds == dict.fromkeys(OWNERS.values(), "person")
        assert sql.scalar(select(func.count()).select_from(schema.token)) == 0
    assert log(desk)[-5].facts["people"] == [one for one in OWNERS.values() if one != "ana.reyes"]


def test_the_same_folder_again_changes_nothing_and_leaves_no_line(desk, sent):
    bundle = folder(labels={"v1": PROMPT, "draft": WARM}, recordings=[recording(content().digest)])
    sent(bundle=bundle)
    before, kept = size(desk), rows(desk)
    done = sent(bundle=bundle)
    assert (told(done["unchanged"]), done["minted"], done["governance"]) == ([("v1", 1)], [], "unchanged")
    assert [one["state"] for one in done["drafts"]] == ["unchanged"]
    assert {one["state"] for one in (*done["suites"], *done["knowledge"], done["prices"])} == {"unchanged"}
    assert done["recordings"] == {"new": 0, "changed": 0, "unchanged": 1}
    assert (size(desk), rows(desk)) == (before, kept)


def test_a_number_that_is_used_again_for_other_content_is_refused(desk, sent):
    sent(v1=PROMPT)
    kept = rows(desk)
    done = sent(v1=WARM)
    assert [(one["label"], one["why"], one["hint"]) for one in done["refused"]] == [
        ("v1", "a version never changes", "save as v2")
    ]
    assert rows(desk) == kept


def test_the_next_number_is_minted_and_the_first_stays(desk, sent):
    sent(v1=PROMPT)
    before = size(desk)
    done = sent(v1=PROMPT, v2=WARM)
    assert (told(done["minted"]), told(done["unchanged"])) == ([("v2", 2)], [("v1", 1)])
    assert lines(desk, before) == [("workflow.push", "library"), ("prompt.mint", "library.answer@v2")]
    with reading(desk.registry) as sql:
        assert store.version(sql, NAME, 1).digest == content().digest


def test_numbers_only_go_up(sent):
    sent(v5=PROMPT)
    done = sent(v3=WARM, v5=PROMPT)
    assert [(one["label"], one["hint"]) for one in done["refused"]] == [("v3", "save as v6")]


def test_the_same_content_under_another_number_is_no_version_of_its_own(sent):
    sent(v1=PROMPT)
    done = sent(v1=PROMPT, v2=edited(PROMPT, "release_note", to="Said otherwise."))
    assert told(done["unchanged"]) == [("v1", 1)]
    assert [(one["label"], one["why"]) for one in done["refused"]] == [("v2", "the same content as v1")]
    assert not done["minted"]


def test_a_new_release_note_of_a_minted_version_is_said_to_be_ignored(sent):
    sent(v1=PROMPT)
    (kept,) = sent(v1=edited(PROMPT, "release_note", to="Said otherwise."))["unchanged"]
    assert kept["why"] == "its new release note is ignored: a version never changes"
    assert sent(v1=PROMPT)["unchanged"][0]["why"] == ""


def test_a_gap_in_the_numbers_is_said_in_words(sent):
    sent(v1=PROMPT)
    (made,) = sent(v1=PROMPT, v4=WARM)["minted"]
    assert made["why"] == "there is no v2 to v3, and there never will be: numbers only go up"


def test_carriage_returns_make_no_new_version(sent):
    sent(v1=PROMPT)
    done = sent(v1=json.loads(json.dumps(PROMPT).replace("\\n", "\\r\\n")))
    assert (told(done["unchanged"]), done["refused"]) == ([("v1", 1)], [])


def test_a_version_with_an_error_is_refused_with_it_while_its_neighbour_is_minted(desk, sent):
    done = sent(v1=PROMPT, v2=without(WARM, "release_note"))
    assert told(done["minted"]) == [("v1", 1)]
    assert [(one["label"], [each["code"] for each in one["findings"]]) for one in done["refused"]] == [
        ("v2", ["release_note_missing"])
    ]
    with reading(desk.registry) as sql:
        assert store.version(sql, NAME, 2) is None


def test_no_number_is_burned_by_an_earlier_one_that_was_refused(sent):
    done = sent(v1=without(PROMPT, "release_note"), v2=WARM)
    assert (done["minted"], [one["label"] for one in done["refused"]]) == ([], ["v1", "v2"])
    assert done["refused"][1]["why"] == "v1 comes first and was refused"
    assert told(sent(v1=PROMPT, v2=WARM)["minted"]) == [("v1", 1), ("v2", 2)]


def test_an_error_of_the_workflow_lets_no_version_through_but_keeps_drafts(desk, sent):
    bundle = folder(labels={"v1": PROMPT, "idea": WARM}, workflow=without(workflow(), "owners", "risk_owner"))
    done = sent(bundle=bundle)
    assert ([one["label"] for one in done["refused"]], [one["label"] for one in done["drafts"]]) == (["v1"], ["idea"])
    with reading(desk.registry) as sql:
        assert store.draft(sql, NAME, "idea").digest == content(WARM).digest


def test_a_draft_is_stored_whatever_lint_says(sent):
    broken = edited(without(PROMPT, "release_note"), *RULE, to="Use {{nobody}} {{.")
    done = sent(idea=broken)
    assert ([one["state"] for one in done["drafts"]], done["refused"]) == (["new"], [])
    assert {one["code"] for one in done["findings"]} == {"template_broken"}


def test_one_broken_document_writes_nothing(desk, sent):
    kept, before = rows(desk), size(desk)
    bundle = folder(labels={"v1": PROMPT, "v2": without(WARM, "settings")})
    with pytest.raises(Invalid) as refused:
        sent(bundle=bundle)
    assert {one["document"] for one in refused.value.details["problems"]} == {"prompts/answer/v2"}
    assert (rows(desk), size(desk)) == (kept, before)


def test_a_suite_gets_a_number_for_each_change_also_back(sent, desk):
    numbers = []
    for cases in (10, 9, 10, 10):
        done = sent(bundle=folder(suites={"answer": suite(cases=suite()["cases"][:cases])}))
        numbers.append((done["suites"][0]["number"], done["suites"][0]["state"]))
    assert numbers == [(1, "new"), (2, "new"), (3, "new"), (3, "unchanged")]
    with reading(desk.registry) as sql:
        assert store.suite(sql, "library", "answer").number == 3
        assert store.suite_by_digest(sql, "library", "answer", done["suites"][0]["digest"]).number == 3


def test_a_suite_that_the_desk_knows_need_not_come_again(sent):
    sent(v1=PROMPT)
    done = sent(bundle=folder(labels={"v1": PROMPT, "v2": WARM}, suites={}, knowledge={}, prices=None))
    assert (told(done["minted"]), done["prices"]) == ([("v2", 2)], None)


def test_recordings_are_replaced_one_by_one_and_the_log_says_which(desk, sent):
    digest = content().digest
    sent(bundle=folder(recordings=[recording(digest), recording(digest, "L02")]))
    before = size(desk)
    done = sent(
        bundle=folder(recordings=[recording(digest, output="[]"), recording(digest, "L02"), recording(digest, "L03")])
    )
    assert done["recordings"] == {"new": 1, "changed": 1, "unchanged": 1}
    assert log(desk, before)[-1].facts["replaced"] == [[digest, "L01", 1]]
    with reading(desk.registry) as sql:
        found = store.recordings_of(sql, "library", digest)
    assert {case: one["output"] for (case, _), one in found.items()} == {"L01": "[]", "L02": "{}", "L03": "{}"}


def test_two_workflows_may_record_the_same_content_differently(desk, ana, sent):
    digest = content().digest
    sent(bundle=folder(recordings=[recording(digest)]))
    sent(bundle=folder(workflow=workflow(workflow="museum"), recordings=[recording(digest, output="[]")]))
    with reading(desk.registry) as sql:
        assert store.recordings_of(sql, "library", digest)["L01", 1]["output"] == "{}"
        assert store.recordings_of(sql, "museum", digest)["L01", 1]["output"] == "[]"


@pytest.mark.parametrize("as_drafts", [False, True])
def test_a_draft_saved_ten_times_leaves_production_alone(desk, ana, sent, as_drafts):
    sent(v1=PROMPT)
    kept = rows(desk)
    for number in range(10):
        sent(as_drafts=as_drafts, v1=PROMPT, idea=edited(PROMPT, "settings", "seed", to=number))
    after = rows(desk)
    for table in ("version", "deployment", "release", "snapshot", "workflow_revision", "suite"):
        assert after[table] == kept[table]
    assert len(after["draft"]) == 1
    with reading(desk.registry) as sql:
        assert store.draft(sql, NAME, "idea").content["settings"]["seed"] == 9


def test_as_drafts_every_label_is_a_draft_and_nothing_is_minted(desk, sent):
    done = sent(as_drafts=True, v1=PROMPT, v2=without(WARM, "release_note"))
    assert (done["minted"], done["refused"], [one["label"] for one in done["drafts"]]) == ([], [], ["v1", "v2"])
    with reading(desk.registry) as sql:
        assert store.newest(sql, NAME) is None
        assert store.labelled(sql, NAME, "v2").digest == content(WARM).digest


def test_a_draft_cannot_take_the_name_of_a_version(sent):
    sent(v1=PROMPT)
    done = sent(as_drafts=True, v1=WARM)
    assert [(one["label"], one["why"]) for one in done["refused"]] == [
        ("v1", "v1 is a version; a draft cannot carry its name")
    ]


def test_a_version_takes_the_place_of_the_draft_that_had_its_name(desk, sent):
    sent(v1=PROMPT)
    sent(as_drafts=True, v2=BRIEF)
    sent(v2=WARM)
    with reading(desk.registry) as sql:
        assert store.labelled(sql, NAME, "v2").digest == content(WARM).digest
        assert store.draft(sql, NAME, "v2") is None


def test_claims_about_the_desk_change_nothing_and_are_reported(desk, ana, sent):
    done = sent(v1={**PROMPT, "author": "dee.lund", "status": "approved", "last_approved_by": ["dee.lund"]})
    assert {one["key"] for one in done["ignored"]} == {"author", "status", "last_approved_by"}
    with reading(desk.registry) as sql:
        assert store.version(sql, NAME, 1).author == ana.id


def retire(desk):
    with transaction(desk.registry, Intent.WRITE) as sql:
        sql.execute(update(schema.prompt).where(schema.prompt.c.name == NAME).values(retired_at="2026-01-06T00:00:00Z"))


@pytest.mark.parametrize("bundle", [folder(), folder(labels={})], ids=["with versions", "only listed"])
def test_the_name_of_a_retired_prompt_is_not_used_again(desk, sent, bundle):
    sent()
    retire(desk)
    kept = rows(desk)
    with pytest.raises(Conflict, match="retired"):
        sent(bundle=bundle)
    assert rows(desk) == kept


def test_of_two_who_push_the_same_number_at_once_one_wins_whole(desk, person, sent):
    sent(v1=PROMPT)
    rival = {"ben.cole": WARM, "chi.okafor": BRIEF}
    outcomes, start = [], threading.Barrier(2)

    def run(who, document):
        start.wait()
        try:
            outcomes.append((who, push(desk, who, folder(labels={"v1": PROMPT, "v2": document})).to_json()))
        except Conflict as lost:
            outcomes.append((who, lost))

    people = [(person(who), document) for who, document in rival.items()]
    threads = [threading.Thread(target=run, args=one) for one in people]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    won = [done for _, done in outcomes if not isinstance(done, Conflict) and done["minted"]]
    assert len(won) == 1
    with reading(desk.registry) as sql:
        assert store.newest(sql, NAME).digest == won[0]["minted"][0]["digest"]
        assert [one.label for one in store.versions(sql, NAME).items] == ["v2", "v1"]


def test_a_workflow_that_was_taken_out_gives_the_same_digests_on_another_desk(desk, demo_desk, person, sent):
    labels = {"v1": PROMPT, "v2": WARM, "v4": BRIEF, "idea": edited(WARM, *RULE, to="Guess.\n")}
    sent(bundle=folder(labels=labels, recordings=[recording(content().digest), recording(content(WARM).digest, "L02")]))
    bundle = json.loads(json.dumps(control.export(desk, "library")))
    there = push(demo_desk, person("ana.reyes", of=demo_desk), bundle).to_json()
    assert told(there["minted"]) == [("v1", 1), ("v2", 2), ("v4", 4)]
    assert there["recordings"]["new"] == 2
    assert control.export(demo_desk, "library") == bundle
    assert not sent(bundle=bundle)["minted"]


def test_a_draft_under_a_versions_name_stays_where_it_is(desk, sent):
    sent(as_drafts=True, v1=PROMPT, idea=WARM)
    assert list(control.export(desk, "library")["prompts"]["answer"]) == ["idea"]


def test_many_versions_come_out_whole(desk, sent):
    labels = {f"v{number}": edited(PROMPT, "settings", "seed", to=number) for number in range(1, 231)}
    assert len(sent(**labels)["minted"]) == 230
    assert set(control.export(desk, "library")["prompts"]["answer"]) == set(labels)
