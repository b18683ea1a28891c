"""What promptfoo itself said of the examples, test by test: an import and our own graders say the same."""

import json
from pathlib import Path

import pytest

from cuelight.contract import content
from cuelight.moving.promptfoo import import_config
from cuelight_server.evaluation import results, standing
from cuelight_server.evaluation.graders.outside import Outside
from cuelight_server.evaluation.suite import read_suite
from cuelight_server.providers.port import Completion

EXAMPLES = Path(__file__).parents[4] / "examples" / "promptfoo"
KNOWN = {one.parent.name: json.loads(one.read_text("utf-8")) for one in sorted(EXAMPLES.glob("*/known.json"))}
sandboxes = pytest.importorskip("cuelight_server.sandboxes", reason="graders under promptfoo's names are not here")


def said_of(name):
    """Label -> case -> (passes, score), from the recordings of the import, graded as a run grades them."""
    bundle = import_config(EXAMPLES / name).bundle
    short, labels = next(iter(bundle["prompts"].items()))
    suite = read_suite(short, "sha256:" + "0" * 64, bundle["suites"][short])
    outside = Outside(javascript=sandboxes.javascript(), python=sandboxes.python)
    bench = results.bench(suite, (), None, outside)
    answers = {(one["content"], one["case"]): one["output"] for one in bundle["recordings"]}
    found = {}
    for label, document in labels.items():
        digest = content.parse(document).digest
        for case in suite.cases:
            answer = Completion(text=answers[digest, case.id], latency_ms=0.0, model="echo", finish_reason="stop")
            graded = results.result(bench, case, 1, answer)
            passes = standing.whole(graded) is standing.Standing.SOUND
            found.setdefault(label, {})[case.id] = (passes, round(standing.score(graded) or 0, 6))
    return found


@pytest.mark.parametrize("name", [name for name, one in KNOWN.items() if "results" in one])
def test_every_test_of_an_example_ends_as_it_does_there(name):
    wanted = {
        label: {case: (one["pass"], one["score"]) for case, one in cases.items()}
        for label, cases in KNOWN[name]["results"].items()
    }
    assert said_of(name) == wanted
