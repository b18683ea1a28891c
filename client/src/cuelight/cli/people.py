"""`cuelight people` and `cuelight keys`: who is here, what opens what, and letting them in and out."""

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import click
from click.shell_completion import CompletionItem

from cuelight.cli.look import day
from cuelight.cli.options import ENVIRONMENTS, Where, asks, desk_options, json_option
from cuelight.cli.show import Span, light, say, show_json, table
from cuelight.contract.errors import CuelightError, Invalid

_PAGE = 200
_KEY_ID = re.compile(r"(?:cue_[a-z]+_)?([0-9a-f]{16})(?:_.*)?")
_DESK_ROLES = {"admin": "administrator", "auditor": "auditor"}
_KEY_LIGHTS = {"good": ("go", "Good"), "expired": ("standby", "Expired")}


def offer(what: Callable[[Any], Iterator[str]]) -> Callable[..., list[CompletionItem]]:
    """Names for the shell, asked of the desk that the environment names; none where it does not answer."""

    def complete(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        where = Where(ctx.params.get("server"), ctx.params.get("token"), ctx.params.get("as_"))
        try:
            with where.admin() as admin:
                return [CompletionItem(one) for one in what(admin) if one.startswith(incomplete)]
        except CuelightError:
            return []

    return complete


@click.group("people")
def people_command() -> None:
    """Who is here: people, apps, services and agents."""


@people_command.command("list")
@json_option
@desk_options
@asks("desk.read")
def people_list(as_json: bool, where: Where) -> None:  # noqa: FBT001  click passes flags
    """Show everyone, by id, what they are on the desk, and their last act in the log."""
    with where.admin() as admin:
        found = list(every(admin.people))
    if as_json:
        show_json({"items": found})
        return
    table(("id", "name", "what", "state", "last act"), [_person(one) for one in found])


@people_command.command("invite")
@click.argument(
    "id", shell_complete=offer(lambda admin: (one["id"] for one in every(admin.people) if one["kind"] == "person"))
)
@click.argument("name", required=False)
@click.option("--admin", is_flag=True, help="A new person becomes an administrator.")
@json_option
@desk_options
@asks("invitation.issue")
def people_invite(
    id: str,
    name: str | None,
    admin: bool,  # noqa: FBT001  click passes flags
    as_json: bool,  # noqa: FBT001  click passes flags
    where: Where,
) -> None:
    """Print a one-time link with which a person sets their password; with NAME a person who is new here is added."""
    with where.admin() as desk:
        if name is not None:
            desk.add_person(id, name, admin=admin)
        elif admin:
            raise Invalid(
                "--admin is for a new person", f'give the name, too: cuelight people invite {id} "Full Name" --admin'
            )
        made = desk.invite(id)
    if as_json:
        show_json(made)
        return
    click.echo(made["link"])
    say(f"works once, until {day(made['expires_at'])} UTC; give it to them yourself")


@people_command.command("disable")
@click.argument("id", shell_complete=offer(lambda admin: (one["id"] for one in every(admin.people))))
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@desk_options
@asks("actor.disable")
def people_disable(id: str, yes: bool, as_json: bool, where: Where) -> None:  # noqa: FBT001  click passes flags
    """Show somebody out for good: they neither come in nor act from now on; what they did stays on record."""
    if not (yes or as_json) and sys.stdin.isatty():
        click.confirm(f"disable {id} for good?", abort=True, err=True)
    with where.admin() as admin:
        done = admin.disable(id)
    if as_json:
        show_json(done)
        return
    say(("· disabled", "bright_black"), f" {id}")


@click.group("keys")
def keys_command() -> None:
    """Keys of apps, services and agents, and tokens of people."""


@keys_command.command("list")
@click.option("--all", "everything", is_flag=True, help="Also those that ended more than a day ago.")
@json_option
@desk_options
@asks("desk.read")
def keys_list(everything: bool, as_json: bool, where: Where) -> None:  # noqa: FBT001  click passes flags
    """Show the keys that work or ended within a day: everybody's for an administrator, one's own for everybody else."""
    with where.admin() as admin:
        found = list(every(partial(admin.keys, ended=everything)))
    if as_json:
        show_json({"items": found})
        return
    table(("id", "holder", "for", "state", "last used", "ends", "note"), [_key(one) for one in found])
    if not found:
        say("no key yet; issue one with: cuelight keys issue HOLDER --environment production")


@keys_command.command("issue")
@click.argument("holder")
@click.option(
    "--kind",
    default="app",
    type=click.Choice(["app", "service", "agent", "person"]),
    show_default=True,
    help="What holds the key.",
)
@click.option("--environment", type=ENVIRONMENTS, help="The one environment that it reaches; an app's key needs one.")
@click.option("--scope", "scopes", multiple=True, help="What it is for: read, push, release.*, ...; again for more.")
@click.option("--days", type=click.IntRange(1, 366), help="When it ends [an app's never, others after 90].")
@click.option("--note", default="", help="Where it is used, for the list.")
@json_option
@desk_options
@asks("token.issue")
def keys_issue(
    holder: str,
    kind: str,
    environment: str | None,
    scopes: tuple[str, ...],
    days: int | None,
    note: str,
    as_json: bool,  # noqa: FBT001  click passes flags
    where: Where,
) -> None:
    """Issue a key to HOLDER, who is added if it is a new app, service or agent; prints it once."""
    wish = {"environment": environment, "scopes": list(scopes) or None, "days": days, "label": note}
    with where.admin() as admin:
        made = admin.issue_key(holder, kind, {name: value for name, value in wish.items() if value})
    if as_json:
        show_json(made)
        return
    click.echo(made["key"])


@keys_command.command("revoke")
@click.argument(
    "id", shell_complete=offer(lambda admin: (one["id"] for one in every(admin.keys) if one["state"] == "good"))
)
@json_option
@desk_options
@asks("token.revoke")
def keys_revoke(id: str, as_json: bool, where: Where) -> None:  # noqa: FBT001  click passes flags
    """Revoke a key by its ID, the part before its secret: it opens nothing from now on."""
    found = _KEY_ID.fullmatch(id)
    if found is None:
        raise Invalid("this is no id of a key", "it is the 16 characters before the secret: cuelight keys list")
    with where.admin() as admin:
        done = admin.revoke_key(found[1])
    if as_json:
        show_json(done)
        return
    say(("· revoked", "bright_black"), f" {done['id']} of {done['holder']}")


def every(page: Callable[..., Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Every item of a list that comes in pages."""
    after: str | None = ""
    while after is not None:
        found = page(after=after, limit=_PAGE)
        yield from found["items"]
        after = found["next"]


def _person(one: Mapping[str, Any]) -> list[Span]:
    desk_roles = [word for word in ("admin", "auditor") if one.get(word)]
    what = ", ".join(_DESK_ROLES[word] for word in desk_roles) or str(one["kind"])
    if one["person"] and one["person"] != one["id"]:
        what += f", the same person as {one['person']}"
    state, word = ("off", "Disabled") if one["disabled_at"] else ("go", "Active")
    sign, style = light(state)
    return [
        one["id"],
        one["name"],
        what,
        (f"{sign} {word}", style),
        day(one["last_active_at"]) if one["last_active_at"] else "no act yet",
    ]


def _key(one: Mapping[str, Any]) -> list[Span]:
    state, word = _KEY_LIGHTS.get(one["state"], ("off", str(one["state"]).capitalize()))
    sign, style = light(state)
    scopes = one["scopes"]
    for_what = ", ".join(filter(None, (one["environment"], *(scopes or ()))))
    ends = str(one["expires_at"])[:10] if one["expires_at"] else "does not end"
    whole = for_what or ("everything its holder may" if scopes is None else "nothing")
    used = day(one["last_used_at"]) if one["last_used_at"] else "never used"
    return [one["id"], one["holder"], whole, (f"{sign} {word}", style), used, ends, one["label"] or "no note"]
