"""Everything that can be set from outside, read once from CUELIGHT_* by the roof of the house."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

from cuelight_server.kernel.errors import Invalid

LOG_LEVELS = ("debug", "info", "warning", "error")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of one server; `repr` never shows a secret."""

    folder: Path = Path("cuelight-data")
    """CUELIGHT_DATA: the data folder."""
    database_url: str | None = field(default=None, repr=False)
    """CUELIGHT_DATABASE_URL: where the registry is, `postgresql+psycopg://user@host/name`; unset, in the data folder."""
    calls_url: str | None = field(default=None, repr=False)
    """CUELIGHT_CALLS_URL: where the calls are, likewise; it may be the same."""
    host: str = "127.0.0.1"
    """CUELIGHT_HOST: the address to listen on."""
    port: int = 7080
    """CUELIGHT_PORT: the port to listen on, 1 to 65535."""
    public_url: str = ""
    """CUELIGHT_PUBLIC_URL: the address at which people find the desk, such as https://desk.example.org."""
    proxies: str = "127.0.0.1"
    """CUELIGHT_PROXIES: addresses of proxies in front, with commas; their X-Forwarded headers are believed."""
    session_idle_minutes: int = 120
    """CUELIGHT_SESSION_IDLE_MINUTES: a session ends after this time without a click, 5 to 1440."""
    session_hours: int = 12
    """CUELIGHT_SESSION_HOURS: a session ends after this time anyway, 1 to 168."""
    log_level: str = "info"
    """CUELIGHT_LOG_LEVEL: debug, info, warning or error."""
    openai_base_url: str = "https://api.openai.com/v1"
    """CUELIGHT_OPENAI_BASE_URL: where an OpenAI-compatible model answers."""
    openai_key: str | None = field(default=None, repr=False)
    """CUELIGHT_OPENAI_KEY: the key for it; one that is set on the desk (`cuelight providers set`) counts before it."""
    sealing_keys: str | None = field(default=None, repr=False)
    """CUELIGHT_SEALING_KEYS: what seals keys of providers, 32 bytes in base64, the current one first; unset, a file."""
    sealing_key_file: Path | None = None
    """CUELIGHT_SEALING_KEY_FILE: the file with them; unset, `sealing.key` in the data folder, made at the first start."""
    signing_key: str | None = field(default=None, repr=False)
    """CUELIGHT_SIGNING_KEY: the key that signs checkpoints, `PRIVATE+KEY+...`; unset, it is kept in a file."""
    signing_key_file: Path | None = None
    """CUELIGHT_SIGNING_KEY_FILE: that file; unset, `signing.key` in the data folder."""
    checkpoint_every_s: int = 3600
    """CUELIGHT_CHECKPOINT_EVERY: the log is signed at each production change, and after so many seconds if it grew."""
    checkpoint_file: Path | None = None
    """CUELIGHT_CHECKPOINT_FILE: a file to which signed checkpoints are appended, best where this machine cannot rewrite it."""
    checkpoint_stdout: bool = False
    """CUELIGHT_CHECKPOINT_STDOUT: 1 prints signed checkpoints, for whatever collects the output."""
    checkpoint_webhook: str | None = field(default=None, repr=False)
    """CUELIGHT_CHECKPOINT_WEBHOOK: an address to which signed checkpoints are posted."""
    checkpoint_webhook_secret: str | None = field(default=None, repr=False)
    """CUELIGHT_CHECKPOINT_WEBHOOK_SECRET: what the posts are signed with (HMAC-SHA256), known to both ends."""


def read_settings(environment: Mapping[str, str]) -> Settings:
    """The settings from environment variables; an empty one counts as not set. Invalid names the variable."""
    given = {name: value.strip() for name, value in environment.items() if value.strip()}
    plain = Settings()
    return Settings(
        folder=Path(given.get("CUELIGHT_DATA", plain.folder)).expanduser(),
        database_url=_database(given, "CUELIGHT_DATABASE_URL"),
        calls_url=_database(given, "CUELIGHT_CALLS_URL"),
        host=given.get("CUELIGHT_HOST", plain.host),
        port=_port(given.get("CUELIGHT_PORT", str(plain.port))),
        public_url=_public(given.get("CUELIGHT_PUBLIC_URL", plain.public_url)),
        proxies=_proxies(given.get("CUELIGHT_PROXIES", plain.proxies)),
        session_idle_minutes=_number(given, "CUELIGHT_SESSION_IDLE_MINUTES", plain.session_idle_minutes, 5, 1440),
        session_hours=_number(given, "CUELIGHT_SESSION_HOURS", plain.session_hours, 1, 168),
        log_level=_log_level(given.get("CUELIGHT_LOG_LEVEL", plain.log_level)),
        openai_base_url=_url(given.get("CUELIGHT_OPENAI_BASE_URL", plain.openai_base_url), "CUELIGHT_OPENAI_BASE_URL"),
        openai_key=given.get("CUELIGHT_OPENAI_KEY"),
        sealing_keys=given.get("CUELIGHT_SEALING_KEYS"),
        sealing_key_file=_path(given, "CUELIGHT_SEALING_KEY_FILE"),
        signing_key=given.get("CUELIGHT_SIGNING_KEY"),
        signing_key_file=_path(given, "CUELIGHT_SIGNING_KEY_FILE"),
        checkpoint_every_s=_seconds(given, "CUELIGHT_CHECKPOINT_EVERY", plain.checkpoint_every_s),
        checkpoint_file=_path(given, "CUELIGHT_CHECKPOINT_FILE"),
        checkpoint_stdout=_flag(given, "CUELIGHT_CHECKPOINT_STDOUT"),
        checkpoint_webhook=_webhook(given),
        checkpoint_webhook_secret=given.get("CUELIGHT_CHECKPOINT_WEBHOOK_SECRET"),
    )


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65535):
        raise Invalid(f"CUELIGHT_PORT is {text!r}, which is no port", "give a number from 1 to 65535")
    return int(text)


def _path(given: Mapping[str, str], name: str) -> Path | None:
    return Path(given[name]).expanduser() if name in given else None


def _seconds(given: Mapping[str, str], name: str, otherwise: int) -> int:
    text = given.get(name, str(otherwise))
    if not (text.isascii() and text.isdigit() and len(text) < 8 and 1 <= int(text) <= 604_800):
        raise Invalid(f"{name} is {text!r}, which is no number of seconds", "give 1 to 604800, which is a week")
    return int(text)


def _flag(given: Mapping[str, str], name: str) -> bool:
    text = given.get(name, "0").lower()
    if text not in ("0", "1", "true", "false", "yes", "no"):
        raise Invalid(f"{name} is {text!r}", "give 1 or 0")
    return text in ("1", "true", "yes")


def _webhook(given: Mapping[str, str]) -> str | None:
    name = "CUELIGHT_CHECKPOINT_WEBHOOK"
    if name not in given:
        return None
    if f"{name}_SECRET" not in given:
        raise Invalid(
            f"{name} is set without {name}_SECRET", "give both: whoever receives it has to know it is from here"
        )
    return _url(given[name], name)


def _number(given: Mapping[str, str], name: str, plain: int, least: int, most: int) -> int:
    text = given.get(name, str(plain))
    if not (text.isascii() and text.isdigit() and len(text) < 9 and least <= int(text) <= most):
        raise Invalid(f"{name} is {text!r}", f"give a whole number from {least} to {most}")
    return int(text)


def _public(text: str) -> str:
    if not text:
        return ""
    try:
        parts = urlsplit(text)
        bare = parts.path in ("", "/") and not (parts.query or parts.fragment or "@" in parts.netloc)
        known = bare and parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        known = False
    if not known:
        raise Invalid(
            f"CUELIGHT_PUBLIC_URL is {text!r}, which is no address of a desk", "give https://desk.example.org"
        )
    return text.rstrip("/")


def _proxies(text: str) -> str:
    given = [one.strip() for one in text.split(",")]
    try:
        for one in given:
            ip_network(one, strict=False)
    except ValueError as bad:
        raise Invalid(f"CUELIGHT_PROXIES is {text!r}", "give addresses such as 10.0.0.7, with commas") from bad
    return ",".join(given)


def _log_level(text: str) -> str:
    level = text.lower()
    if level not in LOG_LEVELS:
        raise Invalid(f"CUELIGHT_LOG_LEVEL is {text!r}", f"give one of {', '.join(LOG_LEVELS)}")
    return level


def _database(given: Mapping[str, str], name: str) -> str | None:
    url = given.get(name)
    if url is None:
        return None
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("postgresql+psycopg", "postgresql") and parts.port != 0
    except ValueError:
        known = False
    if not known:
        raise Invalid(f"{name} is no PostgreSQL URL", "one looks like postgresql+psycopg://user@host/name")
    return url


def _url(text: str, name: str) -> str:
    try:
        parts = urlsplit(text)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Invalid(f"{name} is no web address", "give one like https://api.openai.com/v1")
    return text.rstrip("/")
