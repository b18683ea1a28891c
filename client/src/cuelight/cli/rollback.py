"""`cuelight rollback`: back to the last good version, without a gate, and seen to be done."""

import sys
from collections.abc import Mapping
from typing import Any

import click

from cuelight.admin import Admin
from cuelight.cli.names import full_prompt
from cuelight.cli.observed import observe, show_observed
from cuelight.cli.options import ENVIRONMENTS, Where, asks, desk_options, json_option
from cuelight.cli.show import say, show_json, tell
from cuelight.contract.errors import CuelightError, Unavailable

_OBSERVE_S = 10.0


@click.command("rollback")
@click.argument("prompt")
@click.option("--environment", type=ENVIRONMENTS, default="production", show_default=True, help="Where.")
@click.option("--why", required=True, metavar="TEXT", help="One sentence; it opens the record of what happened.")
@click.option(
    "--from",
    "before",
    metavar="LABEL",
    help="Only if this serves; needed to go back twice.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@desk_options
@asks("release.roll_back")
def rollback_command(
    prompt: str,
    environment: str,
    why: str,
    before: str | None,
    yes: bool,  # noqa: FBT001  click passes flags
    as_json: bool,  # noqa: FBT001  click passes flags
    where: Where,
) -> None:
    """Take PROMPT back to its last good version, or switch it off where there is none. Needs no gate and no approval.

    With the server down: cuelight-server rollback, on the machine that has the data folder.
    """
    name = full_prompt(prompt)
    with where.admin() as admin:
        seen = _ask_first(admin, name, environment, yes=yes or as_json)
        done = _rolled_back(admin, name, environment, why, before or seen)
        if as_json:
            show_json({**done, "observed": observe(admin, environment, done.get("snapshot_version"), _OBSERVE_S)})
            return
        _show_rollback(name, environment, done)
        show_observed(observe(admin, environment, done.get("snapshot_version"), _OBSERVE_S))


def _ask_first(admin: Admin, prompt: str, environment: str, *, yes: bool) -> str | None:
    """Say what will happen; ask only where a person sits at a terminal. A status that cannot be had stops nothing.

    Gives the version that was seen to serve, so that no other is taken back; None where a rollback (or nothing) stands
    there already: who repeats the command must not go back twice.
    """
    try:
        rows = admin.status().get("rows", ())
    except CuelightError:
        rows = ()
    row = next((row for row in rows if row["prompt"] == prompt and row["environment"] == environment), None)
    if row is not None and row.get("serves"):  # where nothing serves, the desk's answer says it all
        serves = " + ".join(str(label) for label, _ in row["serves"])
        target = row.get("rollback_target")
        tell(f"{prompt} in {environment}: {serves} → {target or 'switched off, callers get the declared fallback'}")
    if not yes and sys.stdin.isatty():
        click.confirm("roll back?", abort=True, err=True)
    if row is None or row.get("state") == "hold" or not row.get("serves"):
        return None
    return str(row["serves"][-1][0])


def _rolled_back(admin: Admin, prompt: str, environment: str, why: str, before: str | None) -> dict[str, Any]:
    try:
        return admin.roll_back(prompt, environment, why, before)
    except Unavailable as gone:
        hint = f"on the server's machine: cuelight-server rollback {prompt} --environment {environment} --why ..."
        raise Unavailable(gone.message, hint) from gone


def _show_rollback(prompt: str, environment: str, done: Mapping[str, Any]) -> None:
    before, after = done.get("from") or "nothing", done.get("to")
    if done.get("no_op"):
        words = done.get("words") or f"is back on {after or 'its fallback'} already"
        say(("● nothing to do", "green"), f"  {prompt} in {environment}: {words}")
    elif done.get("switched_off"):
        say(
            ("· switched off", "bright_black"),
            f"  {prompt} in {environment}, was {before}; callers get the declared fallback",
        )
    else:
        say(("● rolled back", "green"), f"  {prompt} in {environment}: {before} → {after}")
    if done.get("words") and not done.get("no_op"):
        say(done["words"], indent=2)
