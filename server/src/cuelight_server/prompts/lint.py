"""What is wrong with a workflow folder beyond its format: errors stand in the way of minting, never of a draft."""

from collections.abc import Iterator, Mapping
from typing import Any

from cuelight_server.kernel.terms import Role, Tier
from cuelight_server.prompts.bundle import Facts, schemas_in
from cuelight_server.prompts.findings import declared, error, judged, schema_problems, warning
from cuelight_server.prompts.lint_beside import findings_of_what_lies_beside
from cuelight_server.prompts.lint_knowledge import findings_of_knowledge
from cuelight_server.prompts.lint_prompt import findings_of_prompt
from cuelight_server.prompts.lint_suite import findings_of_suite, pairing
from cuelight_server.prompts.model import Finding, Severity

FALLBACKS = ("person", "message", "value")


def lint(facts: Facts) -> list[Finding]:
    """Every finding, errors first, then by document."""
    tier = Tier(facts.bundle.workflow["tier"])
    found = [*_workflow(facts, tier), *_authority(facts.bundle.authority, tier)]
    for name, suite in facts.suites.items():
        found.extend(findings_of_suite(name, suite, tier))
    contents = [item.content for labels in facts.bundle.prompts.values() for item in labels.values()]
    pairs = {
        name: pairing(suite, [one for one in contents if one.evaluation["suite"] == name])
        for name, suite in facts.suites.items()
    }
    for name, labels in facts.bundle.prompts.items():
        for label, item in labels.items():
            found.extend(findings_of_prompt(facts, name, label, item, tier, pairs))
    found.extend(findings_of_knowledge(facts.bundle.knowledge))
    found.extend(findings_of_what_lies_beside(facts))
    return sorted(found, key=lambda one: (one.severity is not Severity.ERROR, one.document, one.code))


def standing_in_the_way(findings: list[Finding], prompt: str, label: str, suite: str) -> list[Finding]:
    """The errors that concern one version: its own, its suite's, and those of the workflow, its authority and prices."""
    places = (f"prompts/{prompt}/{label}", f"suites/{suite}", "workflow", "authority", "prices")
    return [one for one in findings if one.severity is Severity.ERROR and one.about in places]


def _workflow(facts: Facts, tier: Tier) -> Iterator[Finding]:
    document = facts.bundle.workflow
    yield from _owner_roles(document)
    yield from _two_owners(document, tier)
    yield from _unknown_people(document, facts.people)
    yield from _tier(document, tier)
    yield from _approvals(document, tier)
    for name, one in document["prompts"].items():
        yield from _approvals(one, tier, "prompts", name)
        if sum(kind in one.get("fallback", ()) for kind in FALLBACKS) != 1:
            words = f"nobody says what callers of {name} get while it is switched off"
            hint = f"give exactly one of {', '.join(FALLBACKS)}"
            yield error("fallback_missing", words, hint, "workflow", "prompts", name, "fallback")
    for index, rule in enumerate(document.get("guardrails", ()) if tier >= Tier.ELEVATED else ()):
        if "declared_only" in rule:
            yield declared(f"the guardrail {rule['metric']}", "workflow", "guardrails", index)


def _owner_roles(document: Mapping[str, Any]) -> Iterator[Finding]:
    for role in Role:
        bare = [name for name, one in document["prompts"].items() if role not in one.get("owners", {})]
        if role not in document["owners"] and bare:
            words = f"nobody is the {role.replace('_', ' ')} of {', '.join(bare)}"
            hint = f"name a person under owners.{role}; one person may hold several roles"
            yield error("owner_missing", words, hint, "workflow", "owners", role.value)


def _two_owners(document: Mapping[str, Any], tier: Tier) -> Iterator[Finding]:
    owners = document["owners"]
    business = document.get("business_owner") or owners.get(Role.WORKFLOW_OWNER, {}).get("person")
    technical = document.get("technical_owner") or owners.get(Role.ENGINEERING_OWNER, {}).get("person")
    if business and business == technical:
        yield judged(
            "business_technical_same_person",
            f"{business} is both the business owner and the technical owner",
            "from tier elevated up these are two people: set business_owner and technical_owner",
            "workflow",
            "technical_owner",
            strict=tier >= Tier.ELEVATED,
        )


def _unknown_people(document: Mapping[str, Any], people: frozenset[str] | None) -> Iterator[Finding]:
    """Who holds a role without an account can approve nothing and is asked for nothing."""
    if people is None:
        return
    tables = [document["owners"], *(one.get("owners", {}) for one in document["prompts"].values())]
    holders = [who for owners in tables for who in owners.values()]
    held = {who[part] for who in holders for part in ("person", "backup") if part in who}
    for person in sorted(held - people - {one["id"] for one in document.get("people", ())}):
        words = f"{person} holds a role, and this desk does not know them"
        yield warning("owner_unknown", words, "list them under people with their name", "workflow", "people")


def _tier(document: Mapping[str, Any], tier: Tier) -> Iterator[Finding]:
    asked = {"automated_decision": "feeds an automated decision", "tools": "can act through tools"}
    for name, words in asked.items():
        if tier is Tier.LOW and document.get("situations", {}).get(name):
            said = f"the workflow {words}, so its tier cannot be low"
            yield error("tier_too_low", said, "choose standard or higher", "workflow", "tier")


def _approvals(one: Mapping[str, Any], tier: Tier, *path: str) -> Iterator[Finding]:
    if tier >= Tier.STANDARD and one.get("release", {}).get("approvals") == []:
        yield error(
            "approvals_missing",
            "nobody's yes is asked for before a release",
            f"a workflow of tier {tier} names at least one role; without the key, the tier's own roles count",
            "workflow",
            *path,
            "release",
            "approvals",
        )


def _authority(document: Mapping[str, Any], tier: Tier) -> Iterator[Finding]:
    names = [one["action"] for one in document["actions"]]
    for name in sorted({name for name in names if names.count(name) > 1}):
        hint = "keep one line: readers and code must not look at different ones"
        yield error("action_duplicate", f"the action {name} stands twice in the table", hint, "authority", "actions")
    yield from schema_problems(schemas_in("authority", document), "authority")
    for index, rule in enumerate(document["actions"] if tier >= Tier.ELEVATED else ()):
        if "declared_only" in rule:
            yield declared(f"a rule on {rule['action']}", "authority", "actions", index)
