"""`cuelight try`: a few examples on one or several drafts, side by side; no verdict, no ceremony."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from cuelight.admin import Admin
from cuelight.cli.local import local_desk
from cuelight.cli.names import full_prompt, label_in, prompt_in, reference
from cuelight.cli.options import Where, asks, desk_options, json_option
from cuelight.cli.running import PROVIDERS
from cuelight.cli.show import counted, heading, money, say, show_json
from cuelight.contract.errors import Invalid, NotFound
from cuelight.files import Folder, read_folder

_MOST_INPUT = 256 * 1024


@click.command("try")
@click.argument("what", metavar="FOLDER|PROMPT|REFERENCE")
@click.option("--prompt", metavar="P", help="In a folder: which prompt; not needed where there is one.")
@click.option(
    "--version", "label", metavar="L", help="Which label; the only draft, or the newest version, if left out."
)
@click.option("--against", multiple=True, metavar="L", help="Another label, side by side; may be given again.")
@click.option("--case", "named", multiple=True, metavar="ID", help="Which case of the suite; may be given again.")
@click.option("--cases", "count", type=click.IntRange(1, 5), metavar="N", help="The first N cases; 3 if left out.")
@click.option("--input", "files", multiple=True, metavar="FILE", help="A JSON file with an input of your own.")
@click.option("--set", "sets", multiple=True, metavar="NAME=VALUE", help="Replace a variable; may be given again.")
@click.option("--provider", type=PROVIDERS, default="recorded", show_default=True, help="Where outputs come from.")
@click.option("--no-keep", is_flag=True, help="Leave nothing on the desk: it counts for nothing then.")
@json_option
@desk_options
@asks("prompt.try")
def try_command(  # noqa: PLR0913  an option each
    what: str,
    *,
    prompt: str | None,
    label: str | None,
    against: Sequence[str],
    named: Sequence[str],
    count: int | None,
    files: Sequence[str],
    sets: Sequence[str],
    provider: str,
    no_keep: bool,
    as_json: bool,
    where: Where,
) -> None:
    """Try a few examples: try FOLDER on this machine, try sales.lead_qualification@v2 on the desk. No verdict comes of it.

    What is tried on the desk stays with exactly that content and ticks `internal_examples` of its gate; it is never
    evidence. Do not put real people's data into --input: it is kept.
    """
    wish: dict[str, Any] = {"cases": list(named), "count": count or 0, "inputs": [_input(one) for one in files]}
    wish |= {"sets": dict(_set(one) for one in sets), "provider": provider}
    if Path(what).is_dir() or ("." not in what and "@" not in what) or "/" in what:
        done, local = _in_folder(what, prompt, label, against, wish), True
    else:
        if prompt:
            raise Invalid("a reference and --prompt, expected one of them", "a reference names the prompt already")
        done, local = _on_desk(where, what, label, against, {**wish, "keep": not no_keep}), False
    if as_json:
        show_json(done)
        return
    for lines in _side_by_side(done["tries"]):
        _show_example(lines)
    say()
    recorded = "recorded simulations; " if any(one["recorded"] for one in done["tries"]) else ""
    kept = "kept with the draft" if done["kept"] and not local else "nothing is kept"
    say(f"{recorded}a trial: no verdict, nothing counts as evidence; {kept}")


def _in_folder(
    what: str, prompt: str | None, label: str | None, against: Sequence[str], wish: dict[str, Any]
) -> dict[str, Any]:
    read = read_folder(what)
    short = prompt_in(read, prompt)
    labels = [label_in(read, short, one) for one in (label, *against)]
    _refuse_unknown(read, short, labels[0], wish["cases"])
    name = f"{read.workflow}.{short}"
    with local_desk() as admin:
        pushed = admin.push(read.bundle, as_drafts=True)
        for one in pushed.get("refused", ()):
            if one["prompt"] == name and one["label"] in labels:
                raise Invalid(f"{name} {one['label']}: {one['why']}", one.get("hint", ""))
        return {**admin.try_out(name, labels, **wish, keep=False), "local": True}


def _on_desk(
    where: Where, what: str, label: str | None, against: Sequence[str], wish: dict[str, Any]
) -> dict[str, Any]:
    if "@" in what:
        name, found = reference(what)
        if label:
            raise Invalid("a reference and --version, expected one of them", "a reference names the version already")
        label = found
    else:
        name = full_prompt(what)
    with where.admin() as admin:
        return {**admin.try_out(name, [label or _usual(admin, name), *against], **wish), "local": False}


def _usual(admin: Admin, name: str) -> str:
    """The draft that is being worked on, or the newest version."""
    card = admin.prompt(name)
    drafts, versions = [one["label"] for one in card["drafts"]], [one["label"] for one in card["versions"]]
    if len(drafts) > 1 or not (drafts or versions):
        listed = ", ".join([*drafts, *versions]) or "none yet; push first"
        raise Invalid(f"{name} has several drafts, expected --version", f"there are: {listed}")
    return str((drafts or versions)[0])


def _refuse_unknown(folder: Folder, prompt: str, label: str, asked: Sequence[str]) -> None:
    name = folder.bundle["prompts"][prompt][label]["evaluation"]["suite"]
    suite = folder.bundle["suites"].get(name)
    if suite is None:
        raise NotFound(f"there is no suite {name}", f"write suites/{name}.yaml")
    known = [case["id"] for case in suite["cases"]]
    unknown = [case for case in asked if case not in known]
    if unknown:
        raise NotFound(f"the suite {name} has no case {unknown[0]}", f"there are: {', '.join(known[:40])}")


def _input(path: str) -> dict[str, Any]:
    try:
        text = Path(path).read_text(encoding="utf-8")
        found = json.loads(text) if len(text) <= _MOST_INPUT else None
    except OSError as gone:
        raise NotFound(f"{path} cannot be read: {gone.strerror}", "name a file with a JSON object") from gone
    except ValueError as bad:
        raise Invalid(f"{path} is no JSON: {bad}", "write one object: variable to value") from bad
    if not isinstance(found, dict):
        raise Invalid(f"{path} is no JSON object of at most 256 kB", "write one object: variable to value")
    return found


def _set(text: str) -> tuple[str, Any]:
    """A variable and its value: JSON where it reads as JSON, else the text itself."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise Invalid(f"{text!r} sets nothing, expected NAME=VALUE", "for example --set channel=phone")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _side_by_side(tries: Sequence[Mapping[str, Any]]) -> Iterator[list[tuple[str, Mapping[str, Any]]]]:
    """For each example its outcome under each label."""
    for rows in zip(*(one["examples"] for one in tries), strict=True):
        yield [(one["label"], row) for one, row in zip(tries, rows, strict=True)]


def _show_example(rows: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
    first = rows[0][1]
    heading(f"{first['case']}  {first['title']}")
    for label, row in rows:
        if len(rows) > 1:
            say((label, "bold"), indent=2)
        if row["error"] is not None:
            say(("■ ", "red"), f"{row['error']['message']}; {row['error']['hint']}".rstrip("; "), indent=2)
            continue
        _show_result(row["result"])


def _show_result(document: Mapping[str, Any]) -> None:
    for line in str(document.get("output") or "").split("\n"):
        say(line, indent=4)
    for call in document.get("tool_calls") or ():
        say(f"calls {call['name']} {call.get('arguments')}", indent=4)
    cost, latency = document.get("cost_usd"), document.get("latency_ms")
    known = [
        str(document.get("model") or ""),
        f"{latency:,.0f} ms" if latency is not None else "",
        money(cost) if cost is not None else "cost unknown",
    ]
    say((", ".join(filter(None, known)), "dim"), indent=4)
    if not document["failed"]:
        passed = len(document["passed"])
        say(("● ", "green"), f"{counted(passed, 'grader')}, every one passes" if passed else "no grader", indent=2)
    for one in document["failed"]:
        say(("■ ", "red"), f"{one['name']} ({one['severity']}): {one.get('message', '')}", indent=2)
