"""A workflow that nobody has seen, made by dice, gives the numbers that a plain recount gives."""

import json
import random

import pytest

GOOD, BAD = '{"ok": true}', '{"ok": false}'


@pytest.mark.parametrize("seed", range(12))
def test_an_unseen_workflow_gives_the_numbers_that_a_plain_recount_gives(shelf, seed):
    dice = random.Random(seed)
    count = dice.randint(1, 40)
    shelf.suite(shelf.cases(count), number=2)
    gate = {
        "min_pass_rate": dice.random(),
        "newly_failing_max": dice.randint(0, 3),
        "cost": {"mean_increase_max_pct": dice.randint(0, 40)},
    }
    made = {"v1": shelf.content("old", gate), "v2": shelf.content("new", gate)}
    rows = {}
    for number, (label, one) in enumerate(made.items(), 1):
        shelf.version(number, one)
        for n in range(1, count + 1):
            known = {
                "input_tokens": dice.randint(1, 900),
                "output_tokens": dice.randint(0, 900),
                "latency_ms": dice.randint(1, 3000),
            }
            output = dice.choice([GOOD, GOOD, GOOD, BAD, "oops", '{"ok": 1}', f"```\n{GOOD}\n```"])
            rows[label, f"C{n}"] = {"output": output, **known}
            shelf.record(one, {(f"C{n}", 1): output}, **known)
    shelf.serve(1)
    report = shelf.run("v2").report

    def right(label, case):
        try:
            value = json.loads(rows[label, case]["output"])
        except ValueError:
            return False
        return isinstance(value, dict) and value.get("ok") is True

    cases = [f"C{n}" for n in range(1, count + 1)]
    parsed = [case for case in cases if rows["v2", case]["output"] in (GOOD, BAD, '{"ok": 1}')]
    rate = sum(right("v2", case) for case in cases) / count
    newly = [case for case in cases if right("v1", case) and not right("v2", case)]

    def cost(label):
        each = [rows[label, case]["input_tokens"] * 1e-6 + rows[label, case]["output_tokens"] * 2e-6 for case in cases]
        return sum(each) / count

    def p95(label):
        return sorted(rows[label, case]["latency_ms"] for case in cases)[-(-95 * count // 100) - 1]

    dearer = (cost("v2") / cost("v1") - 1) * 100
    assert report["pass_rate"] == round(rate, 3)
    assert report["newly_failing"] == newly
    assert report["fixed"] == [case for case in cases if right("v2", case) and not right("v1", case)]
    assert report["cost_per_case_usd"] == round(cost("v2"), 5)
    assert report["cost_delta_pct"] == round(dearer, 1)
    assert (report["p95_ms"], report["p95_delta_pct"]) == (p95("v2"), round((p95("v2") / p95("v1") - 1) * 100, 1))
    assert report["blockers"] == ([] if len(parsed) == count else ["json_only"])
    broken = [
        len(parsed) < count,
        rate < gate["min_pass_rate"],
        len(newly) > gate["newly_failing_max"],
        dearer > gate["cost"]["mean_increase_max_pct"],
    ]
    assert report["verdict"] == ("fail" if any(broken) else "pass")
    assert len(report["why"]) == sum(broken)
