"""What a release takes: pure, from the workflow's own rules, its tier and the class of change."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from cuelight_server.kernel.terms import ChangeClass, Environment, Role, Tier
from cuelight_server.kernel.tiers import tier_of

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


def for_governance(document: Document, prompts: Iterable[str], *, authority: bool) -> tuple[Role, ...]:
    """The roles whose yes a change of what governs takes, under `document`, the rules in force.

    The tier's, those that the workflow asks for itself, and those of each of `prompts`, whose own rules change; for
    another authority also whoever is asked about a change of boundary. In tier low nobody else is asked.
    """
    tier = tier_of(document)
    if tier is Tier.LOW:
        return ()
    rules = [document.get("release", {}), *(_prompt(document, one).get("release", {}) for one in prompts)]
    asked = set(TIER_DEFAULTS[tier]) | {Role(one) for rule in rules for one in rule.get("approvals", ())}
    if authority:
        own = [one.get("release", {}) for one in document.get("prompts", {}).values()]
        extras = [extra for rule in (*rules, *own) for extra in rule.get("extra", ())]
        asked |= {Role(one) for extra in extras if ChangeClass.BOUNDARY in extra["classes"] for one in extra["roles"]}
    return tuple(role for role in Role if role in asked)


OWNERS_OF_TIER: dict[Tier, tuple[Role, ...]] = {
    Tier.LOW: (Role.WORKFLOW_OWNER, Role.ENGINEERING_OWNER),
    Tier.STANDARD: (Role.WORKFLOW_OWNER, Role.ENGINEERING_OWNER, Role.SUPPORT_OWNER),
    Tier.ELEVATED: tuple(Role),
    Tier.HIGH: tuple(Role),
    Tier.REGULATED: tuple(Role),
}


def ownerless(document: Document, prompt: str, present: Collection[str]) -> tuple[str, ...]:
    """What the tier asks for in owners of `prompt` and is not there, in words; `present` are accounts that can act."""
    tier, held = tier_of(document), holders(document, prompt)
    lost = [
        f"the {role.value.replace('_', ' ')} ({', '.join(id for id, _ in held.get(role, ())) or 'nobody named'})"
        for role in OWNERS_OF_TIER[tier]
        if not any(id in present for id, _ in held.get(role, ()))
    ]
    if tier >= Tier.ELEVATED:
        named = [(kind, document.get(f"{kind}_owner")) for kind in ("business", "technical")]
        lost += [f"the {kind} owner ({who})" for kind, who in named if who and who not in present]
    business, technical = two_owners(document)
    if business is not None and business == technical and tier >= Tier.ELEVATED:
        lost.append(f"a technical owner other than {business}, who is the business owner too")
    return tuple(lost)


def two_owners(document: Document) -> tuple[str | None, str | None]:
    """Who answers for the business and who for the technology: named, else the workflow's and the engineering owner."""
    owners = document.get("owners", {})
    business = document.get("business_owner") or owners.get(Role.WORKFLOW_OWNER, {}).get("person")
    technical = document.get("technical_owner") or owners.get(Role.ENGINEERING_OWNER, {}).get("person")
    return business, technical


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
