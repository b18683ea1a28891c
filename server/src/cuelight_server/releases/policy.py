"""What a release takes: pure, from the workflow's own rules, its tier and the class of change."""

from collections.abc import Iterator, Mapping
from typing import Any

from cuelight_server.kernel.terms import ChangeClass, Environment, Role, Tier

Document = Mapping[str, Any]

TIER_DEFAULTS: dict[Tier, tuple[Role, ...]] = {
    Tier.LOW: (),
    Tier.STANDARD: (Role.WORKFLOW_OWNER,),
    Tier.ELEVATED: (Role.WORKFLOW_OWNER, Role.ENGINEERING_OWNER),
    Tier.HIGH: (Role.WORKFLOW_OWNER, Role.DOMAIN_EXPERT, Role.ENGINEERING_OWNER, Role.RISK_OWNER),
    Tier.REGULATED: (Role.WORKFLOW_OWNER, Role.DOMAIN_EXPERT, Role.ENGINEERING_OWNER, Role.RISK_OWNER),
}


def required(
    document: Document, prompt: str, change: ChangeClass, environment: str, governing: Document | None = None
) -> tuple[Role, ...]:
    """The roles whose yes is needed for `prompt` (its short name), in the order of the five roles.

    The prompt's own rule wins over the workflow's, which wins over the tier's default; `extra` roles for the class of
    change come on top, from both. From tier standard up an empty list states nothing. `governing` is the document that
    what serves was released under: what it asks for is asked for too, so nobody writes themselves easier rules first.
    Staging and development need none.
    """
    if environment != Environment.PRODUCTION:
        return ()
    roles = _roles(document, prompt, change) | (_roles(governing, prompt, change) if governing is not None else set())
    return tuple(role for role in Role if role in roles)


def _roles(document: Document, prompt: str, change: ChangeClass) -> set[Role]:
    rules = [_prompt(document, prompt).get("release", {}), document.get("release", {})]
    stated = next((rule["approvals"] for rule in rules if "approvals" in rule), None)
    tier = tier_of(document)
    roles = set(TIER_DEFAULTS[tier] if stated is None else map(Role, stated))
    if not roles and tier >= Tier.STANDARD:
        roles = set(TIER_DEFAULTS[tier])
    for rule in rules:
        for extra in rule.get("extra", ()):
            if change.value in extra["classes"]:
                roles |= set(map(Role, extra["roles"]))
    return roles


def tier_of(document: Document) -> Tier:
    """The workflow's tier; the strictest where the document does not say."""
    return Tier(document.get("tier", Tier.REGULATED.value))


def blocks_declared_only(document: Document) -> bool:
    """From tier elevated up a rule in words that nothing enforces stands in the way."""
    return tier_of(document) >= Tier.ELEVATED


def owners_for(document: Document, prompt: str) -> dict[str, Mapping[str, Any]]:
    """Role -> owner for `prompt` (its short name): the workflow's, with the prompt's own on top."""
    return {**document.get("owners", {}), **_prompt(document, prompt).get("owners", {})}


def holders(document: Document, prompt: str) -> dict[Role, tuple[tuple[str, str], ...]]:
    """Role -> the (id, name) of those who hold it for `prompt`: the person first, then the backup."""
    names = {one["id"]: one["name"] for one in document.get("people", ())}
    found: dict[Role, tuple[tuple[str, str], ...]] = {}
    for role, owner in owners_for(document, prompt).items():
        people = [owner[key] for key in ("person", "backup") if owner.get(key)]
        found[Role(role)] = tuple((one, names.get(one, one)) for one in people)
    return found


def fallback_declared(document: Document, prompt: str) -> bool:
    """Whether the workflow says what callers get while `prompt` is switched off."""
    return any(key in _prompt(document, prompt).get("fallback", {}) for key in ("person", "message", "value"))


def declared_only(document: Document, authority: Document, content: Document) -> tuple[str, ...]:
    """Where authority, the on-invalid path or a guardrail is a rule in words: `authority: crm.update` and the like."""
    return tuple(_declared_only(document, authority, content))


def _declared_only(document: Document, authority: Document, content: Document) -> Iterator[str]:
    for action in authority.get("actions", ()):
        if "declared_only" in action:
            yield f"authority: {action['action']}"
    for at, step in enumerate(content.get("output", {}).get("on_invalid", ()), start=1):
        if "declared_only" in step:
            yield f"on_invalid: step {at}"
    for guardrail in document.get("guardrails", ()):
        if "declared_only" in guardrail:
            yield f"guardrail: {guardrail['metric']}"


def _prompt(document: Document, prompt: str) -> Document:
    found: Document = document.get("prompts", {}).get(prompt, {})
    return found
