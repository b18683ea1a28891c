"""`cuelight compare`: how two versions did on the same test set; what is not known is said."""

from collections.abc import Mapping
from typing import Any

import click

from cuelight.cli.names import reference
from cuelight.cli.options import Where, asks, desk_options, json_option
from cuelight.cli.show import VERDICTS, Span, light, say, show_json, table
from cuelight.contract.errors import Invalid

UNKNOWN = "not known"


@click.command("compare")
@click.argument("before", metavar="REFERENCE")
@click.argument("after", metavar="REFERENCE")
@json_option
@desk_options
@asks("desk.read")
def compare_command(before: str, after: str, as_json: bool, where: Where) -> None:  # noqa: FBT001  click passes flags
    """Compare two versions of a prompt by their newest reports on the same test set: compare P@v1 P@v2."""
    (prompt, old), (other, new) = reference(before), reference(after)
    if prompt != other:
        raise Invalid(f"{prompt} and {other} are two prompts", "compare two versions of one prompt")
    with where.admin() as admin:
        answer = admin.compare(prompt, old, new)
    show_json(answer) if as_json else _show(answer)


def _show(answer: Mapping[str, Any]) -> None:
    sides = (answer["from"], answer["to"])
    suite = answer.get("suite_digest")
    say((answer["prompt"], "bold"), f"  on the test set {suite[:19]}" if suite else "  no version was evaluated yet")
    rows: list[list[Span]] = [
        ["verdict", *(_verdict(one) for one in sides)],
        ["cases x samples", *(_runs(one) for one in sides)],
        ["pass rate", *(_rate(one["pass_rate"]) for one in sides)],
        ["blockers", *(_plain(one["blockers"]) for one in sides)],
        ["format errors", *(_plain(one["format_errors"]) for one in sides)],
        ["cost per case", *(_plain(one["cost_per_case_usd"], "$") for one in sides)],
        ["p95", *(_plain(one["p95_ms"], "", " ms") for one in sides)],
    ]
    names = list(dict.fromkeys(name for one in sides for name in one["categories"]))
    rows += [[f"  {name.replace('_', ' ')}", *(_rate(one["categories"].get(name)) for one in sides)] for name in names]
    table(("", *(one["label"] for one in sides)), rows, right=(1, 2))
    for one in sides:
        if one["missing"]:
            say(("○ ", "yellow"), f"{one['missing']}; to get it: {one['how']}")
    if any(one["recorded"] for one in sides):
        say("recorded outputs: no model was asked")


def _verdict(side: Mapping[str, Any]) -> Span:
    if side["verdict"] is None:
        return UNKNOWN
    sign, style = light(VERDICTS.get(side["verdict"], "standby"))
    return f"{sign} {side['verdict']}", style


def _runs(side: Mapping[str, Any]) -> str:
    return UNKNOWN if side["cases"] is None else f"{side['cases']} x {side['samples']}"


def _rate(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value * 100:.1f} %"


def _plain(value: float | None, before: str = "", after: str = "") -> str:
    return UNKNOWN if value is None else f"{before}{value:g}{after}"
