"""The whole way on a real desk: push, evaluate, approve, release, look, roll back, and every refusal on it."""

# long because: one story on one desk; each chapter stands on the one before

import io
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import httpx2
import pytest
import yaml

from cuelight import Client
from cuelight.admin import Admin
from cuelight.files import read_folder

ROOT = Path(__file__).parents[3]
SALES = f"{ROOT}/examples/sales"
PROMPT = "sales.lead_qualification"
V1 = f"{PROMPT}@v1"
WHO = {
    "author": "mei.tanaka",
    "workflow": "priya.nandakumar",
    "engineering": "jonas.berg",
    "risk": "aoife.brennan",
    "support": "dana.kim",
}
SERVER = [sys.executable, "-c", "from cuelight_server.cli import main; main()"]


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A demo desk of its own process; `desk.server(...)` is cuelight-server on its data folder."""
    folder = tmp_path_factory.mktemp("desk") / "data"
    env = {**os.environ, "PYTHONPATH": f"{ROOT}/client/src{os.pathsep}{ROOT}/server/src"}

    def server(*args):
        return subprocess.run(
            [*SERVER, *args, "--data", str(folder)], capture_output=True, text=True, check=True, env=env, timeout=60
        ).stdout.strip()

    server("init", "--demo", "--admin", WHO["author"])
    process = subprocess.Popen(
        [*SERVER, "serve", "--data", str(folder), "--port", "0"], stdout=subprocess.PIPE, text=True, env=env
    )
    url = re.search(r"http://\S+?(?=,|\s|$)", process.stdout.readline()).group()
    yield type("Desk", (), {"url": url, "server": staticmethod(server)})
    process.terminate()
    process.wait(20)


@pytest.fixture
def ask(run, desk, monkeypatch):
    """Run a command on the desk as one of its people."""

    def one(who, *args):
        monkeypatch.setenv("CUELIGHT_URL", desk.url)
        return run(*args, "--as", WHO.get(who, who))

    return one


def read_blind(ask, desk, who):
    """What the gate of v1 asks of a role: its holder reads every case, is content, and signs."""
    made = ask("author", "review", "open", V1, "--role", f"{who}_owner", "--json").json
    with Admin(desk.url, as_=WHO[who]) as admin:
        for number in range(1, made["cases"] + 1):
            admin.open_case(made["id"], number)
            admin.answer_case(made["id"], number, "both")
        admin.sign_review(made["id"])


@pytest.fixture
def pushed(ask):
    done = ask("author", "push", SALES)
    assert done.code == 0, done.err
    return done


@pytest.fixture
def released(ask, desk, pushed):
    """v1 in production, as often as a test needs it."""
    if ask("author", "status", PROMPT, "--json").json["rows"][0]["serves"]:
        return
    assert ask("author", "eval", V1).code == 0
    for who in ("workflow", "risk"):
        read_blind(ask, desk, who)
    for who in ("workflow", "engineering", "risk"):
        ask(who, "approve", V1, "--to", "production", "--note", "read it")
    done = ask("engineering", "release", V1, "--to", "production", "--note", "first")
    assert done.code == 0, done.err
    assert done.out.startswith(f"● released  {V1} to production, instead of nothing")


def test_push_says_what_was_minted_and_then_that_nothing_changed(ask, pushed):
    again = ask("author", "push", SALES)
    assert again.code == 0
    assert re.search(r"· unchanged +sales.lead_qualification v1 +sha256:", again.out)
    assert re.search(r"Rules: \d+ enforced, \d+ not yet enforced, \d+ declared only \(--rules lists them\)", again.out)
    assert "minted" not in again.out
    answer = ask("author", "push", SALES, "--json").json
    assert {one["label"] for one in answer["unchanged"] if one["prompt"] == PROMPT} == {"v1", "v2"}


def test_a_version_that_lint_refuses_is_named_with_file_and_line(ask, pushed, tmp_path):
    shutil.copytree(SALES, tmp_path / "sales")
    source = tmp_path / "sales/prompts/lead_qualification/v1.yaml"
    (source.parent / "v9.yaml").write_text(source.read_text().replace("{{lead}}", "{{leed}}"))
    done = ask("author", "push", tmp_path / "sales")
    assert done.code == 20
    assert f"Refused: {PROMPT} v9" in done.out
    assert re.search(rf"{re.escape(str(source.parent))}/v9.yaml:\d+: ■ error .*leed", done.out)


def test_a_version_that_is_minted_never_changes(ask, pushed, tmp_path):
    shutil.copytree(SALES, tmp_path / "sales")
    file = tmp_path / "sales/prompts/lead_qualification/v1.yaml"
    file.write_text(file.read_text().replace("{{lead}}", "{{lead}} ", 1))
    done = ask("author", "push", tmp_path / "sales")
    assert done.code != 0
    assert f"{PROMPT} v1" in done.out + done.err or "v1" in done.err


def test_release_without_what_it_needs_is_refused_with_who_could_provide_it(ask, pushed):
    done = ask("engineering", "release", f"{PROMPT}@v2", "--to", "production")
    assert (done.code, done.out) == (24, "")
    assert f"■ not released  {PROMPT}@v2 to production" in done.err
    assert "the yes of the risk owner is missing" in done.err
    assert "aoife.brennan" in done.err
    assert "points are met" in done.err
    check = ask("engineering", "release", f"{PROMPT}@v2", "--to", "production", "--check")
    assert check.code == 24
    assert check.out.startswith(f"■ not ready  {PROMPT}@v2 to production")


def test_an_author_cannot_approve_and_is_told_who_can(ask, pushed):
    assert ask("author", "eval", "sales.outreach_draft@v1").code == 0
    done = ask("author", "approve", "sales.outreach_draft@v1", "--to", "production")
    assert done.code == 23
    assert "ask Priya Nandakumar" in done.err


def test_who_says_no_name_is_told_how_to(run, desk):
    done = run("status", "--server", desk.url)
    assert done.code == 23
    assert "CUELIGHT_TOKEN" in done.err


def test_status_shows_what_serves_with_a_word_beside_the_light(ask, released):
    done = ask("support", "status", "lead_qualification")
    assert "v2 was not evaluated yet" in done.out
    assert re.search(rf"{PROMPT} +production +● Go +v1 ", done.out)
    assert ask("support", "status", "lead_qualificaton").code == 21
    assert ask("support", "status", "--json").json["demo"] is True


def test_eval_of_a_version_on_the_desk_fails_with_10(ask, released):
    done = ask("author", "eval", f"{PROMPT}@v2")
    assert done.code == 10
    assert done.out.startswith(f"■ FAIL  {PROMPT} v2 against v1, 29 cases")
    unknown = ask("author", "eval", f"{PROMPT}@v7")
    assert (unknown.code, "there are: v1" in unknown.err) == (21, True)


def test_diff_of_a_reference_is_against_production(ask, released):
    done = ask("author", "diff", f"{PROMPT}@v2")
    assert done.out.startswith(f"{PROMPT}  v1 → v2\nclass of change: boundary")
    assert ask("author", "diff", V1, f"{PROMPT}@v2", "--json").json["from"]["label"] == "v1"
    assert ask("author", "diff", V1, "sales.outreach_draft@v1").code == 20


def test_diff_of_a_folder_with_a_server_is_against_its_production(run, desk, released):
    done = run(
        "diff", SALES, "--prompt", "lead_qualification", "--to", "v2", "--server", desk.url, "--as", WHO["author"]
    )
    assert done.out.startswith(f"{PROMPT}  v1 → v2\n")


def test_export_gives_a_folder_with_the_same_digests(ask, pushed, tmp_path):
    done = ask("author", "export", "sales", tmp_path / "out")
    assert done.code == 0, done.err
    assert read_folder(tmp_path / "out").digests == read_folder(SALES).digests
    assert ask("author", "export", "sales", tmp_path / "out").code == 22
    assert ask("author", "export", "nowhere", tmp_path / "no").code == 21


def test_audit_shows_the_newest_lines_first(ask, released):
    lines = ask("author", "audit", "--json", "--limit", "200").json["items"]
    assert [one["seq"] for one in lines] == sorted((one["seq"] for one in lines), reverse=True)
    assert {"workflow.create", "prompt.mint", "release.open"} <= {one["verb"] for one in lines}
    assert len(ask("author", "audit", "--limit", "3").out.splitlines()) >= 4


def test_why_tells_the_version_and_the_people_behind_an_output(ask, desk, released):
    key = desk.server("key", "add", "crm", "--environment", "production").split()[-1]
    digest = read_folder(SALES).digests["lead_qualification"]["v1"]
    call = {
        "id": "out_1",
        "at": "2026-11-24T12:00:00Z",
        "prompt": PROMPT,
        "version": "v1",
        "digest": digest,
        "reason": "stable",
        "ok": True,
        "model": "example-large-2026-06-01",
        "decisions": [{"action": "crm.delete", "mode": "never", "allowed": False, "reason": "not in the table"}],
    }
    sent = httpx2.post(
        f"{desk.url}/runtime/v1/calls",
        json={"calls": [call]},
        headers={"Authorization": f"Bearer {key}"},
        trust_env=False,
    )
    assert sent.is_success, sent.text
    done = ask("support", "why", "out_1")
    assert done.code == 0, done.err
    assert done.out.startswith(f"{PROMPT} v1  made out_1 on 2026-11-24 12:00 in production")
    assert "Priya Nandakumar as workflow owner" in done.out
    assert "pass, recorded simulations" in done.out
    assert "■ refused crm.delete: not in the table" in done.out
    assert ask("support", "why", "out_2").code == 21


def test_why_names_the_release_of_the_knowledge_that_a_client_used(ask, desk, released, tmp_path):
    key = desk.server("key", "add", "rules", "--environment", "production").split()[-1]
    bundle = read_folder(SALES).bundle
    suite = bundle["suites"]["lead_qualification"]
    with Client(desk.url, key, app="crm", cache_dir=tmp_path) as client:
        call = client.prompt(PROMPT, key="1").render(**suite["defaults"], **suite["cases"][0]["input"])
        assert [(one.name, one.number, one.known) for one in call.knowledge] == [("icp", 1, True)]
        id = call.finish("{}").id
    done = ask("support", "why", id)
    assert done.code == 0, done.err
    assert "● icp_rules  word for word icp release 1" in done.out
    assert "ICP-2026-05 (release 1)" in done.out
    assert "with icp release 1" in done.out


def test_knowledge_is_listed_shown_and_compared(ask, pushed, tmp_path):
    listed = ask("author", "knowledge", "list", "sales")
    assert listed.code == 0, listed.err
    assert re.search(r"icp +release 1 +1 .*sales.lead_qualification@v1", listed.out)
    shown = ask("author", "knowledge", "show", "sales.approved_claims", "--limit", "2")
    assert "sales.approved_claims release 1  6 items" in shown.out
    assert "there is more: --after 2" in shown.out
    lone = ask("author", "knowledge", "diff", "sales.house_lines")
    assert (lone.code, "release 1 has none before it" in lone.err) == (20, True)
    shutil.copytree(SALES, tmp_path / "sales")
    lines = tmp_path / "sales/knowledge/house_lines.yaml"
    lines.write_text(lines.read_text().replace("  - ref:", "  - ref: HL-99\n    text: Be kind.\n  - ref:", 1))
    done = ask("author", "push", tmp_path / "sales")
    assert "Knowledge house_lines is now release 2 (1 added); it is read by" in done.out
    diff = ask("author", "knowledge", "diff", "sales.house_lines", "--json").json
    assert (diff["changes"], [one["ref"] for one in diff["added"]]) == ("1 added", ["HL-99"])
    releases = ask("author", "knowledge", "list", "sales.house_lines", "--json").json["items"]
    assert [one["number"] for one in releases] == [2, 1]
    assert ask("author", "push", SALES).code == 0  # back, under the next number


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (("show", "sales.icp@7"), 21, "its newest is"),
        (("show", "sales"), 20, "expected <workflow>.<knowledge>"),
        (("show", "sales.icq"), 21, "it has: approved_claims"),
        (("list", "nowhere"), 21, "there is no workflow nowhere"),
    ],
)
def test_knowledge_that_is_not_there_is_answered_with_what_is(ask, pushed, args, code, words):
    done = ask("author", "knowledge", *args)
    assert (done.code, words in done.err) == (code, True), done.err


def test_rollback_shows_its_target_counts_clients_and_names_the_silent_one(ask, desk, released):
    key = desk.server("key", "add", "web", "--environment", "production").split()[-1]
    headers = {"Authorization": f"Bearer {key}"}
    snapshot = httpx2.get(f"{desk.url}/runtime/v1/snapshot", headers=headers, trust_env=False).json()
    ack = {"client": "pod-1", "app": "web", "epoch": snapshot["epoch"], "version": snapshot["version"]}
    assert httpx2.post(f"{desk.url}/runtime/v1/acks", json=ack, headers=headers, trust_env=False).is_success
    begun = time.monotonic()
    done = ask("support", "rollback", PROMPT, "--why", "crm writes failing")
    assert done.code == 0, done.err
    assert f"{PROMPT} in production: v1 → switched off" in done.err
    assert f"· switched off  {PROMPT} in production, was v1" in done.out
    assert "observed by 0 of 1" in done.out
    assert re.search(r"silent since \d\d:\d\d: pod-1 \(web\), last served snapshot \d", done.out)
    assert 9 < time.monotonic() - begun < 20
    again = ask("support", "rollback", PROMPT, "--why", "again", "--from", "v1", "--json")
    assert again.json["no_op"] is True
    assert ask("support", "rollback", "sales.nothing", "--why", "x").code == 21


def without_prompt(tmp_path, name):
    """A copy of the sales folder that lists one prompt less."""
    shutil.copytree(SALES, tmp_path / "less", dirs_exist_ok=True)
    shutil.rmtree(tmp_path / "less/prompts" / name)
    file = tmp_path / "less/workflow.yaml"
    document = yaml.safe_load(file.read_text())
    del document["prompts"][name]
    file.write_text(yaml.safe_dump(document, sort_keys=False))
    return tmp_path / "less"


def test_a_prompt_is_switched_off_retired_and_comes_back_only_by_its_owner(ask, pushed, tmp_path):
    name = "sales.research_summary"
    assert ask("author", "eval", f"{name}@v1").code == 0
    assert ask("engineering", "release", f"{name}@v1", "--to", "staging").code == 0
    left_out = ask("workflow", "push", without_prompt(tmp_path, "research_summary"))
    assert left_out.code == 24
    assert f"workflow.yaml leaves out {name}, which was released to staging" in left_out.err
    done = ask("support", "off", name, "--environment", "staging", "--why", "wrong answers")
    assert done.code == 0, done.err
    assert done.out.startswith(f"· switched off  {name} in staging, was v1; callers get the declared fallback")
    assert ask("support", "off", name, "--environment", "staging", "--why", "again", "--json").json["no_op"]
    assert ask("support", "retire", name, "--why", "nobody calls it").code == 23
    done = ask("workflow", "retire", name, "--why", "nobody calls it")
    assert done.code == 0, done.err
    again = ask("author", "push", SALES)
    assert again.code == 22
    assert f"{name} was retired by {WHO['workflow']} on 20" in again.err
    assert f"--revive {name}" in again.err
    assert ask("engineering", "push", SALES, "--revive", name).code == 23
    back = ask("workflow", "push", SALES, "--revive", name)
    assert back.code == 0, back.err


def test_a_key_of_a_provider_goes_in_by_standard_input_and_is_never_shown(ask, desk, monkeypatch):
    assert "none is set" in ask("author", "providers").out
    monkeypatch.setattr("sys.stdin", io.StringIO("sk-secret-1\n"))
    done = ask("author", "providers", "set", "openai", "--json")
    assert (done.code, done.json["key"], done.json["base_url"]) == (0, True, "https://api.openai.com/v1")
    listed = ask("author", "providers")
    assert "a key is set" in listed.out
    assert "sk-secret" not in listed.out + done.out
    monkeypatch.setattr("sys.stdin", io.StringIO("\n"))
    assert ask("author", "providers", "set", "openai").code == 20
    assert ask("engineering", "providers", "set", "openai", "--no-key").code == 23
    assert ask("author", "providers", "set", "openai", "--no-key", "--base-url", "http://far.example/v1").code == 20
    assert "sealed anew: openai" in desk.server("reseal", "--new-key")
    assert "· removed" in ask("author", "providers", "remove", "openai").out
    assert ask("author", "providers", "remove", "openai").code == 21


def test_models_in_use_and_one_that_is_no_longer_offered(ask, pushed):
    listed = ask("author", "models", "--json").json["items"]
    assert f"{PROMPT}@v1" in [version for one in listed for version in one["versions"]]
    assert "● offered" in ask("author", "models").out
    done = ask("engineering", "models", "retire", "example-gone-2026-01-01", "--why", "its provider ended it")
    assert (done.code, done.out.splitlines()[0]) == (
        0,
        "· retired  example-gone-2026-01-01; no new version may name it",
    )
    assert ask("support", "models", "retire", "example-x", "--why", "x").code == 23
    assert "■ retired 20" in ask("author", "models").out


def test_two_versions_side_by_side_and_what_is_not_known_is_said(ask, pushed):
    name = "sales.outreach_draft"
    assert ask("author", "eval", f"{name}@v1").code == 0
    half = ask("author", "compare", f"{name}@v1", f"{name}@v2")
    assert half.code == 0, half.err
    assert f"v2 has no report on this test set; to get it: cuelight eval {name}@v2" in half.out
    assert re.search(r"pass rate +\d+\.\d % +not known", half.out)
    assert ask("author", "compare", f"{name}@v1", f"{name}@v2", "--json").json["to"]["pass_rate"] is None
    ask("author", "eval", f"{name}@v2")
    both = ask("author", "compare", f"{name}@v1", f"{name}@v2")
    assert "not known" not in both.out.split("output format")[0].split("cost per case")[0]
    assert re.search(r"pass rate +\d+\.\d % +\d+\.\d %", both.out)
    assert ask("author", "compare", f"{name}@v1", f"{PROMPT}@v2").code == 20


def test_the_card_of_a_prompt(ask, pushed):
    done = ask("author", "card", PROMPT)
    assert done.code == 0, done.err
    for part in ("tier", "live in", "model", "last approved by", "release note", "rollback version", "last report"):
        assert part in done.out
    assert f"schema at /api/v1/prompts/{PROMPT}/v" in done.out
    assert "priya.nandakumar, " in done.out
    assert "untrusted" in done.out
    card = ask("author", "card", PROMPT, "--json").json
    assert card["digest"].startswith("sha256:")
    assert all("example" in one for one in card["variables"])


def test_where_no_call_was_recorded_no_suite_is_written(ask, pushed, tmp_path):
    done = ask("author", "import", "calls", f"{PROMPT}", "--folder", tmp_path, "--environment", "development")
    assert (done.code, "not one case could be made" in done.err) == (20, True)
    assert not list(tmp_path.iterdir())
    assert ask("author", "import", "calls", "sales.nothing", "--folder", tmp_path).code == 21
    assert ask("author", "import", "calls", PROMPT, "--since", "yesterday", "--folder", tmp_path).code == 20


def test_evaluations_are_listed_shown_watched_and_one_that_ended_cannot_be_cancelled(ask, pushed):
    done = ask("author", "eval", V1, "--json", "--progress")
    told = [json.loads(row) for row in done.err.splitlines() if row.startswith("{")]
    assert told[-1]["state"] == "done"
    assert told[-1]["done"] == told[-1]["total"]
    id = told[-1]["id"]
    listed = ask("author", "evals", "list", PROMPT, "--json").json["items"]
    assert id in [one["id"] for one in listed]
    assert id in ask("author", "evals", "list", PROMPT).out
    for verb in ("show", "watch"):
        seen = ask("author", "evals", verb, id, "--json")
        assert (seen.code, seen.json["verdict"]) == (done.code, done.json["verdict"])
    refused = ask("author", "evals", "cancel", id)
    assert (refused.code, "has ended" in refused.err) == (22, True)
    assert ask("author", "evals", "show", "eval_nothing").code == 21


def test_a_limit_that_cannot_be_is_refused_with_its_name(ask, pushed):
    done = ask("author", "eval", V1, "--max-cost", "-1")
    assert (done.code, "max_usd is -1" in done.err) == (20, True)
    assert ask("author", "eval", V1, "--repeat", "1").code == 20
