"""`cuelight-server trust`: pipelines that come in with a token of their own issuer."""

import json
from pathlib import Path

import click

from cuelight_server.audit.declared import declares
from cuelight_server.audit.verbs import Verb
from cuelight_server.cli.options import ENVIRONMENTS, folder_option
from cuelight_server.cli.wiring import current_settings, opened
from cuelight_server.kernel.errors import Invalid
from cuelight_server.kernel.terms import Environment


@click.group()
def trust() -> None:
    """Pipelines that come in with a token of their own issuer instead of a stored key."""


@trust.command("add")
@click.argument("service")
@click.option("--issuer", required=True, help="Who signs the tokens: https://token.actions.githubusercontent.com.")
@click.option("--audience", help="For whom the tokens are made [CUELIGHT_PUBLIC_URL].")
@click.option("--claim", "claims", multiple=True, metavar="CLAIM=VALUE", help="What a token says: exactly, or START*.")
@click.option("--scope", "scopes", multiple=True, help="What it is for: read, push, evaluate, ...; again for more.")
@click.option("--environment", type=ENVIRONMENTS, help="The one environment that its keys reach.")
@click.option("--minutes", type=click.IntRange(1, 15), default=10, show_default=True, help="How long a key lasts.")
@folder_option
@declares(Verb.TRUST_ADD)
def trust_add(
    service: str,
    issuer: str,
    audience: str | None,
    claims: tuple[str, ...],
    scopes: tuple[str, ...],
    environment: str | None,
    minutes: int,
    data: Path | None,
) -> None:
    """Trust the tokens of a pipeline for a service account, which is added if it is new; prints the trust's id."""
    from cuelight_server.app import plain_at_home
    from cuelight_server.control.trusts import Wished, add_trust
    from cuelight_server.kernel.actor import SYSTEM

    public = current_settings().public_url
    if not audience and not public:
        raise Invalid("for whom are the tokens made?", "give --audience, or set CUELIGHT_PUBLIC_URL")
    wished = Wished(
        issuer=issuer,
        audience=audience or public,
        conditions=dict(_claim(one) for one in claims),
        scopes=scopes,
        environment=Environment(environment) if environment else None,
        minutes=minutes,
    )
    if len(wished.conditions) < len(claims):
        raise Invalid("a claim stands there twice", "all conditions have to hold; for `or` add another trust")
    with opened(data) as desk:
        click.echo(add_trust(desk, SYSTEM, service, wished, plain_at_home=plain_at_home(public)).id)


@trust.command("list")
@click.option("--json", "as_json", is_flag=True, help="JSON.")
@folder_option
@declares(Verb.DESK_READ)
def trust_list(data: Path | None, *, as_json: bool) -> None:
    """Every trust: its id, for whom, in whom, on which conditions, and for what."""
    from cuelight_server.kernel.actor import SYSTEM
    from cuelight_server.kernel.page import MAX_SIZE
    from cuelight_server.views.trusts import trust_lines

    with opened(data) as desk:
        page = trust_lines(desk, SYSTEM, size=MAX_SIZE)
        found = [*page.items]
        while page.next is not None:
            page = trust_lines(desk, SYSTEM, page.next, MAX_SIZE)
            found += page.items
    if as_json:
        click.echo(json.dumps({"items": [one.to_json() for one in found]}))
        return
    for one in found:
        says = ", ".join(f"{claim}={value}" for claim, value in one.conditions.items())
        place = f" in {one.environment}" if one.environment else ""
        used = f"last used {one.last_used_at[:16]}" if one.last_used_at else "never used"
        ended = f", ended {one.ended_at[:16]}" if one.ended_at else ""
        click.echo(f"{one.id} {one.actor:20} {one.issuer} for {one.audience}: {says}")
        click.echo(f"{'':17}for {', '.join(one.scopes)}{place}, {one.minutes} minutes; {used}{ended}")


@trust.command("end")
@click.argument("id")
@folder_option
@declares(Verb.TRUST_END)
def trust_end(id: str, data: Path | None) -> None:
    """Trust a pipeline no longer; keys that it has end by themselves within minutes."""
    from cuelight_server.control.trusts import end_trust
    from cuelight_server.kernel.actor import SYSTEM

    with opened(data) as desk:
        end_trust(desk, SYSTEM, id)
    click.echo(f"ended {id}")


def _claim(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise Invalid(f"{text[:80]!r} is no condition", "write CLAIM=VALUE, such as repository=acme/prompts")
    return name, value
