"""Settings from outside: defaults, the values given, and a clear word about a wrong one."""

from pathlib import Path

import pytest

from cuelight_server.kernel.errors import Invalid
from cuelight_server.settings import Settings, read_settings


def test_without_any_setting_the_defaults_hold():
    assert read_settings({}) == Settings()
    assert (Settings().host, Settings().port, Settings().folder) == ("127.0.0.1", 7080, Path("cuelight-data"))


def test_every_setting_is_read():
    given = {
        "CUELIGHT_DATA": "/var/lib/cuelight",
        "CUELIGHT_HOST": "0.0.0.0",
        "CUELIGHT_PORT": "8080",
        "CUELIGHT_LOG_LEVEL": "DEBUG",
        "CUELIGHT_OPENAI_BASE_URL": "http://localhost:9000/v1/",
        "CUELIGHT_OPENAI_KEY": "sk-secret",
        "CUELIGHT_PYTHON_GRADERS": "on",
    }
    assert read_settings(given) == Settings(
        folder=Path("/var/lib/cuelight"),
        host="0.0.0.0",
        port=8080,
        log_level="debug",
        openai_base_url="http://localhost:9000/v1",
        openai_key="sk-secret",
        python_graders=True,
    )


def test_an_empty_setting_counts_as_not_set():
    assert read_settings({"CUELIGHT_PORT": "  ", "CUELIGHT_DATA": ""}) == Settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CUELIGHT_PYTHON_GRADERS", "maybe"),
        ("CUELIGHT_PORT", "0"),
        ("CUELIGHT_PORT", "65536"),
        ("CUELIGHT_PORT", "-1"),
        ("CUELIGHT_PORT", "eighty"),
        ("CUELIGHT_PORT", "²"),
        ("CUELIGHT_LOG_LEVEL", "loud"),
        ("CUELIGHT_OPENAI_BASE_URL", "api.openai.com"),
        ("CUELIGHT_OPENAI_BASE_URL", "file:///etc/passwd"),
        ("CUELIGHT_OPENAI_BASE_URL", "http://[broken"),
        ("CUELIGHT_DATABASE_URL", "mysql://db/cuelight"),
        ("CUELIGHT_DATABASE_URL", "registry.db"),
        ("CUELIGHT_DATABASE_URL", "postgresql://db:five/cuelight"),
        ("CUELIGHT_CALLS_URL", "sqlite:///calls.db"),
        ("CUELIGHT_CALLS_URL", "postgresql+psycopg://[broken/cuelight"),
    ],
)
def test_a_wrong_setting_is_named(name, value):
    with pytest.raises(Invalid, match=name) as refused:
        read_settings({name: value})
    assert refused.value.hint


def test_settings_that_are_printed_keep_their_secret():
    assert "sk-secret" not in repr(read_settings({"CUELIGHT_OPENAI_KEY": "sk-secret"}))
    for name in ("CUELIGHT_DATABASE_URL", "CUELIGHT_CALLS_URL"):
        assert "hush" not in repr(read_settings({name: "postgresql+psycopg://desk:hush@db/cuelight"}))


def test_each_store_has_its_own_database_and_none_is_asked_for():
    one, other = "postgresql+psycopg://desk@db/cuelight", "postgresql://desk@db:6432/calls?options=-csearch_path%3Dx"
    made = read_settings({"CUELIGHT_DATABASE_URL": one, "CUELIGHT_CALLS_URL": other})
    assert (made.database_url, made.calls_url) == (one, other)
    assert (Settings().database_url, Settings().calls_url) == (None, None)


OIDC = {
    "CUELIGHT_OIDC_ISSUER": "https://login.example.org",
    "CUELIGHT_OIDC_CLIENT_ID": "desk",
    "CUELIGHT_PUBLIC_URL": "https://desk.example.org",
}


def test_the_sign_in_provider_is_read_and_its_secret_shown_nowhere(tmp_path):
    (tmp_path / "secret").write_text("hush-hush\n")
    more = {
        "CUELIGHT_OIDC_CLIENT_SECRET_FILE": str(tmp_path / "secret"),
        "CUELIGHT_OIDC_ADMIN_GROUPS": "desk-admins, ops ,",
        "CUELIGHT_OIDC_AUDITOR_GROUPS": "auditors",
        "CUELIGHT_OIDC_NEWCOMERS": "ADD",
        "CUELIGHT_OIDC_TRUST_EMAIL": "yes",
        "CUELIGHT_SIGN_IN": "oidc",
    }
    read = read_settings({**OIDC, **more})
    assert (read.oidc_client_secret, read.oidc_admin_groups) == ("hush-hush", ("desk-admins", "ops"))
    assert read.oidc_auditor_groups == ("auditors",)
    assert (read.oidc_newcomers, read.oidc_trust_email, read.sign_in) == ("add", True, "oidc")
    assert "hush" not in repr(read)
    plain = read_settings(OIDC)
    assert (plain.oidc_newcomers, plain.oidc_trust_email, plain.sign_in) == ("deny", False, "any")


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"CUELIGHT_OIDC_ISSUER": "https://login.example.org"}, "CUELIGHT_OIDC_CLIENT_ID"),
        ({**OIDC, "CUELIGHT_PUBLIC_URL": ""}, "CUELIGHT_PUBLIC_URL"),
        ({**OIDC, "CUELIGHT_OIDC_SCOPES": "email"}, "CUELIGHT_OIDC_SCOPES"),
        ({**OIDC, "CUELIGHT_OIDC_NEWCOMERS": "maybe"}, "CUELIGHT_OIDC_NEWCOMERS"),
        ({**OIDC, "CUELIGHT_OIDC_TRUST_EMAIL": "perhaps"}, "CUELIGHT_OIDC_TRUST_EMAIL"),
        ({**OIDC, "CUELIGHT_OIDC_CLIENT_SECRET_FILE": "/no/such/file"}, "CUELIGHT_OIDC_CLIENT_SECRET_FILE"),
        ({**OIDC, "CUELIGHT_OIDC_CLIENT_SECRET_FILE": "/dev/null"}, "CUELIGHT_OIDC_CLIENT_SECRET_FILE"),
        ({**OIDC, "CUELIGHT_OIDC_CLIENT_SECRET_FILE": "x", "CUELIGHT_OIDC_CLIENT_SECRET": "y"}, "both set"),
        ({"CUELIGHT_SIGN_IN": "oidc"}, "CUELIGHT_SIGN_IN"),
        ({"CUELIGHT_SIGN_IN": "magic"}, "CUELIGHT_SIGN_IN"),
    ],
)
def test_a_sign_in_provider_that_is_half_told_is_named(given, name):
    with pytest.raises(Invalid, match=name):
        read_settings(given)
