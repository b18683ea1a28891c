"""What a command works with, made of the settings: the desk, its databases, keys and providers."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cuelight_server.kernel.errors import Invalid
from cuelight_server.settings import Settings, read_settings


@contextmanager
def opened(data: Path | None, *, demo: bool = False, new: bool = False) -> Iterator[Any]:
    """The desk of this folder, or of the databases that the settings name; a `new` one is made where there is none."""
    from cuelight_server.control.opening import create_desk, is_desk, open_desk

    settings = current_settings()
    folder, where = data or settings.folder, databases(settings)
    if new and not is_desk(folder, where):
        desk = create_desk(folder, demo=demo, databases=where)
    else:
        desk = open_desk(folder, databases=where)
        if demo and not desk.demo:
            desk.close()
            raise Invalid(f"{folder} is a real desk", "a desk never becomes a demo: give a new folder")
    try:
        yield desk
    finally:
        desk.close()


def current_settings() -> Settings:
    """What the environment says now."""
    return read_settings(os.environ)


def databases(settings: Settings) -> Any:
    """Where the desk lies: two files of its folder, or databases with an address."""
    from cuelight_server.db.engine import Databases

    return Databases(registry=settings.database_url, calls=settings.calls_url)


def providers(settings: Settings) -> Any:
    """The model providers that need no key of the desk."""
    from cuelight_server.providers import build

    return build(
        openai_base_url=settings.openai_base_url,
        openai_key=settings.openai_key,
        command=settings.command_provider,
        allowed=networks(settings),
    )


def networks(settings: Settings) -> Any:
    """The private networks that providers may be asked in."""
    from cuelight_server import outbound

    return outbound.networks(settings.provider_networks)


def outside(settings: Settings) -> Any:
    """What graders may ask outside of this process; each that is not set is missing, and its graders say so."""
    from dataclasses import replace

    from cuelight_server.app import reach
    from cuelight_server.kernel.clock import system_clock
    from cuelight_server.providers.embeddings import Embeddings, packaged
    from cuelight_server.sandboxes.command import Commands, commands
    from cuelight_server.sandboxes.webhook import Webhooks, origins

    secret, model = settings.grader_webhook_secret, settings.embedding_model
    return replace(
        reach(python=settings.python_graders),
        command=Commands(commands(settings.grader_commands)) if settings.grader_commands else None,
        webhook=Webhooks(origins(settings.grader_webhooks), secret, system_clock) if secret else None,
        embed=Embeddings(settings.openai_base_url, settings.openai_key, model) if model else packaged(),
    )


def sealing(settings: Settings, folder: Path) -> Any:
    """What keys of providers are sealed with: from the environment, or from a file that is made at the first start."""
    from cuelight_server.kernel.ids import sealing_key
    from cuelight_server.vault.keyfile import load_or_make
    from cuelight_server.vault.sealing import read_keys

    if settings.sealing_keys:
        return read_keys(settings.sealing_keys)
    return load_or_make(sealing_file(settings, folder), sealing_key())


def sealing_file(settings: Settings, folder: Path) -> Path:
    """Where the sealing key lies when the environment does not give it."""
    return settings.sealing_key_file or folder / "sealing.key"


def checkpoints(settings: Settings, folder: Path) -> Any:
    """With which key checkpoints are signed, how often, and where they go."""
    from cuelight_server.audit.signing import FILE, KeyPlace
    from cuelight_server.control.checkpoints import Checkpoints
    from cuelight_server.sinks import build

    keys = KeyPlace(file=settings.signing_key_file or folder / FILE, given=settings.signing_key)
    sinks = build(
        file=settings.checkpoint_file,
        stdout=settings.checkpoint_stdout,
        webhook=settings.checkpoint_webhook,
        secret=settings.checkpoint_webhook_secret,
    )
    return Checkpoints(keys=keys, every_s=settings.checkpoint_every_s, sinks=sinks)


def front(settings: Settings) -> Any:
    """How people reach the pages: the public address, sessions, the sign-in provider."""
    from cuelight_server.access.model import SessionRules
    from cuelight_server.app import Front
    from cuelight_server.control.oidc import OIDC

    rules = SessionRules(
        idle_minutes=settings.session_idle_minutes,
        most_minutes=settings.session_hours * 60,
        methods=frozenset({OIDC}) if settings.sign_in == OIDC else None,
    )
    return Front(
        public_url=settings.public_url, rules=rules, proxies=settings.proxies, provider=_sign_in_provider(settings)
    )


def _sign_in_provider(settings: Settings) -> Any:
    from cuelight_server.access.fetching import check_address
    from cuelight_server.access.oidc import Newcomers, Provider
    from cuelight_server.app import plain_at_home

    if not settings.oidc_issuer:
        return None
    check_address(settings.oidc_issuer, plain_at_home=plain_at_home(settings.public_url))
    return Provider(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret,
        name=settings.oidc_name,
        scopes=settings.oidc_scopes,
        groups_claim=settings.oidc_groups_claim,
        member_groups=frozenset(settings.oidc_member_groups),
        admin_groups=frozenset(settings.oidc_admin_groups),
        auditor_groups=frozenset(settings.oidc_auditor_groups),
        newcomers=Newcomers(settings.oidc_newcomers),
        trusts_email=settings.oidc_trust_email,
    )


def invitation_address(settings: Settings, code: str) -> str:
    """Where a one-time link leads, once the desk is served."""
    home = settings.public_url or f"http://127.0.0.1:{settings.port}"
    return f"{home}/invitation/{code}"
