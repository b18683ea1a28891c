"""Why an output is what it is: from its id to the version, the people, the evidence and the exact prompt."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection

from cuelight.contract.content import parse
from cuelight.contract.errors import CuelightError
from cuelight.contract.knowledge import sources, uses
from cuelight.contract.rendering import render
from cuelight_server.db.desk import Desk
from cuelight_server.db.engine import reading
from cuelight_server.evaluation import store as evaluation
from cuelight_server.kernel.errors import NotFound
from cuelight_server.kernel.sight import EVERYTHING, Sight
from cuelight_server.kernel.terms import Environment
from cuelight_server.prompts import store as prompts
from cuelight_server.prompts.model import RetiredModel, Version
from cuelight_server.releases import store as releases
from cuelight_server.releases.model import Release
from cuelight_server.routing.rules import label
from cuelight_server.telemetry import store
from cuelight_server.telemetry.model import Call
from cuelight_server.views.knowledge import Origin, UsedKnowledge, used
from cuelight_server.views.releases import ReleaseLine, line

_ORDER = (Environment.PRODUCTION.value, Environment.STAGING.value, Environment.DEVELOPMENT.value)


class Rebuilt(StrEnum):
    """What came of rendering the call again."""

    IDENTICAL = "identical"
    DIFFERENT = "different"
    VERIFIABLE = "verifiable"
    NOT_REPRODUCIBLE = "not_reproducible"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuild:
    """The stored version rendered with the stored values, against what the app sent (digests of the whole request).

    `verifiable`: the values are kept elsewhere; rendered by their owner they must give `recorded`.
    """

    state: Rebuilt
    recorded: str | None = None
    digest: str | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportLine:
    """The report that a release rests on."""

    id: str
    verdict: str | None
    recorded: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """Everything that decided one output. `digest_matches` is False when the app used other content than is stored.

    `also_in` names the other environments in which a call has the same id; `model_retired` says in words that the model
    is no longer offered: the one thing that cannot be reproduced. `knowledge` says for each variable that is filled from
    knowledge which release its items came from.
    """

    call: Mapping[str, Any]
    prompt: str
    version: str | None
    digest: str | None
    digest_matches: bool | None
    author: str | None
    environment: str
    release: ReleaseLine | None
    report: ReportLine | None
    model: str | None
    model_retired: str | None
    settings: Mapping[str, Any] | None
    findings: tuple[Mapping[str, Any], ...]
    decisions: tuple[Mapping[str, Any], ...]
    rebuild: Rebuild
    also_in: tuple[str, ...] = ()
    knowledge: tuple[UsedKnowledge, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The answer as it goes over the wire; `approvals` stand beside the release that they belong to."""
        document = asdict(self)
        document["approvals"] = document["release"]["approvals"] if document["release"] else []
        return document


def why(desk: Desk, output_id: str, environment: str | None = None, sight: Sight = EVERYTHING) -> Why:
    """Everything about one output; NotFound where no call with this id was recorded.

    Without an environment production comes first, then the others; where more than one has this id, `also_in` names
    the rest.
    """
    with reading(desk.calls) as sql:
        found = {name: one for name, one in store.calls(sql, output_id).items() if sight.sees(one.prompt)}
    asked = _ORDER if environment is None else (environment,)
    place = next((one for one in asked if one in found), None)
    if place is None:
        raise NotFound(
            f"no call {output_id} was recorded in {environment or 'any environment'}",
            f"it is in {', '.join(found)}" if found else "the id of an output is on its Result: result.id",
        )
    call = found[place]
    with reading(desk.registry) as sql:
        version = prompts.version(sql, call.prompt, call.number) if call.number is not None else None
        release = _release(sql, call)
        models = (call.document.get("response_model"), call.document.get("model"), _model(version))
        knowledge = _knowledge(sql, call, version)
        return Why(
            call=call.document,
            prompt=call.prompt,
            version=label(call.number) if call.number is not None else None,
            digest=call.digest,
            digest_matches=version.digest == call.digest if version and call.digest else None,
            author=version.author if version else None,
            environment=call.environment,
            release=line(sql, release) if release else None,
            report=_report(sql, release) if release else None,
            model=next(filter(None, models), None),
            model_retired=_retired(prompts.retired_models(sql), models),
            settings=call.document.get("settings") or (version.content["settings"] if version else None),
            findings=tuple(call.document.get("findings", ())),
            decisions=tuple(call.document.get("decisions", ())),
            rebuild=with_knowledge(rebuild(call, version), call, version, knowledge),
            also_in=tuple(one for one in found if one != place),
            knowledge=knowledge,
        )


def rebuild(call: Call, version: Version | None) -> Rebuild:
    """Render again what was rendered then, and compare: pure."""
    recorded = call.document.get("rendered_digest")
    if version is None:
        off = (
            "the prompt was off and the fallback was given" if call.number is None else "the version is not stored here"
        )
        return Rebuild(state=Rebuilt.NOT_REPRODUCIBLE, recorded=recorded, reason=off)
    if call.digest != version.digest:
        words = f"the app used content {call.digest}, the stored version is {version.digest}"
        return Rebuild(state=Rebuilt.NOT_REPRODUCIBLE, recorded=recorded, reason=words)
    if recorded is None:
        return Rebuild(state=Rebuilt.NOT_REPRODUCIBLE, reason="the app did not record the hash of what it sent")
    if "values" not in call.document:
        words = "the values are not kept here; rendered with them the hash must equal `recorded`"
        return Rebuild(state=Rebuilt.VERIFIABLE, recorded=recorded, reason=words)
    return _rendered(call, version, recorded)


def with_knowledge(made: Rebuild, call: Call, version: Version | None, knowledge: tuple[UsedKnowledge, ...]) -> Rebuild:
    """The rebuild together with the releases that it takes: pure.

    Kept values must hold exactly the items that the call told; where they do not, it is different, whatever the hash
    says. Where the values are kept elsewhere, what the desk itself holds of them is named.
    """
    if version is None or not knowledge or made.state is Rebuilt.NOT_REPRODUCIBLE:
        return made
    if made.state is Rebuilt.VERIFIABLE:
        here = [
            f"{one.variable} is {one.name} release {one.number}"
            for one in knowledge
            if one.origin is Origin.AS_RELEASED
        ]
        return replace(made, reason=f"{made.reason}; of them the desk holds: {', '.join(here)}") if here else made
    told = {
        one.variable: [item.digest for item in one.items]
        for one in knowledge
        if one.origin is not Origin.NOT_RECORDED and not one.left_out
    }
    again = {
        one.variable: [item.digest or None for item in one.items]
        for one in uses(sources(parse(version.content)), call.document["values"], {})
    }
    lost = sorted(name for name, digests in told.items() if Counter(digests) - Counter(again.get(name, ())))
    if lost:
        reason = f"the kept value of {', '.join(lost)} does not hold the knowledge that the call told"
        return replace(made, state=Rebuilt.DIFFERENT, reason=reason)
    tied = [f"{one.name} release {one.number}" for one in knowledge if one.origin is Origin.AS_RELEASED]
    return replace(made, reason=f"{made.reason}, with {', '.join(dict.fromkeys(tied))}") if tied else made


def _knowledge(sql: Connection, call: Call, version: Version | None) -> tuple[UsedKnowledge, ...]:
    """Told by the version that is stored here; of content that is not, nothing is known."""
    if version is None or version.digest != call.digest:
        return ()
    told = call.document.get("knowledge", ())
    return used(sql, call.prompt.partition(".")[0], sources(parse(version.content)), told)


def _rendered(call: Call, version: Version, recorded: str) -> Rebuild:
    today = call.document.get("today")
    try:
        made = render(parse(version.content), call.document["values"], date.fromisoformat(today) if today else None)
    except (CuelightError, ValueError) as bad:
        return Rebuild(state=Rebuilt.NOT_REPRODUCIBLE, recorded=recorded, reason=f"it cannot be rendered again: {bad}")
    same = made.digest == recorded
    return Rebuild(
        state=Rebuilt.IDENTICAL if same else Rebuilt.DIFFERENT,
        recorded=recorded,
        digest=made.digest,
        reason="rendered again, byte for byte the same" if same else "rendered again it is not what the app recorded",
    )


def _release(sql: Connection, call: Call) -> Release | None:
    named = call.document.get("release")
    found = releases.release(sql, named) if named else None
    if found is not None and (found.prompt, found.environment) == (call.prompt, call.environment):
        return found
    return releases.newest_of(sql, call.prompt, call.number, call.environment) if call.number is not None else None


def _report(sql: Connection, release: Release) -> ReportLine | None:
    id = release.checklist["bound"]["evaluation"]
    found = evaluation.load(sql, id) if id else None
    if found is None:
        return None
    return ReportLine(id=found.id, verdict=found.verdict, recorded=found.recorded)


def _retired(gone: Mapping[str, RetiredModel], models: Iterable[str | None]) -> str | None:
    found = next((gone[model] for model in models if model and model in gone), None)
    if found is None:
        return None
    return (
        f"{found.model} was retired on {found.created_at[:10]} by {found.actor} ({found.why}): the prompt can be "
        "rendered again to the same bytes, the model's answer cannot be had again"
    )


def _model(version: Version | None) -> str | None:
    model = version.content["settings"].get("model") if version else None
    return None if model is None else str(model)
