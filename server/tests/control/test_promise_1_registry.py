"""Promise 1, at the registry: no push puts anything before users, whatever the folder says and whoever pushes."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cuelight.contract.errors import CuelightError
from cuelight_server.audit.verbs import Verb
from cuelight_server.control.access import add_actor
from cuelight_server.control.opening import create_desk
from cuelight_server.control.prompts import verify_prompts
from cuelight_server.control.push import push
from cuelight_server.control.releases import release
from cuelight_server.kernel.actor import SYSTEM
from cuelight_server.kernel.terms import Environment
from server.tests.folders import OWNERS, PROMPT, edited, folder
from server.tests.pushing import log, rows, told

NAME = "library.answer"
SERVING = ("deployment", "release", "snapshot", "environment", "approval")


def served(desk):
    found = rows(desk)
    return {table: found[table] for table in SERVING}


def variant(number):
    return edited(PROMPT, "settings", "seed", to=number)


@pytest.mark.parametrize("as_drafts", [False, True])
def test_promise_1_a_file_that_says_it_is_live_is_not(desk, person, as_drafts):
    kept = served(desk)
    claims = {"status": "approved", "environment": {"production": "v1"}, "last_approved_by": [*OWNERS.values()]}
    push(desk, person("ana.reyes"), folder(labels={"v1": {**PROMPT, **claims}, "live": PROMPT}), as_drafts=as_drafts)
    assert served(desk) == kept


@pytest.mark.parametrize("environment", list(Environment))
@pytest.mark.parametrize("label", ["idea", "v2"])
def test_promise_1_a_draft_is_released_to_nobody(demo_desk, person, environment, label):
    ana = person("ana.reyes", of=demo_desk)
    push(demo_desk, ana, folder(labels={"v1": PROMPT}))
    push(demo_desk, ana, folder(labels={label: variant(1)}), as_drafts=True)
    kept = served(demo_desk)
    with pytest.raises(CuelightError):
        release(demo_desk, ana, NAME, label, environment)
    assert served(demo_desk) == kept


class Oracle:
    """What the registry must hold after a push, told in a dozen lines."""

    def __init__(self):
        self.versions, self.drafts = {}, {}

    def push(self, labels, as_drafts):
        minted, unchanged, refused = [], [], []
        for label, seed in sorted(labels.items()):
            number = int(label[1:]) if label.startswith("v") else None
            if number is None or (as_drafts and number not in self.versions):
                self.drafts[label] = seed
            elif self.versions.get(number) == seed:
                unchanged.append((label, number))
            elif number in self.versions or seed in self.versions.values() or number < max(self.versions, default=0):
                refused.append(label)
            else:
                self.versions[number] = seed
                self.drafts.pop(label, None)
                minted.append((label, number))
        return minted, unchanged, refused


PUSHES = st.lists(
    st.tuples(
        st.dictionaries(st.sampled_from(["v1", "v2", "v3", "v5", "idea", "other"]), st.integers(0, 5), max_size=5),
        st.booleans(),
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pushes=PUSHES)
def test_promise_1_any_row_of_pushes_counts_right_and_serves_nothing(fresh, pushes):
    with fresh() as databases, tempfile.TemporaryDirectory() as home:
        desk, oracle = create_desk(Path(home) / "desk", databases=databases), Oracle()
        ana = add_actor(desk, SYSTEM, "ana.reyes", "Ana Reyes").actor()
        kept = served(desk)
        for labels, as_drafts in pushes:
            bundle = folder(labels={label: variant(seed) for label, seed in labels.items()})
            done = push(desk, ana, bundle, as_drafts=as_drafts).to_json()
            minted, unchanged, refused = oracle.push(labels, as_drafts)
            assert (told(done["minted"]), told(done["unchanged"])) == (minted, unchanged)
            assert [one["label"] for one in done["refused"]] == refused
        found = rows(desk)
        assert {row[1] for row in found["version"]} == set(oracle.versions)
        assert {row[1] for row in found["draft"]} == set(oracle.drafts)
        assert sum(one.verb == Verb.PROMPT_MINT for one in log(desk)) == len(oracle.versions)
        assert verify_prompts(desk) == []
        assert served(desk) == kept
        desk.close()
