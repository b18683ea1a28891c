"""At the command line: trusting a pipeline, saying who somebody is at the provider, and coming in from a pipeline."""

import json
import time

import pytest

from cuelight.cli.main import main as cuelight
from cuelight_server.access import store
from cuelight_server.cli import run
from cuelight_server.control.opening import create_desk, open_desk
from cuelight_server.db.engine import reading
from server.tests.openid.hostile import open_issuer, say, signed
from server.tests.openid.serving import serving

pytestmark = pytest.mark.database("sqlite")
MAIN = "repo:acme/prompts:ref:refs/heads/main"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name in ("GITHUB_ENV", "CUELIGHT_ID_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CUELIGHT_DATA", str(tmp_path / "desk"))
    create_desk(tmp_path / "desk", admin=("mei.tanaka", "Mei Tanaka")).close()
    return tmp_path / "desk"


@pytest.fixture
def github():
    with open_issuer() as made:
        yield made


@pytest.fixture
def at(folder, github, capsys):
    trust = ["trust", "add", "ci", "--issuer", github.url, "--audience", "https://desk", "--scope", "read"]
    assert run([*trust, "--claim", "repository=acme/prompts", "--claim", "ref=refs/heads/*"]) == 0
    capsys.readouterr()
    desk = open_desk(folder)
    with serving(desk) as made:
        yield made
    desk.close()


def token(github, **more):
    now = int(time.time())
    plain = {"iss": github.url, "aud": "https://desk", "sub": MAIN, "iat": now, "exp": now + 300, "jti": str(now)}
    return signed({**plain, "repository": "acme/prompts", "ref": "refs/heads/main", **more}, github.key)


def ci(capsys, *words):
    with pytest.raises(SystemExit) as ended:
        cuelight(["ci", "login", *words])
    said = capsys.readouterr()
    return ended.value.code, said.out, said.err


def test_a_trust_is_added_listed_and_ended(folder, capsys):
    add = ["trust", "add", "ci", "--issuer", "https://token.actions.githubusercontent.com", "--scope", "push"]
    assert run([*add, "--claim", "repository=acme/prompts"]) == 20
    assert "--audience" in capsys.readouterr().err
    assert run([*add, "--audience", "https://desk.example.org", "--claim", "repository"]) == 20
    assert run([*add, "--audience", "x", "--claim", "ref=a", "--claim", "ref=b"]) == 20
    assert run([*add, "--audience", "https://desk.example.org", "--claim", "repository=acme/prompts"]) == 0
    id = capsys.readouterr().out.strip()
    assert run(["trust", "list"]) == 0
    assert "repository=acme/prompts" in capsys.readouterr().out
    assert run(["trust", "list", "--json"]) == 0
    (one,) = json.loads(capsys.readouterr().out)["items"]
    assert (one["id"], one["actor"], one["minutes"]) == (id, "service:ci", 10)
    assert [run(["trust", "end", id]) for _ in range(2)] == [0, 22]
    assert run(["trust", "end", "0" * 16]) == 21
    assert run(["verify"]) == 0


def test_an_administrator_says_who_somebody_is_at_the_provider(folder, capsys, monkeypatch):
    assert run(["user", "identity", "mei.tanaka", "--subject", "00u1"]) == 20
    monkeypatch.setenv("CUELIGHT_OIDC_ISSUER", "https://login.example.org")
    monkeypatch.setenv("CUELIGHT_OIDC_CLIENT_ID", "desk")
    monkeypatch.setenv("CUELIGHT_PUBLIC_URL", "https://desk.example.org")
    assert run(["user", "identity", "mei.tanaka", "--subject", "00u1"]) == 0
    assert run(["user", "identity", "mei.tanaka", "--subject", "00u1"]) == 22
    desk = open_desk(folder)
    with reading(desk.registry) as sql:
        assert store.identity(sql, "https://login.example.org", "00u1").actor == "mei.tanaka"
    desk.close()
    assert run(["user", "identity", "mei.tanaka", "--subject", "00u1", "--remove"]) == 0
    assert run(["verify"]) == 0


def test_on_gitlab_the_token_stands_in_a_variable_and_the_key_is_printed(at, github, capsys, monkeypatch):
    monkeypatch.setenv("CUELIGHT_ID_TOKEN", token(github))
    code, out, _ = ci(capsys, "--server", at.url)
    assert code == 0
    assert out.startswith("cue_all_")
    monkeypatch.setenv("CUELIGHT_TOKEN", out.strip())
    with pytest.raises(SystemExit) as ended:
        cuelight(["status", "--server", at.url])
    assert ended.value.code == 0


def test_on_github_the_token_is_asked_for_and_the_key_reaches_the_next_steps_masked(
    at, github, capsys, monkeypatch, tmp_path
):
    def give(handler):
        assert handler.headers["Authorization"] == "Bearer of-the-job"
        assert "audience=https%3A%2F%2Fdesk" in handler.path
        assert "api-version=2" in handler.path
        say(handler, {"value": token(github)})

    github.answers["/idtoken"] = give
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", f"{github.url}/idtoken?api-version=2")
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "of-the-job")
    monkeypatch.setenv("GITHUB_ENV", str(tmp_path / "env"))
    code, out, err = ci(capsys, "--server", at.url, "--audience", "https://desk")
    assert (code, err) == (0, err)
    key = (tmp_path / "env").read_text().removeprefix("CUELIGHT_TOKEN=").strip()
    assert out.splitlines()[0] == f"::add-mask::{key}"
    assert key not in err + "".join(out.splitlines()[1:])
    github.answers["/idtoken"] = {"no": "value"}
    assert ci(capsys, "--server", at.url)[0] == 23
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", "http://evil.example/")
    assert ci(capsys, "--server", at.url)[0] == 20


def test_a_token_from_a_file_and_json(at, github, capsys, tmp_path):
    (tmp_path / "token").write_text(token(github) + "\n")
    code, out, _ = ci(capsys, "--server", at.url, "--token-file", str(tmp_path / "token"), "--json")
    assert code == 0
    assert set(json.loads(out)) == {"key", "account", "scopes", "environment", "expires_at"}
    code, _, err = ci(capsys, "--server", at.url, "--token-file", str(tmp_path / "token"))
    assert (code, "each token counts once" in err) == (23, True)
    assert ci(capsys, "--server", at.url, "--token-file", str(tmp_path / "nothing"))[0] == 20


def test_outside_of_a_pipeline_the_command_says_what_it_needs(folder, capsys):
    code, _, err = ci(capsys)
    assert code == 20
    assert "id-token: write" in err


def test_a_pipelines_token_that_does_not_fit_is_denied(at, github, capsys, monkeypatch):
    monkeypatch.setenv("CUELIGHT_ID_TOKEN", token(github, repository="evil/prompts"))
    code, out, err = ci(capsys, "--server", at.url)
    assert (code, out) == (23, "")
    assert "opens nothing here" in err
