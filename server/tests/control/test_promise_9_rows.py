"""Promise 9: tampering is detectable offline, also in the rows that a line of the log only tells of."""

import copy
import hashlib
import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from cuelight.contract.canonical import canonical_text
from cuelight.files import read_folder
from cuelight_server.cli import run
from cuelight_server.control import evaluation, releases
from cuelight_server.control.access import Wish, add_actor, disable_actor, issue_token, revoke
from cuelight_server.control.ending import retire, switch_off
from cuelight_server.control.invitations import issue_link
from cuelight_server.control.models import retire_model
from cuelight_server.control.opening import create_desk, open_desk
from cuelight_server.control.persons import link, verify_email
from cuelight_server.control.push import push
from cuelight_server.control.verify import verify_desk
from cuelight_server.kernel.actor import SYSTEM
from cuelight_server.views.desk import person
from server.tests import tampering
from server.tests.reviewing import read_what_is_asked
from server.tests.signing_in import give_password

SALES = Path(__file__).parents[3] / "examples/sales"
PROMPT, OTHER = "sales.research_summary", "sales.lead_qualification"


def shipped(*labels):
    bundle = copy.deepcopy(read_folder(SALES).bundle)
    bundle["prompts"] = {
        name: {label: made for label, made in versions.items() if label in labels}
        for name, versions in bundle["prompts"].items()
    }
    return bundle


@pytest.fixture(scope="module")
def lived_in(tmp_path_factory):
    """The folder of a demo desk on which much happened: pushes, evaluations, releases, a rollback, tokens."""
    folder = tmp_path_factory.mktemp("promise9") / "desk"
    desk = create_desk(folder, demo=True, admin=("root", "Root"))
    live_on(desk)
    desk.close()
    return folder


def live_on(desk):
    made = push(desk, person(desk, "root"), shipped("v1"))
    assert made.plan.mint
    add_actor(desk, SYSTEM, "gone.girl", "Gone")
    disable_actor(desk, SYSTEM, "gone.girl")
    revoke(desk, SYSTEM, issue_token(desk, SYSTEM, "mei.tanaka").split("_")[2])
    issue_token(desk, SYSTEM, "mei.tanaka", Wish(scopes=("read",), label="laptop"))
    give_password(desk, "mei.tanaka")
    issue_link(desk, SYSTEM, "leon.abara")
    verify_email(desk, SYSTEM, "mei.tanaka", "mei@example.org")
    add_actor(desk, SYSTEM, "mei.oncall", "Mei on call")
    link(desk, SYSTEM, "mei.oncall", "mei.tanaka")
    go_live(desk, PROMPT, "v1")
    go_live(desk, OTHER, "v1")
    push(desk, person(desk, "leon.abara"), shipped("v1", "v2", "v3"))
    go_live(desk, PROMPT, "v3")
    releases.roll_back(desk, SYSTEM, PROMPT, why="bad")
    switch_off(desk, SYSTEM, PROMPT, why="unused")
    retire(desk, person(desk, "mei.tanaka"), PROMPT, "replaced")
    retire_model(desk, person(desk, "root"), "old-model", "its provider ended it")


def go_live(desk, prompt, label):
    evaluation.start(desk, person(desk, "mei.tanaka"), prompt, label, "recorded")
    while evaluation.run_pending(desk, {}):
        pass
    read_what_is_asked(desk, prompt, label)
    used = set()
    for item in releases.check(desk, prompt, label).items:
        if item.id.startswith("approval:") and not item.ok:
            names = [one.rpartition("(")[2].rstrip(")") for one in item.who]
            chosen = next(one for one in names if one not in used and person(desk, one))
            used.add(chosen)
            releases.approve(desk, person(desk, chosen), prompt, label, role=item.id.split(":")[1])
    releases.release(desk, person(desk, "mei.tanaka"), prompt, label)


@pytest.fixture
def folder(lived_in, tmp_path):
    return Path(shutil.copytree(lived_in, tmp_path / "copy"))


def behind_our_back(folder, *statements):
    """What somebody does who holds the file, without a trace: out with the triggers, the change, the triggers back."""
    raw = sqlite3.connect(folder / "registry.db", isolation_level=None)
    kept = raw.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for name, _ in kept:
        raw.execute(f'DROP TRIGGER "{name}"')
    for one in statements:
        changed = one(raw) if callable(one) else raw.execute(one).rowcount
        assert changed != 0, f"this changed nothing: {one}"
    for _, sql in kept:
        raw.execute(sql)
    raw.close()


def problems(folder):
    desk = open_desk(folder)
    try:
        return verify_desk(desk).problems
    finally:
        desk.close()


def forge_snapshot(raw):
    newest = "SELECT version, body FROM snapshot WHERE environment = 'production' ORDER BY version DESC LIMIT 1"
    version, body = raw.execute(newest).fetchone()
    document = json.loads(body)
    document["deployments"][OTHER][""]["weights"] = [["v2", 100000]]
    forged = canonical_text(document).encode()
    digest = "sha256:" + hashlib.sha256(forged).hexdigest()
    change = "UPDATE snapshot SET body = ?, digest = ? WHERE environment = 'production' AND version = ?"
    return raw.execute(change, (forged, digest, version)).rowcount


def test_promise_9_an_honest_desk_on_which_much_happened_has_no_problems(folder, capsys):
    assert problems(folder) == ()
    assert run(["verify", "--data", str(folder)]) == 0


FAKE_RELEASE = (
    "INSERT INTO release SELECT 'rel_fake', prompt, 2, environment, previous, binding, checklist, 'live', actor, note,"
    f" created_at, NULL, NULL FROM release WHERE prompt = '{OTHER}'"
)
TO_V2 = f"UPDATE deployment SET weights = '[[2, 100000]]' WHERE prompt = '{OTHER}'"


@pytest.mark.parametrize(
    ("word", "statements"),
    [
        ("desk demo", ["UPDATE desk SET value = 'false' WHERE key = 'demo'"]),
        ("desk epoch", ["UPDATE desk SET value = 'other' WHERE key = 'epoch'"]),
        ("account leon.abara", ["UPDATE actor SET admin = 1 WHERE id = 'leon.abara'"]),
        ("account gone.girl", ["UPDATE actor SET disabled_at = NULL WHERE id = 'gone.girl'"]),
        ("account mei.tanaka is gone", ["PRAGMA foreign_keys = OFF", "DELETE FROM actor WHERE id = 'mei.tanaka'"]),
        (
            "token 00 is there",
            ["INSERT INTO token(id, actor, secret_hash, created_at) VALUES ('00', 'root', 'f', 'x')"],
        ),
        ("whether it is revoked", ["UPDATE token SET revoked_at = NULL WHERE revoked_at IS NOT NULL"]),
        ("its secret", ["UPDATE token SET secret_hash = 'ff' WHERE actor = 'mei.tanaka'"]),
        ("scopes is nothing", ["UPDATE token SET scopes = NULL WHERE scopes IS NOT NULL"]),
        ("scopes is", ["UPDATE token SET scopes = '{' WHERE scopes IS NOT NULL"]),
        ("when it ends", ["UPDATE token SET expires_at = '2999' WHERE revoked_at IS NULL"]),
        ("environment is production", ["UPDATE token SET environment = 'production' WHERE label = 'laptop'"]),
        ("label", ["UPDATE token SET label = 'other' WHERE label = 'laptop'"]),
        ("password of mei.tanaka: its secret", ["UPDATE password SET hash = 'quick:00'"]),
        ("password of mei.tanaka is gone", ["DELETE FROM password"]),
        ("password of root is there", ["INSERT INTO password SELECT 'root', hash, changed_at FROM password"]),
        ("invitation", ["UPDATE invitation SET ended_at = NULL WHERE ended_at IS NOT NULL"]),
        ("when it ends", ["UPDATE invitation SET expires_at = '2999'"]),
        ("its secret", ["UPDATE invitation SET secret_hash = 'ff' WHERE ended_at IS NULL"]),
        ("actor is root", ["UPDATE invitation SET actor = 'root'"]),
        ("e-mail of mei.tanaka", ["UPDATE email SET address = 'eve@example.org'"]),
        ("e-mail of mei.tanaka is gone", ["DELETE FROM email"]),
        ("account mei.oncall: whose it is", ["UPDATE actor SET person = NULL"]),
        ("account leon.abara: whose it is", ["UPDATE actor SET person = 'mei.tanaka' WHERE id = 'leon.abara'"]),
        ("workflow revision sales 1", ["UPDATE workflow_revision SET authority = '{}'"]),
        ("workflow revision sales 1", ["UPDATE workflow_revision SET document = '{'"]),
        ("workflow sales", ["UPDATE workflow SET revision = 9"]),
        ("suite sales", ["UPDATE suite SET document = replace(document, 'blocker', 'minor')"]),
        ("knowledge sales", ["UPDATE knowledge SET document = '{}'"]),
        ("prices sales", ["UPDATE prices SET document = replace(document, '0.012', '0')"]),
        ("recordings of sales", ["UPDATE recording SET document = replace(document, 'qualified', 'x')"]),
        ("draft sales.research_summary zz", [f"INSERT INTO draft VALUES ('{PROMPT}', 'zz', 'd', '{{}}', 'x', 'y')"]),
        ("version sales.research_summary@v3", ["UPDATE version SET created_at = '2020' WHERE number = 3"]),
        (f"prompt {PROMPT}", ["UPDATE prompt SET retired_at = NULL"]),
        (f"prompt {OTHER}", ["UPDATE prompt SET retired_at = '2026'"]),
        ("retired model old-model is gone", ["DELETE FROM retired_model"]),
        ("retired model old-model", ["UPDATE retired_model SET why = 'x'"]),
        ("retired model new-model is there", ["INSERT INTO retired_model VALUES ('new-model', 'root', 'x', 'y')"]),
        ("contribution", ["DELETE FROM contribution"]),
        ("approval", ["DELETE FROM approval"]),
        ("approval", ["UPDATE approval SET person = 'tom.whelan'"]),
        ("approval", ["UPDATE approval SET binding = 'sha256:00'"]),
        ("evaluation", ["UPDATE evaluation SET verdict = 'fail'"]),
        ("evaluation", ['UPDATE evaluation SET report = replace(report, \'"verdict":"pass"\', \'"verdict":"fail"\')']),
        ("evaluation", ["UPDATE evaluation SET report = '{'"]),
        ("evaluation", ["UPDATE evaluation SET evidence_digest = 'sha256:00'"]),
        ("its outputs", ["UPDATE evaluation_result SET passed = 1 - passed"]),
        ("its outputs", ["UPDATE evaluation_result SET document = '{'"]),
        ("evaluation", ["DELETE FROM evaluation_result", "DELETE FROM evaluation"]),
        ("release", [f"UPDATE release SET number = 2 WHERE prompt = '{OTHER}'"]),
        ("release", ["UPDATE release SET checklist = replace(checklist, 'true', 'false')"]),
        ("release", ["UPDATE release SET state = 'superseded' WHERE state = 'rolled_back'"]),
        ("release", ["DELETE FROM release WHERE state = 'rolled_back'"]),
        ("what serves", [TO_V2, f"UPDATE release SET number = 2 WHERE prompt = '{OTHER}'"]),
        ("what serves", [FAKE_RELEASE, "UPDATE deployment SET release = 'rel_fake'", TO_V2]),
        ("what serves", [f"UPDATE deployment SET rollback_target = 2 WHERE prompt = '{OTHER}'"]),
        ("what serves", [f"DELETE FROM deployment WHERE prompt = '{OTHER}'"]),
        ("what serves", ["UPDATE deployment SET weights = 'x'"]),
        ("what serves", ["UPDATE deployment SET tenant = 'acme'"]),
        ("snapshot production", [forge_snapshot]),
        ("environment production", ["UPDATE environment SET snapshot_version = 1 WHERE name = 'production'"]),
        ("log: line 5", ["UPDATE audit_event SET body = 'x' WHERE seq = 5"]),
        ("log: line 5", ["UPDATE audit_event SET body = x'ff' WHERE seq = 5"]),
        ("log: line 5", ["UPDATE audit_head SET frontier = '{' WHERE size = 5"]),
        ("workflow revision", ["UPDATE workflow_revision SET document = CAST(x'80ff' AS TEXT)"]),
    ],
)
def test_promise_9_a_row_that_is_not_what_the_log_tells_is_named_and_never_a_crash(folder, word, statements, capsys):
    behind_our_back(folder, *statements)
    found = problems(folder)
    assert any(word in one for one in found), found
    assert not any("cannot be compared" in one for one in found), found
    assert run(["verify", "--data", str(folder)]) == 24
    assert word in capsys.readouterr().err


PASS_TO_FAIL = 'UPDATE evaluation SET report = replace(report, \'"verdict":"pass"\', \'"verdict":"fail"\')'


@pytest.mark.database("postgresql")
def test_promise_9_on_postgresql_too_a_row_that_is_not_what_the_log_tells_is_named(make_desk):
    desk = make_desk("demo", demo=True, admin=("root", "Root"))
    live_on(desk)
    assert verify_desk(desk).problems == ()
    for word, statement in (
        ("account gone.girl", "UPDATE actor SET disabled_at = NULL WHERE id = 'gone.girl'"),
        ("account leon.abara", "UPDATE actor SET admin = true WHERE id = 'leon.abara'"),
        ("scopes is nothing", "UPDATE token SET scopes = NULL"),
        ("password of mei.tanaka: its secret", "UPDATE password SET hash = 'quick:00'"),
        ("when it ends", "UPDATE invitation SET expires_at = '2999'"),
        ("e-mail of mei.tanaka", "UPDATE email SET address = 'eve@example.org'"),
        ("account mei.oncall: whose it is", "UPDATE actor SET person = NULL"),
        ("its outputs", "UPDATE evaluation_result SET passed = NOT passed"),
        ("evaluation", PASS_TO_FAIL),
        ("contribution", "DELETE FROM contribution"),
        ("approval", "DELETE FROM approval"),
        ("what serves", TO_V2),
        ("snapshot production", "UPDATE snapshot SET body = '{}' WHERE environment = 'production'"),
        ("log: line 5", "UPDATE audit_event SET body = 'x' WHERE seq = 5"),
    ):
        before = verify_desk(desk).problems
        tampering.behind_our_back(desk, statement)
        found = [one for one in verify_desk(desk).problems if one not in before]
        assert any(word in one for one in found), (word, found)
        assert not any("cannot be compared" in one for one in found), found


def without(desk, database, name, table):
    with tampering.a_tool(desk) as raw:
        raw.execute(f"DROP TRIGGER {name}" + (f" ON {table}" if database == "postgresql" else ""))


def test_promise_9_triggers_that_were_taken_out_are_named_though_opening_the_desk_puts_them_back(
    desk, open_again, database
):
    without(desk, database, "approval_no_delete", "approval")
    (finding,) = verify_desk(open_again()).problems
    assert "were missing when the desk was opened" in finding
    assert "approval_no_delete" in finding
    assert verify_desk(open_again()).problems == ()


def test_promise_9_triggers_that_are_taken_out_while_the_desk_is_open_are_named(desk, database):
    without(desk, database, "desk_no_update", "desk")
    (finding,) = verify_desk(desk).problems
    assert "desk_no_update" in finding


@pytest.mark.database("postgresql")
def test_promise_9_triggers_that_are_switched_off_are_named(desk, open_again, database):
    with tampering.a_tool(desk) as raw:
        raw.execute("ALTER TABLE approval DISABLE TRIGGER approval_guard")
    (finding,) = verify_desk(open_again()).problems
    assert "approval_guard" in finding
