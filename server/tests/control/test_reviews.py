"""Blind reviews: what a reviewer sees and does not, what counts for a release and what does not."""

import json
import sqlite3

import pytest
from sqlalchemy import select, update

from cuelight_server.audit import store as audit
from cuelight_server.control import releases
from cuelight_server.control.evaluation import start
from cuelight_server.control.push import push
from cuelight_server.control.reviews import answer, look, open_review, sign
from cuelight_server.control.verify import verify_desk
from cuelight_server.db import schema
from cuelight_server.db.engine import Intent, reading, transaction
from cuelight_server.kernel.errors import Blocked, Conflict, Denied, Invalid, NotFound
from cuelight_server.views import evaluation as reports
from cuelight_server.views import reviews as view
from server.tests.folders import suite
from server.tests.governed import ANA, ANN, BEN, CHI, CY, DEE, STRANGER
from server.tests.releasing import who
from server.tests.reviewing import (
    ASKED,
    BEA,
    PROMPT,
    approved,
    asked,
    bundle,
    evaluated,
    item,
    library,
    read_all,
)


def line(desk, verb):
    with reading(desk.registry) as sql:
        return [one for one in audit.readable(sql) if one.verb == verb][-1]


def test_changed_outputs_are_drawn_first_and_asking_again_draws_the_same(demo_desk):
    ids = library(demo_desk)
    one, again = (asked(demo_desk, ids["v2"]) for _ in range(2))
    assert {each.case for each in one.cases} == {each.case for each in again.cases}
    assert {each.case for each in one.cases if each.why == "changed"} == {"L04", "L07"}
    assert len(one.cases) == ASKED["min_cases"]
    assert one.seed != again.seed


def test_named_cases_come_on_top_of_the_draw_and_count_for_no_gate(demo_desk):
    ids = library(demo_desk)
    made = asked(demo_desk, ids["v2"], named=("L01", "L02"), count=1)
    assert [each.why.value for each in made.cases] == ["named", "named", "changed"]
    read_all(demo_desk, who(demo_desk, BEN), made.id)
    assert not item(demo_desk).ok
    assert "has 1 drawn cases" in item(demo_desk).words
    with pytest.raises(NotFound, match="no case L99"):
        asked(demo_desk, ids["v2"], named=("L99",))


def test_the_reviewer_sees_input_and_outputs_and_nothing_of_whose_they_are(demo_desk):
    ids = library(demo_desk)
    made, ben = asked(demo_desk, ids["v2"]), who(demo_desk, BEN)
    told = [look(demo_desk, ben, made.id, number).to_json() for number in (1, 2, 3)]
    outputs = [{json.loads(one[side]["text"])["answer"] for side in "ab"} for one in told]
    assert {"v1 on L04", "v2 on L04"} in outputs
    for one in told:
        assert set(one["a"]) == {"text", "tool_calls"}
        assert not {"label", "case", "why", "passed", "failed", "model"} & set(one)
        assert one["input"]["question"].startswith("Question")
    shown = view.show(demo_desk, ben, made.id)
    assert shown.line.blind
    assert shown.revealed == ()
    assert (shown.line.label, shown.line.evaluation, shown.line.content_digest, shown.line.evidence_digest) == (
        None,
        None,
        None,
        None,
    )
    assert "seed" not in json.dumps(shown.to_json())
    assert made.seed not in json.dumps(dict(line(demo_desk, "review.open").facts))


def test_reviewers_see_the_cases_in_orders_of_their_own(demo_desk):
    ids = library(demo_desk, changed=tuple(one["id"] for one in suite()["cases"]))
    made = asked(demo_desk, ids["v2"], count=10)
    seen = {
        person: [look(demo_desk, who(demo_desk, person), made.id, number).a.text for number in range(1, 11)]
        for person in (BEN, BEA)
    }
    assert seen[BEN] != seen[BEA]
    for texts in seen.values():
        first = sum("v1" in one for one in texts)
        assert 0 < first < 10


def test_a_signed_review_by_the_role_ticks_the_checklist_and_is_bound_to_the_report(demo_desk):
    ids = library(demo_desk)
    assert "0 of 1 blind reviews of 3 cases by the domain expert are signed" in item(demo_desk).words
    assert item(demo_desk).who == ("Ben Cole (ben.cole)", "Bea Backup (bea.backup)")
    approved(demo_desk, "v2")
    with pytest.raises(Blocked, match="blind review"):
        releases.release(demo_desk, who(demo_desk, CHI), PROMPT, "v2")
    made = asked(demo_desk, ids["v2"])
    read_all(demo_desk, who(demo_desk, BEN), made.id)
    assert item(demo_desk).ok
    facts = line(demo_desk, "review.sign").facts
    assert (facts["content"], facts["evidence"]) == (made.content_digest, made.evidence_digest)
    assert (facts["cases"], facts["unacceptable"]) == (3, 0)
    releases.release(demo_desk, who(demo_desk, CHI), PROMPT, "v2")
    assert verify_desk(demo_desk).problems == ()


def test_a_review_of_another_report_does_not_count(demo_desk):
    ids = library(demo_desk)
    read_all(demo_desk, who(demo_desk, BEN), asked(demo_desk, ids["v2"]).id)
    assert item(demo_desk).ok
    push(
        demo_desk,
        who(demo_desk, DEE),
        bundle(suites={"answer": suite(graders=[{"type": "json_only", "severity": "major"}])}),
    )
    evaluated(demo_desk, "v2")
    assert not item(demo_desk).ok
    assert "a signed review of another report or question does not count" in item(demo_desk).words


def test_a_review_that_asks_another_question_than_the_gate_does_not_count(demo_desk):
    gate = {"human_review": {**ASKED, "question": "Would you say this at the desk?"}}
    ids = library(demo_desk, live=False, gate=gate)
    easier = asked(demo_desk, ids["v2"], question="Is it English?")
    read_all(demo_desk, who(demo_desk, BEN), easier.id)
    assert not item(demo_desk).ok
    same = asked(demo_desk, ids["v2"])
    assert same.question == "Would you say this at the desk?"
    read_all(demo_desk, who(demo_desk, BEN), same.id)
    assert item(demo_desk).ok


def test_an_author_may_read_but_does_not_count(demo_desk):
    ids = library(demo_desk, live=False, gate={"human_review": {"roles": ["engineering_owner"], "min_cases": 2}})
    made = asked(demo_desk, ids["v2"], "engineering_owner")
    read_all(demo_desk, who(demo_desk, CY), made.id)
    found = item(demo_desk, id="human_review:engineering_owner")
    assert not found.ok
    assert "the review by cy.backup does not count: cy.backup wrote v2" in found.words
    read_all(demo_desk, who(demo_desk, CHI), made.id)
    assert item(demo_desk, id="human_review:engineering_owner").ok


def test_what_a_reviewer_cannot_live_with_stands_in_the_way_and_no_second_review_of_theirs_mends_it(demo_desk):
    ids = library(demo_desk)
    read_all(demo_desk, who(demo_desk, BEN), asked(demo_desk, ids["v2"]).id, but=(2,))
    assert not item(demo_desk).ok
    assert "cannot live with 1 of 3 cases" in item(demo_desk).words
    read_all(demo_desk, who(demo_desk, BEN), asked(demo_desk, ids["v2"]).id)
    read_all(demo_desk, who(demo_desk, BEA), asked(demo_desk, ids["v2"]).id)
    assert not item(demo_desk).ok


def test_the_gate_may_allow_some_and_ask_for_more_reviewers(demo_desk):
    ids = library(demo_desk, gate={"human_review": {**ASKED, "reviewers": 2, "unacceptable_max": 1}}, live=False)
    made = asked(demo_desk, ids["v2"])
    read_all(demo_desk, who(demo_desk, BEN), made.id, but=(1,))
    assert "1 of 2 blind reviews" in item(demo_desk).words
    read_all(demo_desk, who(demo_desk, BEA), made.id)
    assert item(demo_desk).ok
    assert "they disagree about" in item(demo_desk).words


def test_who_lost_the_role_does_not_count_any_more(demo_desk):
    ids = library(demo_desk, live=False)
    read_all(demo_desk, who(demo_desk, BEN), asked(demo_desk, ids["v2"]).id)
    with transaction(demo_desk.registry, Intent.WRITE) as sql:
        sql.execute(
            update(schema.actor).where(schema.actor.c.id == BEN).values(disabled_at="2026-01-05T10:00:00.000000Z")
        )
    assert "they hold the role no longer" in item(demo_desk).words


def test_only_what_was_opened_is_answered_and_only_what_was_answered_is_signed(demo_desk):
    made, ben = asked(demo_desk, library(demo_desk)["v2"]), who(demo_desk, BEN)
    with pytest.raises(Blocked, match="not opened case 1"):
        answer(demo_desk, ben, made.id, 1, "both")
    look(demo_desk, ben, made.id, 1)
    answer(demo_desk, ben, made.id, 1, "both")
    with pytest.raises(Blocked, match="2 of 3 cases were never opened"):
        sign(demo_desk, ben, made.id)
    for number in (2, 3):
        look(demo_desk, ben, made.id, number)
    with pytest.raises(Blocked, match="2 of 3 cases are not answered"):
        sign(demo_desk, ben, made.id)
    for number in (2, 3):
        answer(demo_desk, ben, made.id, number, "neither")
    answer(demo_desk, ben, made.id, 3, "both")  # until it is signed it may be said anew
    document = sign(demo_desk, ben, made.id).document
    assert [one["better"] for one in document["cases"]] == ["both", "neither", "both"]
    assert all(one["opened_at"] < one["answered_at"] for one in document["cases"])
    with pytest.raises(Conflict):
        sign(demo_desk, ben, made.id)
    with pytest.raises(Conflict):
        answer(demo_desk, ben, made.id, 1, "neither")


@pytest.mark.parametrize(
    ("better", "live", "note"),
    [
        ("c", "", ""),
        ("a", "", ""),
        ("a", "b", ""),
        ("both", "none", ""),
        ("neither", "a", ""),
        ("both", "", "x" * 2001),
    ],
)
def test_answers_that_make_no_sense_are_refused(demo_desk, better, live, note):
    made, ben = asked(demo_desk, library(demo_desk)["v2"]), who(demo_desk, BEN)
    look(demo_desk, ben, made.id, 1)
    with pytest.raises(Invalid):
        answer(demo_desk, ben, made.id, 1, better, live, note)


@pytest.mark.parametrize("person", [ANA, ANN, DEE, STRANGER, "root.admin"])
def test_nobody_without_the_role_reads_or_signs(demo_desk, person):
    made, other = asked(demo_desk, library(demo_desk)["v2"]), who(demo_desk, person)
    for deed in (
        lambda: look(demo_desk, other, made.id, 1),
        lambda: answer(demo_desk, other, made.id, 1, "both"),
        lambda: sign(demo_desk, other, made.id),
    ):
        with pytest.raises(NotFound if person == STRANGER else Denied):
            deed()


def test_a_first_version_is_read_alone(demo_desk):
    made, ben = asked(demo_desk, library(demo_desk, live=False)["v1"]), who(demo_desk, BEN)
    shown = look(demo_desk, ben, made.id, 1)
    assert shown.b is None
    with pytest.raises(Invalid, match="no answer here"):
        answer(demo_desk, ben, made.id, 1, "a", "both")
    read_all(demo_desk, ben, made.id, but=(1,))
    revealed = view.show(demo_desk, ben, made.id).revealed
    assert all(one.baseline is None for one in revealed)
    assert sum(not one.said[0].candidate_ok for one in revealed) == 1


def test_signing_reveals_whose_is_whose_and_where_reviewers_disagree(demo_desk):
    made, ben, bea = asked(demo_desk, library(demo_desk)["v2"]), who(demo_desk, BEN), who(demo_desk, BEA)
    for reader, wanted in ((ben, "v2"), (bea, "v1")):
        for number in (1, 2, 3):
            shown = look(demo_desk, reader, made.id, number)
            sides = [side for side, one in (("a", shown.a), ("b", shown.b)) if wanted in one.text]
            side = sides[0] if len(sides) == 1 else "both"
            answer(demo_desk, reader, made.id, number, side, "both", "because")
        assert view.show(demo_desk, bea, made.id).revealed == ()
        sign(demo_desk, reader, made.id)
    found = {one.case: one for one in view.show(demo_desk, ben, made.id).revealed}
    assert [each.prefers for each in found["L04"].said] == ["candidate", "baseline"]
    assert found["L04"].disagree
    assert "v2" in found["L04"].candidate.text
    assert (found["L04"].candidate.label, found["L04"].baseline.label) == ("v2", "v1")
    assert item(demo_desk).ok
    assert "they disagree about L04, L07" in item(demo_desk).words


def test_a_report_tells_of_its_reviews_beside_the_evidence_and_not_in_it(demo_desk):
    ids = library(demo_desk)
    before = reports.show(demo_desk, ids["v2"])
    read_all(demo_desk, who(demo_desk, BEN), asked(demo_desk, ids["v2"]).id)
    after = reports.show(demo_desk, ids["v2"])
    assert (before.reviews, len(after.reviews), after.reviews[0]["signed"]) == ((), 1, 1)
    assert before.report == after.report


def test_a_report_that_is_not_there_yet_or_for_nobody_is_not_reviewed(demo_desk):
    ids = library(demo_desk)
    with pytest.raises(NotFound):
        open_review(demo_desk, who(demo_desk, STRANGER), ids["v2"], "domain_expert")
    with pytest.raises(NotFound):
        asked(demo_desk, "eval_none")
    with pytest.raises(Invalid, match="no role"):
        asked(demo_desk, ids["v2"], "boss")
    waiting = start(demo_desk, who(demo_desk, CHI), PROMPT, "v2", "recorded")
    with pytest.raises(Blocked, match="no report"):
        asked(demo_desk, waiting)


FORGED = {
    "a signature": "UPDATE review_signature SET document = replace(document, '\"neither\"', '\"both\"')",
    "a signer": "UPDATE review_signature SET person = 'bea.backup'",
    "the report": "UPDATE review SET evidence_digest = content_digest",
    "the seed": "UPDATE review SET seed = 'x'",
    "the cases": "UPDATE review SET cases = '[]'",
    "a signature that is gone": "DELETE FROM review_signature",
}


@pytest.mark.database("sqlite")
@pytest.mark.parametrize("what", FORGED)
def test_promise_9_a_forged_review_is_found(demo_desk, tmp_path, what):
    made = asked(demo_desk, library(demo_desk)["v2"])
    read_all(demo_desk, who(demo_desk, BEN), made.id, but=(1,))
    assert verify_desk(demo_desk).problems == ()
    with sqlite3.connect(tmp_path / "demo/registry.db") as raw:
        for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            raw.execute(f'DROP TRIGGER "{name}"')
        assert raw.execute(FORGED[what]).rowcount
    assert [one for one in verify_desk(demo_desk).problems if "review" in one and "trigger" not in one]


def test_what_is_signed_never_changes(demo_desk):
    made = asked(demo_desk, library(demo_desk)["v2"])
    read_all(demo_desk, who(demo_desk, BEN), made.id)
    with pytest.raises(Exception, match="never changes"), transaction(demo_desk.registry, Intent.WRITE) as sql:
        sql.execute(update(schema.review_signature).values(document="{}"))
    with reading(demo_desk.registry) as sql:
        found = sql.scalars(select(schema.review_signature.c.document)).all()
    assert len(found) == 2
    assert "{}" not in found
