"""Looking over a folder and comparing labels, against the desk and without storing anything."""

import pytest
from sqlalchemy import insert

from cuelight.contract.errors import Invalid, NotFound
from cuelight_server.control.prompts import diff_labels, export, lint_bundle
from cuelight_server.control.push import push
from cuelight_server.db import schema
from cuelight_server.db.engine import Intent, transaction
from server.tests.folders import PROMPT, content, edited, folder, without
from server.tests.pushing import rows

NAME = "library.answer"
WARM = edited(PROMPT, "settings", "temperature", to=0.3)
SOFT = edited(PROMPT, "messages", 0, "parts", 2, "text", to="Be careful with names.\n")
LABELS = {"v1": PROMPT, "v2": WARM, "idea": SOFT}


@pytest.fixture
def filled(desk, person):
    push(desk, person("ana.reyes"), folder(labels=LABELS))
    return desk


def serve(desk, number, environment="production"):
    """Number is what the environment serves from now on, past every gate."""
    with transaction(desk.registry, Intent.WRITE) as sql:
        weights = f"[[{number}, 100000]]"
        row = {"prompt": NAME, "environment": environment, "tenant": "", "weights": weights, "revision": 1, "since": ""}
        sql.execute(insert(schema.deployment).values(**row))


def classes(desk, from_label, to_label, bundle=None):
    found = diff_labels(desk, NAME, from_label, to_label, bundle).to_json()
    return found["change_class"], found["from"] and found["from"]["label"], found["to"]["label"]


def test_two_labels_of_the_desk_are_compared(filled):
    found = diff_labels(filled, NAME, "v1", "v2").to_json()
    assert found["prompt"] == NAME
    assert found["from"] == {"label": "v1", "digest": content().digest}
    assert found["to"] == {"label": "v2", "digest": content(WARM).digest}
    assert [(one["part"], one["changes"][0]["path"]) for one in found["parts"]] == [
        ("settings", "settings.temperature")
    ]
    assert classes(filled, "v1", "idea") == ("boundary", "v1", "idea")
    assert classes(filled, "v1", "v1") == (None, "v1", "v1")


def test_production_is_what_it_serves_and_not_the_newest(filled):
    serve(filled, 1)
    assert classes(filled, "production", "v2") == ("settings_or_model", "v1", "v2")
    assert classes(filled, "v2", "production") == ("settings_or_model", "v2", "v1")


def test_where_nothing_is_live_everything_is_new(filled):
    assert classes(filled, "production", "v2") == ("boundary", None, "v2")
    serve(filled, 1, "staging")
    assert classes(filled, "production", "v2") == ("boundary", None, "v2")
    assert classes(filled, "staging", "v2") == ("settings_or_model", "v1", "v2")


def test_what_the_folder_has_counts_first_but_never_for_production(filled):
    serve(filled, 1)
    edits = folder(labels={"v1": SOFT, "v2": WARM})
    assert classes(filled, "v1", "v2", edits) == ("boundary", "v1", "v2")
    assert classes(filled, "production", "v2", edits) == ("settings_or_model", "v1", "v2")
    assert classes(filled, "production", "idea", edits) == ("boundary", "v1", "idea")


def test_a_folder_is_compared_with_itself_on_a_desk_that_knows_nothing(desk):
    assert classes(desk, "v1", "idea", folder(labels=LABELS)) == ("boundary", "v1", "idea")


def test_on_a_local_desk_the_lowest_version_stands_in_for_production(make_desk):
    local = make_desk("local", local=True)
    assert classes(local, "production", "v2", folder(labels=LABELS)) == ("settings_or_model", "v1", "v2")


@pytest.mark.parametrize(
    ("from_label", "to_label"), [("v9", "v1"), ("v1", "v9"), ("v1", "production"), ("nobody", "v1")]
)
def test_a_label_that_is_not_there_is_not_found(filled, from_label, to_label):
    with pytest.raises(NotFound):
        diff_labels(filled, NAME, from_label, to_label)


def test_a_prompt_that_is_not_there_is_not_found(filled):
    with pytest.raises(NotFound):
        diff_labels(filled, "library.greet", "v1", "v2")
    with pytest.raises(NotFound):
        diff_labels(filled, "museum.answer", "v1", "v2", folder(labels=LABELS))


def test_lint_tells_findings_rules_and_digests_and_stores_nothing(desk):
    kept = rows(desk)
    found = lint_bundle(desk, folder(labels={"v1": PROMPT, "v2": without(WARM, "release_note")})).to_json()
    assert ("release_note_missing", "prompts/answer/v2") in {
        (one["code"], one["document"]) for one in found["findings"]
    }
    assert found["digests"] == {NAME: {"v1": content().digest, "v2": content(WARM).digest}}
    assert {one["state"] for one in found["rules"]} == {"enforced"}
    assert rows(desk) == kept


def test_lint_looks_for_suites_on_the_desk_too(filled, desk):
    assert lint_bundle(filled, folder(suites={})).to_json()["findings"] == []


def test_lint_names_owners_whom_the_desk_does_not_know(desk, person):
    bundle = folder()
    del bundle["workflow"]["people"]
    codes = [one["code"] for one in lint_bundle(desk, bundle).to_json()["findings"]]
    assert codes == ["owner_unknown"] * 5
    person("dee.lund")
    assert len(lint_bundle(desk, bundle).findings) == 4


def test_lint_refuses_what_does_not_fit_the_format(desk):
    with pytest.raises(Invalid):
        lint_bundle(desk, folder(labels={"v1": {}}))


def test_a_workflow_that_is_not_there_cannot_be_taken_out(desk):
    with pytest.raises(NotFound):
        export(desk, "library")
