"""Everything that can be set from outside, read once from CUELIGHT_* by the roof of the house."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cuelight_server.kernel.errors import Invalid
from cuelight_server.sandboxes.command import commands
from cuelight_server.sandboxes.webhook import origins

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
    sign_in: str = "any"
    """CUELIGHT_SIGN_IN: how people come in: `any` way, or `oidc` only; then no password and no link opens a session."""
    oidc_issuer: str = ""
    """CUELIGHT_OIDC_ISSUER: the provider where people sign in, as it writes itself: https://login.example.org."""
    oidc_client_id: str = ""
    """CUELIGHT_OIDC_CLIENT_ID: by which name the provider knows this desk."""
    oidc_client_secret: str | None = field(default=None, repr=False)
    """CUELIGHT_OIDC_CLIENT_SECRET: its secret there; a public client has none."""
    oidc_client_secret_file: Path | None = None
    """CUELIGHT_OIDC_CLIENT_SECRET_FILE: a file that holds that secret, instead."""
    oidc_name: str = "single sign-on"
    """CUELIGHT_OIDC_NAME: what the sign-in button calls the provider, such as Example Corp."""
    oidc_scopes: str = "openid email profile"
    """CUELIGHT_OIDC_SCOPES: what the provider is asked for; some tell groups only for a scope of their own."""
    oidc_groups_claim: str = "groups"
    """CUELIGHT_OIDC_GROUPS_CLAIM: where the provider tells groups; a path such as realm_access.roles will do."""
    oidc_member_groups: tuple[str, ...] = ()
    """CUELIGHT_OIDC_MEMBER_GROUPS: groups that may come in at all, with commas; unset, everybody the provider knows."""
    oidc_admin_groups: tuple[str, ...] = ()
    """CUELIGHT_OIDC_ADMIN_GROUPS: groups whose people are administrators, with commas."""
    oidc_auditor_groups: tuple[str, ...] = ()
    """CUELIGHT_OIDC_AUDITOR_GROUPS: groups whose people are auditors, with commas."""
    oidc_newcomers: str = "deny"
    """CUELIGHT_OIDC_NEWCOMERS: whom the desk does not know yet: `deny`, or `add` an account without any right."""
    oidc_trust_email: bool = False
    """CUELIGHT_OIDC_TRUST_EMAIL: `yes` where the provider's word on who owns an address counts; people link by it."""
    log_level: str = "info"
    """CUELIGHT_LOG_LEVEL: debug, info, warning or error."""
    openai_base_url: str = "https://api.openai.com/v1"
    """CUELIGHT_OPENAI_BASE_URL: where an OpenAI-compatible model answers."""
    openai_key: str | None = field(default=None, repr=False)
    """CUELIGHT_OPENAI_KEY: the key for it; one that is set on the desk (`cuelight providers set`) counts before it."""
    command_provider: tuple[str, ...] = field(default=(), repr=False)
    """CUELIGHT_COMMAND_PROVIDER: a program that answers prompts, as a JSON list of its words; only here, never by the API."""
    provider_networks: tuple[str, ...] = ()
    """CUELIGHT_PROVIDER_NETWORKS: private networks that a provider's name may lead to, with commas, such as 10.0.0.0/8."""
    python_graders: bool = False
    """CUELIGHT_PYTHON_GRADERS: `on` lets suites bring Python, as processes with limits; whoever may push can then run code."""
    embedding_model: str = ""
    """CUELIGHT_EMBEDDING_MODEL: the model at CUELIGHT_OPENAI_BASE_URL for `similar`; unset, the packaged one if installed."""
    grader_commands: str = field(default="", repr=False)
    """CUELIGHT_GRADER_COMMANDS: programs that `command` graders may name: JSON, {"spelling": ["/opt/graders/spelling"]}."""
    grader_webhooks: str = ""
    """CUELIGHT_GRADER_WEBHOOKS: origins that `webhook` graders may be at, https://graders.example.org, with commas."""
    grader_webhook_secret: str | None = field(default=None, repr=False)
    """CUELIGHT_GRADER_WEBHOOK_SECRET: what posts to them are signed with (HMAC-SHA256), known to both ends."""
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
        **_oidc(given, plain),
        log_level=_log_level(given.get("CUELIGHT_LOG_LEVEL", plain.log_level)),
        openai_base_url=_url(given.get("CUELIGHT_OPENAI_BASE_URL", plain.openai_base_url), "CUELIGHT_OPENAI_BASE_URL"),
        openai_key=given.get("CUELIGHT_OPENAI_KEY"),
        command_provider=_command(given),
        provider_networks=_provider_networks(given),
        python_graders=_flag(given, "CUELIGHT_PYTHON_GRADERS"),
        embedding_model=given.get("CUELIGHT_EMBEDDING_MODEL", plain.embedding_model),
        grader_commands=_grader_commands(given),
        **_grader_webhooks(given),
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


def _command(given: Mapping[str, str]) -> tuple[str, ...]:
    name = "CUELIGHT_COMMAND_PROVIDER"
    try:
        found = json.loads(given.get(name, "[]"))
    except ValueError:
        found = None
    if not isinstance(found, list) or not all(isinstance(one, str) and one and "\0" not in one for one in found):
        raise Invalid(f"{name} is no JSON list of words", """give one like '["/opt/model", "--fast"]'""")
    return tuple(found)


def _provider_networks(given: Mapping[str, str]) -> tuple[str, ...]:
    texts = tuple(one.strip() for one in given.get("CUELIGHT_PROVIDER_NETWORKS", "").split(",") if one.strip())
    for one in texts:
        try:
            ip_network(one, strict=False)
        except ValueError:
            raise Invalid(
                f"CUELIGHT_PROVIDER_NETWORKS has {one!r}, which is no network", "give one like 10.0.0.0/8"
            ) from None
    return texts


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
    if text not in ("0", "1", "true", "false", "yes", "no", "on", "off"):
        raise Invalid(f"{name} is {text!r}", "give 1 or 0")
    return text in ("1", "true", "yes", "on")


def _webhook(given: Mapping[str, str]) -> str | None:
    name = "CUELIGHT_CHECKPOINT_WEBHOOK"
    if name not in given:
        return None
    if f"{name}_SECRET" not in given:
        raise Invalid(
            f"{name} is set without {name}_SECRET", "give both: whoever receives it has to know it is from here"
        )
    return _url(given[name], name)


def _grader_commands(given: Mapping[str, str]) -> str:
    text = given.get("CUELIGHT_GRADER_COMMANDS", "")
    if text:
        commands(text)  # Invalid where it cannot be read
    return text


def _grader_webhooks(given: Mapping[str, str]) -> dict[str, Any]:
    name = "CUELIGHT_GRADER_WEBHOOK_SECRET"
    text, secret = given.get("CUELIGHT_GRADER_WEBHOOKS", ""), given.get(name)
    if origins(text) and secret is None:
        raise Invalid(
            f"CUELIGHT_GRADER_WEBHOOKS is set without {name}",
            "give both: whoever receives an output has to know it is from here",
        )
    return {"grader_webhooks": text, "grader_webhook_secret": secret}


def _number(given: Mapping[str, str], name: str, plain: int, least: int, most: int) -> int:
    text = given.get(name, str(plain))
    if not (text.isascii() and text.isdigit() and len(text) < 9 and least <= int(text) <= most):
        raise Invalid(f"{name} is {text!r}", f"give a whole number from {least} to {most}")
    return int(text)


def _oidc(given: Mapping[str, str], plain: Settings) -> dict[str, Any]:
    """The settings of the sign-in provider. Invalid where one is missing that the others need."""
    issuer, secret_file = given.get("CUELIGHT_OIDC_ISSUER", ""), given.get("CUELIGHT_OIDC_CLIENT_SECRET_FILE")
    for other in ("CUELIGHT_OIDC_CLIENT_ID", "CUELIGHT_PUBLIC_URL"):
        if issuer and other not in given:
            raise Invalid(
                f"CUELIGHT_OIDC_ISSUER is set and {other} is not", "the provider has to know both: set it, too"
            )
    sign_in = _one_of(given, "CUELIGHT_SIGN_IN", plain.sign_in, ("any", "oidc"))
    if sign_in == "oidc" and not issuer:
        raise Invalid("CUELIGHT_SIGN_IN is oidc and there is no CUELIGHT_OIDC_ISSUER", "set it, or nobody comes in")
    scopes = given.get("CUELIGHT_OIDC_SCOPES", plain.oidc_scopes)
    if "openid" not in scopes.split():
        raise Invalid(f"CUELIGHT_OIDC_SCOPES is {scopes!r}", "openid has to be among them")
    return {
        "sign_in": sign_in,
        "oidc_issuer": issuer,
        "oidc_client_id": given.get("CUELIGHT_OIDC_CLIENT_ID", ""),
        "oidc_client_secret": _secret(given, secret_file),
        "oidc_client_secret_file": Path(secret_file) if secret_file else None,
        "oidc_name": given.get("CUELIGHT_OIDC_NAME", plain.oidc_name)[:60],
        "oidc_scopes": scopes,
        "oidc_groups_claim": given.get("CUELIGHT_OIDC_GROUPS_CLAIM", plain.oidc_groups_claim),
        "oidc_member_groups": _several(given, "CUELIGHT_OIDC_MEMBER_GROUPS"),
        "oidc_admin_groups": _several(given, "CUELIGHT_OIDC_ADMIN_GROUPS"),
        "oidc_auditor_groups": _several(given, "CUELIGHT_OIDC_AUDITOR_GROUPS"),
        "oidc_newcomers": _one_of(given, "CUELIGHT_OIDC_NEWCOMERS", plain.oidc_newcomers, ("deny", "add")),
        "oidc_trust_email": _one_of(given, "CUELIGHT_OIDC_TRUST_EMAIL", "no", ("yes", "no")) == "yes",
    }


def _secret(given: Mapping[str, str], file: str | None) -> str | None:
    plain = given.get("CUELIGHT_OIDC_CLIENT_SECRET")
    if file is None:
        return plain
    if plain is not None:
        raise Invalid("CUELIGHT_OIDC_CLIENT_SECRET and its _FILE are both set", "set one of them")
    try:
        with Path(file).open(encoding="utf-8") as opened:
            found = opened.read(4096).strip()
    except (OSError, ValueError) as bad:
        raise Invalid(f"CUELIGHT_OIDC_CLIENT_SECRET_FILE cannot be read: {file}", "give a file with one line") from bad
    if not found:
        raise Invalid(f"CUELIGHT_OIDC_CLIENT_SECRET_FILE is empty: {file}", "give a file with one line")
    return found


def _several(given: Mapping[str, str], name: str) -> tuple[str, ...]:
    return tuple(one.strip() for one in given.get(name, "").split(",") if one.strip())


def _one_of(given: Mapping[str, str], name: str, plain: str, words: tuple[str, ...]) -> str:
    text = given.get(name, plain).lower()
    if text not in words:
        raise Invalid(f"{name} is {text!r}", f"give one of {', '.join(words)}")
    return text


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
