"""`cuelight trusts`: pipelines that come in with a token of their own issuer instead of a stored key."""

import sys
from collections.abc import Mapping
from typing import Any

import click

from cuelight.cli.look import day
from cuelight.cli.options import ENVIRONMENTS, Where, asks, desk_options, json_option
from cuelight.cli.people import every, offer
from cuelight.cli.show import Span, light, say, show_json, table, tell
from cuelight.contract.errors import Invalid


@click.group("trusts")
def trusts_command() -> None:
    """Pipelines that come in with a token of their own issuer; for administrators."""


@trusts_command.command("list")
@json_option
@desk_options
@asks("desk.read")
def trusts_list(as_json: bool, where: Where) -> None:  # noqa: FBT001  click passes flags
    """Show every trust: for whom, in whom, on which conditions, for what, and when a pipeline last came in by it."""
    with where.admin() as admin:
        found = list(every(admin.trusts))
    if as_json:
        show_json({"items": found})
        return
    table(
        ("id", "account", "issuer", "when its token says", "for", "state", "last used"), [_trust(one) for one in found]
    )
    if not found:
        say("no pipeline is trusted yet; see: cuelight trusts add --help")


@trusts_command.command("add")
@click.argument("service")
@click.option("--issuer", required=True, help="Who signs the tokens: https://token.actions.githubusercontent.com.")
@click.option("--audience", default="", help="For whom the tokens are made [the desk's own address].")
@click.option("--claim", "claims", multiple=True, metavar="CLAIM=VALUE", help="What a token says: exactly, or START*.")
@click.option("--scope", "scopes", multiple=True, help="What it is for: read, push, evaluate, ...; again for more.")
@click.option("--environment", type=ENVIRONMENTS, help="The one environment that its keys reach.")
@click.option("--minutes", type=click.IntRange(1, 15), default=10, show_default=True, help="How long a key lasts.")
@json_option
@desk_options
@asks("trust.add")
def trusts_add(
    service: str,
    claims: tuple[str, ...],
    as_json: bool,  # noqa: FBT001  click passes flags
    where: Where,
    **wish: Any,
) -> None:
    """Trust the tokens of a pipeline for the service account SERVICE, which is added if it is new; prints its id."""
    with where.admin() as admin:
        made = admin.add_trust(service, {**wish, "conditions": _conditions(claims)})
    if as_json:
        show_json(made)
        return
    click.echo(made["id"])
    tell(f"let {made['actor']} into a workflow with: cuelight access admit WORKFLOW {made['actor']} --role ROLE")


@trusts_command.command("end")
@click.argument(
    "id", shell_complete=offer(lambda admin: (one["id"] for one in every(admin.trusts) if not one["ended_at"]))
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@desk_options
@asks("trust.end")
def trusts_end(id: str, yes: bool, as_json: bool, where: Where) -> None:  # noqa: FBT001  click passes flags
    """Trust a pipeline no longer; keys that it has end by themselves within minutes."""
    if not (yes or as_json) and sys.stdin.isatty():
        click.confirm(f"end the trust {id} for good?", abort=True, err=True)
    with where.admin() as admin:
        done = admin.end_trust(id)
    if as_json:
        show_json(done)
        return
    say(("· ended", "bright_black"), f" {done['id']} of {done['actor']}")


def _conditions(claims: tuple[str, ...]) -> dict[str, str]:
    pairs = [one.partition("=") for one in claims]
    if wrong := [claim for claim, equals, _ in pairs if not (claim and equals)]:
        raise Invalid(f"{wrong[0]!r} is no claim with a value", "such as --claim repository=acme/prompts")
    if len({claim for claim, _, _ in pairs}) < len(pairs):
        raise Invalid("a claim stands there twice", "all conditions have to hold; for `or` add another trust")
    return {claim: value for claim, _, value in pairs}


def _trust(one: Mapping[str, Any]) -> list[Span]:
    sign, style = light("off" if one["ended_at"] else "go")
    says = ", ".join(f"{claim}={value}" for claim, value in one["conditions"].items())
    for_what = ", ".join(filter(None, (one["environment"], *one["scopes"])))
    used = day(one["last_used_at"]) if one["last_used_at"] else "never used"
    state = "Ended" if one["ended_at"] else "Trusted"
    return [one["id"], one["actor"], one["issuer"], says, for_what, (f"{sign} {state}", style), used]
