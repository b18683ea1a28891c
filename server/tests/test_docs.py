"""Nothing without docs: the reference is what the code says, and every command that the pages tell people to type exists."""

# long because: one test asks every address that there is

import ast
import os
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest
import yaml
from starlette.testclient import TestClient

from cuelight.cli import ending
from cuelight.cli.main import cli
from cuelight.contract.errors import KINDS
from cuelight.contract.format import check
from cuelight.files import read_folder
from cuelight_server.api.errors import STATUS
from cuelight_server.app import Keyring, build
from cuelight_server.audit.signing import KeyPlace
from cuelight_server.audit.verbs import Verb
from cuelight_server.cli import EXIT, UNEXPECTED
from cuelight_server.cli import commands as server
from cuelight_server.control.access import add_actor, issue_key
from cuelight_server.control.checkpoints import Checkpoints
from cuelight_server.control.trusts import Wished, add_trust
from cuelight_server.docs_reference import pages, write
from cuelight_server.docs_reference.answers import GIVES, ITEMS, KEYS, OTHERS
from cuelight_server.docs_reference.catalogues import CLIENT_SETTINGS, server_settings
from cuelight_server.docs_reference.commands import every_command, variables
from cuelight_server.docs_reference.endpoints import addresses
from cuelight_server.docs_reference.formats import definitions, graders
from cuelight_server.kernel.actor import SYSTEM
from cuelight_server.kernel.terms import Environment
from cuelight_server.prompts.enforcement import ENFORCED_BY
from cuelight_server.vault.sealing import key_text, read_keys
from server.tests.openid.hostile import open_issuer, signed

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs/reference"
SOURCES = (ROOT / "client/src", ROOT / "server/src")
TOLD = [ROOT / "README.md", ROOT / "docs/start.md", *sorted((ROOT / "docs/guides").glob("*.md"))]
PROGRAMS = {"cuelight": cli, "cuelight-server": server}
FENCED = re.compile(r"^```(?:sh|bash|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"(?<!`)`(cuelight(?:-server)? [^`\n]+)`(?!`)")
ENDS_A_COMMAND = {"|", "||", "&&", ";", "&", ">", ">>", "2>", "<", "done", "do", "#"}


@pytest.fixture(scope="module")
def made():
    return pages()


# The reference


def test_the_committed_reference_is_what_the_code_says(made):
    kept = {path.name: path.read_text(encoding="utf-8") for path in REFERENCE.glob("*")}
    assert sorted(kept) == sorted(made)
    stale = [name for name in made if kept[name] != made[name]]
    assert stale == [], "write it anew: make docs"


def test_the_reference_is_the_same_in_another_process_and_another_place(made, tmp_path):
    docs = tmp_path / "docs"
    docs.mkdir()
    paths = ":".join(str(one) for one in SOURCES)
    for seed in ("1", "2"):
        subprocess.run(
            [sys.executable, "-m", "cuelight_server.docs_reference", str(docs)],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": paths, "PYTHONHASHSEED": seed, "COLUMNS": "40", "CUELIGHT_PORT": "1"},
            check=True,
            capture_output=True,
        )
        assert {one.name: one.read_text(encoding="utf-8") for one in docs.glob("reference/*")} == made


def test_writing_takes_away_pages_that_are_no_more_and_says_what_changed(tmp_path, made):
    (tmp_path / "gone.md").write_text("old")
    (tmp_path / "index.md").write_text("edited by hand")
    assert {one.name for one in write(tmp_path)} == {*made, "gone.md"}
    assert write(tmp_path) == []
    assert not (tmp_path / "gone.md").exists()


def test_every_link_inside_the_reference_leads_to_a_place(made):
    for name, text in made.items():
        places = {*re.findall(r'<a id="([^"]+)"', text)}
        assert set(re.findall(r"\]\(#([^)]+)\)", text)) - places == set(), name
        for other, place in re.findall(r"\]\((\w+\.md)#([^)]+)\)", text):
            assert f'<a id="{place}"' in made[other]


def test_every_link_into_the_reference_leads_to_a_place(made):
    for page in [*TOLD, *(ROOT / "docs").glob("*.md")]:
        for name, place in re.findall(r"\]\((?:[./]*reference/)(\w+\.md)#([^)]+)\)", page.read_text(encoding="utf-8")):
            assert f'<a id="{place}"' in made[name], f"{page.name}: {name}#{place}"


# Nothing without docs


def test_every_command_and_every_option_is_in_the_reference(made):
    names = [name for name, _, _ in every_command()]
    assert len(names) > 20
    for name, command, _ in every_command():
        _, _, after = made["commands.md"].partition(f"### `{name}`\n")
        told = after.partition("\n### ")[0]
        assert told, name
        options = [opt for one in command.params if isinstance(one, click.Option) for opt in one.opts]
        assert [opt for opt in options if f"`{opt}" not in told] == [], name


def test_every_command_and_option_says_what_it_is_for():
    silent = [
        f"{name} {one.opts[0]}"
        for name, command, _ in every_command()
        for one in command.params
        if isinstance(one, click.Option) and not one.help
    ]
    assert silent == []
    assert [name for name, command, _ in every_command() if not command.help] == []


def test_every_verb_endpoint_grader_error_and_kind_of_rule_is_in_the_reference(made):
    assert [verb for verb in Verb if f"| `{verb.value}` |" not in made["verbs.md"]] == []
    assert [one for one in addresses() if f"### `{one}`" not in made["api.md"]] == []
    assert len(graders()) > 20
    named = [one for one in graders() if f"### `{one}`" not in made["format.md"]]
    assert [one for one in named if f"`{one}`" not in made["format.md"]] == []
    operators = definitions()["condition"]["properties"]
    assert [one for one in operators if f"| `{one}` |" not in made["format.md"]] == []
    assert [one for one in KINDS if f"| `{one}` |" not in made["errors.md"]] == []
    assert [one for one in ENFORCED_BY if f"| {one} |" not in made["enforcement.md"]] == []


def test_every_key_of_every_file_is_in_the_reference(made):
    def keys(node):
        if isinstance(node, dict):
            yield from (node["properties"] if isinstance(node.get("properties"), dict) else ())
            for value in node.values():
                yield from keys(value)
        if isinstance(node, list):
            for value in node:
                yield from keys(value)

    told = set(re.findall(r"^\| `(?:[\w$]+(?:\[\])?\.)*([\w$]+)(?:\[\])?` \|", made["format.md"], re.MULTILINE))
    assert set(keys(definitions())) - told == set()


def test_every_variable_that_the_code_reads_is_in_the_reference(made):
    read = set()
    for path in (path for tree in SOURCES for path in tree.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                read.update((re.fullmatch(r"CUELIGHT_[A-Z_]+", node.value) and [node.value]) or [])
    documented = {name for name, _, _ in server_settings()} | set(CLIENT_SETTINGS)
    assert read | variables() == documented
    assert [name for name in documented if f"| `{name}` |" not in made["settings.md"]] == []


def test_both_command_lines_and_the_reference_agree_how_errors_end():
    assert dict(ending.CODES) == EXIT
    assert ending.UNEXPECTED == UNEXPECTED
    assert set(EXIT) == set(STATUS) == set(KINDS)


# What the API gives


@pytest.fixture
def asked(demo_desk, tmp_path):
    """Ask a desk for everything that the reference tells of: {address: answer}."""
    add_actor(demo_desk, SYSTEM, "ada.moss", "Ada Moss", admin=True)
    add_actor(demo_desk, SYSTEM, "ben.okoro", "Ben Okoro", admin=True)
    signing = Checkpoints(keys=KeyPlace(file=tmp_path / "signing.key"))
    keyring = Keyring(sealing=read_keys(key_text(bytes(32))), checkpoints=signing)
    with TestClient(build(demo_desk, worker=True, keyring=keyring), base_url="http://localhost") as http:
        yield Asking(http, issue_key(demo_desk, SYSTEM, "app", Environment.PRODUCTION))


class Asking:
    """Sends requests and keeps the answers by the address that the reference has for them."""

    def __init__(self, http, key):
        self.http, self.key, self.answers = http, key, {}

    def __call__(self, address, path="", *, key=False, who="ben.okoro", **request):
        method, _, plain = address.partition(" ")
        head = {"Authorization": f"Bearer {self.key}"} if key else {"Cuelight-As": who}
        answer = self.http.request(method, path or plain, headers=head, follow_redirects=False, **request)
        assert answer.status_code < 400, (address, answer.text)
        self.answers[address] = answer
        return answer.json() if answer.headers.get("content-type") == "application/json" else answer


def trusted_token(desk, runner):
    """A token of a pipeline that the desk trusts."""
    says = {"repository": "acme/prompts"}
    wished = Wished(issuer=runner.url, audience="desk", conditions=says, scopes=["read"])
    add_trust(desk, SYSTEM, "pipeline", wished, plain_at_home=True)
    now = int(desk.clock().timestamp())
    return signed({"iss": runner.url, "aud": "desk", "sub": "job", "iat": now, "exp": now + 300, **says}, runner.key)


def ask_for_the_log(asked, until):
    api = "/api/v1"
    while not asked(f"GET {api}/audit/checkpoints")["items"]:
        assert time.monotonic() < until
        time.sleep(0.05)
    asked("GET /audit/{seq:int}", "/audit/1")
    asked("GET /api/v1/audit/lines/{seq}", f"{api}/audit/lines/1")
    asked("GET /api/v1/audit/proof/inclusion", params={"line": 1})
    asked("GET /api/v1/audit/proof/consistency", params={"old": 1})


def ask_for_people(asked, desk):
    api = "/api/v1"
    asked("POST /api/v1/people", json={"id": "cleo.ray", "name": "Cleo Ray"}, who="ada.moss")
    for step, body in (
        ("invitation", {}),
        ("email", {"address": "cleo@example.org"}),
        ("person", {"same_as": "ada.moss"}),
        ("disable", {}),
    ):
        asked(f"POST /api/v1/people/{{id}}/{step}", f"{api}/people/cleo.ray/{step}", json=body, who="ada.moss")
    key = asked("POST /api/v1/keys", json={"holder": "ci", "kind": "service", "scopes": ["push"]}, who="ada.moss")
    asked("POST /api/v1/keys/{id}/revoke", f"{api}/keys/{key['id']}/revoke", who="ada.moss")
    with open_issuer() as runner:
        asked("POST /api/v1/token-exchange", json={"token": trusted_token(desk, runner)})
    asked("GET /api/v1/people")
    asked("GET /api/v1/keys", who="ada.moss")
    wish = {"service": "ci", "issuer": "https://ci.example.com", "audience": "desk", "scopes": ["push"]}
    trust = asked("POST /api/v1/trusts", json={**wish, "conditions": {"repository": "acme/x"}}, who="ada.moss")
    asked("POST /api/v1/trusts/{id}/end", f"/api/v1/trusts/{trust['id']}/end", who="ada.moss")
    asked("GET /api/v1/trusts", who="ada.moss")


def ask_for_what_people_see(asked, api, name, evaluation):
    asked("GET /api/v1/compare", params={"prompt": name, "from": "v1", "to": "v1"})
    asked("POST /api/v1/tries", json={"prompt": name, "labels": ["v1"]})
    asked("GET /api/v1/tries", params={"prompt": name})
    id = asked("POST /api/v1/reviews", json={"evaluation": evaluation, "role": "engineering_owner", "cases": 1})["id"]
    case = f"{api}/reviews/{id}/cases/1"
    asked("POST /api/v1/reviews/{id}/cases/{number}", case)
    asked("PUT /api/v1/reviews/{id}/cases/{number}", case, json={"better": "both"})
    asked("GET /api/v1/reviews")
    asked("GET /api/v1/reviews/{id}", f"{api}/reviews/{id}")
    asked("POST /api/v1/reviews/{id}/sign", f"{api}/reviews/{id}/sign")


def ask_for_the_end(asked, name):
    asked("GET /api/v1/calls", params={"prompt": name})
    asked("POST /api/v1/rollbacks", json={"prompt": name, "why": "a try"})
    asked("POST /api/v1/off", json={"prompt": name, "why": "a try"})
    asked("POST /api/v1/retirements", json={"prompt": name, "why": "a try"})


def ask_to_cancel(asked, version):
    """The worker may be quicker than we are: then another one is asked for. After that, the list of them."""
    address, head = "/api/v1/evaluations", {"Cuelight-As": "ben.okoro"}
    for _ in range(100):
        id = asked(f"POST {address}", json=version)["id"]
        done = asked.http.post(f"{address}/{id}/cancel", headers=head)
        if done.status_code == 200:
            break
    assert done.status_code == 200
    asked.answers[f"POST {address}/{{id}}/cancel"] = done
    asked(f"GET {address}", params={"prompt": version["prompt"]})


def ask_for_models(asked):
    there = {"base_url": "https://api.example.com/v1", "key": "x"}
    asked("PUT /api/v1/providers/{name}", "/api/v1/providers/openai", json=there)
    asked("GET /api/v1/providers")
    asked("DELETE /api/v1/providers/{name}", "/api/v1/providers/openai")
    asked("GET /api/v1/models")
    asked("POST /api/v1/models/retired", json={"model": "example-1", "why": "a try"})


def ask_for_an_evaluation(asked, api, version, until):
    name = version["prompt"]
    id = asked("POST /api/v1/evaluations", json=version)["id"]
    while asked("GET /api/v1/evaluations/{id}", f"{api}/evaluations/{id}")["state"] not in ("done", "error"):
        assert time.monotonic() < until
        time.sleep(0.05)
    asked("GET /api/v1/evaluations", params={"prompt": name})
    asked("GET /api/v1/evaluations/{id}/results", f"{api}/evaluations/{id}/results")
    asked("GET /api/v1/evaluations/{id}/cases/{case}", f"{api}/evaluations/{id}/cases/S01")
    asked("GET /api/v1/evaluations/{id}/report", f"{api}/evaluations/{id}/report")
    for page in ("", "/report.html", "/cases/S01"):
        asked(f"GET /evaluations/{{id}}{page.replace('S01', '{case}')}", f"/evaluations/{id}{page}")
    ask_for_what_people_see(asked, api, name, id)


def test_every_address_gives_what_the_reference_says(asked, made, demo_desk):
    bundle = read_folder(ROOT / "client/src/cuelight/cli/examples/minimal").bundle
    name, api = "newsletter.subject_line", "/api/v1"
    version = {"prompt": name, "label": "v1"}
    asked("POST /api/v1/lint", json={"bundle": bundle})
    hours = {"knowledge": "hours", "items": [{"ref": "H-1", "text": "Open from nine."}]}
    asked("POST /api/v1/push", json={"bundle": {**bundle, "knowledge": {"hours": hours}}})
    asked("POST /api/v1/push", json={"bundle": {**bundle, "knowledge": {"hours": {**hours, "description": "New"}}}})
    asked("GET /api/v1/knowledge/{workflow}", f"{api}/knowledge/newsletter")
    asked("GET /api/v1/knowledge/{workflow}/{name}", f"{api}/knowledge/newsletter/hours")
    asked("GET /api/v1/knowledge/{workflow}/{name}/releases", f"{api}/knowledge/newsletter/hours/releases")
    ends = {"from": 1, "to": 2}
    asked("GET /api/v1/knowledge/{workflow}/{name}/diff", f"{api}/knowledge/newsletter/hours/diff", params=ends)
    asked("POST /api/v1/diff", json={"prompt": name, "from": "production", "to": "v1"})
    asked("GET /api/v1/prompts")
    asked("GET /api/v1/prompts/{name}", f"{api}/prompts/{name}")
    asked("GET /api/v1/prompts/{name}/{label}", f"{api}/prompts/{name}/v1")
    asked("GET /api/v1/export/{workflow}", f"{api}/export/newsletter")
    until = time.monotonic() + 30
    ask_for_an_evaluation(asked, api, version, until)
    asked("GET /api/v1/releases/check", params=version)
    asked("POST /api/v1/releases", json=version)
    ask_to_cancel(asked, version)
    asked("GET /api/v1/releases", params={"prompt": name})
    epoch = asked("GET /runtime/v1/snapshot", key=True)["epoch"]
    asked("POST /runtime/v1/acks", key=True, json={"client": "c", "epoch": epoch, "version": 1})
    call = {"id": "out_1", "at": "2026-01-05T09:00:00Z", "prompt": name, "version": "v1", "reason": "stable"}
    asked("POST /runtime/v1/calls", key=True, json={"calls": [call]})
    asked("GET /api/v1/calls/{id}/why", f"{api}/calls/out_1/why")
    ask_for_people(asked, demo_desk)
    for plain in ("/status", "/me", "/audit", "/audit/export", "/audit/keys", "/health", "/runtime/observed"):
        asked(f"GET {api}{plain}")
    ask_for_the_log(asked, until)
    who_decides(asked, api, name)
    ask_for_models(asked)
    ask_for_the_end(asked, name)
    for page in ("/healthz", "/", "/owners", "/access", "/signin", "/audit", "/evaluations"):
        asked(f"GET {page}")
    given = {address: answer.json() for address, answer in asked.answers.items() if address in KEYS}
    assert {address: sorted(answer) for address, answer in given.items()} == {
        address: sorted(KEYS[address]) for address in given
    }
    for address, keys in ITEMS.items():
        page = asked.answers[address].json()
        assert set(page) == {"items", "next"}, address
        assert page["items"], address
        assert {key for one in page["items"] for key in one} == set(keys), address
    unasked = set(GIVES) - set(asked.answers)
    yes_and_no = {"POST /api/v1/governance/{id}/approve", "POST /api/v1/governance/{id}/decline"}
    assert unasked == {"POST /api/v1/approvals", *yes_and_no}, (
        "this low-risk example needs no yes; the walk of docs/start.md gives one"
    )
    assert {*GIVES, *OTHERS} == set(addresses())


def who_decides(asked, api, name):
    """Roles handed over, places given, rights explained."""
    offer = {"subject": "newsletter", "role": "support_owner", "to": "ada.moss", "why": "x"}

    def proposal(address, id, **json):
        return asked(f"POST {api}/{address}", f"{api}/{address}".replace("{id}", id), json=json)

    def offered_by_ada():
        to_ben = {**offer, "role": "domain_expert", "to": "ben.okoro"}
        return asked.http.post(f"{api}/handovers", headers={"Cuelight-As": "ada.moss"}, json=to_ben).json()["id"]

    id = asked("POST /api/v1/handovers", json=offer)["id"]
    asked("GET /api/v1/governance")
    asked("GET /api/v1/governance/{id}", f"{api}/governance/{id}")
    proposal("governance/{id}/withdraw", id, why="x")
    taken = offered_by_ada()
    proposal("handovers/{id}/accept", taken)
    proposal("governance/{id}/apply", taken)
    proposal("governance/{id}/undo", taken)
    proposal("handovers/{id}/decline", offered_by_ada(), why="x")
    place = f"{api}/workflows/newsletter/members"
    asked("POST /api/v1/workflows/{workflow}/members", place, json={"account": "ada.moss", "role": "reader"})
    asked("GET /api/v1/workflows/{workflow}/members", place)
    dismissed = "DELETE /api/v1/workflows/{workflow}/members/{account}/{role}"
    asked(dismissed, f"{place}/ada.moss/reader")
    for plain in ("/owners", "/owners/export"):
        asked(f"GET {api}{plain}")
    asked("GET /api/v1/access/explain", params={"who": "ben.okoro", "verb": "release.open", "subject": name})


# What the pages show


def test_the_files_in_the_format_guide_fit_the_format():
    text = (ROOT / "docs/guides/format.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```yaml\n(.*?)^```$", text.replace("4f2c...", "4f2c" * 16), re.MULTILINE | re.DOTALL)
    kinds = {"release_note:": "prompt", "suite:": "suite", "models:": "prices"}
    shown = [(kinds[head], yaml.safe_load(one)) for one in blocks if (head := one.split()[0]) in kinds]
    assert [kind for kind, _ in shown] == ["prompt", "suite", "prices"]
    conditions = [yaml.safe_load(line) for one in blocks if one.startswith("{") for line in one.splitlines()]
    assert len(conditions) > 3
    shown += [("authority", {"actions": [{"action": "a", "mode": "never", "condition": one}]}) for one in conditions]
    assert [(kind, check(kind, one)) for kind, one in shown if check(kind, one)] == []
    assert [path for path in re.findall(r"schema: (\S+\.json)", text) if path.startswith(("/", ".."))] == []


def typed(page):
    """Every command line of ours on a page: (as it stands, its words)."""
    text = page.read_text(encoding="utf-8")
    lines = [line for block in FENCED.findall(text) for line in block.replace("\\\n", " ").splitlines()]
    lines += INLINE.findall(text)
    for line in lines:
        if not line.startswith("from "):  # a script that is written in a block imports our client
            yield from ((line, words) for words in commands_in(line))


def commands_in(line):
    """The words of each of our commands in one line of shell; placeholders like out_01k… stay as they are."""
    for found in re.finditer(r"(?:^|[\s(`])(cuelight(?:-server)?) ", line):
        lexer = shlex.shlex(line[found.start(1) :], posix=True, punctuation_chars="();<>|&")
        lexer.whitespace_split = True
        words = []
        try:
            for word in lexer:
                if word in ENDS_A_COMMAND or set(word) <= set("();<>|&"):
                    break
                words.append(word)
        except ValueError:  # a quote that ends outside: `echo "$(cuelight ...)"`
            words = shlex.split(line[found.start(1) :].split(")")[0])
        yield words


EVERY_LINE = [
    pytest.param(words, id=f"{page.name}: {line.strip()[:70]}") for page in TOLD for line, words in typed(page)
]


def parsed(words):
    """Parse one command line as click does, without running it; a click error where it does not fit."""
    command, context, rest = PROGRAMS[words[0]], None, words[1:]
    name = words[0]
    while isinstance(command, click.Group):
        context = click.Context(command, info_name=name, parent=context)
        if rest and rest[0] in ("--help", "--version"):
            return
        if command.invoke_without_command and (not rest or rest[0].startswith("-")):
            break  # `cuelight audit --limit 1`: the group is a command of its own
        name, command, rest = command.resolve_command(context, rest)
    command.make_context(name, list(rest), parent=context)


def test_the_pages_hold_commands():
    assert len(EVERY_LINE) > 40
    assert {page.name for page in TOLD} > {"README.md", "start.md", "format.md", "releases.md", "evaluation.md"}


@pytest.mark.parametrize("words", EVERY_LINE)
def test_a_command_that_a_page_shows_exists_with_its_options(words, monkeypatch):
    monkeypatch.chdir(ROOT)
    try:
        parsed(words)
    except click.MissingParameter:
        mentioned = not any(one.startswith("-") for one in words) and len(words) <= 3
        assert mentioned, words  # `cuelight push` in a sentence names the command, it is not typed so


@pytest.mark.parametrize(
    "line",
    [
        "cuelight relaese x@v1 --to production",
        "cuelight release x@v1 --to production --force",
        "cuelight-server user ad a b",
    ],
)
def test_a_command_that_does_not_exist_would_be_noticed(line):
    (words,) = commands_in(line)
    with pytest.raises(click.UsageError):
        parsed(words)


def test_the_page_of_promises_names_files_that_hold_tests_of_that_promise():
    """Each row that says `held` names a place in which a test called after the promise stands."""
    for line in (ROOT / "docs/promises.md").read_text("utf-8").splitlines():
        row = re.match(r"\| (\d+) \|", line)
        if row is None or "held" not in line:
            continue
        places = re.findall(r"`((?:client|server)/tests/[^`]+)`", line)
        texts = [file.read_text("utf-8") for place in places for file in _python_files(ROOT / place)]
        if places:
            assert any(f"def test_promise_{row[1]}_" in text for text in texts), line


def _python_files(place):
    return sorted(place.rglob("*.py")) if place.is_dir() else [place]
