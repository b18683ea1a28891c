"""`cuelight approve` and `cuelight release`: a version goes into an environment, on named people's yes."""

from collections.abc import Callable, Mapping
from typing import Any

import click

from cuelight.cli.ending import BLOCKED, Finish
from cuelight.cli.names import reference
from cuelight.cli.observed import observe, show_observed
from cuelight.cli.options import ENVIRONMENTS, ROLES, Where, asks, desk_options, json_option
from cuelight.cli.show import counted, say, show_json, tell
from cuelight.contract.errors import Blocked

_ROLES = click.Choice(ROLES)


@click.command("approve")
@click.argument("what", metavar="REFERENCE")
@click.option("--to", "environment", type=ENVIRONMENTS, required=True, help="For which environment.")
@click.option("--role", type=_ROLES, help="In which role; needed where you hold several that are asked for.")
@click.option("--note", default="", metavar="TEXT", help="A remark that is kept with the approval.")
@json_option
@desk_options
@asks("release.approve")
def approve_command(what: str, environment: str, role: str | None, note: str, as_json: bool, where: Where) -> None:  # noqa: FBT001  click passes flags
    """Say yes to REFERENCE, for example sales.lead_qualification@v2. Any later change voids the approval."""
    prompt, label = reference(what)
    with where.admin() as admin:
        given = admin.approve(prompt, label, environment, role, note)
        if as_json:
            show_json(given)
            return
        checklist = admin.release_check(prompt, label, environment)
    say(("● approved", "green"), f"  {what} for {environment}, as {str(given.get('role', '')).replace('_', ' ')}")
    say(f"bound to {given.get('binding', '')}", indent=2)
    _show_suite(checklist)
    show_missing(checklist)
    if checklist.get("ok"):
        say()
        say(("next: ", "bold"), f"cuelight release {what} --to {environment}")


@click.command("release")
@click.argument("what", metavar="REFERENCE")
@click.option("--to", "environment", type=ENVIRONMENTS, required=True, help="Into which environment.")
@click.option("--note", default="", metavar="TEXT", help="A remark that is kept with the release.")
@click.option("--check", is_flag=True, help="Only say what is there and what is missing; nothing moves.")
@json_option
@desk_options
@asks("release.open")
def release_command(what: str, environment: str, note: str, check: bool, as_json: bool, where: Where) -> None:  # noqa: FBT001  click passes flags
    """Put REFERENCE into an environment. Where something is missing, say what, and who could provide it (exit code 24)."""
    prompt, label = reference(what)
    with where.admin() as admin:
        if check:
            _show_check(what, environment, admin.release_check(prompt, label, environment), as_json=as_json)
            return
        try:
            done = admin.release(prompt, label, environment, note)
        except Blocked as blocked:
            if as_json or not isinstance(blocked.details.get("checklist"), Mapping):
                raise
            raise _refuse(what, environment, blocked) from blocked
        if as_json:
            show_json(done)
            return
        say(("● released", "green"), f"  {what} to {environment}, instead of {done.get('previous') or 'nothing'}")
        show_observed(observe(admin, environment, done.get("snapshot_version"), 1.0))


def show_missing(checklist: Mapping[str, Any], line: Callable[..., None] = say) -> None:
    """What a release still needs, and who could provide it; the rest is only counted."""
    items = checklist.get("items", ())
    for item in [item for item in items if not item["ok"]]:
        who = ", ".join(item.get("who") or ())
        line(("■ ", "red"), item["words"], f"  (who could: {who})" if who else "", indent=2)
    met = sum(bool(item["ok"]) for item in items)
    line(("● ", "green"), f"{met} of {counted(len(items), 'point')} {'is' if met == 1 else 'are'} met", indent=2)


def _show_suite(checklist: Mapping[str, Any]) -> None:
    """Whether the tests are still those that what serves was released with: who says yes has to know."""
    for item in checklist.get("items", ()):
        if item["id"] == "suite":
            say(item["words"], indent=2)


def _show_check(what: str, environment: str, checklist: Mapping[str, Any], *, as_json: bool) -> None:
    """The checklist of a release that nobody has asked for yet; exit code 24 where something is missing."""
    if as_json:
        show_json(checklist)
    else:
        say(("● ready", "green") if checklist["ok"] else ("■ not ready", "red"), f"  {what} to {environment}")
        show_missing(checklist)
    if not checklist["ok"]:
        raise Finish(BLOCKED)


def _refuse(what: str, environment: str, blocked: Blocked) -> Finish:
    """The refusal in lines, where the desk said what is missing."""
    tell(("■ not released", "red"), f"  {what} to {environment}")
    show_missing(blocked.details["checklist"], tell)
    return Finish(BLOCKED)
