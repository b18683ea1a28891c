"""What a version may not lose against the one before it: its output contract, and the knowledge that it pinned."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from cuelight.contract.condition import same
from cuelight.contract.content import Content
from cuelight_server.kernel.terms import Tier
from cuelight_server.prompts.bundle import Facts, number_of
from cuelight_server.prompts.contract_fit import loosened
from cuelight_server.prompts.findings import judged, some, warning
from cuelight_server.prompts.model import Finding

Ref = tuple[str, str]  # name of the knowledge, ref of the item


def findings_of_change(facts: Facts, name: str, label: str, content: Content, tier: Tier) -> Iterator[Finding]:
    """Held against what production serves, else against the version before; a first version has nothing to lose."""
    found = before(facts, name, label)
    if found is None:
        return
    old, place = found[1], f"prompts/{name}/{label}"
    yield from _contract(f"v{found[0]}", old, content, place, tier)
    lost = lost_refs(old, content, facts.knowledge)
    if lost:
        yield judged(
            "context_ref_missing",
            f"v{found[0]} pinned {some([ref for _, ref in lost])}, and nothing pins it any more",
            "pin it as before with a pinned_value rule, pin what replaces it, or take it out of the knowledge",
            place,
            "context",
            strict=tier >= Tier.ELEVATED,
        )


def before(facts: Facts, name: str, label: str) -> tuple[int, Content] | None:
    """(number, content) of what `label` is held against: the version in production if it is older, else the newest older."""
    own = number_of(label)
    here = [(number_of(one), item.content) for one, item in facts.bundle.prompts.get(name, {}).items()]
    older = {at: content for at, content in here if at is not None and (own is None or at < own)}
    desk = [one for one in facts.earlier.get(name, ()) if own is None or one.number < own]
    older |= {one.number: one.content for one in desk}
    if not older:
        return None
    served = next((one.number for one in desk if one.served), max(older))
    return served, older[served]


def lost_refs(old: Content, new: Content, knowledge: Mapping[str, Mapping[str, Any]]) -> list[Ref]:
    """Refs that the old content pinned, the new one does not, and the workflow still has.

    Who pins another ref of the same knowledge instead has replaced it, not lost it.
    """
    had, has = pinned_refs(old, knowledge), pinned_refs(new, knowledge)
    replaced = {name for name, _ in has - had}
    return sorted(one for one in had - has if one[0] not in replaced)


def pinned_refs(content: Content, knowledge: Mapping[str, Mapping[str, Any]]) -> set[Ref]:
    """Items of the workflow's knowledge whose ref or text stands in a `pinned_value`, or whose ref a variable names."""
    values = [one["value"] for one in content.context if one.get("rule") == "pinned_value"]
    texts = {text for value in values for text in _texts(value)}
    named = [*texts, *(str(one.get("source", "")) for one in content.variables)]
    return {
        (name, item["ref"])
        for name, document in knowledge.items()
        for item in document["items"]
        if any(same(item, value) for value in values) or item.get("text") in texts or _named(item["ref"], named)
    }


def _contract(number: str, old: Content, new: Content, place: str, tier: Tier) -> Iterator[Finding]:
    found = loosened(old.output, new.output)
    if found.broken:
        yield judged(
            "output_contract_loosened",
            f"the output contract takes back what {number} promised: {some(list(found.broken), '; ')}",
            "keep strict, the schema, its required and closed keys, and the rules; a contract without them gets a new prompt",
            place,
            "output",
            strict=tier >= Tier.ELEVATED,
        )
    wider = [one for one in found.unfit if one not in found.broken]
    if wider:
        words = f"the output contract is wider than that of {number}: {some(wider, '; ')}"
        hint = "see that every consumer can read it; one that says its schema is checked"
        yield warning("output_contract_loosened", words, hint, place, "output")
    if found.undecided:
        words = f"whether the output contract is as strict as that of {number} cannot be told: {some(list(found.undecided), '; ')}"
        hint = "keep that part as it was, or say it in types, keys, values and ranges"
        yield warning("output_contract_undecided", words, hint, place, "output")


def _named(ref: str, texts: list[str]) -> bool:
    word = re.compile(rf"(?<![\w-]){re.escape(ref)}(?![\w-])")
    return any(word.search(text) for text in texts)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(inner)
