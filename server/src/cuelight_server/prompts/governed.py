"""What of a workflow decides who may do what: taken out of it, compared, and put back; pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from cuelight.contract.canonical import digest
from cuelight.contract.condition import same
from cuelight_server.kernel.terms import Tier
from cuelight_server.kernel.tiers import tier_of

GOVERNED = (
    "tier",
    "situations",
    "owners",
    "business_owner",
    "technical_owner",
    "approved_endpoints",
    "release",
    "rollback",
)
GOVERNED_OF_PROMPT = ("owners", "release")
_OPEN = "(nothing)"
Document = Mapping[str, Any]


def governed(document: Document) -> dict[str, Any]:
    """The keys of a workflow document that decide who may do what."""
    own = {key: document[key] for key in GOVERNED if key in document}
    prompts = {
        name: {key: one[key] for key in GOVERNED_OF_PROMPT if key in one}
        for name, one in document.get("prompts", {}).items()
    }
    return {**own, "prompts": {name: kept for name, kept in prompts.items() if kept}}


def rest(document: Document) -> dict[str, Any]:
    """Everything else in a workflow document."""
    own = {key: value for key, value in document.items() if key not in GOVERNED and key != "prompts"}
    prompts = {
        name: {key: value for key, value in one.items() if key not in GOVERNED_OF_PROMPT}
        for name, one in document.get("prompts", {}).items()
    }
    return {**own, "prompts": prompts}


def merged(plain: Document, rules: Document) -> dict[str, Any]:
    """A whole document: everything else of `plain`, and what `rules` (a document, or `governed` of one) governs.

    Rules of a prompt that `plain` does not have are left out; people whom only `rules` lists are kept.
    """
    made, taken = rest(plain), governed(rules)
    for name, one in taken.pop("prompts").items():
        if name in made["prompts"]:
            made["prompts"][name] = {**made["prompts"][name], **one}
    listed = {one["id"]: one for one in (*rules.get("people", ()), *made.get("people", ()))}
    return {**made, **taken, **({"people": list(listed.values())} if listed else {})}


def held_back(new: Document, old: Document) -> dict[str, Any]:
    """The document that a push stores while its governing part waits: everything else is new, the rules are the old.

    A prompt with rules of its own stays with them, also where the new document leaves it out: left out and brought
    back it would have lost them.
    """
    kept = {name: one for name, one in old.get("prompts", {}).items() if name in governed(old)["prompts"]}
    return merged({**new, "prompts": {**kept, **new.get("prompts", {})}}, old)


def people_in(document: Document) -> frozenset[str]:
    """Everyone who owns something in a workflow: first or backup, of the workflow or of one prompt, or named owner."""
    tables = [document.get("owners", {}), *(one.get("owners", {}) for one in document.get("prompts", {}).values())]
    held = {who[part] for table in tables for who in table.values() for part in ("person", "backup") if who.get(part)}
    return frozenset(held | {document[key] for key in ("business_owner", "technical_owner") if document.get(key)})


def touched(old: Document, new: Document) -> frozenset[str]:
    """The prompts whose own rules differ."""
    before, after = governed(old)["prompts"], governed(new)["prompts"]
    return frozenset(name for name in {*before, *after} if not same(before.get(name), after.get(name)))


def governance_digest(document: Document, authority: Document) -> str:
    """The digest of all that governs: two documents that differ in nothing else have the same."""
    return digest({"governed": governed(document), "authority": dict(authority)})


def is_gated(old: Document, authority: Document, new: Document, new_authority: Document) -> bool:
    """Whether the change of what governs takes approvals under the old rules.

    In tier low one person decides. Elsewhere all of it does, but for a tier that only goes up.
    """
    tier = tier_of(old)
    if tier is Tier.LOW:
        return False
    raised = tier_of(new) > tier
    before = {**governed(old), "tier": new.get("tier")} if raised else governed(old)
    return not (same(before, governed(new)) and same(authority, new_authority))


def changes(old: Document, authority: Document, new: Document, new_authority: Document) -> tuple[str, ...]:
    """What differs in what governs, a line each: `tier: elevated -> standard`, `owners.risk_owner.person: a -> b`."""
    found = [*_changes("", governed(old), governed(new))]
    old_actions, new_actions = _actions(authority), _actions(new_authority)
    return (*found, *_changes("authority", old_actions, new_actions))


def _actions(authority: Document) -> dict[str, Any]:
    """The table by action, and whatever else stands beside it."""
    rows = {str(one.get("action", "")): one for one in authority.get("actions", ())}
    return {**{key: value for key, value in authority.items() if key != "actions"}, **rows}


def _changes(place: str, old: Any, new: Any) -> Iterator[str]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}):
            yield from _changes(f"{place}.{key}" if place else str(key), old.get(key), new.get(key))
    elif not same(old, new):
        yield f"{place}: {_short(old)} -> {_short(new)}"


def _short(value: Any) -> str:
    if value is None:
        return _OPEN
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        text = ", ".join(value) or _OPEN
    elif isinstance(value, Mapping):
        text = ", ".join(f"{key} {_short(one)}" for key, one in value.items()) or _OPEN
    else:
        text = str(value)
    return text if len(text) <= 120 else text[:119] + "…"
