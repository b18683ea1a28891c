"""`cuelight audit`: who did what, looked through, proved and taken out."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from cuelight.admin import Admin
from cuelight.cli.look import day, short
from cuelight.cli.options import Where, asks, desk_options, json_option
from cuelight.cli.show import Span, say, show_json, table
from cuelight.cli.verify import text_of
from cuelight.contract.errors import Blocked, NotFound, Unavailable

_PAGE = 200


@click.group("audit", invoke_without_command=True)
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="How many lines at most.")
@click.option("--before", type=click.IntRange(1), metavar="LINE", help="Go on from below this line.")
@click.option("--actor", metavar="ID", help="Only what this person, app or the desk itself (`system`) did.")
@click.option("--verb", metavar="VERB", help="Only this, such as release.open, or `refused`.")
@click.option("--subject", metavar="NAME", help="Only this workflow, prompt or version, and what lies in it.")
@click.option("--since", metavar="TIME", help="Only from this time on, such as 2026-01-05T09:00:00Z.")
@click.option("--until", metavar="TIME", help="Only before this time.")
@json_option
@desk_options
@click.pass_context
@asks("desk.read")
def audit_command(
    context: click.Context,
    /,
    limit: int,
    before: int | None,
    as_json: bool,  # noqa: FBT001  click passes flags
    where: Where,
    **asked: str | None,
) -> None:
    """Show lines of the audit log, newest first."""
    if context.invoked_subcommand is not None:
        context.obj = where
        return
    with where.admin() as admin:
        lines, more = _newest(admin, limit, before, {name: text for name, text in asked.items() if text})
    if as_json:
        show_json({"items": lines, "next": more})
        return
    table(("line", "at", "who", "what", "on", "facts"), [_line(one) for one in lines], right=(0,))
    if not lines:
        say("nothing like that in the log" if any(asked.values()) else "the log is empty")
    elif more:
        say((f"there are more: --before {more}", "dim"))


@audit_command.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@desk_options
@asks("desk.read")
def export_command(file: Path, where: Where) -> None:
    """Write the whole log to FILE, for `cuelight verify FILE` on any machine."""
    part = file.with_name(file.name + ".part")
    try:
        with where.admin() as admin, part.open("wb") as out:
            for piece in admin.audit_export():
                out.write(piece)
        part.replace(file)
    except OSError as bad:
        raise Unavailable(f"{file} cannot be written: {bad.strerror}", "look at the folder and its disk") from bad
    finally:
        part.unlink(missing_ok=True)
    say(f"written to {file}; verify it with: cuelight verify {file}")


@audit_command.command("proof")
@click.argument("line", type=click.IntRange(1))
@json_option
@desk_options
@asks("desk.read")
def proof_command(line: int, as_json: bool, where: Where) -> None:  # noqa: FBT001  click passes flags
    """Fetch LINE with its proof and check here, not on the desk, that the log with this root holds it."""
    with where.admin() as admin:
        found = admin.audit_line(line)
    if not _holds(found, line):
        raise Blocked(f"line {line} is not in the log with the root that the desk gave", "run: cuelight-server verify")
    if as_json:
        show_json(found)
        return
    proof = found["proof"]
    say(("● proved", "green"), f" line {line} is in the log of {proof['size']} lines, {len(proof['hashes'])} hashes")
    say(f"root {proof['root']}", indent=2)
    say(str(found["body"]), indent=2)


@audit_command.command("checkpoint")
@click.option(
    "--against",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="One saved earlier: check that the log still begins with it.",
)
@json_option
@desk_options
@asks("desk.read")
def checkpoint_command(against: Path | None, as_json: bool, where: Where) -> None:  # noqa: FBT001  click passes flags
    """Print the newest signed checkpoint: keep it where the desk cannot rewrite it."""
    with where.admin() as admin:
        newest = _newest_checkpoint(admin)
        if against is not None:
            _check_against(admin, against, newest)
    if as_json:
        show_json(newest)
        return
    click.echo(newest["note"], nl=False)


def _newest(
    admin: Admin, limit: int, before: int | None, asked: Mapping[str, str]
) -> tuple[list[dict[str, Any]], str | None]:
    """The lines that were asked for, newest first, and where to go on."""
    lines, place = list[dict[str, Any]](), str(before) if before else ""
    while True:
        page = admin.audit(place, min(limit - len(lines), _PAGE), **asked)
        lines += page["items"]
        if page["next"] is None or len(lines) >= limit:
            return lines, page["next"]
        place = page["next"]


def _holds(found: Mapping[str, Any], line: int) -> bool:
    """Whether the body hashes to the leaf and the proof leads from there to the root."""
    from cuelight.contract.merkle import leaf_hash, verify_inclusion

    proof = found["proof"]
    leaf = leaf_hash(str(found["body"]).encode(errors="surrogatepass"))
    hashes = [bytes.fromhex(one) for one in proof["hashes"]]
    return verify_inclusion(line - 1, proof["size"], leaf, hashes, bytes.fromhex(proof["root"]))


def _newest_checkpoint(admin: Admin) -> dict[str, Any]:
    found: dict[str, Any] | None = None
    for found in _checkpoints(admin):  # noqa: B007  the last one counts
        pass
    if found is None:
        raise NotFound("no checkpoint was signed yet", "a server signs the first within seconds of its start")
    return found


def _checkpoints(admin: Admin) -> Iterator[dict[str, Any]]:
    after: int | None = 0
    while after is not None:
        page = admin.audit_checkpoints(after, _PAGE)
        yield from page["items"]
        after = int(page["next"]) if page["next"] else None


def _check_against(admin: Admin, file: Path, newest: Mapping[str, Any]) -> None:
    from cuelight.contract.kept import read_kept
    from cuelight.contract.merkle import verify_consistency
    from cuelight.contract.note import parse_signed

    now = parse_signed(newest["note"]).checkpoint
    for one in read_kept(text_of(file), file.name):
        old = one.checkpoint
        proof = admin.consistency(old.size, now.size) if 0 < old.size <= now.size else {"hashes": []}
        hashes = [bytes.fromhex(each) for each in proof["hashes"]]
        if not verify_consistency(old.size, now.size, bytes.fromhex(old.root), bytes.fromhex(now.root), hashes):
            words = f"the log of {now.size} lines does not begin with the {old.size} lines of {one.place}"
            raise Blocked(words, "it was cut or rewritten since: take an export and run `cuelight verify --checkpoint`")


def _line(one: Mapping[str, Any]) -> list[Span]:
    actor = one.get("actor")
    who = actor.get("id", "") if isinstance(actor, Mapping) else str(actor or "")
    return [
        str(one.get("seq", "")),
        day(one.get("at")),
        who,
        str(one.get("verb", "")),
        str(one.get("subject", "")),
        short(one.get("facts") or {}),
    ]
