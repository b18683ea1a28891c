"""What an independent checker found about the reference workflows, found again by a desk that is given the folder."""

import json
from collections import Counter
from pathlib import Path

import pytest

from cuelight.files import read_folder
from cuelight_server.access import store as access
from cuelight_server.control.evaluation import run_pending, start
from cuelight_server.control.opening import create_desk
from cuelight_server.control.push import push
from cuelight_server.db.engine import reading
from cuelight_server.views import evaluation as view

ROOT = Path(__file__).parents[3]
EXPECTED = json.loads((ROOT / "server/tests/vectors/expected_results.json").read_text())


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """(prompt, version) -> report, from one local desk (always files) into which every example was pushed."""
    desk = create_desk(tmp_path_factory.mktemp("desks") / "desk", local=True, admin=("mei.tanaka", "Mei Tanaka"))
    with reading(desk.registry) as sql:
        mei = access.account(sql, "mei.tanaka").actor()
    for workflow in sorted({one["prompt"].partition(".")[0] for one in EXPECTED}):
        push(desk, mei, read_folder(ROOT / "examples" / workflow).bundle, as_drafts=True)
    made = {}
    for one in EXPECTED:
        id = start(desk, mei, one["prompt"], one["version"], "recorded")
        assert run_pending(desk, {})
        made[one["prompt"], one["version"]] = view.show(desk, id).report
    yield made
    desk.close()


def test_all_twelve_recorded_versions_are_among_them(reports):
    counted = Counter(one["prompt"].partition(".")[0] for one in EXPECTED)
    assert counted == {"sales": 6, "tutoring": 3, "clinical": 3}
    assert len(reports) == 12


@pytest.mark.parametrize("expected", EXPECTED, ids=lambda one: f"{one['prompt']}@{one['version']}")
def test_a_report_says_what_the_independent_checker_found(reports, expected):
    report = reports[expected["prompt"], expected["version"]]
    assert report["error"] is None
    assert {name: report[name] for name in expected if name != "why"} == {
        name: value for name, value in expected.items() if name != "why"
    }
    why = [words for words in expected["why"] if not words.startswith("registry:")]
    assert report["why"][: len(why)] == why
    assert bool(report["why"]) == bool(why)
