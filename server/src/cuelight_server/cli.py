"""The command line of the server: one command starts the house; the others work on the data folder, server or not."""

# long because: every command of the operator, each a few lines, in the order of the help

import getpass
import json
import os
import shlex
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from cuelight_server import __version__
from cuelight_server.audit.declared import declares
from cuelight_server.audit.verbs import Verb
from cuelight_server.kernel.errors import CuelightError, Invalid
from cuelight_server.kernel.terms import Environment
from cuelight_server.settings import Settings, read_settings

EXIT = {"invalid": 20, "not_found": 21, "conflict": 22, "denied": 23, "blocked": 24, "unavailable": 25}
UNEXPECTED = 29
_ENVIRONMENTS = click.Choice([place.value for place in Environment])
_folder = click.option(
    "--data", type=click.Path(path_type=Path), help="The data folder [CUELIGHT_DATA, ./cuelight-data]."
)


def main() -> None:
    """The console script: errors become a message, a hint and an exit code, never a traceback."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit code."""
    try:
        return int(commands.main(arguments, prog_name="cuelight-server", standalone_mode=False) or 0)
    except CuelightError as error:
        return _say(error.message, error.hint, EXIT[error.kind])
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)  # it is the whole help, which begins with its own name
        return EXIT["invalid"]
    except click.ClickException as error:
        return _say(error.format_message(), "cuelight-server --help", EXIT["invalid"])
    except (click.Abort, KeyboardInterrupt):
        return 130
    except Exception as error:
        if os.environ.get("CUELIGHT_LOG_LEVEL") == "debug":
            raise
        return _say(
            f"unexpected: {type(error).__name__}: {error}", "set CUELIGHT_LOG_LEVEL=debug to see where", UNEXPECTED
        )


def _say(message: str, hint: str, code: int) -> int:
    click.echo(f"cuelight-server: {message}", err=True)
    if hint:
        click.echo(f"  {hint}", err=True)
    return code


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="cuelight-server")
def commands() -> None:
    """Cuelight: the release desk for production prompts."""


@commands.command()
@_folder
@click.option("--host", help="The address to listen on [CUELIGHT_HOST, 127.0.0.1].")
@click.option("--port", type=click.IntRange(0, 65535), help="The port, 0 = any free one [CUELIGHT_PORT, 7080].")
@click.option("--temporary", is_flag=True, help="A local desk in a temporary folder, gone when standard input closes.")
@click.option("--demo", is_flag=True, help="Make the data folder a demo desk if it is new.")
@declares(Verb.DESK_OPERATE)
def serve(data: Path | None, host: str | None, port: int | None, *, temporary: bool, demo: bool) -> None:
    """Serve the desk: registry, evaluations, releases and pages in one process."""
    settings = _settings()
    if temporary:
        _serve_temporary(settings)
        return
    from cuelight_server.app import serve as serve_desk

    folder = data or settings.folder
    with _opened(folder, demo=demo, new=True) as desk:
        serve_desk(
            desk,
            host or settings.host,
            settings.port if port is None else port,
            providers=_providers(settings),
            listening=lambda url: _listening(desk, url, folder),
        )


@commands.command()
@_folder
@click.option("--demo", is_flag=True, help="A demo desk: it may release on recorded outputs, and says so for ever.")
@click.option("--admin", required=True, metavar="ID[:NAME]", help="The first administrator, such as mei.tanaka.")
@declares(Verb.DESK_CREATE)
def init(data: Path | None, admin: str, *, demo: bool) -> None:
    """Make a desk in an empty folder; prints the administrator's token once."""
    from cuelight_server.control.access import issue_token
    from cuelight_server.control.opening import create_desk
    from cuelight_server.kernel.actor import SYSTEM

    id, _, name = admin.partition(":")
    settings = _settings()
    desk = create_desk(data or settings.folder, demo=demo, admin=(id, name or id), databases=_databases(settings))
    try:
        click.echo(issue_token(desk, SYSTEM, id))
    finally:
        desk.close()


@commands.group()
def user() -> None:
    """People."""


@user.command("add")
@click.argument("id")
@click.argument("name")
@click.option("--admin", is_flag=True, help="An administrator: may add people and keys, holds no role by that.")
@_folder
@declares(Verb.ACTOR_ADD)
def user_add(id: str, name: str, data: Path | None, *, admin: bool) -> None:
    """Add a person, or adopt one whom a push brought along and who has no token yet; prints their token once."""
    from cuelight_server.control.access import add_actor, adopt, issue_token
    from cuelight_server.kernel.actor import SYSTEM

    with _opened(data) as desk:
        adopted = None if admin else adopt(desk, SYSTEM, id)
        if adopted is None:
            add_actor(desk, SYSTEM, id, name, admin=admin)
        else:
            click.echo(f"{id} is here already, brought by a push, and had no token: this is the first", err=True)
        click.echo(adopted or issue_token(desk, SYSTEM, id))


@user.command("disable")
@click.argument("person")
@_folder
@declares(Verb.ACTOR_DISABLE)
def user_disable(person: str, data: Path | None) -> None:
    """Disable a person or an app: from now on they neither enter nor act; their history stays."""
    from cuelight_server.control.access import disable_actor
    from cuelight_server.kernel.actor import SYSTEM

    with _opened(data) as desk:
        disable_actor(desk, SYSTEM, person)
    click.echo(f"disabled {person}")


@user.command("list")
@_folder
@declares(Verb.DESK_READ)
def user_list(data: Path | None) -> None:
    """Everyone who is here, people and apps: id, name, and whether they are administrator, disabled, without a token."""
    from cuelight_server.views.people import accounts, tokens

    with _opened(data) as desk:
        holders = {one.actor for one in tokens(desk) if one.revoked_at is None}
        for one in accounts(desk):
            words = ("administrator" * one.admin, f"disabled {one.disabled_at}" if one.disabled_at else "")
            told = [*filter(None, words), *(["no token"] if one.id not in holders else [])]
            click.echo(f"{one.id:30} {one.name:30} {', '.join(told)}".rstrip())


@user.group("auditor")
def auditor() -> None:
    """People who may look at every workflow, and change none by that."""


@auditor.command("add")
@click.argument("person")
@_folder
@declares(Verb.AUDITOR_APPOINT)
def auditor_add(person: str, data: Path | None) -> None:
    """Let a person look at every workflow."""
    from cuelight_server.control.members import appoint_auditor
    from cuelight_server.kernel.actor import SYSTEM

    with _opened(data) as desk:
        appoint_auditor(desk, SYSTEM, person)
    click.echo(f"{person} may look at every workflow")


@auditor.command("remove")
@click.argument("person")
@_folder
@declares(Verb.AUDITOR_DISMISS)
def auditor_remove(person: str, data: Path | None) -> None:
    """End that a person looks at every workflow."""
    from cuelight_server.control.members import dismiss_auditor
    from cuelight_server.kernel.actor import SYSTEM

    with _opened(data) as desk:
        dismiss_auditor(desk, SYSTEM, person)
    click.echo(f"{person} sees their own workflows only")


@commands.group()
def key() -> None:
    """Keys of apps."""


@key.command("add")
@click.argument("app")
@click.option("--environment", required=True, type=_ENVIRONMENTS, help="The one environment that the key reaches.")
@_folder
@declares(Verb.TOKEN_ISSUE)
def key_add(app: str, environment: str, data: Path | None) -> None:
    """Issue a key to an app; prints it once."""
    from cuelight_server.control.access import issue_key
    from cuelight_server.kernel.actor import SYSTEM

    with _opened(data) as desk:
        click.echo(issue_key(desk, SYSTEM, app, Environment(environment)))


@commands.group()
def token() -> None:
    """Tokens of people, keys of apps."""


@token.command("add")
@click.argument("person")
@_folder
@declares(Verb.TOKEN_ISSUE)
def token_add(person: str, data: Path | None) -> None:
    """Issue a token to a person who is here, one more where they have some; prints it once."""
    from cuelight_server.control.access import issue_token
    from cuelight_server.kernel.actor import SYSTEM

    with _opened(data) as desk:
        click.echo(issue_token(desk, SYSTEM, person))


@token.command("list")
@_folder
@declares(Verb.DESK_READ)
def token_list(data: Path | None) -> None:
    """Every token and key: id, whose it is, for which environment, when it was made, used and revoked."""
    from cuelight_server.views.people import tokens

    with _opened(data) as desk:
        for one in tokens(desk):
            used = f"used {one.last_used_at[:16]}" if one.last_used_at else "never used"
            ended = f"revoked {one.revoked_at[:16]}" if one.revoked_at else ""
            place = one.environment.value if one.environment else "-"
            click.echo(f"{one.id} {one.actor:30} {place:12} made {one.created_at[:16]} {used} {ended}".rstrip())


@token.command("revoke")
@click.argument("token_id")
@_folder
@declares(Verb.TOKEN_REVOKE)
def token_revoke(token_id: str, data: Path | None) -> None:
    """Revoke a token or key by its id (the part before its secret); it opens nothing within 5 seconds."""
    from cuelight_server.control.access import revoke
    from cuelight_server.kernel.actor import SYSTEM

    with _opened(data) as desk:
        revoke(desk, SYSTEM, token_id)
    click.echo(f"revoked {token_id}")


@commands.command()
@click.argument("prompt")
@click.option("--why", required=True, help="The reason, for the log.")
@click.option("--environment", default="production", type=_ENVIRONMENTS, show_default=True, help="Where.")
@click.option("--from", "from_label", metavar="LABEL", help="The version you see as live, such as v2.")
@_folder
@declares(Verb.RELEASE_ROLL_BACK)
def rollback(prompt: str, why: str, environment: str, from_label: str | None, data: Path | None) -> None:
    """Roll a prompt back on the data folder itself: no server, no web, no gate."""
    from cuelight_server.control.releases import roll_back
    from cuelight_server.kernel.actor import SYSTEM

    with _opened(data) as desk:
        back = roll_back(desk, SYSTEM, prompt, environment, f"{why} ({_shell_user()} at the shell)", from_label)
    if back.no_op:
        click.echo(f"{prompt} in {environment}: {back.words}")
        return
    click.echo(f"{prompt} in {environment}: {back.from_} -> {back.to or 'off, the declared fallback'}")
    if back.words:
        click.echo(f"  {back.words}", err=True)
    click.echo(f"  snapshot {back.snapshot_version}; running servers publish it within a second")


@commands.command()
@click.option("--json", "as_json", is_flag=True, help="JSON.")
@_folder
@declares(Verb.DESK_READ)
def status(data: Path | None, *, as_json: bool) -> None:
    """What serves where."""
    from cuelight_server.views.desk import status as look

    with _opened(data) as desk:
        found = look(desk)
    if as_json:
        click.echo(json.dumps(found.to_json(), ensure_ascii=False))
        return
    for row in found.rows:
        serves = " + ".join(label for label, _ in row.serves) or "-"
        click.echo(f"{row.word:8} {row.prompt:40} {row.environment:12} {serves:8} {row.why}")


@commands.command()
@click.option(
    "--checkpoint",
    "kept",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file that holds what `checkpoint` printed earlier.",
)
@_folder
@declares(Verb.DESK_OPERATE)
def verify(kept: Path | None, data: Path | None) -> int:
    """Recompute everything stored: versions, audit log, snapshots and what points at them."""
    from cuelight_server.control.verify import verify_desk

    with _opened(data) as desk:
        found = verify_desk(desk, kept.read_text(encoding="utf-8") if kept else None)
    for line in found.problems:
        click.echo(line, err=True)
    click.echo(found.summary)
    return EXIT["blocked"] if found.problems else 0


@commands.command()
@_folder
@declares(Verb.DESK_OPERATE)
def checkpoint(data: Path | None) -> None:
    """Print what to keep outside of this desk, so that a cut or rewritten log is noticed: `size root`."""
    from cuelight_server.audit.store import checkpoint as head
    from cuelight_server.db.engine import reading

    with _opened(data) as desk, reading(desk.registry) as sql:
        click.echo(str(head(sql)))


@commands.command()
@_folder
@declares(Verb.DESK_OPERATE)
def worker(data: Path | None) -> None:
    """Run evaluations for a desk that another process serves."""
    import signal
    import threading

    from cuelight_server.worker import Worker

    ended = threading.Event()
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, lambda *_: ended.set())
    with _opened(data) as desk:
        running = Worker(desk, _providers(_settings()))
        running.start()
        ended.wait()
        running.stop()


@commands.command()
@click.option("--yes", is_flag=True, help="Do it; without this the command only says what it would do.")
@_folder
@declares(Verb.DESK_OPERATE)
def migrate(data: Path | None, *, yes: bool) -> None:
    """Bring the tables of an older desk up to this server; stop the servers first, and keep a backup."""
    from cuelight_server.db.migrating import migrate as bring_up
    from cuelight_server.db.migrating import plans

    settings = _settings()
    where = data or settings.folder, _databases(settings)
    found = plans(*where)
    for line in (line for plan in found for line in plan.lines):
        click.echo(line)
    if not yes:
        click.echo("Nothing was done yet: --yes does it." if any(not plan.idle for plan in found) else "Nothing to do.")
    elif any(not plan.idle for plan in found):
        bring_up(*where)
        click.echo("Done.")


@commands.command()
@click.option("--example", default="sales", show_default=True, help="The example workflow to play.")
@_folder
@declares(Verb.DESK_CREATE)
def demo(data: Path | None, example: str) -> int:
    """Play the whole story on a new demo desk; every output in it is a recording."""
    from cuelight_server.demo import main as play

    return play(data or _settings().folder, example)


def _serve_temporary(settings: Settings) -> None:
    """A local desk for one command: its folder is removed at the end, what it finds never opens a gate."""
    from cuelight_server.app import serve as serve_desk
    from cuelight_server.control.access import issue_token
    from cuelight_server.control.opening import create_desk
    from cuelight_server.kernel.actor import SYSTEM

    with tempfile.TemporaryDirectory(prefix="cuelight-") as folder:
        desk = create_desk(Path(folder) / "desk", local=True, admin=("local", "you"))
        token = issue_token(desk, SYSTEM, "local")
        try:
            serve_desk(
                desk,
                port=0,
                providers=_providers(settings),
                listening=lambda url: _line({"url": url, "token": token}),
                stdin_ends=True,
            )
        finally:
            desk.close()


def _listening(desk: Any, url: str, folder: Path) -> None:
    """Say where the desk is, and how the first person gets in where nobody can."""
    from cuelight_server.views.people import accounts

    click.echo(f"Cuelight is at {url}, its data in {folder}")
    if not any(one.admin and not one.disabled_at for one in accounts(desk)):
        command = f"cuelight-server user add <id> <name> --admin --data {shlex.quote(str(folder))}"
        click.echo(f"  this desk has no administrator yet, so nobody can sign in: {command}")


def _line(value: Any) -> None:
    click.echo(json.dumps(value))
    sys.stdout.flush()


@contextmanager
def _opened(data: Path | None, *, demo: bool = False, new: bool = False) -> Iterator[Any]:
    from cuelight_server.control.opening import create_desk, is_desk, open_desk

    settings = _settings()
    folder, databases = data or settings.folder, _databases(settings)
    if new and not is_desk(folder, databases):
        desk = create_desk(folder, demo=demo, databases=databases)
    else:
        desk = open_desk(folder, databases=databases)
        if demo and not desk.demo:
            desk.close()
            raise Invalid(f"{folder} is a real desk", "a desk never becomes a demo: give a new folder")
    try:
        yield desk
    finally:
        desk.close()


def _settings() -> Settings:
    return read_settings(os.environ)


def _databases(settings: Settings) -> Any:
    from cuelight_server.db.engine import Databases

    return Databases(registry=settings.database_url, calls=settings.calls_url)


def _providers(settings: Settings) -> Any:
    from cuelight_server.providers import build

    return build(openai_base_url=settings.openai_base_url, openai_key=settings.openai_key)


def _shell_user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "someone"


if __name__ == "__main__":
    main()
