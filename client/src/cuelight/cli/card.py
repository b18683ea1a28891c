"""`cuelight card`: everything the desk knows of one prompt, all of it derived and none of it typed in."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import click

from cuelight.cli.look import day, short
from cuelight.cli.names import full_prompt
from cuelight.cli.options import Where, asks, desk_options, json_option
from cuelight.cli.show import heading, say, show_json, table

_LONG = 60
Card = Mapping[str, Any]


@click.command("card")
@click.argument("prompt")
@json_option
@desk_options
@asks("desk.read")
def card_command(prompt: str, as_json: bool, where: Where) -> None:  # noqa: FBT001  click passes flags
    """Show the card of PROMPT: owners, what serves where, its contract, who approved it, its report and way back."""
    with where.admin() as admin:
        card = admin.prompt(full_prompt(prompt))
    show_json(card) if as_json else _show(card)


def _show(card: Card) -> None:
    say((card["name"], "bold"), f"  {card['use_case']}")
    if card.get("retired_at"):
        say(("■ retired", "red"), f"  on {day(card['retired_at'])} by {card.get('retired_by') or 'someone'}", indent=2)
    table(("", ""), [(("  " + name, "dim"), value) for name, value in _rows(card)])
    heading("Owners")
    table(("", "", ""), [("  " + _words(one["role"]), _person(one), "") for one in card["owners"]])
    heading("Variables")
    rows = [
        ("  " + one["name"], str(one.get("type", "")), str(one.get("trust", "")), _example(one))
        for one in card["variables"]
    ]
    table(("", "type", "trust", "example"), rows)


def _rows(card: Card) -> Iterator[tuple[str, str]]:
    live = [one for one in card["environments"] if one["live"] or one["switched_off"]]
    yield "tier", card["tier"]
    yield "version", f"{card['shown'] or 'none yet'}  {(card.get('digest') or '')[:19]}".rstrip()
    yield "live in", "; ".join(map(_place, live)) or "nowhere"
    yield "model", f"{card['model'] or '–'} {short(_rest(card['settings']))}".rstrip()
    yield "output", _output(card)
    yield "consumers", ", ".join(card["consumers"]) or "none named"
    yield "last approved by", "; ".join(map(_approval, card["last_approved_by"])) or "nobody's yes was needed or given"
    yield "release note", card.get("release_note") or "–"
    yield "rollback version", card["rollback_version"] or "none: a rollback switches it off"
    yield "last report", _report(card.get("last_report"))
    yield "fallback", short(card["fallback"] or {}) or "–"


def _rest(settings: Card) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if name != "model"}


def _place(one: Card) -> str:
    if one["switched_off"]:
        return f"{one['environment']} off: {one['switched_off']}"
    shares = ", ".join(f"{label} {share:g} %" for label, share in one["shares"])
    return f"{one['environment']} {shares}"


def _output(card: Card) -> str:
    form = card["output"].get("format", "–")
    return f"{form}, schema at {card['schema_link']}" if card.get("schema_link") else form


def _approval(one: Card) -> str:
    return f"{one['person']} as {_words(one['role'])}, {day(one['at'])}"


def _report(one: Card | None) -> str:
    if one is None:
        return "none yet"
    recorded = ", recorded outputs" if one["recorded"] else ""
    return f"{one['verdict'] or 'no verdict'} of {one['label']} on {day(one['at'])} ({one['id']}{recorded})"


def _person(one: Card) -> str:
    backup = f", backup {one['backup']}" if one.get("backup") else ", no backup"
    return f"{one['person']}{backup}" if one.get("person") else "nobody"


def _example(one: Card) -> str:
    if one.get("example_from") is None:
        return "none in the test set"
    text = json.dumps(one["example"], ensure_ascii=False)
    return f"{text if len(text) <= _LONG else text[:_LONG] + '…'}  ({one['example_from']})"


def _words(role: str) -> str:
    return role.replace("_", " ")
