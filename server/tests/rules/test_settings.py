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
    ],
)
def test_a_wrong_setting_is_named(name, value):
    with pytest.raises(Invalid, match=name) as refused:
        read_settings({name: value})
    assert refused.value.hint


def test_settings_that_are_printed_keep_their_secret():
    assert "sk-secret" not in repr(read_settings({"CUELIGHT_OPENAI_KEY": "sk-secret"}))
