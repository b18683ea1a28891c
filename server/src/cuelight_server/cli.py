"""The command line of the server: one command starts the house; the others work on the data folder, server or not."""

# long because: every command of the operator, each a few lines, in the order of the help

import getpass
import json
import os
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
from cuelight_server.kernel.errors import Blocked, CuelightError, Invalid
from cuelight_server.kernel.terms import Environment
from cuelight_server.settings import Settings, read_settings

EXIT = {"invalid": 20, "not_found": 21, "conflict": 22, "denied": 23, "blocked": 24, "unavailable": 25}
UNEXPECTED = 29
_ENVIRONMENTS = click.Choice([place.value for place in Environment])
_HOLDERS = click.Choice(["app", "service", "agent"])
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
    from cuelight_server.app import Keyring
    from cuelight_server.app import serve as serve_desk

    folder, address = data or settings.folder, host or settings.host
    with _opened(folder, demo=demo, new=True) as desk:
        _check_exposure(desk, address, settings.public_url)
        serve_desk(
            desk,
            address,
            settings.port if port is None else port,
            providers=_providers(settings),
            outside=_outside(settings),
            front=_front(settings),
            listening=lambda url: _listening(desk, url, folder, settings.public_url),
            keyring=Keyring(sealing=_sealing(settings, folder), checkpoints=_checkpoints(settings, folder)),
        )


@commands.command()
@_folder
@click.option("--demo", is_flag=True, help="A demo desk: it may release on recorded outputs, and says so for ever.")
@click.option("--admin", metavar="ID[:NAME]", help="The owner, such as mei.tanaka; without it a link lets one choose.")
@declares(Verb.DESK_CREATE)
def init(data: Path | None, admin: str | None, *, demo: bool) -> None:
    """Make a desk in an empty folder; prints the owner's token once, or the one-time link that makes an owner."""
    from cuelight_server.control.access import issue_token
    from cuelight_server.control.invitations import issue_link, issue_owner_link
    from cuelight_server.control.opening import create_desk
    from cuelight_server.kernel.actor import SYSTEM

    id, _, name = (admin or "").partition(":")
    settings = _settings()
    owner = None if admin is None else (id, name or id)
    desk = create_desk(data or settings.folder, demo=demo, admin=owner, databases=_databases(settings))
    try:
        if owner is None:
            click.echo(_address(settings, issue_owner_link(desk).code))
            click.echo(
                "  once `cuelight-server serve` runs, this link makes you the owner: once, within 24 hours", err=True
            )
            return
        click.echo(issue_token(desk, SYSTEM, id))
        link = _address(settings, issue_link(desk, SYSTEM, id).code)
        click.echo(f"  the token is for the terminal; to sign in on the pages, set a password: {link}", err=True)
    finally:
        desk.close()


@commands.command()
@click.argument("id")
@click.argument("name", required=False)
@click.option("--admin", is_flag=True, help="A new person becomes an administrator.")
@_folder
@declares(Verb.INVITATION_ISSUE)
def invite(id: str, name: str | None, data: Path | None, *, admin: bool) -> None:
    """Print a one-time link with which a person sets their password; with NAME a person who is new here is added."""
    from cuelight_server.control.access import add_actor
    from cuelight_server.control.invitations import issue_link
    from cuelight_server.kernel.actor import SYSTEM

    with _opened(data) as desk:
        if name is not None:
            add_actor(desk, SYSTEM, id, name, admin=admin)
        made = issue_link(desk, SYSTEM, id)
        click.echo(_address(_settings(), made.code))
    click.echo(f"  works once, until {made.expires_at[:16].replace('T', ' ')} UTC; give it to them yourself", err=True)


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


@user.command("erase")
@click.argument("person")
@_folder
@declares(Verb.PERSON_ERASE)
def user_erase(person: str, data: Path | None) -> None:
    """Erase what the log says of a disabled PERSON beside their id; `-` erases the addresses of strangers."""
    from cuelight_server.control.erasing import erase_person
    from cuelight_server.kernel.actor import SYSTEM

    with _opened(data) as desk:
        texts = erase_person(desk, SYSTEM, person)
    click.echo(f"erased {texts} texts about {person}; the log verifies as before")


@user.command("link")
@click.argument("id")
@click.option("--same-as", required=True, metavar="ID", help="The account that is the same person.")
@_folder
@declares(Verb.ACTOR_LINK)
def user_link(id: str, same_as: str, data: Path | None) -> None:
    """Say that two accounts are one person: their two yeses are one."""
    from cuelight_server.control.persons import link
    from cuelight_server.kernel.actor import SYSTEM

    with _opened(data) as desk:
        click.echo(f"{id} and {same_as} are one person: {link(desk, SYSTEM, id, same_as)}")


@user.command("email")
@click.argument("id")
@click.argument("address")
@_folder
@declares(Verb.EMAIL_VERIFY)
def user_email(id: str, address: str, data: Path | None) -> None:
    """Vouch for a person's e-mail address; accounts with the same address are one person."""
    from cuelight_server.control.persons import verify_email
    from cuelight_server.kernel.actor import SYSTEM

    with _opened(data) as desk:
        verify_email(desk, SYSTEM, id, address)
    click.echo(f"noted for {id}")


@user.command("identity")
@click.argument("id")
@click.option("--issuer", help="The provider [CUELIGHT_OIDC_ISSUER].")
@click.option("--subject", required=True, help="Who they are there: the provider's `sub`.")
@click.option("--remove", is_flag=True, help="They come into this account no longer.")
@_folder
@declares(Verb.IDENTITY_LINK)
def user_identity(id: str, issuer: str | None, subject: str, data: Path | None, *, remove: bool) -> None:
    """Say that a person of the sign-in provider comes into this account; without an e-mail to link by, this is the way."""
    from cuelight_server.control.identities import link_identity, unlink_identity
    from cuelight_server.kernel.actor import SYSTEM

    where = issuer or _settings().oidc_issuer
    if not where:
        raise Invalid("which provider?", "give --issuer, or set CUELIGHT_OIDC_ISSUER")
    with _opened(data) as desk:
        (unlink_identity if remove else link_identity)(desk, SYSTEM, id, where, subject)
    click.echo(f"{subject} at {where} {'is no longer' if remove else 'is'} {id}")


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
    """Keys of apps, services and agents."""


@key.command("add")
@click.argument("holder")
@click.option("--kind", default="app", type=_HOLDERS, show_default=True, help="What holds the key.")
@click.option("--environment", type=_ENVIRONMENTS, help="The one environment that it reaches; an app's key needs one.")
@click.option("--scope", "scopes", multiple=True, help="What it is for: read, push, release.*, ...; again for more.")
@click.option("--days", type=click.IntRange(1, 366), help="When it ends [an app's never, others after 90].")
@click.option("--note", default="", help="Where it is used, for the list.")
@_folder
@declares(Verb.TOKEN_ISSUE)
def key_add(
    holder: str,
    kind: str,
    environment: str | None,
    scopes: tuple[str, ...],
    days: int | None,
    note: str,
    data: Path | None,
) -> None:
    """Issue a key to an app, a service or an agent, which is added if it is new; prints it once."""
    from cuelight_server.control.access import Wish, issue
    from cuelight_server.kernel.actor import SYSTEM
    from cuelight_server.kernel.terms import ActorKind

    place = Environment(environment) if environment else None
    with _opened(data) as desk:
        click.echo(issue(desk, SYSTEM, holder, ActorKind(kind), place, Wish(scopes or None, note, days)))


@commands.group()
def trust() -> None:
    """Pipelines that come in with a token of their own issuer instead of a stored key."""


@trust.command("add")
@click.argument("service")
@click.option("--issuer", required=True, help="Who signs the tokens: https://token.actions.githubusercontent.com.")
@click.option("--audience", help="For whom the tokens are made [CUELIGHT_PUBLIC_URL].")
@click.option("--claim", "claims", multiple=True, metavar="CLAIM=VALUE", help="What a token says: exactly, or START*.")
@click.option("--scope", "scopes", multiple=True, help="What it is for: read, push, evaluate, ...; again for more.")
@click.option("--environment", type=_ENVIRONMENTS, help="The one environment that its keys reach.")
@click.option("--minutes", type=click.IntRange(1, 15), default=10, show_default=True, help="How long a key lasts.")
@_folder
@declares(Verb.TRUST_ADD)
def trust_add(
    service: str,
    issuer: str,
    audience: str | None,
    claims: tuple[str, ...],
    scopes: tuple[str, ...],
    environment: str | None,
    minutes: int,
    data: Path | None,
) -> None:
    """Trust the tokens of a pipeline for a service account, which is added if it is new; prints the trust's id."""
    from cuelight_server.app import plain_at_home
    from cuelight_server.control.trusts import Wished, add_trust
    from cuelight_server.kernel.actor import SYSTEM

    public = _settings().public_url
    if not audience and not public:
        raise Invalid("for whom are the tokens made?", "give --audience, or set CUELIGHT_PUBLIC_URL")
    wished = Wished(
        issuer=issuer,
        audience=audience or public,
        conditions=dict(_claim(one) for one in claims),
        scopes=scopes,
        environment=Environment(environment) if environment else None,
        minutes=minutes,
    )
    if len(wished.conditions) < len(claims):
        raise Invalid("a claim stands there twice", "all conditions have to hold; for `or` add another trust")
    with _opened(data) as desk:
        click.echo(add_trust(desk, SYSTEM, service, wished, plain_at_home=plain_at_home(public)).id)


@trust.command("list")
@click.option("--json", "as_json", is_flag=True, help="JSON.")
@_folder
@declares(Verb.DESK_READ)
def trust_list(data: Path | None, *, as_json: bool) -> None:
    """Every trust: its id, for whom, in whom, on which conditions, and for what."""
    from dataclasses import asdict

    from cuelight_server.control.trusts import trusts

    with _opened(data) as desk:
        found = trusts(desk)
    if as_json:
        click.echo(json.dumps({"items": [asdict(one) for one in found]}))
        return
    for one in found:
        says = ", ".join(f"{claim}={value}" for claim, value in one.conditions.items())
        place = f" in {one.environment.value}" if one.environment else ""
        ended = f", ended {one.ended_at[:16]}" if one.ended_at else ""
        click.echo(f"{one.id} {one.actor:20} {one.issuer} for {one.audience}: {says}")
        click.echo(f"{'':17}for {', '.join(one.scopes)}{place}, {one.minutes} minutes{ended}")


@trust.command("end")
@click.argument("id")
@_folder
@declares(Verb.TRUST_END)
def trust_end(id: str, data: Path | None) -> None:
    """Trust a pipeline no longer; keys that it has end by themselves within minutes."""
    from cuelight_server.control.trusts import end_trust
    from cuelight_server.kernel.actor import SYSTEM

    with _opened(data) as desk:
        end_trust(desk, SYSTEM, id)
    click.echo(f"ended {id}")


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
            ends = f"ends {one.expires_at[:10]}" if one.expires_at else ""
            ended = f"revoked {one.revoked_at[:16]}" if one.revoked_at else ends
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
    """What serves where, and how the log stands."""
    from dataclasses import asdict

    from cuelight_server.views.audit import standing
    from cuelight_server.views.desk import status as look

    settings = _settings()
    with _opened(data) as desk:
        how = _checkpoints(settings, data or settings.folder)
        found, log = look(desk), standing(desk, tuple(how.sinks), every_s=how.every_s)
    if as_json:
        click.echo(json.dumps({**found.to_json(), "log": asdict(log)}, ensure_ascii=False))
        return
    for row in found.rows:
        serves = " + ".join(label for label, _ in row.serves) or "-"
        click.echo(f"{row.word:8} {row.prompt:40} {row.environment:12} {serves:8} {row.why}")
    click.echo(f"{log.state.capitalize():8} log of {log.size} lines, signed up to {log.signed or 0}. {log.words}")


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
    """Sign the log as it is now and print the checkpoint: keep it outside of this desk, so that a cut or rewritten log is noticed."""
    from cuelight_server.control.checkpoints import issue

    settings = _settings()
    with _opened(data) as desk:
        click.echo(issue(desk, _checkpoints(settings, data or settings.folder).keys).note, nl=False)


@commands.group()
def keys() -> None:
    """The key that signs checkpoints; its private half is never shown."""


@keys.command("show")
@click.option("--json", "as_json", is_flag=True, help="JSON.")
@_folder
@declares(Verb.DESK_READ)
def keys_show(data: Path | None, *, as_json: bool) -> None:
    """Show the verifier keys, oldest first: give the last one to whoever checks this desk's log."""
    from dataclasses import asdict

    from cuelight_server.control.signing import ensure_key
    from cuelight_server.views.audit import keys as known

    settings = _settings()
    with _opened(data) as desk:
        if not known(desk):
            ensure_key(desk, _checkpoints(settings, data or settings.folder).keys)
        found = known(desk)
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found]))
        return
    for one in found:
        click.echo(one.verifier)


@keys.command("rotate")
@click.option("--lost", is_flag=True, help="The old key is lost and cannot sign the new one; every verifier says so.")
@_folder
@declares(Verb.KEY_ROTATE)
def keys_rotate(data: Path | None, *, lost: bool) -> None:
    """Let a new key sign from now on, signed by the old one, with a line in the log; prints the new verifier key."""
    from cuelight_server.control.signing import rotate_key

    settings = _settings()
    with _opened(data) as desk:
        click.echo(str(rotate_key(desk, _checkpoints(settings, data or settings.folder).keys, lost=lost)))


@commands.command("export-log")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@_folder
@declares(Verb.DESK_OPERATE)
def export_log(file: Path, data: Path | None) -> None:
    """Write the whole log to FILE, with checkpoints and public keys, for `cuelight verify FILE` anywhere."""
    from cuelight_server.control.log_export import export, export_to

    with _opened(data) as desk:
        size = export_to(file, export(desk))
    click.echo(f"{size} lines in {file}")


@commands.command()
@click.argument("role")
@_folder
@declares(Verb.DESK_OPERATE)
def grants(role: str, data: Path | None) -> None:
    """Print the SQL that lets a PostgreSQL ROLE run the server without the right to change evidence or tables."""
    from cuelight_server.db.roles import grants as made

    with _opened(data) as desk:
        for statement in made(desk.registry, role):
            click.echo(f"{statement};")


@commands.command()
@click.option("--to", "file", required=True, type=click.Path(path_type=Path), metavar="FILE.tar.gz", help="A new file.")
@_folder
@declares(Verb.DESK_OPERATE)
def backup(file: Path, data: Path | None) -> None:
    """Write the whole desk to one file while it is served; keep it as secret as the data folder."""
    from cuelight_server.control.backup import back_up

    settings = _settings()
    made = back_up(data or settings.folder, file, databases=_databases(settings))
    click.echo(f"wrote {file}: {file.stat().st_size} bytes, log checkpoint {made.checkpoint}")


@commands.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--data", type=click.Path(path_type=Path), required=True, help="A new or empty folder.")
@declares(Verb.DESK_RESTORE)
def restore(file: Path, data: Path) -> None:
    """Make a desk of a backup: verified first, under a new epoch, so that running clients notice and follow.

    With CUELIGHT_DATABASE_URL or CUELIGHT_CALLS_URL it goes into that database, wherever the backup came from: so a
    desk moves from files to PostgreSQL, or back.
    """
    from cuelight_server.control.backup import restore as make_again

    made = make_again(file, data, databases=_databases(_settings()))
    click.echo(f"{data} is the desk as it was on {made.made_at}, under the new epoch {made.epoch}")
    for place, version in made.snapshots.items():
        click.echo(f"  {place} serves snapshot {version}")
    click.echo(
        "  not in it: whatever was done since, also revoked keys and disabled people; do that again before you serve it"
    )


@commands.command()
@_folder
@declares(Verb.DESK_OPERATE)
def worker(data: Path | None) -> None:
    """Run evaluations for a desk that another process serves."""
    import signal
    import threading

    from cuelight_server.worker import Courier, Worker

    settings = _settings()
    ended = threading.Event()
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, lambda *_: ended.set())
    from cuelight_server.control.providers import Connected

    settings = _settings()
    with _opened(data) as desk:
        sealing = _sealing(settings, data or settings.folder)
        running = Worker(desk, Connected(desk, sealing, _providers(settings)), outside=_outside(settings))
        courier = Courier(desk, _checkpoints(settings, data or settings.folder))
        running.start()
        courier.start()
        ended.wait()
        running.stop()
        courier.stop()


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
@click.option("--new-key", is_flag=True, help="Put a new key into the sealing key file first; older ones still open.")
@_folder
@declares(Verb.PROVIDER_RESEAL)
def reseal(data: Path | None, *, new_key: bool) -> None:
    """Seal the keys of model providers anew under the current sealing key, after it was changed."""
    from cuelight_server.control.providers import reseal as seal_anew
    from cuelight_server.kernel.ids import sealing_key
    from cuelight_server.vault.keyfile import put_in_front

    settings = _settings()
    folder = data or settings.folder
    if new_key and settings.sealing_keys:
        raise Invalid("the sealing keys are in CUELIGHT_SEALING_KEYS", "put a new one in front there, then run: reseal")
    with _opened(data) as desk:
        keys = put_in_front(_sealing_file(settings, folder), sealing_key()) if new_key else _sealing(settings, folder)
        names = seal_anew(desk, keys)
    click.echo(f"sealed anew: {', '.join(names)}" if names else "nothing to do")
    if new_key:
        click.echo("  restart the servers, so that they seal with it; the older keys may go when no backup needs them")


@commands.command()
@click.option("--only", type=click.Choice(["sales", "tutoring", "clinical", "notes"]), help="One workflow's chapter.")
@_folder
@declares(Verb.DESK_CREATE)
def demo(data: Path | None, only: str | None) -> int:
    """Play the story of all four example workflows on a new demo desk; every output in it is a recording."""
    from cuelight_server.demo import main as play

    return play(data or _settings().folder, only or "")


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
                outside=_outside(settings),
                listening=lambda url: _line({"url": url, "token": token}),
                stdin_ends=True,
            )
        finally:
            desk.close()


def _listening(desk: Any, url: str, folder: Path, public_url: str) -> None:
    """Say where the desk is, and where nobody owns it yet print the link that makes an owner."""
    from cuelight_server.control.invitations import issue_owner_link
    from cuelight_server.views.people import has_owner

    click.echo(f"Cuelight is at {url}, its data in {folder}")
    if not has_owner(desk):
        click.echo("  nobody owns this desk yet; this link makes you its owner, once, within 24 hours:")
        click.echo(f"  {public_url or url}/invitation/{issue_owner_link(desk).code}")


def _check_exposure(desk: Any, host: str, public_url: str) -> None:
    """Blocked where the desk would be reached from other machines and is not made for it; every reason is said."""
    from cuelight_server.access.exposure import reasons_against
    from cuelight_server.views.people import has_owner

    reasons = reasons_against(host, public_url, demo=desk.demo, owned=has_owner(desk))
    if reasons:
        told = "\n".join(f"  - {one.message}: {one.hint}" for one in reasons)
        raise Blocked(f"{host} can be reached from other machines, and this desk is not ready for that\n{told}")


def _front(settings: Settings) -> Any:
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
        newcomers=Newcomers(settings.oidc_newcomers),
        trusts_email=settings.oidc_trust_email,
    )


def _claim(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise Invalid(f"{text[:80]!r} is no condition", "write CLAIM=VALUE, such as repository=acme/prompts")
    return name, value


def _address(settings: Settings, code: str) -> str:
    """Where a one-time link leads, once the desk is served."""
    home = settings.public_url or f"http://127.0.0.1:{settings.port}"
    return f"{home}/invitation/{code}"


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


def _outside(settings: Settings) -> Any:
    """What graders may ask outside of this process; each that is not set is missing, and its graders say so."""
    from cuelight_server.evaluation.graders.outside import Outside
    from cuelight_server.kernel.clock import system_clock
    from cuelight_server.providers.embeddings import Embeddings, packaged
    from cuelight_server.sandboxes.command import Commands, commands
    from cuelight_server.sandboxes.webhook import Webhooks, origins

    secret = settings.grader_webhook_secret
    model, base_url = settings.embedding_model, settings.openai_base_url
    return Outside(
        command=Commands(commands(settings.grader_commands)) if settings.grader_commands else None,
        webhook=Webhooks(origins(settings.grader_webhooks), secret, system_clock) if secret else None,
        embed=Embeddings(base_url, settings.openai_key, model) if model else packaged(),
    )


def _sealing(settings: Settings, folder: Path) -> Any:
    """What keys of providers are sealed with: from the environment, or from a file that is made at the first start."""
    from cuelight_server.kernel.ids import sealing_key
    from cuelight_server.vault.keyfile import load_or_make
    from cuelight_server.vault.sealing import read_keys

    if settings.sealing_keys:
        return read_keys(settings.sealing_keys)
    return load_or_make(_sealing_file(settings, folder), sealing_key())


def _sealing_file(settings: Settings, folder: Path) -> Path:
    return settings.sealing_key_file or folder / "sealing.key"


def _checkpoints(settings: Settings, folder: Path) -> Any:
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


def _shell_user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "someone"


if __name__ == "__main__":
    main()
