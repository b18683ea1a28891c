"""`cuelight ci`: a pipeline comes in with the token that its own runner gives it, and stores no key."""

import os
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from cuelight.admin import DEFAULT_URL
from cuelight.cli.checking import ci_check
from cuelight.cli.options import Where, asks, desk_options, json_option
from cuelight.cli.show import say, show_json
from cuelight.contract.errors import Denied, Invalid, Unavailable

_MOST = 64 * 1024
_HOW = (
    "on GitHub give the job `permissions: id-token: write`; on GitLab give it `id_tokens: CUELIGHT_ID_TOKEN: aud: ...`; "
    "elsewhere use --token-file"
)


@click.group("ci")
def ci_command() -> None:
    """Check pull requests, and come in from a pipeline without a stored key."""


ci_command.add_command(ci_check)


@ci_command.command("login")
@click.option("--service", metavar="NAME", help="The service account, where the pipeline's token opens several.")
@click.option(
    "--audience", metavar="TEXT", help="For whom GitHub is to make the token; the desk's address if left out."
)
@click.option("--token-file", type=click.Path(allow_dash=True), help="A file with the token, - = standard input.")
@json_option
@desk_options
@asks("token.exchange")
def ci_login(
    service: str | None,
    audience: str | None,
    token_file: str | None,
    as_json: bool,  # noqa: FBT001  click passes flags
    where: Where,
) -> None:
    """Exchange the pipeline's own token for a key that lasts minutes.

    On GitHub the key goes into CUELIGHT_TOKEN of the steps that follow, and is masked in their logs. Elsewhere it is
    printed: export CUELIGHT_TOKEN=$(cuelight ci login).
    """
    token = _token(token_file, audience or (where.server or DEFAULT_URL).rstrip("/"))
    with Where(where.server, None, None).admin() as admin:
        made = admin.exchange_token(token, service)
    if as_json:
        show_json(made)
        return
    steps = os.environ.get("GITHUB_ENV")
    if not steps:
        click.echo(made["key"])
        return
    click.echo(f"::add-mask::{made['key']}")
    try:
        with Path(steps).open("a", encoding="utf-8") as opened:
            opened.write(f"CUELIGHT_TOKEN={made['key']}\n")
    except OSError as bad:
        raise Invalid(f"GITHUB_ENV cannot be written: {steps}", "outside of GitHub leave GITHUB_ENV unset") from bad
    say(
        f"in as {made['account']} for {', '.join(made['scopes'])}, until {made['expires_at'][:16].replace('T', ' ')} UTC"
    )


def _token(file: str | None, audience: str) -> str:
    """The pipeline's token: from the file, from GitLab's variable, or asked of GitHub."""
    if file is not None:
        return _read(file)
    given = os.environ.get("CUELIGHT_ID_TOKEN", "").strip()
    if given:
        return given
    url, bearer = (os.environ.get(f"ACTIONS_ID_TOKEN_REQUEST_{part}", "") for part in ("URL", "TOKEN"))
    if not url or not bearer:
        raise Invalid("this pipeline has no token of its own", _HOW)
    return _asked(url, bearer, audience)


def _read(file: str) -> str:
    try:
        if file == "-":
            return sys.stdin.read(_MOST).strip()
        with Path(file).open(encoding="utf-8") as opened:
            return opened.read(_MOST).strip()
    except (OSError, ValueError) as bad:
        raise Invalid(f"{file} cannot be read", "give a file that holds the token and nothing else") from bad


def _asked(url: str, bearer: str, audience: str) -> str:
    """The token that GitHub makes for this job and this audience."""
    import httpx2

    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "localhost"):
        raise Invalid("ACTIONS_ID_TOKEN_REQUEST_URL is not https", "it is set by GitHub, and not by hand")
    try:
        answer = httpx2.get(
            httpx2.URL(url).copy_merge_params({"audience": audience}),
            headers={"Authorization": f"Bearer {bearer}"},
            timeout=10.0,
        )
        found: Any = answer.json() if answer.status_code == 200 else {}
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as bad:
        raise Unavailable("the pipeline's runner does not give a token", "try the job again") from bad
    token = found.get("value") if isinstance(found, dict) else None
    if not isinstance(token, str) or not token:
        raise Denied(f"the pipeline's runner gives no token ({answer.status_code})", _HOW)
    return token
