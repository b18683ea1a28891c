"""Which code holds which rule: one table, so that no file can promise what nothing keeps."""

from collections import Counter
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from cuelight_server.kernel.assertions import NEVER, base_of
from cuelight_server.prompts.bundle import Bundle, Facts
from cuelight_server.prompts.model import Enforcement, RuleState

# Kind of rule -> the code that enforces it; "" = not yet. When a rule gets its code, its line changes here.
ENFORCED_BY: Mapping[str, str] = MappingProxyType(
    {
        "tier": "cuelight_server.prompts.lint",
        "approved endpoints": "cuelight_server.prompts.lint_prompt",
        "owners": "cuelight_server.audit.permissions",
        "approvals": "cuelight_server.releases.checklist",
        "extra approvals": "cuelight_server.releases.checklist",
        "level": "",
        "stages": "",
        "bucketing key": "",
        "who may roll back": "",
        "review after a rollback": "",
        "propagation": "",
        "guardrail": "",
        "trace": "cuelight_server.routing.publish",
        "days to keep": "",
        "retention": "",
        "fallback": "cuelight.contract.snapshot",
        "action": "cuelight.contract.authority",
        "limit per task": "cuelight.contract.authority",
        "calls per task": "",
        "cost per task": "",
        "variable": "cuelight.contract.rendering",
        "context": "cuelight.contract.context",
        "output schema": "cuelight.contract.output",
        "output rule": "cuelight.contract.output",
        "consumer schema": "cuelight_server.prompts.contract_fit",
        "on invalid": "cuelight.contract.output",
        "tool": "cuelight.contract.authority",
        "MCP pin": "",
        "gate": "cuelight_server.evaluation.gate",
        "metric": "cuelight_server.evaluation.gate",
        "human review": "cuelight_server.releases.read_blind",
        "internal examples": "cuelight_server.releases.read_blind",
        "grader": "cuelight_server.evaluation.graders",
        "input schema": "",
        "expected failure": "cuelight_server.evaluation.report",
    }
)


def rules(facts: Facts) -> list[RuleState]:
    """Every rule that the folder states, and what becomes of it."""
    bundle = facts.bundle
    found = [*_workflow(bundle.workflow), *_authority(bundle.authority)]
    for name, labels in bundle.prompts.items():
        for label, item in labels.items():
            found.extend(_prompt(f"prompts/{name}/{label}", item.content.to_json()))
    return (
        found
        + [one for name, suite in bundle.suites.items() for one in _suite(f"suites/{name}", suite)]
        + list(_knowledge(bundle))
    )


def _state(where: str, kind: str, words: str = "") -> RuleState:
    by = ENFORCED_BY[kind]
    rule = f"{kind}: {words}" if words else kind
    return RuleState(where, rule, Enforcement.ENFORCED if by else Enforcement.NOT_YET, by)


def _declared(where: str, words: str) -> RuleState:
    return RuleState(where, words, Enforcement.DECLARED_ONLY)


def _workflow(document: Mapping[str, Any]) -> Iterator[RuleState]:
    where = "workflow"
    yield _state(where, "tier", document["tier"])
    yield _state(where, "owners", ", ".join(document["owners"]))
    if "approved_endpoints" in document:
        yield _state(where, "approved endpoints", ", ".join(document["approved_endpoints"]))
    yield from _release(where, document.get("release", {}))
    for name, one in document["prompts"].items():
        yield _state(f"{where}.prompts.{name}", "fallback", "while it is switched off")
        yield from _release(f"{where}.prompts.{name}", one.get("release", {}))
    yield from _rollback(where, document.get("rollback", {}))
    for one in document.get("guardrails", ()):
        declared = one.get("declared_only")
        yield (
            _declared(where, f"guardrail {one['metric']}: {declared}")
            if declared
            else _state(where, "guardrail", one["metric"])
        )
    if "trace" in document:
        yield _state(where, "trace", document["trace"]["content"])
    if "keep_days" in document.get("trace", {}):
        yield _state(where, "days to keep", str(document["trace"]["keep_days"]))
    yield from (_state(where, "retention", name) for name in document.get("retention_days", {}))
    yield from (_declared(where, f"{one['id']}: {one['declared_only']}") for one in document.get("rules", ()))


def _release(where: str, release: Mapping[str, Any]) -> Iterator[RuleState]:
    if "approvals" in release:
        yield _state(where, "approvals", ", ".join(release["approvals"]) or "none")
    for one in release.get("extra", ()):
        yield _state(where, "extra approvals", f"{', '.join(one['roles'])} for {', '.join(one['classes'])}")
    if "level" in release:
        yield _state(where, "level", release["level"])
    if "stages" in release:
        yield _state(where, "stages", ", ".join(f"{one['percent']} %" for one in release["stages"]))
    if "bucketing_key" in release:
        yield _state(where, "bucketing key", release["bucketing_key"])


def _rollback(where: str, rollback: Mapping[str, Any]) -> Iterator[RuleState]:
    if "roles" in rollback:
        yield _state(where, "who may roll back", ", ".join(rollback["roles"]))
    if "review_within_hours" in rollback:
        yield _state(where, "review after a rollback", f"within {rollback['review_within_hours']} h")
    if "propagation_seconds_max" in rollback:
        yield _state(where, "propagation", f"within {rollback['propagation_seconds_max']} s")
    yield from (_declared(where, f"after a rollback: {one['declared_only']}") for one in rollback.get("after", ()))


def _authority(document: Mapping[str, Any]) -> Iterator[RuleState]:
    for one in document["actions"]:
        yield _state("authority", "action", f"{one['action']} {one['mode']}")
        if "limit_per_task" in one:
            yield _state("authority", "limit per task", f"{one['action']} {one['limit_per_task']}")
        if "declared_only" in one:
            yield _declared("authority", f"{one['action']}: {one['declared_only']}")
    limits = document.get("limits", {})
    if "tool_calls_per_task" in limits:
        yield _state("authority", "calls per task", str(limits["tool_calls_per_task"]))
    if "cost_usd_per_task" in limits:
        yield _state("authority", "cost per task", f"{limits['cost_usd_per_task']} USD")


def _prompt(where: str, content: Mapping[str, Any]) -> Iterator[RuleState]:
    if content["variables"]:
        yield _state(where, "variable", ", ".join(one["name"] for one in content["variables"]))
    for one in content["context"]:
        yield _worded(where, "context", one, one["id"])
    output = content["output"]
    if output["schema"] is not None:
        yield _state(where, "output schema")
    for one in output["rules"]:
        yield _worded(where, "output rule", one, one["id"])
    for one in output["on_invalid"]:
        yield _worded(where, "on invalid", one, next(iter(one)))
    for one in output["consumers"]:
        if "schema" in one:
            yield _state(where, "consumer schema", one["name"])
        else:
            yield _declared(where, f"consumer {one['name']}: it reads the output, and what it accepts nobody says")
    for one in content["tools"]:
        yield _state(where, "tool", f"{one['name']} {one['mode']}")
        if "mcp" in one:
            yield _state(where, "MCP pin", one["mcp"]["server"])
    yield from _gate(where, content["evaluation"]["gate"])


def _gate(where: str, gate: Mapping[str, Any]) -> Iterator[RuleState]:
    yield from (
        _state(where, "gate", name) for name in gate if name not in ("metrics", "human_review", "internal_examples")
    )
    for one in gate.get("metrics", ()):
        yield _worded(where, "metric", one, one["id"])
    if "internal_examples" in gate:
        yield _state(where, "internal examples", f"{gate['internal_examples']} tried by hand")
    if "human_review" in gate:
        review = gate["human_review"]
        yield _state(where, "human review", f"{', '.join(review['roles'])} read {review['min_cases']} cases")


def _suite(where: str, suite: Mapping[str, Any]) -> Iterator[RuleState]:
    everywhere = [*suite.get("graders", ()), *(one for case in suite["cases"] for one in case.get("graders", ()))]
    for name, count in sorted(Counter(one["type"] for one in everywhere).items()):
        if base_of(name)[0] in NEVER:
            yield _declared(where, f"grader {name} ({count}): nothing here can run it")
        else:
            yield _state(where, "grader", f"{name} ({count})")
    if "input_schema" in suite:
        yield _state(where, "input schema")
    yield from (_state(where, "expected failure", one["case"]) for one in suite.get("expected_failures", ()))


def _knowledge(bundle: Bundle) -> Iterator[RuleState]:
    for name, one in bundle.knowledge.items():
        yield from (_declared(f"knowledge/{name}", rule["declared_only"]) for rule in one.get("rules", ()))


def _worded(where: str, kind: str, rule: Mapping[str, Any], name: str) -> RuleState:
    if "declared_only" in rule:
        words = rule["declared_only"]
        return _declared(where, f"{kind}: {words}" if name == "declared_only" else f"{kind} {name}: {words}")
    return _state(where, kind, name)
