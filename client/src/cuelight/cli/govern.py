"""`cuelight govern` and `cuelight handover`: who decides changes in acts of its own, agreed to by others."""

from collections.abc import Mapping
from typing import Any

import click

from cuelight.cli.options import ROLES, Where, asks, desk_options, json_option
from cuelight.cli.show import say, show_json, table

_WORDS = {"go": ("●", "green"), "standby": ("○", "yellow")}


@click.group("govern")
def govern_command() -> None:
    """Changes of owners, tier, release rules and authority: `push` proposes them where the tier asks others."""


@govern_command.command("list")
@click.argument("workflow", required=False, default="")
@click.option("--all", "ended", is_flag=True, help="Also those that have ended.")
@json_option
@desk_options
@asks("desk.read")
def list_command(workflow: str, ended: bool, as_json: bool, where: Where) -> None:  # noqa: FBT001  click passes flags
    """List what is proposed, newest first, in every workflow or in WORKFLOW."""
    with where.admin() as admin:
        found = admin.proposals(workflow, only_open=not ended)
    if as_json:
        show_json(found)
        return
    rows = [
        [one["id"], one["workflow"], one["state"], one["author"], "; ".join(one["changes"])[:90]]
        for one in found["items"]
    ]
    table(("proposal", "workflow", "state", "by", "what"), rows)
    if not rows:
        say("nothing is proposed")


@govern_command.command("show")
@click.argument("proposal")
@json_option
@desk_options
@asks("desk.read")
def show_command(proposal: str, as_json: bool, where: Where) -> None:  # noqa: FBT001  click passes flags
    """Show what PROPOSAL changes, whose yes is there and whose is missing."""
    with where.admin() as admin:
        found = admin.proposal(proposal)
    _answer(found, as_json=as_json)


@govern_command.command("approve")
@click.argument("proposal")
@click.option("--role", type=click.Choice([*ROLES, "administrator"]), help="In which role, where you hold several.")
@click.option("--note", default="", metavar="TEXT", help="A remark that is kept with the yes.")
@json_option
@desk_options
@asks("governance.approve")
def approve_command(proposal: str, role: str | None, note: str, as_json: bool, where: Where) -> None:  # noqa: FBT001  click passes flags
    """Say yes to PROPOSAL. Its author cannot; a changed proposal asks again."""
    with where.admin() as admin:
        admin.approve_proposal(proposal, role, note)
        found = admin.proposal(proposal)
    _answer(found, as_json=as_json)


@govern_command.command("decline")
@click.argument("proposal")
@click.option("--why", required=True, metavar="TEXT", help="The reason, for the log.")
@json_option
@desk_options
@asks("governance.decline")
def decline_command(proposal: str, why: str, as_json: bool, where: Where) -> None:  # noqa: FBT001  click passes flags
    """Say no to PROPOSAL; it ends."""
    with where.admin() as admin:
        found = admin.end_proposal(proposal, "decline", why)
    _answer(found, as_json=as_json)


@govern_command.command("withdraw")
@click.argument("proposal")
@click.option("--why", required=True, metavar="TEXT", help="The reason, for the log.")
@json_option
@desk_options
@asks("governance.withdraw")
def withdraw_command(proposal: str, why: str, as_json: bool, where: Where) -> None:  # noqa: FBT001  click passes flags
    """Take your own PROPOSAL back; it ends."""
    with where.admin() as admin:
        found = admin.end_proposal(proposal, "withdraw", why)
    _answer(found, as_json=as_json)


@govern_command.command("apply")
@click.argument("proposal")
@json_option
@desk_options
@asks("governance.apply")
def apply_command(proposal: str, as_json: bool, where: Where) -> None:  # noqa: FBT001  click passes flags
    """Put PROPOSAL into force, once every yes is there. Open approvals of versions are void then, and counted."""
    with where.admin() as admin:
        done = admin.apply_proposal(proposal)
    _applied(done, as_json=as_json)


@govern_command.command("undo")
@click.argument("proposal")
@click.option("--note", default="", metavar="TEXT", help="A remark that is kept with it.")
@json_option
@desk_options
@asks("governance.propose")
def undo_command(proposal: str, note: str, as_json: bool, where: Where) -> None:  # noqa: FBT001  click passes flags
    """Propose what governed before PROPOSAL came into force; in tier low it is done at once."""
    with where.admin() as admin:
        done = admin.undo_proposal(proposal, note)
    if done.get("applied"):
        _applied(done["applied"], as_json=as_json)
    else:
        _answer(done["proposal"], as_json=as_json)


@click.group("handover")
def handover_command() -> None:
    """Hand a role over to somebody, who has to accept it."""


@handover_command.command("offer")
@click.argument("subject")
@click.option("--role", type=click.Choice(ROLES), required=True, help="Which role.")
@click.option("--to", required=True, metavar="PERSON", help="Who gets it.")
@click.option("--from", "before", metavar="PERSON", help="Who gives it: the first who holds it if left out.")
@click.option("--why", required=True, metavar="TEXT", help="The reason, for the log.")
@json_option
@desk_options
@asks("handover.offer")
def offer_command(subject: str, role: str, to: str, before: str | None, why: str, as_json: bool, where: Where) -> None:  # noqa: FBT001  click passes flags
    """Offer a role of SUBJECT, a workflow (sales) or one prompt (sales.lead_qualification)."""
    with where.admin() as admin:
        found = admin.offer_handover(subject, role, to, why, before)
    _answer(found, as_json=as_json)


@handover_command.command("accept")
@click.argument("proposal")
@click.option("--note", default="", metavar="TEXT", help="A remark that is kept with it.")
@json_option
@desk_options
@asks("handover.accept")
def accept_command(proposal: str, note: str, as_json: bool, where: Where) -> None:  # noqa: FBT001  click passes flags
    """Accept the role that PROPOSAL hands over to you."""
    with where.admin() as admin:
        found = admin.accept_handover(proposal, note)
    _answer(found, as_json=as_json)


@handover_command.command("decline")
@click.argument("proposal")
@click.option("--why", required=True, metavar="TEXT", help="The reason, for the log.")
@json_option
@desk_options
@asks("handover.decline")
def refuse_command(proposal: str, why: str, as_json: bool, where: Where) -> None:  # noqa: FBT001  click passes flags
    """Decline the role that PROPOSAL hands over to you; the handover ends."""
    with where.admin() as admin:
        found = admin.decline_handover(proposal, why)
    _answer(found, as_json=as_json)


def _answer(found: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        show_json(found)
        return
    state = str(found["state"]).replace("_", " ")
    say((f"{found['id']}", "bold"), f"  {found['workflow']}, {state}, by {found['author']}")
    for line in found["changes"]:
        say(line, indent=2)
    if found.get("ended_why"):
        say(f"ended by {found['ended_by']}: {found['ended_why']}", indent=2)
    for need in found["needs"]:
        role, given = str(need["role"]).replace("_", " "), need["given_by"]
        sign = _WORDS["go" if given else "standby"]
        words = f"yes by {given}" if given else f"asked: {' or '.join(need['could']) or 'nobody is here'}"
        say((f"{sign[0]} {role}", sign[1]), f"  {words}", indent=2)
    if found.get("stale"):
        say(("something else governs by now: push the folder again", "yellow"), indent=2)
    elif found.get("ready"):
        say(("next: ", "bold"), f"cuelight govern apply {found['id']}")


def _applied(done: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        show_json(done)
        return
    say(("● in force", "green"), f"  {done['workflow']}, revision {done['revision']}")
    for line in done["changes"]:
        say(line, indent=2)
    if done["voided"]:
        say(f"{len(done['voided'])} open approvals of versions are void now: ask for them again", indent=2)
    say("write the same into the folder's workflow.yaml, if it is not there yet", indent=2)
