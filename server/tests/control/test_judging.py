"""Judges in a run: counted and limited, never alone from tier high up, compared in pairs, checked against people."""

import json
import threading

import pytest
from sqlalchemy import insert, update

from cuelight.contract.canonical import canonical_text, digest
from cuelight_server.control.evaluation import Limits, Ways, run_pending, start
from cuelight_server.db import schema
from cuelight_server.db.engine import Intent, transaction
from cuelight_server.evaluation.graders.outside import Outside
from cuelight_server.kernel.errors import Unavailable
from cuelight_server.providers.port import Completion
from cuelight_server.providers.scripted import Scripted
from cuelight_server.views import evaluation as view

JUDGE = {"provider": "scripted", "model": "m-judge"}
KIND = {"type": "llm-rubric", "severity": "major", "value": "Is it kind?"}
SET = {
    "type": "assert-set",
    "severity": "major",
    "assert": [{"type": "contains", "value": "text"}, {"type": "llm-rubric", "value": "Is it kind?"}],
}
GOOD = '{"ok": true, "text": "kind"}'
BAD = '{"ok": true, "text": "curt"}'
RULES = ((r"kind", True),)


def judged(shelf, *graders, outputs=None, cases=3, count=1, **more):
    """A shelf whose suite has these graders beside the usual ones, and v1 with recorded outputs."""
    base = shelf.cases(cases)
    shelf.suite({**base, "judge": JUDGE, "graders": [*base["graders"], *graders], **more}, 2)
    made = shelf.content()
    shelf.version(1, made)
    shelf.record(made, outputs or shelf.all_say(GOOD, cases, count))
    return made


def against(shelf, new, old, *graders, cases=3, **more):
    """v2 against v1, which serves."""
    judged(shelf, *graders, outputs=shelf.all_say(old, cases), cases=cases, **more)
    shelf.serve(1)
    made = shelf.content("hello again")
    shelf.version(2, made)
    shelf.record(made, shelf.all_say(new, cases))


def run(shelf, judge, label="v1", **how):
    return shelf.run(label, providers={"scripted": judge}, **how)


def test_a_judge_decides_and_its_reason_stands_with_the_output(shelf):
    outputs = {**shelf.all_say(GOOD), ("C2", 1): BAD}
    judged(shelf, {**KIND, "repeats": 3}, outputs=outputs)
    seen = run(shelf, Scripted(rules=RULES))
    assert (seen.report["pass_rate"], seen.report["verdict"]) == (0.667, "pass")
    (entry,) = seen.report["judges"]
    assert (entry["grader"], entry["outputs"], entry["not_run"], entry["split"]) == ("llm-rubric", 3, 0, 0)
    assert entry["agreement"]["words"] == "no labels: nobody has checked this judge"
    assert seen.report["judge_spend"]["calls"] == 9
    row = next(one for one in view.results(shelf.desk, seen.line.id).items if one.case == "C2")
    (said,) = row.document["judged"]
    assert (said["name"], said["of"], said["judge"][:7]) == ("llm-rubric", 3, "sha256:")


def test_a_judge_inside_a_set_is_in_the_report_like_every_other(shelf):
    judged(shelf, {**SET, "id": "both"}, outputs={**shelf.all_say(GOOD), ("C2", 1): BAD})
    seen = run(shelf, Scripted(rules=RULES, instead=lambda asked: "oh well" if "curt" in str(asked.messages) else None))
    (entry,) = seen.report["judges"]
    assert (entry["grader"], entry["outputs"], entry["not_run"]) == ("both/llm-rubric", 3, 1)
    assert "C2" in seen.report["why"][-1]
    row = next(one for one in view.results(shelf.desk, seen.line.id).items if one.case == "C1")
    (said,) = row.document["judged"]
    assert (said["name"], said["judge"], said["members"][0]["passes"]) == ("both", entry["digest"], 1)


def test_a_judge_that_answers_nonsense_makes_the_verdict_inconclusive_and_keeps_the_rest(shelf):
    judged(shelf, KIND)
    seen = run(shelf, Scripted(rules=RULES, instead=lambda _: "oh well"))
    assert (seen.line.state, seen.report["verdict"]) == ("done", "inconclusive")
    assert "3 cases are undecided (C1, C2, C3): llm-rubric: the judge answered nonsense" in seen.report["why"][-1]
    assert seen.report["judges"][0]["not_run"] == 3


def test_a_silent_judge_is_not_waited_for_at_every_output(shelf):
    judged(shelf, KIND, cases=6, outputs=shelf.all_say(GOOD, 6))
    asked = []

    def silent(request):
        asked.append(request.case)
        raise Unavailable("no answer in time")

    report = run(shelf, Scripted(rules=RULES, instead=silent)).report
    assert (len(asked), report["verdict"], len(report["undecided"])) == (3, "inconclusive", 6)
    assert "scripted was silent 3 times in a row" in report["undecided"][-1]["why"]


def test_a_judge_that_nobody_set_up_has_not_run(shelf):
    judged(shelf, KIND)
    seen = shelf.run("v1")
    assert seen.report["verdict"] == "inconclusive"
    assert "this desk has no provider scripted" in seen.report["why"][-1]


def tiered(shelf, tier):
    """The workflow's newest revision says this tier."""
    document = {"tier": tier, "owners": {"workflow_owner": {"person": "mei.tanaka", "backup": None}}}
    row = {
        "workflow": "shop",
        "revision": 2,
        "digest": digest(document),
        "document": canonical_text(document),
        "authority": "{}",
        "actor": "system",
        "created_at": "2026-01-05T09:00:00.000000Z",
    }
    with transaction(shelf.desk.registry, Intent.WRITE) as sql:
        sql.execute(insert(schema.workflow_revision).values(**row))
        sql.execute(update(schema.workflow).values(revision=2))


@pytest.mark.parametrize("grader", [KIND, {**SET, "threshold": 0.5}], ids=["by itself", "in a set that it may carry"])
@pytest.mark.parametrize("tier", ["elevated", "high"])
def test_a_judge_is_never_the_only_blocker_from_tier_high_up(shelf, tier, grader):
    tiered(shelf, tier)
    base = shelf.cases(6)
    shelf.suite({**base, "judge": JUDGE, "graders": [{**grader, "severity": "blocker"}]}, 2)
    made = shelf.content(gate={"min_pass_rate": 0.5})
    shelf.version(1, made)
    shelf.record(made, shelf.all_say(GOOD, 6))
    report = run(shelf, Scripted(rules=RULES)).report
    alone = [one for one in report["why"] if "model judge" in one]
    said = "6 cases have no blocker but a model judge, which is not enough in this tier: C1, C2, C3, C4, C5 and 1 more"
    assert alone == ([said] if tier == "high" else [])
    assert report["verdict"] == "inconclusive"


def test_a_deterministic_blocker_beside_the_judge_is_enough(shelf):
    tiered(shelf, "high")
    judged(shelf, {**KIND, "severity": "blocker"})
    report = run(shelf, Scripted(rules=RULES)).report
    assert not [one for one in report["why"] if "model judge" in one]


def test_what_judges_cost_counts_against_the_limit(shelf):
    judged(shelf, {**KIND, "judge": {"model": "m-1"}})
    plain, dear = (run(shelf, Scripted(rules=RULES), limits=Limits(usd=usd)).report for usd in (1.0, 0.0004))
    assert plain["verdict"] == "pass"
    assert "stopped at the limit of $0.0004" in dear["why"][0]
    report = plain
    assert report["judge_spend"]["usd"] > 0


@pytest.mark.parametrize("grader", [KIND, SET], ids=["by itself", "in a set"])
def test_a_run_that_goes_on_asks_no_judge_twice(shelf, grader):
    judged(shelf, grader, outputs={(f"C{n}", 1): GOOD.replace("kind", f"kind {n}") for n in (1, 2, 3)})
    asked, lock = [], threading.Lock()

    def count(request):
        with lock:
            asked.append(request.case)

    judge = Scripted(rules=RULES, instead=count)
    id = start(shelf.desk, shelf.mei, "shop.talk", "v1", "recorded", "production")
    assert run_pending(shelf.desk, {"scripted": judge}, stop=lambda: len(asked) >= 2)
    before = len(asked)
    assert run_pending(shelf.desk, {"scripted": judge})
    assert view.show(shelf.desk, id).line.state == "done"
    assert (before, len(asked), len(set(asked))) == (2, 3, 3)


def test_two_judges_of_one_name_are_asked_again_rather_than_mixed_up(shelf):
    """The first says no and the second yes: going on must not take the yes for both."""
    kind, short = {**KIND, "value": "Is it kind?"}, {**KIND, "value": "Is it short?"}
    judged(shelf, kind, short, outputs={(f"C{n}", 1): GOOD.replace("kind", f"kind {n}") for n in (1, 2, 3)})
    asked = []

    def answer(request):
        asked.append(request.case)
        good = "short" in str(request.messages)
        return json.dumps({"reason": "r", "pass": good, "score": float(good)})

    judge = Scripted(rules=RULES, instead=answer)
    id = start(shelf.desk, shelf.mei, "shop.talk", "v1", "recorded", "production")
    assert run_pending(shelf.desk, {"scripted": judge}, stop=lambda: len(asked) >= 2)
    assert run_pending(shelf.desk, {"scripted": judge})
    report = view.show(shelf.desk, id).report
    assert (report["pass_rate"], report["verdict"]) == (0.0, "fail")


BEST = {"type": "select-best", "severity": "major", "value": "the kinder one"}


@pytest.mark.parametrize(
    ("new", "old", "state", "wins"),
    [(GOOD, BAD, "fixed", (3, 0, 0)), (BAD, GOOD, "newly_failing", (0, 3, 0)), (GOOD, GOOD, "passing", (0, 0, 3))],
)
def test_the_two_versions_are_compared_in_both_orders(shelf, new, old, state, wins):
    against(shelf, new, old, BEST)
    report = run(shelf, Scripted(rules=RULES), "v2").report
    (entry,) = report["judges"]
    found = entry["pairs"]
    assert (found["wins"], found["losses"], found["ties"]) == wins
    assert {row["state"] for row in report["case_table"]} == {state}
    assert report["judge_spend"]["calls"] == 6


def test_a_pair_stands_with_the_outputs_of_both_sides(shelf):
    against(shelf, BAD, GOOD, BEST)
    seen = run(shelf, Scripted(rules=RULES), "v2")
    rows = view.results(shelf.desk, seen.line.id).items
    assert {(row.arm, row.passed) for row in rows} == {("candidate", False), ("baseline", True)}
    assert {row.document["judged"][0]["choice"] for row in rows} == {"production"}


def test_a_judge_that_likes_what_stands_first_is_found_out(shelf):
    against(shelf, GOOD, BAD, BEST)
    report = run(shelf, Scripted(rules=RULES, first=1.0), "v2").report
    (entry,) = report["judges"]
    assert (entry["pairs"]["flips"], entry["pairs"]["flip_rate"]) == (3, 1.0)
    assert report["verdict"] == "inconclusive"
    assert "it judges the order, not the outputs" in report["why"][-1]


def test_without_a_baseline_there_is_nothing_to_compare_and_a_note_says_so(shelf):
    judged(shelf, BEST)
    report = run(shelf, Scripted(rules=RULES)).report
    assert "no baseline to compare with: select-best" in report["notes"]
    assert report["verdict"] == "pass"


def labels(good, bad, wrong=0, grader="llm-rubric"):
    rows = [(f'{{"text": "kind {n}"}}', True) for n in range(good)]
    rows += [(f'{{"text": "curt {n}"}}', False) for n in range(bad)]
    rows += [(f'{{"text": "kindly no {n}"}}', False) for n in range(wrong)]
    return [{"grader": grader, "case": "C1", "output": text, "passed": passed} for text, passed in rows]


def test_a_judge_is_held_against_what_people_said(shelf):
    judged(shelf, KIND, labels=labels(25, 21, 4))
    (entry,) = run(shelf, Scripted(rules=RULES)).report["judges"]
    found = entry["agreement"]
    assert found["words"].startswith("agrees with people in 46 of 50, kappa 0.84 (0.62 to 0.94)")
    assert (found["labels"], found["trusted"], found["true_pass_rate"], found["true_fail_rate"]) == (
        50,
        True,
        1.0,
        0.84,
    )


def test_labels_that_the_judge_has_no_word_on_are_counted_apart(shelf):
    judged(shelf, KIND, labels=labels(2, 2))
    judge = Scripted(rules=RULES, instead=lambda one: "?" if "curt 0" in json.dumps(one.messages) else None)
    found = run(shelf, judge).report["judges"][0]["agreement"]
    assert (found["labels"], found["no_word"]) == (3, 1)
    assert "1 labels without a word of the judge" in found["words"]


def test_many_rubrics_of_one_grader_are_one_entry(shelf):
    base = shelf.cases()
    cases = [{**one, "graders": [{**KIND, "value": f"Is it kind to {one['id']}?"}]} for one in base["cases"]]
    judged(shelf)
    shelf.suite({**base, "judge": JUDGE, "cases": cases}, 3)
    (entry,) = run(shelf, Scripted(rules=RULES)).report["judges"]
    assert (entry["rubrics"], entry["outputs"]) == (3, 3)


def test_webhook_and_command_reach_a_run_through_the_outside(shelf):
    judged(shelf, {"type": "command", "severity": "major", "value": "spelling"})
    given = []

    def command(name, document):
        given.append((name, document["output"]))
        return {"pass": True, "score": 1, "reason": ""}

    assert shelf.run("v1", ways=Ways(Outside(command=command))).report["verdict"] == "pass"
    assert given[0] == ("spelling", GOOD)
    assert "CUELIGHT_GRADER_COMMANDS" in shelf.run("v1").report["why"][-1]


def test_an_answer_of_a_judge_that_another_model_gave_is_no_word(shelf):
    class Other(Scripted):
        def complete(self, request):
            return Completion(text=f'{{"pass": true, "score": {request.sample}}}', model="m-other")

    judged(shelf, KIND)
    report = run(shelf, Other(rules=RULES)).report
    assert "answered by m-other, pinned is m-judge" in report["why"][-1]
