"""`cuelight govern` and `cuelight handover`: who decides changes in acts of its own, agreed to by others."""

from collections.abc import Mapping
from typing import Any

import click

from cuelight.cli.options import ROLES, Where, answered, asks, desk_options
from cuelight.cli.show import say, table

_why = click.option("--why", required=True, metavar="TEXT", help="The reason, for the log.")
_note = click.option("--note", default="", metavar="TEXT", help="A remark that is kept with it.")
_WORDS = {"go": ("●", "green"), "standby": ("○", "yellow")}


def _tell_list(found: Mapping[str, Any]) -> None:
    rows = [
        [one["id"], one["workflow"], one["state"], one["author"], "; ".join(one["changes"])[:90]]
        for one in found["items"]
    ]
    table(("proposal", "workflow", "state", "by", "what"), rows)
    if not rows:
        say("nothing is proposed")


def _tell(found: Mapping[str, Any]) -> None:
    """One proposal, whose yes is there and whose is missing."""
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


def _tell_applied(done: Mapping[str, Any]) -> None:
    """What is in force now."""
    say(("● in force", "green"), f"  {done['workflow']}, revision {done['revision']}")
    for line in done["changes"]:
        say(line, indent=2)
    if done["voided"]:
        say(f"{len(done['voided'])} open approvals of versions are void now: ask for them again", indent=2)
    say("write the same into the folder's workflow.yaml, if it is not there yet", indent=2)


def _tell_undone(done: Mapping[str, Any]) -> None:
    if done.get("applied"):
        _tell_applied(done["applied"])
    else:
        _tell(done["proposal"])


@click.group("govern")
def govern_command() -> None:
    """Changes of owners, tier, release rules and authority: `push` proposes them where the tier asks others."""


@govern_command.command("list")
@click.argument("workflow", required=False, default="")
@click.option("--all", "ended", is_flag=True, help="Also those that have ended.")
@answered(_tell_list)
@desk_options
@asks("desk.read")
def list_command(workflow: str, ended: bool, where: Where) -> Any:  # noqa: FBT001  click passes flags
    """List what is proposed, newest first, in every workflow or in WORKFLOW."""
    with where.admin() as admin:
        return admin.proposals(workflow, only_open=not ended)


@govern_command.command("show")
@click.argument("proposal")
@answered(_tell)
@desk_options
@asks("desk.read")
def show_command(proposal: str, where: Where) -> Any:
    """Show what PROPOSAL changes, whose yes is there and whose is missing."""
    with where.admin() as admin:
        return admin.proposal(proposal)


@govern_command.command("approve")
@click.argument("proposal")
@click.option("--role", type=click.Choice([*ROLES, "administrator"]), help="In which role, where you hold several.")
@click.option("--note", default="", metavar="TEXT", help="A remark that is kept with the yes.")
@answered(_tell)
@desk_options
@asks("governance.approve")
def approve_command(proposal: str, role: str | None, note: str, where: Where) -> Any:
    """Say yes to PROPOSAL. Its author cannot; a changed proposal asks again."""
    with where.admin() as admin:
        admin.approve_proposal(proposal, role, note)
        return admin.proposal(proposal)


@govern_command.command("decline")
@click.argument("proposal")
@_why
@answered(_tell)
@desk_options
@asks("governance.decline")
def decline_command(proposal: str, why: str, where: Where) -> Any:
    """Say no to PROPOSAL; it ends."""
    with where.admin() as admin:
        return admin.end_proposal(proposal, "decline", why)


@govern_command.command("withdraw")
@click.argument("proposal")
@_why
@answered(_tell)
@desk_options
@asks("governance.withdraw")
def withdraw_command(proposal: str, why: str, where: Where) -> Any:
    """Take your own PROPOSAL back; it ends."""
    with where.admin() as admin:
        return admin.end_proposal(proposal, "withdraw", why)


@govern_command.command("apply")
@click.argument("proposal")
@answered(_tell_applied)
@desk_options
@asks("governance.apply")
def apply_command(proposal: str, where: Where) -> Any:
    """Put PROPOSAL into force, once every yes is there. Open approvals of versions are void then, and counted."""
    with where.admin() as admin:
        return admin.apply_proposal(proposal)


@govern_command.command("undo")
@click.argument("proposal")
@_note
@answered(_tell_undone)
@desk_options
@asks("governance.propose")
def undo_command(proposal: str, note: str, where: Where) -> Any:
    """Propose what governed before PROPOSAL came into force; in tier low it is done at once."""
    with where.admin() as admin:
        return admin.undo_proposal(proposal, note)


@click.group("handover")
def handover_command() -> None:
    """Hand a role over to somebody, who has to accept it."""


@handover_command.command("offer")
@click.argument("subject")
@click.option("--role", type=click.Choice(ROLES), required=True, help="Which role.")
@click.option("--to", required=True, metavar="PERSON", help="Who gets it.")
@click.option("--from", "before", metavar="PERSON", help="Who gives it: the first who holds it if left out.")
@_why
@answered(_tell)
@desk_options
@asks("handover.offer")
def offer_command(subject: str, role: str, to: str, before: str | None, why: str, where: Where) -> Any:
    """Offer a role of SUBJECT, a workflow (sales) or one prompt (sales.lead_qualification)."""
    with where.admin() as admin:
        return admin.offer_handover(subject, role, to, why, before)


@handover_command.command("accept")
@click.argument("proposal")
@_note
@answered(_tell)
@desk_options
@asks("handover.accept")
def accept_command(proposal: str, note: str, where: Where) -> Any:
    """Accept the role that PROPOSAL hands over to you."""
    with where.admin() as admin:
        return admin.accept_handover(proposal, note)


@handover_command.command("decline")
@click.argument("proposal")
@_why
@answered(_tell)
@desk_options
@asks("handover.decline")
def refuse_command(proposal: str, why: str, where: Where) -> Any:
    """Decline the role that PROPOSAL hands over to you; the handover ends."""
    with where.admin() as admin:
        return admin.decline_handover(proposal, why)
