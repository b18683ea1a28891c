"""Which models the prompts lean on, and which of those are no longer offered."""

from collections import defaultdict
from dataclasses import asdict, dataclass
from typing import Any

from cuelight_server.db.desk import Desk
from cuelight_server.db.engine import reading
from cuelight_server.kernel.sight import EVERYTHING, Sight
from cuelight_server.kernel.terms import Environment
from cuelight_server.prompts import store
from cuelight_server.routing import store as routing

_SHOWN = 200  # versions of one model, newest last; `count` tells how many there are


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """A version that serves somewhere, with its share of an environment's traffic in 100,000."""

    prompt: str
    label: str
    environment: str
    weight: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RetiredBy:
    """Who recorded that a model is no longer offered, when (RFC 3339), and why."""

    actor: str
    at: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelLine:
    """One model: how many versions name it, which (`sales.x@v2`), and where one of them serves."""

    model: str
    retired: RetiredBy | None
    count: int
    versions: tuple[str, ...]
    live: tuple[Live, ...]

    def to_json(self) -> dict[str, Any]:
        """The line as it goes over the wire."""
        return asdict(self)


def models(desk: Desk, sight: Sight = EVERYTHING) -> list[ModelLine]:
    """Every model that a version in sight names or that is retired, by name."""
    with reading(desk.registry) as sql:
        gone = store.retired_models(sql)
        retired = {one.name for one in store.retired(sql)}
        named: dict[str, list[str]] = defaultdict(list)
        of: dict[tuple[str, int], str] = {}
        for one in filter(lambda each: sight.sees(each.prompt), store.every_version(sql)):
            model = str(one.content.get("settings", {}).get("model", "unreadable: run `cuelight-server verify`"))
            named[model].append(f"{one.prompt}@{one.label}")
            of[one.prompt, one.number] = model
        live: dict[str, list[Live]] = defaultdict(list)
        for place in Environment:
            for each in routing.deployments(sql, place.value):
                for number, weight in each.weights if sight.sees(each.prompt) and each.prompt not in retired else ():
                    served = Live(prompt=each.prompt, label=f"v{number}", environment=place.value, weight=weight)
                    live[of.get((each.prompt, number), "")].append(served)
    return [
        ModelLine(
            model=model,
            retired=RetiredBy(actor=by.actor, at=by.created_at, why=by.why) if (by := gone.get(model)) else None,
            count=len(named[model]),
            versions=tuple(named[model][-_SHOWN:]),
            live=tuple(live[model]),
        )
        for model in sorted({*named, *gone})
    ]
