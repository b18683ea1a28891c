"""What is wrong between prompts and knowledge: a name or ref that is not there, a ref that stands twice."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from cuelight.contract.content import Content
from cuelight.contract.knowledge import sources
from cuelight_server.kernel.terms import Tier
from cuelight_server.prompts.bundle import Facts
from cuelight_server.prompts.findings import judged, some, warning
from cuelight_server.prompts.model import Finding


def findings_of_sources(facts: Facts, content: Content, place: str, tier: Tier) -> Iterator[Finding]:
    """Each variable whose source is knowledge must name one that there is, and refs that it has."""
    order = [one["name"] for one in content.variables]
    read, strict = {one.variable for one in sources(content)}, tier >= Tier.ELEVATED
    for index, one in enumerate(content.variables):
        if str(one.get("source", "")).lower().startswith("knowledge") and one["name"] not in read:
            words = f"the source of {one['name']} speaks of knowledge and names none, so no call is tied to a release"
            hint = "write `knowledge <name>`, or `knowledge <name>, <ref>` where only that item counts"
            yield warning("knowledge_source_unread", words, hint, place, "variables", index, "source")
    for source in sources(content):
        path = ("variables", order.index(source.variable), "source")
        known = facts.knowledge.get(source.name)
        if known is None:
            words, hint = f"there is no knowledge {source.name}", f"write knowledge/{source.name}.yaml"
            yield judged("knowledge_missing", words, hint, place, *path, strict=strict)
            continue
        lost = [ref for ref in source.refs if ref not in {item["ref"] for item in known["items"]}]
        if lost:
            words, hint = f"the knowledge {source.name} has no {some(lost)}", "name a ref that it has, or add the item"
            yield judged("knowledge_missing", words, hint, place, *path, strict=strict)


def findings_of_knowledge(knowledge: Mapping[str, Mapping[str, Any]]) -> Iterator[Finding]:
    """A ref is what an item is known by, so it stands once."""
    for name, document in knowledge.items():
        twice = [ref for ref, count in Counter(item["ref"] for item in document["items"]).items() if count > 1]
        if twice:
            words, hint = f"several items have the ref {some(twice)}", "give each item a ref of its own"
            yield warning("knowledge_ref_twice", words, hint, f"knowledge/{name}", "items")
