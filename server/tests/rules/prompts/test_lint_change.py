"""What a version is held against, and which knowledge it may let go."""

from cuelight_server.prompts.bundle import Earlier, Facts, checked
from cuelight_server.prompts.lint import lint
from cuelight_server.prompts.lint_change import before, lost_refs, pinned_refs
from server.tests.folders import PROMPT, content, edited, facts, folder, prompt

HOURS = {"hours": {"knowledge": "hours", "items": [{"ref": "H-1", "text": "Nine to five."}, {"ref": "H-2"}]}}
LOOSE = edited(PROMPT, "output", "schema", "required", to=[])


def pinning(*values, source=""):
    rules = [
        {"id": f"r{at}", "rule": "pinned_value", "variable": "catalogue", "value": one} for at, one in enumerate(values)
    ]
    return content(edited(prompt(context=rules), "variables", 0, "source", to=source))


def on_a_desk(labels, *earlier):
    bundle = checked(folder(labels=labels))
    return Facts(bundle, bundle.suites, earlier={"answer": earlier})


def test_a_first_version_has_nothing_to_lose():
    assert before(facts(folder(labels={"v1": LOOSE})), "answer", "v1") is None
    assert lint(facts(folder(labels={"v1": LOOSE}))) == []


def test_a_version_is_held_against_the_one_in_production_before_any_other():
    look = on_a_desk({"v3": PROMPT}, Earlier(2, content(LOOSE), served=False), Earlier(1, content(), served=True))
    assert before(look, "answer", "v3") == (1, content())
    loose = on_a_desk({"v3": LOOSE}, Earlier(2, content(LOOSE), served=False), Earlier(1, content(), served=True))
    assert [one.code for one in lint(loose)] == ["output_contract_loosened"]


def test_without_production_it_is_held_against_the_newest_older_one_of_folder_and_desk():
    look = on_a_desk({"v2": LOOSE, "v3": PROMPT, "v5": PROMPT}, Earlier(1, content(), served=False))
    assert before(look, "answer", "v3") == (2, content(LOOSE))
    assert before(look, "answer", "v2") == (1, content())


def test_an_old_version_is_never_held_against_a_newer_one():
    look = on_a_desk({"v1": LOOSE}, Earlier(3, content(), served=True))
    assert before(look, "answer", "v1") is None


def test_a_draft_is_held_against_production():
    look = on_a_desk({"v2": LOOSE, "warmer": LOOSE}, Earlier(1, content(), served=True))
    assert before(look, "answer", "warmer") == (1, content())


def test_a_ref_is_pinned_by_its_name_its_item_or_its_text():
    for value in ("H-1", {"ref": "H-1"}, [{"ref": "H-1", "text": "x"}], "Opening hours, H-1, of May", "Nine to five."):
        assert pinned_refs(pinning(value), HOURS) == {("hours", "H-1")}, value
    assert pinned_refs(pinning(source="knowledge hours, H-2"), HOURS) == {("hours", "H-2")}


def test_a_ref_inside_a_longer_word_is_another_ref():
    assert pinned_refs(pinning("H-11 and AH-1 and H-1-b"), HOURS) == set()


def test_who_pins_the_next_one_has_replaced_it():
    assert lost_refs(pinning("H-1"), pinning("H-2"), HOURS) == []


def test_one_of_two_that_falls_away_is_lost():
    assert lost_refs(pinning("H-1", "H-2"), pinning("H-2"), HOURS) == [("hours", "H-1")]


def test_what_the_workflow_does_not_have_any_more_may_go():
    assert lost_refs(pinning("H-1"), pinning(), {"hours": {"items": [{"ref": "H-2"}]}}) == []
    assert lost_refs(pinning("H-1"), pinning(), {}) == []
