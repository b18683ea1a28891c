"""`cuelight judge`: how far a suite's model judges can be leaned on, held against what people said of the same outputs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from cuelight.cli import ending
from cuelight.cli.evaluate import drafted, refuse_error
from cuelight.cli.local import local_desk
from cuelight.cli.names import label_in, prompt_in, reference
from cuelight.cli.options import Where, asks, desk_options, json_option
from cuelight.cli.running import PROVIDERS, Asked, run
from cuelight.cli.show import heading, say, show_json
from cuelight.files import read_folder

Judge = Mapping[str, Any]
_LABELS = "write what people say of outputs into suites/<suite>.labels.jsonl; see: cuelight schema label"


@click.group("judge")
def judge_command() -> None:
    """Look at the model judges of a suite."""


@judge_command.command("check")
@click.argument("what", metavar="FOLDER|REFERENCE")
@click.option("--prompt", metavar="P", help="In a folder: which prompt.")
@click.option("--version", "label", metavar="V", help="In a folder: which label; the newest version if left out.")
@click.option("--provider", type=PROVIDERS, default="recorded", show_default=True, help="Where outputs come from.")
@json_option
@desk_options
@asks("evaluation.run")
def check(
    what: str,
    prompt: str | None,
    label: str | None,
    provider: str,
    as_json: bool,  # noqa: FBT001  click passes flags
    where: Where,
) -> None:
    """Put every judge to the outputs that people have judged, and say how far they agree.

    It runs the evaluation of FOLDER or REFERENCE. Exit code 0: one may lean on every judge (kappa 0.6 or more, and surely
    0.4 or more); 10: not on one of them; 11: that cannot be said yet.
    """
    if Path(what).is_dir() or "@" not in what:
        read = read_folder(what)
        short = prompt_in(read, prompt)
        with local_desk() as admin:
            report = drafted(admin, read, short, label_in(read, short, label), Asked(provider))["report"]
    else:
        name, label = reference(what)
        with where.admin() as admin:
            report = run(admin, name, label, Asked(provider))["report"]
    refuse_error(report)
    found = [one for one in report.get("judges") or () if one["type"] != "select-best"]
    if as_json:
        show_json(report.get("judges") or [])
    else:
        show_judges(report.get("judges") or (), report.get("judge_spend"))
    trust = [one["agreement"]["trusted"] for one in found]
    raise ending.Finish(
        ending.FAIL if False in trust else ending.INCONCLUSIVE if not trust or None in trust else ending.OK
    )


def show_judges(judges: Sequence[Judge], spend: Mapping[str, Any] | None = None) -> None:
    """Each judge: who it is, how steady it was, how far people agree with it; and what asking them took."""
    heading(f"Model judges ({len(judges)})")
    for one in judges:
        say((one["grader"], "bold"), f"  {one['provider']}:{one['model']}, {one['template']}", indent=2)
        if "pairs" in one:
            say(one["pairs"]["words"], indent=4)
        else:
            say(one["agreement"]["words"], indent=4)
        for line in _unsteady(one):
            say(line, indent=4)
    if not judges:
        say("no grader of this suite asks one", indent=2)
    elif not any(one["agreement"]["labels"] for one in judges):
        say(_LABELS, indent=2)
    if spend:
        usd = "cost unknown" if spend["usd"] is None else f"${spend['usd']:.4f}"
        say(f"{spend['calls']} calls, {usd}", indent=2)


def _unsteady(one: Judge) -> list[str]:
    lines = []
    if one["split"]:
        lines.append(f"said yes and no of the same output in {one['split']} of {one['outputs']}")
    if one["widest"] > 0:
        lines.append(f"scores of one output lie up to {one['widest']:.2f} apart")
    if one["not_run"]:
        lines.append(f"no word on {one['not_run']} of {one['outputs']} outputs")
    return lines
