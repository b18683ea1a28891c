"""`cuelight status`: what serves where; and how times and facts are shown elsewhere."""

import json
import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import click

from cuelight.cli.options import Where, asks, desk_options, json_option
from cuelight.cli.show import Span, light, say, show_json, table
from cuelight.contract.errors import NotFound

_DIGEST = re.compile(r"(sha256:[0-9a-f]{12})[0-9a-f]{52}")
_FULL = 100_000


@click.command("status")
@click.argument("prompt", required=False)
@json_option
@desk_options
@asks("desk.read")
def status_command(prompt: str | None, as_json: bool, where: Where) -> None:  # noqa: FBT001  click passes flags
    """Show what each prompt serves in each environment, or only PROMPT."""
    with where.admin() as admin:
        answer = admin.status()
    rows = answer.get("rows", [])
    if prompt is not None:
        rows = _only(rows, prompt)
    if as_json:
        show_json({**answer, "rows": rows})
        return
    if answer.get("demo"):
        say("a demo desk: recorded reports may release here")
    if not rows:
        say("nothing on the desk yet; put a folder on it with: cuelight push FOLDER")
        return
    table(("prompt", "environment", "state", "serves", "since", "back to", "clients"), [_row(row) for row in rows])
    for row in rows:
        if row.get("why"):
            say((row["prompt"], "bold"), f" in {row['environment']}: {row['why']}")


def _only(rows: Sequence[Mapping[str, Any]], prompt: str) -> list[Mapping[str, Any]]:
    found = [row for row in rows if prompt in (row["prompt"], row["prompt"].rpartition(".")[2])]
    if not found:
        known = sorted({row["prompt"] for row in rows})
        near = get_close_matches(prompt, known, 1)
        raise NotFound(
            f"the desk has no prompt {prompt}",
            f"did you mean {near[0]}?" if near else f"there are: {', '.join(known) or 'none'}",
        )
    return found


def _row(row: Mapping[str, Any]) -> list[Span]:
    sign, style = light(str(row.get("state", "off")))
    serves = ", ".join(_share(label, weight) for label, weight in row.get("serves") or ()) or "–"
    clients = row.get("clients") or {}
    known = clients.get("known", clients.get("live", 0))
    followed = f"{clients.get('following', 0)} of {known}" if known else "–"
    back = row.get("rollback_target") or "off"
    return [
        row["prompt"],
        row["environment"],
        (f"{sign} {row.get('word', '')}", style),
        serves,
        day(row.get("since")),
        str(back),
        followed,
    ]


def _share(label: Any, weight: int) -> str:
    return str(label) if weight >= _FULL else f"{label} {weight / 1000:g}%"


def day(at: Any) -> str:
    """A time as people read it, to the minute, in UTC; – where there is none."""
    return str(at)[:16].replace("T", " ") if at else "–"


def short(facts: Mapping[str, Any]) -> str:
    """Facts in one line, digests cut to what one compares by eye."""
    text = _DIGEST.sub(
        r"\1",
        " ".join(f"{key}={value if isinstance(value, str) else json.dumps(value)}" for key, value in facts.items()),
    )
    return text if len(text) <= 120 else text[:119] + "…"
