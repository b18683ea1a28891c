"""Which graders ask a model judge or somebody else: what lint and the gate must see alike, since a judge alone is not enough."""

from collections.abc import Iterable, Mapping
from typing import Any

from cuelight_server.kernel.cases import applies
from cuelight_server.kernel.terms import Tier

Json = Mapping[str, Any]
JUDGED = frozenset(
    {
        "llm-rubric",
        "factuality",
        "model-graded-factuality",
        "model-graded-closedqa",
        "g-eval",
        "answer-relevance",
        "context-faithfulness",
        "context-recall",
        "context-relevance",
        "conversation-relevance",
        "select-best",
    }
)
SHARES = frozenset({"context-faithfulness", "context-recall", "context-relevance", "answer-relevance"})
PAIRWISE = frozenset({"select-best"})  # between the two versions, once both have answered
NOT_CARRIED: Mapping[str, str] = {
    "moderation": "it asks a provider's moderation service; say what is not allowed in an llm-rubric instead",
    "classifier": "it asks a model of Hugging Face; let a webhook or a command ask it instead",
    "guardrails": "it reads what a provider's own guardrail said, which no answer here holds; use not-contains or regex",
    "pi": "it asks the scorer of Pi Labs; use g-eval with the same criterion",
    "agent-rubric": "it lets a judge act with tools; use llm-rubric on what the output shows",
    "search-rubric": "it lets a judge search the web; use factuality with the expected answer",
    "max-score": "it compares the outputs of several providers; Cuelight compares two versions: use select-best",
    "human": "a person says it; read the outputs in a blind review instead",
    "trajectory:goal-success": "it lets a judge read a trace; use llm-rubric on what the output shows",
}
SIMILAR = frozenset({"similar", "similar:cosine", "similar:dot", "similar:euclidean"})
CUSTOM = frozenset({"webhook", "command"})
ELSEWHERE = JUDGED | NOT_CARRIED.keys() | SIMILAR | CUSTOM  # all that ask outside of this process, or would
NOT_ALONE = frozenset({Tier.HIGH, Tier.REGULATED})  # tiers in which a judge is never a case's only blocker


def is_judge(kind: str) -> bool:
    """Whether a grader's type is one of a model judge."""
    return kind.removeprefix("not-") in JUDGED


def is_elsewhere(kind: str) -> bool:
    """Whether a grader's type asks outside of this process, or would if it were carried."""
    return kind.removeprefix("not-") in ELSEWHERE


def rests_on_judges(rule: Json) -> bool:
    """Whether nothing but model judges decides a grader: it is one, or a set in which no other member is enough to fail it.

    Without a threshold each member of a set must pass; with one, a judge may outvote the others.
    """
    members = [one for one in rule.get("assert", ()) if one.get("weight", 1) > 0]
    if not members:
        return is_judge(rule["type"])
    judges = [is_judge(one["type"]) for one in members]
    return any(judges) if "threshold" in rule else all(judges)


def judge_alone(rules: Iterable[Json], input: Json, label: Json | None) -> bool:
    """Whether the blockers of a case, or its majors where it has no blocker, are model judges one and all."""
    meant = [rule for rule in rules if rule.get("weight", 1) > 0 and applies(rule, input, label)]
    blockers = [rule for rule in meant if rule["severity"] == "blocker"]
    deciding = blockers or [rule for rule in meant if rule["severity"] == "major"]
    return bool(deciding) and all(map(rests_on_judges, deciding))
