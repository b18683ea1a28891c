"""Trying by hand: in seconds, side by side, kept with the content, and never evidence."""

import json
import time

import pytest

from cuelight_server.control import releases
from cuelight_server.control import tries as control
from cuelight_server.control.push import push
from cuelight_server.control.tries import Wish, try_out
from cuelight_server.control.verify import verify_desk
from cuelight_server.kernel.errors import Denied, Invalid, NotFound, Unavailable
from cuelight_server.providers.port import Completion
from cuelight_server.views import tries as view
from server.tests.folders import edited
from server.tests.governed import ANA, BEN, CY, STRANGER
from server.tests.releasing import who
from server.tests.reviewing import PROMPT, bundle, item, library


def wish(*labels, **how):
    return Wish(prompt=PROMPT, labels=labels or ("v2",), **how)


class Parrot:
    """Says what it is asked, as one JSON object; slow or failing where a test wants it."""

    name, adapter, concurrency, recorded = "openai", "", 4, False

    def __init__(self, *, seconds=0.0, fails_on="", text=""):
        self.seconds, self.fails_on, self.text, self.asked = seconds, fails_on, text, 0

    def complete(self, request):
        self.asked += 1
        time.sleep(self.seconds)
        words = str(request.messages[-1]["content"])
        if self.fails_on and self.fails_on in words:
            raise Unavailable("the provider is down", "later")
        return Completion(text=self.text or json.dumps({"answer": words}), model="m", input_tokens=10, output_tokens=10)


def test_two_labels_are_tried_side_by_side_and_kept(demo_desk):
    library(demo_desk)
    made = try_out(demo_desk, who(demo_desk, BEN), {}, wish("v1", "v2", cases=("L04",)))
    assert [json.loads(one.document["examples"][0]["result"]["output"])["answer"] for one in made] == [
        "v1 on L04",
        "v2 on L04",
    ]
    kept = view.listing(demo_desk, PROMPT).items
    assert {(one.label, one.actor, one.stale) for one in kept} == {("v1", BEN, False), ("v2", BEN, False)}
    assert kept[0].examples[0]["result"]["passed"] == ["json_only"]
    assert verify_desk(demo_desk).problems == ()


def test_the_first_three_cases_are_tried_where_nothing_is_named(demo_desk):
    library(demo_desk)
    [made] = try_out(demo_desk, who(demo_desk, BEN), {}, wish())
    assert [one["case"] for one in made.document["examples"]] == ["L01", "L02", "L03"]


def test_ones_own_input_and_replaced_variables_reach_the_model(demo_desk):
    library(demo_desk)
    own = {"catalogue": [], "question": "Have you Moby-Dick?"}
    how = {"inputs": (own,), "cases": ("L01",), "sets": {"question": "And Emma?"}, "provider": "openai"}
    [made] = try_out(demo_desk, who(demo_desk, BEN), {"openai": Parrot()}, wish(**how))
    assert [one["case"] for one in made.document["examples"]] == ["L01", "own-1"]
    assert all("And Emma?" in one["result"]["output"] for one in made.document["examples"])
    [plain] = try_out(demo_desk, who(demo_desk, BEN), {"openai": Parrot()}, wish(inputs=(own,), provider="openai"))
    assert "Moby-Dick" in plain.document["examples"][0]["result"]["output"]


def test_an_example_that_goes_wrong_is_named_and_the_others_go_on(demo_desk):
    library(demo_desk)
    own = ({"question": "fine", "catalogue": []}, {"question": "broken", "catalogue": []}, {"question": 7})
    provider = {"openai": Parrot(fails_on="broken")}
    [made] = try_out(demo_desk, who(demo_desk, BEN), provider, wish(inputs=own, provider="openai"))
    fine, down, wrong = made.document["examples"]
    assert fine["error"] is None
    assert down["error"] == {"message": "the provider is down", "hint": "later"}
    assert "own-3" in wrong["error"]["message"]
    assert len(made.answered) == 1


def test_a_recorded_try_of_what_nobody_recorded_says_so(demo_desk):
    library(demo_desk)
    [made] = try_out(demo_desk, who(demo_desk, BEN), {}, wish(inputs=({"question": "x", "catalogue": []},)))
    assert "record" in made.document["examples"][0]["error"]["message"]
    assert made.answered == frozenset()


def test_a_try_waits_no_longer_and_spends_no_more_than_it_may(demo_desk, monkeypatch):
    library(demo_desk)
    monkeypatch.setattr(control, "_SECONDS", 0.2)
    [made] = try_out(demo_desk, who(demo_desk, BEN), {"openai": Parrot(seconds=1)}, wish(provider="openai", count=1))
    assert "no answer within" in made.document["examples"][0]["error"]["message"]
    monkeypatch.setattr(control, "_SECONDS", 60)
    monkeypatch.setattr(control, "_THREADS", 1)
    monkeypatch.setattr(control, "_USD", 0.00001)
    parrot = Parrot()
    [made] = try_out(demo_desk, who(demo_desk, BEN), {"openai": parrot}, wish(provider="openai", count=5))
    assert parrot.asked == 1
    assert "has cost" in made.document["examples"][1]["error"]["message"]


def test_a_huge_output_is_cut(demo_desk):
    library(demo_desk)
    provider = {"openai": Parrot(text="x" * 100_000)}
    [made] = try_out(demo_desk, who(demo_desk, BEN), provider, wish(provider="openai", count=1))
    assert len(made.document["examples"][0]["result"]["output"]) < 66_000


@pytest.mark.parametrize(
    "how",
    [
        {"labels": ()},
        {"labels": ("v1", "v1")},
        {"labels": ("v1", "v2", "a", "b", "c")},
        {"cases": tuple("abcdef")},
        {"count": 6},
        {"inputs": ({"question": "x" * 300_000},)},
        {"provider": "nobody"},
    ],
)
def test_a_wish_out_of_bounds_is_refused(demo_desk, how):
    library(demo_desk)
    with pytest.raises(Invalid):
        try_out(demo_desk, who(demo_desk, BEN), {}, Wish(**{"prompt": PROMPT, "labels": ("v2",), **how}))


def test_what_is_not_there_is_named(demo_desk):
    library(demo_desk)
    for how, words in (({"labels": ("v9",)}, "v9"), ({"cases": ("L99",)}, "L99")):
        with pytest.raises(NotFound, match=words):
            try_out(demo_desk, who(demo_desk, BEN), {}, Wish(**{"prompt": PROMPT, "labels": ("v2",), **how}))
    with pytest.raises(Unavailable):
        try_out(demo_desk, who(demo_desk, BEN), {}, wish(provider="openai"))


def test_who_may_not_try_spends_nothing(demo_desk):
    library(demo_desk)
    parrot = Parrot()
    with pytest.raises(NotFound):
        try_out(demo_desk, who(demo_desk, STRANGER), {"openai": parrot}, wish(provider="openai"))
    with pytest.raises(Denied):
        try_out(demo_desk, who(demo_desk, "root.admin"), {"openai": parrot}, wish(provider="openai"))
    assert parrot.asked == 0


def test_tries_of_exactly_this_content_tick_the_checklist_and_an_edit_makes_them_stale(demo_desk):
    library(demo_desk, live=False, gate={"internal_examples": 2})
    asked = item(demo_desk, id="examples")
    assert (asked.ok, asked.words) == (False, "0 examples were tried by hand, the gate asks for 2")
    ben = who(demo_desk, BEN)
    try_out(demo_desk, ben, {}, wish(cases=("L01",)))
    try_out(demo_desk, ben, {}, wish(cases=("L01",)))  # the same example once more
    assert not item(demo_desk, id="examples").ok
    try_out(demo_desk, ben, {}, wish(cases=("L02",), keep=False))
    assert not item(demo_desk, id="examples").ok
    try_out(demo_desk, ben, {}, wish(cases=("L02",)))
    assert item(demo_desk, id="examples").words == "2 examples were tried by hand, by ben.cole"
    assert not item(demo_desk, label="v1", id="examples").ok


def test_a_draft_that_was_edited_has_stale_tries(demo_desk):
    library(demo_desk)
    made = bundle()
    made["prompts"]["answer"]["idea"] = edited(made["prompts"]["answer"]["v2"], "settings", "temperature", to=1)
    push(demo_desk, who(demo_desk, CY), made)
    how = {"provider": "openai", "count": 1}
    try_out(demo_desk, who(demo_desk, BEN), {"openai": Parrot()}, wish("idea", **how))
    assert [one.stale for one in view.listing(demo_desk, PROMPT).items] == [False]
    made["prompts"]["answer"]["idea"]["settings"]["temperature"] = 0.5
    push(demo_desk, who(demo_desk, CY), made)
    assert [one.stale for one in view.listing(demo_desk, PROMPT).items] == [True]


def test_promise_4_a_try_is_no_evidence(demo_desk):
    library(demo_desk, live=False, gate={})
    made = bundle(gate={})
    made["prompts"]["answer"]["v3"] = edited(made["prompts"]["answer"]["v2"], "settings", "temperature", to=1)
    push(demo_desk, who(demo_desk, CY), made)
    try_out(demo_desk, who(demo_desk, BEN), {"openai": Parrot()}, wish("v3", provider="openai"))
    found = {one.id: one for one in releases.check(demo_desk, PROMPT, "v3").items}
    assert found["examples"].ok
    assert not found["report"].ok
    with pytest.raises(Exception, match="no passing report"):
        releases.approve(demo_desk, who(demo_desk, ANA), PROMPT, "v3")
