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
    }
    assert read_settings(given) == Settings(
        folder=Path("/var/lib/cuelight"),
        host="0.0.0.0",
        port=8080,
        log_level="debug",
        openai_base_url="http://localhost:9000/v1",
        openai_key="sk-secret",
    )


def test_an_empty_setting_counts_as_not_set():
    assert read_settings({"CUELIGHT_PORT": "  ", "CUELIGHT_DATA": ""}) == Settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
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
