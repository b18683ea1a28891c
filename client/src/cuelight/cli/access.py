"""`cuelight owners` and `cuelight access`: who owns what, who may do what and why, who was let in."""

from collections.abc import Mapping
from typing import Any

import click

from cuelight.cli.ending import DENIED, Finish
from cuelight.cli.options import ROLES, Where, asks, desk_options, json_option
from cuelight.cli.show import say, show_json, table

_LIGHTS = {"gap": ("■", "red"), "orphan": ("■", "red"), "two_owners": ("○", "yellow"), "single": ("○", "yellow")}
_PLACES = click.Choice(["reader", "member", *ROLES])


@click.command("owners")
@click.argument("workflow", required=False, default="")
@click.option("--format", "form", type=click.Choice(["table", "md", "csv", "json"]), default="table", help="As what.")
@json_option
@desk_options
@asks("desk.read")
def owners_command(workflow: str, form: str, as_json: bool, where: Where) -> None:  # noqa: FBT001  click passes flags
    """Show the ownership map: what is missing first, then prompt, role, person, backup and when they were last here."""
    with where.admin() as admin:
        if form in ("md", "csv") and not as_json:
            click.echo(admin.owners_export(workflow, form), nl=False)
            return
        found = admin.owners(workflow)
    if as_json or form == "json":
        show_json(found)
        return
    for one in found["findings"]:
        sign, style = _LIGHTS[one["kind"]]
        stops = "; nothing new goes live there" if one["blocks"] else ""
        say((f"{sign} {one['prompt']}", style), f"  {one['words']}{stops}")
    if not found["findings"]:
        say(("● nothing is missing", "green"))
    say()
    table(("prompt", "role", "state", "person", "backup"), [_row(one) for one in found["rows"]])


@click.group("access")
def access_command() -> None:
    """Who may do what, and who was let in."""


@access_command.command("explain")
@click.argument("who")
@click.argument("verb")
@click.argument("subject")
@json_option
@desk_options
@asks("desk.read")
def explain_command(who: str, verb: str, subject: str, as_json: bool, where: Where) -> None:  # noqa: FBT001  click passes flags
    """Say whether WHO may do VERB on SUBJECT, and why: leon.abara release.approve sales.outreach_draft@v2.

    The exit code is 0 for yes and 23 for no.
    """
    with where.admin() as admin:
        found = admin.explain(who, verb, subject)
    if as_json:
        show_json(found)
    else:
        say(("● yes", "green") if found["allowed"] else ("■ no", "red"), f"  {found['why']}")
        for one in found["steps"]:
            say(("● ", "green") if one["ok"] else ("■ ", "red"), f"{one['name']}: {one['words']}", indent=2)
        say(f"it takes {' or '.join(found['roles'])}", indent=2)
        if found["could"]:
            say(f"today that could be: {', '.join(found['could'])}", indent=2)
    if not found["allowed"]:
        raise Finish(DENIED)


@access_command.command("list")
@click.argument("workflow")
@json_option
@desk_options
@asks("desk.read")
def list_command(workflow: str, as_json: bool, where: Where) -> None:  # noqa: FBT001  click passes flags
    """List who was let into WORKFLOW: readers, members, machines with a role. Owners: `cuelight owners`."""
    with where.admin() as admin:
        found = admin.members(workflow)
    if as_json:
        show_json(found)
        return
    table(
        ("who", "as", "by", "since"),
        [[one["account"], one["role"], one["granted_by"], one["granted_at"][:10]] for one in found["items"]],
    )
    if not found["items"]:
        say("nobody was let in beside the owners")


@access_command.command("admit")
@click.argument("workflow")
@click.argument("who")
@click.option("--role", type=_PLACES, default="reader", show_default=True, help="A machine may hold an owner's role.")
@json_option
@desk_options
@asks("member.admit")
def admit_command(workflow: str, who: str, role: str, as_json: bool, where: Where) -> None:  # noqa: FBT001  click passes flags
    """Let WHO into WORKFLOW: a reader looks, a member also drafts and evaluates."""
    with where.admin() as admin:
        done = admin.admit(workflow, who, role)
    _done(done, f"{who} is {role} of {workflow}", as_json=as_json)


@access_command.command("dismiss")
@click.argument("workflow")
@click.argument("who")
@click.option("--role", type=_PLACES, default="reader", show_default=True, help="Which place ends.")
@json_option
@desk_options
@asks("member.dismiss")
def dismiss_command(workflow: str, who: str, role: str, as_json: bool, where: Where) -> None:  # noqa: FBT001  click passes flags
    """Take the place of WHO in WORKFLOW away."""
    with where.admin() as admin:
        done = admin.dismiss(workflow, who, role)
    _done(done, f"{who} is no {role} of {workflow} any more", as_json=as_json)


def _row(one: Mapping[str, Any]) -> list[Any]:
    sign, style = _LIGHTS.get(one["state"], ("●", "green"))
    state = (f"{sign} {one['words']}", style)
    return [one["prompt"], one["role"].replace("_", " "), state, _holder(one["person"]), _holder(one["backup"])]


def _holder(one: Mapping[str, Any] | None) -> str:
    if one is None:
        return "–"
    if not one["here"]:
        return f"{one['id']}, gone"
    return f"{one['id']}, {one['last_active'][:10] if one['last_active'] else 'no act yet'}"


def _done(done: Mapping[str, Any], words: str, *, as_json: bool) -> None:
    if as_json:
        show_json(done)
    else:
        say(("● done", "green"), f"  {words}")
