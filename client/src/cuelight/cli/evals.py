"""`cuelight evals`: the evaluations of a prompt; look at one, watch it, or end it."""

import click

from cuelight.cli.evaluate import finish
from cuelight.cli.look import day
from cuelight.cli.options import Where, asks, desk_options, json_option
from cuelight.cli.running import how_far, watch
from cuelight.cli.show import VERDICTS, light, say, show_json, table
from cuelight.contract.errors import Conflict

_ENDED = ("done", "error")


@click.group("evals")
def evals_command() -> None:
    """Look at evaluations: list, show, watch, cancel."""


@evals_command.command("list")
@click.argument("prompt", metavar="PROMPT")
@click.option("--limit", type=click.IntRange(1, 200), default=20, show_default=True, help="How many.")
@json_option
@desk_options
@asks("desk.read")
def list_command(prompt: str, limit: int, as_json: bool, where: Where) -> None:  # noqa: FBT001  click passes flags
    """List the evaluations of PROMPT (such as sales.lead_qualification), newest first."""
    with where.admin() as admin:
        answer = admin.evaluations(prompt, limit=limit)
    if as_json:
        show_json(answer)
        return
    rows = [
        (
            one["id"],
            one["label"],
            light(VERDICTS.get(one["verdict"], "off")),
            one["verdict"] or one["state"],
            how_far(one),
            one["provider"],
            day(one["created_at"]),
        )
        for one in answer["items"]
    ]
    table(("evaluation", "of", "", "verdict", "how far", "provider", "on"), rows)
    if not rows:
        say(f"there is none; to ask for one: cuelight eval {prompt}@<label>")


@evals_command.command("show")
@click.argument("evaluation", metavar="ID")
@json_option
@desk_options
@asks("desk.read")
def show_command(evaluation: str, as_json: bool, where: Where) -> None:  # noqa: FBT001  click passes flags
    """Show how far the evaluation ID is, or its report. Exit codes as of `cuelight eval` once it has ended."""
    with where.admin() as admin:
        now = admin.evaluation(evaluation)
    if now["state"] in _ENDED:
        finish(now["report"], "", as_json=as_json)
    if as_json:
        show_json(now)
        return
    say(("○ ", "yellow"), f"{now['prompt']} {now['label']}: {now['state']}, {how_far(now)}")
    if now["cancelled_by"]:
        say(f"cancelled by {now['cancelled_by']}; calls under way are waited for", indent=2)


@evals_command.command("watch")
@click.argument("evaluation", metavar="ID")
@click.option("--progress", is_flag=True, help="A JSON line on stderr whenever the run has come further.")
@json_option
@desk_options
@asks("desk.read")
def watch_command(evaluation: str, progress: bool, as_json: bool, where: Where) -> None:  # noqa: FBT001  click passes flags
    """Wait for the end of the evaluation ID, and show its report. Exit codes as of `cuelight eval`."""
    with where.admin() as admin:
        now = admin.evaluation(evaluation)
        now = watch(admin, evaluation, f"{now['prompt']} {now['label']}: evaluating", progress=progress)
    finish(now["report"], "", as_json=as_json)


@evals_command.command("cancel")
@click.argument("evaluation", metavar="ID")
@json_option
@desk_options
@asks("evaluation.cancel")
def cancel_command(evaluation: str, as_json: bool, where: Where) -> None:  # noqa: FBT001  click passes flags
    """End the evaluation ID before it is done. What was answered is kept, and the verdict is inconclusive."""
    with where.admin() as admin:
        now = admin.evaluation(evaluation)
        if now["state"] in _ENDED:
            raise Conflict(f"the evaluation {evaluation} has ended", f"see: cuelight evals show {evaluation}")
        now = admin.cancel_evaluation(evaluation)
    if as_json:
        show_json(now)
        return
    say(("· cancelled", "bright_black"), f"  {now['prompt']} {now['label']} after {how_far(now)}")
