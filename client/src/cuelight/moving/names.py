"""The names that promptfoo gives its assertions (0.123.1), those that it never had, and names made fit for our files."""

import re

KNOWN = frozenset(
    [
        "agent-rubric",
        "answer-relevance",
        "bleu",
        "classifier",
        "contains",
        "contains-all",
        "contains-any",
        "contains-html",
        "contains-json",
        "contains-sql",
        "contains-xml",
        "context-faithfulness",
        "context-recall",
        "context-relevance",
        "conversation-relevance",
        "cost",
        "equals",
        "factuality",
        "finish-reason",
        "g-eval",
        "gleu",
        "guardrails",
        "icontains",
        "icontains-all",
        "icontains-any",
        "is-html",
        "is-json",
        "is-refusal",
        "is-sql",
        "is-valid-function-call",
        "is-valid-openai-function-call",
        "is-valid-openai-tools-call",
        "is-xml",
        "javascript",
        "latency",
        "levenshtein",
        "llm-rubric",
        "pi",
        "meteor",
        "model-graded-closedqa",
        "model-graded-factuality",
        "moderation",
        "perplexity",
        "perplexity-score",
        "python",
        "regex",
        "rouge-n",
        "ruby",
        "similar",
        "similar:cosine",
        "similar:dot",
        "similar:euclidean",
        "starts-with",
        "tool-call-f1",
        "skill-used",
        "trajectory:goal-success",
        "trajectory:tool-args-match",
        "trajectory:step-count",
        "trajectory:tool-sequence",
        "trajectory:tool-used",
        "trace-error-spans",
        "trace-span-count",
        "trace-span-duration",
        "search-rubric",
        "webhook",
        "word-count",
    ]
)
SPECIAL = frozenset({"select-best", "human", "max-score", "assert-set"})
_TRACES = "an evaluation here has no traces: only the tool calls of an output are known"
_SERVICE = "it asks a service of its maker, which has no counterpart"
# Known to promptfoo, and nothing here could ever give a word on them.
NO_GRADER = {
    "ruby": "Ruby is not run here: rewrite it as javascript or python",
    "human": "people judge in gate.human_review, blind and named",
    "max-score": "it compares scores across outputs: a version is compared with production instead",
    "perplexity": "log probabilities are not asked for",
    "perplexity-score": "log probabilities are not asked for",
    "skill-used": _TRACES,
    "trace-error-spans": _TRACES,
    "trace-span-count": _TRACES,
    "trace-span-duration": _TRACES,
    "trajectory:goal-success": _TRACES,
    "guardrails": "it reads what a provider's own guard said, which is not kept",
    "pi": _SERVICE,
    "moderation": _SERVICE,
    "classifier": _SERVICE,
    "agent-rubric": "its judge is an agent with tools; use llm-rubric",
    "search-rubric": "its judge searches the web; use llm-rubric",
}
TOOL_CALLS_ONLY = frozenset(
    {"trajectory:tool-used", "trajectory:tool-sequence", "trajectory:tool-args-match", "trajectory:step-count"}
)
# Graded by a model: they take the rubric prompt and the judge of a test's options.
MODEL_GRADED = frozenset(
    [
        "agent-rubric",
        "answer-relevance",
        "context-faithfulness",
        "context-recall",
        "context-relevance",
        "conversation-relevance",
        "factuality",
        "g-eval",
        "llm-rubric",
        "model-graded-closedqa",
        "model-graded-factuality",
        "search-rubric",
        "select-best",
        "trajectory:goal-success",
        "classifier",
        "moderation",
        "pi",
        "similar",
        "similar:cosine",
        "similar:dot",
        "similar:euclidean",
    ]
)
# These look at the call, not at the output: a transform of the output does not touch them.
BESIDE_OUTPUT = frozenset({"cost", "latency", "perplexity", "perplexity-score", "finish-reason", "guardrails"})
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


def base(kind: str) -> str:
    """The type without its `not-`."""
    return kind.removeprefix("not-")


def identifier(text: str, instead: str) -> str:
    """A name as our files have it: a lower-case letter, then lower-case letters, digits and _."""
    made = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")[:60].strip("_")
    return made if re.fullmatch(r"[a-z][a-z0-9_]*", made) else instead


def label(text: str, taken: set[str], instead: str) -> str:
    """A draft's label that is not taken yet."""
    made = re.sub(r"[^a-z0-9._-]+", "-", text.lower()).strip("-._")[:30].strip("-._")
    odd = not made or re.fullmatch(r"v\d+", made) or made in ("development", "staging", "production")
    made = instead if odd else made
    tries = [made, *(f"{made}-{number}" for number in range(2, len(taken) + 3))]
    found = next(one for one in tries if one not in taken)
    taken.add(found)
    return found
