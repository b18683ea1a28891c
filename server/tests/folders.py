"""Small workflow folders to push, lint and compare: one prompt of a fictional library, in the form of a bundle."""

from copy import deepcopy
from typing import Any

from cuelight.contract.content import Content, parse
from cuelight_server.prompts.bundle import Facts, checked

OWNERS = {
    "workflow_owner": "ana.reyes",
    "domain_expert": "ben.cole",
    "engineering_owner": "chi.okafor",
    "risk_owner": "dee.lund",
    "support_owner": "eli.stone",
}
CATEGORIES = (
    "normal",
    "edge",
    "bad_input",
    "missing_context",
    "conflicting_context",
    "sensitive_data",
    "domain_specific",
    "output_format",
    "refusal_escalation",
    "cost_latency",
)

PROMPT: dict[str, Any] = {
    "release_note": "First answer to a reader's question.",
    "messages": [
        {
            "role": "system",
            "parts": [
                {"block": "tone", "text": "You are the friendly voice of the town library.\n"},
                {"block": "rules", "text": "Answer from the catalogue only.\n"},
                {"block": "boundary", "text": "Never tell who borrowed a book. Complaints go to a person.\n"},
                {"block": "format", "text": "Answer with one JSON object.\n"},
            ],
        },
        {"role": "user", "content": "<catalogue>{{catalogue}}</catalogue>\n<question>{{question}}</question>"},
    ],
    "variables": [
        {"name": "catalogue", "type": "json", "trust": "internal", "schema": {"type": "array"}},
        {"name": "question", "type": "string", "trust": "untrusted"},
    ],
    "settings": {"model": "example-small-2026-06-01", "temperature": 0, "max_output_tokens": 300},
    "context": [{"id": "few", "rule": "max_items", "variable": "catalogue", "n": 20}],
    "output": {
        "schema": {"type": "object", "required": ["answer"], "properties": {"answer": {"type": "string"}}},
        "rules": [{"id": "says_something", "require": {"path": "answer", "empty": False}}],
        "on_invalid": [{"retry": 1}, {"person": "front desk"}],
    },
    "tools": [{"name": "hold.place", "mode": "may_suggest", "parameters": {"type": "object"}}],
    "evaluation": {"suite": "answer", "gate": {"min_pass_rate": 0.9}},
}


def folder(*, labels: dict[str, Any] | None = None, prompt: str = "answer", **changes: Any) -> dict[str, Any]:
    """A whole bundle that lint has nothing against; `labels` are the prompt files by label (one v1 if left out)."""
    made = {
        "workflow": workflow(prompt),
        "authority": {"actions": [{"action": "hold.place", "mode": "may_prepare"}]},
        "prompts": {prompt: deepcopy(labels if labels is not None else {"v1": PROMPT})},
        "suites": {"answer": suite()},
        "knowledge": {"hours": {"knowledge": "hours", "items": [{"ref": "H-1", "text": "Open from nine to five."}]}},
        "prices": {"models": [{"model": "*", "input_per_1k": 0.001, "output_per_1k": 0.002}]},
        "recordings": [],
        "ignored": [],
    }
    return deepcopy({**made, **changes})


def workflow(prompt: str = "answer", **changes: Any) -> dict[str, Any]:
    """Its workflow document, of tier elevated."""
    made = {
        "workflow": "library",
        "title": "Answering readers",
        "purpose": "Readers get an answer in seconds.",
        "tier": "elevated",
        "people": [{"id": one, "name": one.replace(".", " ").title()} for one in OWNERS.values()],
        "owners": {role: {"person": one} for role, one in OWNERS.items()},
        "prompts": {prompt: {"use_case": "Answer a reader's question", "fallback": {"person": "front desk"}}},
    }
    return deepcopy({**made, **changes})


def suite(**changes: Any) -> dict[str, Any]:
    """Its suite: one case in each category."""
    cases = [
        {"id": f"L{number:02d}", "category": one, "title": one, "input": {"question": f"Question {number}?"}}
        for number, one in enumerate(CATEGORIES, start=1)
    ]
    graders = [{"type": "json_only", "severity": "blocker"}]
    made = {"suite": "answer", "defaults": {"catalogue": []}, "graders": graders, "cases": cases}
    return deepcopy({**made, **changes})


def prompt(**changes: Any) -> dict[str, Any]:
    """Its prompt file, with whole parts replaced."""
    return deepcopy({**PROMPT, **changes})


def edited(document: dict[str, Any], *path: str | int, to: Any) -> dict[str, Any]:
    """A copy with one place changed."""
    copy = deepcopy(document)
    place: Any = copy
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = to
    return copy


def without(document: dict[str, Any], *path: str | int) -> dict[str, Any]:
    """A copy with one place taken out."""
    copy = deepcopy(document)
    place: Any = copy
    for step in path[:-1]:
        place = place[step]
    del place[path[-1]]
    return copy


def content(document: dict[str, Any] | None = None) -> Content:
    """The content of a prompt file."""
    return parse(document or PROMPT)


def facts(bundle: dict[str, Any], people: frozenset[str] | None = None) -> Facts:
    """What lint looks at."""
    folder = checked(bundle)
    return Facts(folder, folder.suites, people, folder.knowledge)


def recording(content_digest: str, case: str = "L01", output: str = "{}", sample: int = 1) -> dict[str, Any]:
    """One recorded output."""
    made = {"content": content_digest, "case": case, "sample": sample, "output": output}
    return {**made, "provenance": "written by hand for tests"}
