"""`cuelight off` and `cuelight retire`: a prompt is switched off for now, or ends."""

import click

from cuelight.cli.names import full_prompt
from cuelight.cli.observed import observe, show_observed
from cuelight.cli.options import ENVIRONMENTS, Where, asks, desk_options, json_option
from cuelight.cli.show import say, show_json

_OBSERVE_S = 10.0


@click.command("off")
@click.argument("prompt")
@click.option("--environment", type=ENVIRONMENTS, default="production", show_default=True, help="Where.")
@click.option("--why", required=True, metavar="TEXT", help="One sentence, for the log and for those who wonder.")
@json_option
@desk_options
@asks("prompt.switch_off")
def off_command(prompt: str, environment: str, why: str, as_json: bool, where: Where) -> None:  # noqa: FBT001  click passes flags
    """Serve nothing of PROMPT from now on: callers get its declared fallback. On again is a release."""
    name = full_prompt(prompt)
    with where.admin() as admin:
        done = admin.switch_off(name, environment, why)
        seen = observe(admin, environment, done.get("snapshot_version"), _OBSERVE_S)
    if as_json:
        show_json({**done, "observed": seen})
        return
    if done.get("no_op"):
        say(("· off already", "bright_black"), f"  {name} in {environment}")
    else:
        words = f"  {name} in {environment}, was {done.get('previous') or 'nothing'}; callers get the declared fallback"
        say(("· switched off", "bright_black"), words)
    show_observed(seen)


@click.command("retire")
@click.argument("prompt")
@click.option("--why", required=True, metavar="TEXT", help="One sentence, for the log and for those who wonder.")
@json_option
@desk_options
@asks("prompt.retire")
def retire_command(prompt: str, why: str, as_json: bool, where: Where) -> None:  # noqa: FBT001  click passes flags
    """Retire PROMPT: apps that ask for it are told whom to ask, and a push that brings its name again is refused.

    Not while it is live in production: switch it off first.
    """
    name = full_prompt(prompt)
    with where.admin() as admin:
        done = admin.retire(name, why)
    if as_json:
        show_json(done)
        return
    say(("· retired", "bright_black"), f"  {name}; its versions, reports and calls stay")
    say(("next: ", "bold"), f"take {name.partition('.')[2]} out of workflow.yaml and prompts/, then push")
