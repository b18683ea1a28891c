"""A push holds new versions against what the desk serves, and says who still includes an older fragment."""

import pytest

from cuelight.contract.canonical import digest_bytes
from cuelight_server.control import push as pushing
from cuelight_server.control.push import push
from cuelight_server.db.engine import Intent, transaction
from cuelight_server.routing import store as routing
from cuelight_server.routing.model import Deployment
from server.tests.folders import OWNERS, PROMPT, edited, folder, workflow
from server.tests.pushing import told

LOOSE = edited(PROMPT, "output", "strict", to=False)
STRICT = edited(PROMPT, "settings", "temperature", to=0.3)


@pytest.fixture
def sent(desk, person):
    ana = person(OWNERS["workflow_owner"])

    def send(bundle=None, **labels):
        return push(desk, ana, bundle or folder(labels=labels)).to_json()

    return send


def serve(desk, number):
    row = Deployment(
        prompt="library.answer",
        environment="production",
        revision=1,
        weights=((number, 100000),),
        since="2026-01-05T09:00:00Z",
    )
    with transaction(desk.registry, Intent.WRITE) as sql:
        routing.save(sql, row)


def including(text, note="x"):
    part = {"include": f"contact@{digest_bytes(text.encode())}", "text": text}
    parts = [*PROMPT["messages"][0]["parts"], part]
    return edited({**PROMPT, "release_note": note}, "messages", 0, "parts", to=parts)


def test_a_looser_contract_is_refused_though_the_folder_no_longer_has_the_version_before(sent):
    sent(v1=PROMPT)
    (refused,) = sent(v2=LOOSE)["refused"]
    assert [one["code"] for one in refused["findings"]] == ["output_contract_loosened"]


def test_a_wider_contract_is_minted_with_a_warning_in_every_tier(sent):
    sent(v1=PROMPT)
    done = sent(v2=edited(PROMPT, "output", "schema", "properties", "answer", "type", to=["string", "null"]))
    assert told(done["minted"]) == [("v2", 2)]
    assert [(one["code"], one["severity"]) for one in done["findings"]] == [("output_contract_loosened", "warning")]


def test_what_production_serves_is_looked_at_again_under_the_lock(desk, sent, monkeypatch):
    standard = workflow(tier="standard")
    sent(folder(labels={"v1": LOOSE}, workflow=standard))
    sent(folder(labels={"v2": PROMPT}, workflow=standard))
    look, looks = pushing.lint, []

    def release_meanwhile(facts):
        looks.append(facts)
        if len(looks) == 1:
            serve(desk, 1)
        return look(facts)

    monkeypatch.setattr(pushing, "lint", release_meanwhile)
    done = sent(folder(labels={"v3": edited(LOOSE, "settings", "temperature", to=0.3)}, workflow=standard))
    assert (len(looks), done["findings"]) == (2, [])


def test_in_a_standard_workflow_it_is_minted_with_a_warning_and_production_stays_the_measure(desk, sent):
    standard = workflow(tier="standard")
    sent(folder(labels={"v1": PROMPT}, workflow=standard))
    serve(desk, 1)
    done = sent(folder(labels={"v2": LOOSE}, workflow=standard))
    assert told(done["minted"]) == [("v2", 2)]
    assert [(one["code"], one["severity"]) for one in done["findings"]] == [("output_contract_loosened", "warning")]
    again = sent(folder(labels={"v3": edited(LOOSE, "settings", "temperature", to=0.3)}, workflow=standard))
    assert [one["code"] for one in again["findings"]] == ["output_contract_loosened"]


def test_a_version_that_is_minted_already_is_not_held_against_newer_ones(desk, sent):
    sent(v1=PROMPT)
    sent(v2=edited(STRICT, "output", "schema", "additionalProperties", to=False))
    serve(desk, 2)
    done = sent(v1=PROMPT)
    assert (told(done["unchanged"]), done["findings"]) == ([("v1", 1)], [])


def test_a_changed_fragment_names_the_versions_that_still_include_its_old_text(sent):
    assert sent(v1=including("Call us.\n"))["dependants"] == []
    (changed,) = sent(v1=including("Call us.\n"), v2=including("Call or write.\n"))["dependants"]
    assert (changed["fragment"], changed["digest"]) == ("contact", digest_bytes(b"Call or write.\n"))
    old = {"prompt": "library.answer", "label": "v1", "digest": digest_bytes(b"Call us.\n")}
    assert changed["behind"] == [old]


def test_a_push_that_brings_no_new_text_names_nobody(sent):
    sent(v1=including("Call us.\n"))
    assert sent(v1=including("Call us.\n"), v2=including("Call us.\n", "y"))["dependants"] == []
    assert sent(v3=STRICT)["dependants"] == []


def test_approving_another_endpoint_is_a_change_of_governance(sent):
    inside = edited(PROMPT, "settings", "provider", to="inside")
    sent(folder(labels={"v1": inside}, workflow=workflow(approved_endpoints=["inside"])))
    done = sent(folder(labels={"v1": inside}, workflow=workflow(approved_endpoints=["inside", "outside"])))
    assert done["governance"] == "proposed"
    assert done["proposal"]["changes"] == ["approved_endpoints: inside -> inside, outside"]
    rules = {one["rule"]: one["state"] for one in done["rules"]}
    assert rules["approved endpoints: inside"] == "enforced"
