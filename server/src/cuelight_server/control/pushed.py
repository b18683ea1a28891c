"""What a push did, as it is told to who pushed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cuelight_server.control.governing import Change
from cuelight_server.prompts.fragments import Changed
from cuelight_server.prompts.knowledge import KnowledgeChange
from cuelight_server.prompts.model import Finding, RuleState
from cuelight_server.prompts.plan import Entry, Placed, Plan


@dataclass(frozen=True, slots=True)
class PushResult:
    """What a push did. Refused versions are part of the process, so they are told and not raised."""

    workflow: str
    plan: Plan
    rules: tuple[RuleState, ...]
    findings: tuple[Finding, ...]
    ignored: tuple[Mapping[str, str], ...]
    dependants: tuple[Changed, ...] = ()
    readers: tuple[KnowledgeChange, ...] = ()
    waiting: Change | None = None  # what of it governs, and takes the yes of others under the rules in force
    proposal: str | None = None  # the id under which that waits

    def to_json(self) -> dict[str, Any]:
        """As it goes over the wire."""
        done = self.plan
        return {
            "workflow": self.workflow,
            "minted": [{**self._version(one), "why": one.why} for one in done.mint],
            "unchanged": [{**self._version(one), "why": one.why} for one in done.unchanged],
            "refused": [self._refused(one) for one in done.refused],
            "drafts": [{**self._named(one), "state": one.state.value} for one in done.drafts],
            "suites": [_placed_json(one) for one in done.suites],
            "knowledge": [_placed_json(one) for one in done.knowledge],
            "prices": _placed_json(done.prices) if done.prices else None,
            "recordings": {
                "new": len(done.new_recordings),
                "changed": len(done.changed_recordings),
                "unchanged": done.unchanged_recordings,
            },
            "governance": self._governance,
            "proposal": self._proposal,
            "rules": [one.to_json() for one in self.rules],
            "ignored": [dict(one) for one in self.ignored],
            "findings": [one.to_json() for one in self.findings],
            "dependants": [one.to_json() for one in self.dependants],
            "knowledge_dependants": [one.to_json() for one in self.readers],
        }

    @property
    def _governance(self) -> str:
        if self.waiting is None:
            return self.plan.governance.value
        return "waiting" if self.waiting.waits_already else "proposed"

    @property
    def _proposal(self) -> dict[str, Any] | None:
        return {"id": self.proposal, "changes": list(self.waiting.lines)} if self.waiting else None

    def _named(self, entry: Entry) -> dict[str, Any]:
        digest = entry.item.content.digest
        return {"prompt": f"{self.workflow}.{entry.prompt}", "label": entry.label, "digest": digest}

    def _version(self, entry: Entry) -> dict[str, Any]:
        return {**self._named(entry), "number": entry.number}

    def _refused(self, entry: Entry) -> dict[str, Any]:
        told = {"why": entry.why, "hint": entry.hint, "findings": [one.to_json() for one in entry.findings]}
        return {"prompt": f"{self.workflow}.{entry.prompt}", "label": entry.label, **told}


def _placed_json(placed: Placed) -> dict[str, Any]:
    named = {"name": placed.name} if placed.name else {}
    return {**named, "number": placed.number, "digest": placed.digest, "state": placed.state.value}
