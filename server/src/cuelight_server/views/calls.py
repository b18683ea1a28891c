"""Recorded calls of one prompt, newest first, with the variables that policy lets the desk keep."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cuelight_server.db.desk import Desk
from cuelight_server.db.engine import reading
from cuelight_server.kernel.errors import NotFound
from cuelight_server.kernel.page import DEFAULT_SIZE, Page
from cuelight_server.prompts import store as prompts
from cuelight_server.routing.rules import label
from cuelight_server.telemetry import store
from cuelight_server.telemetry.model import Call


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLine:
    """One call. `values` are its variables, None where they were not kept here; `version` is None where the prompt was off."""

    id: str
    at: str
    version: str | None
    ok: bool | None
    values: Mapping[str, Any] | None


def listing(
    desk: Desk, prompt: str, environment: str, before: str | None = None, size: int = DEFAULT_SIZE
) -> Page[CallLine]:
    """A page of calls; NotFound where there is no such prompt."""
    with reading(desk.registry) as sql:
        if prompts.prompt(sql, prompt) is None:
            raise NotFound(f"there is no prompt {prompt}", "see: cuelight status")
    with reading(desk.calls) as sql:
        page = store.newest(sql, environment, prompt, before, size)
    return Page(tuple(map(_line, page.items)), page.next)


def _line(call: Call) -> CallLine:
    return CallLine(
        id=call.id,
        at=call.at,
        version=label(call.number) if call.number is not None else None,
        ok=call.ok,
        values=call.document.get("values"),
    )
