"""graders.md: the graders under promptfoo's names, what each asks, what it is given and what it needs."""

from collections.abc import Iterable, Mapping

from cuelight_server.docs_reference.markdown import code, page, section, table
from cuelight_server.evaluation.graders.leaks import KINDS
from cuelight_server.kernel.assertions import NEEDS, NEVER, Need
from cuelight_server.kernel.judges import CUSTOM, JUDGED, NOT_CARRIED, SIMILAR

# Name -> what it asks of the output.
MEANING: Mapping[str, str] = {
    "contains": "contains the text",
    "icontains": "contains the text, whatever the case",
    "contains-any": "contains one of the texts",
    "icontains-any": "contains one of the texts, whatever the case",
    "contains-all": "contains every text",
    "icontains-all": "contains every text, whatever the case",
    "starts-with": "starts with the text",
    "equals": "is the text exactly; an object or a list is compared with the output as JSON",
    "regex": "matches the pattern somewhere; case counts, `.` is no line end, `$` is the very end",
    "is-json": "is JSON and nothing else, and fits the schema with its formats",
    "contains-json": "holds a JSON object, and one that fits the schema",
    "javascript": "what the code returns: true or false, a number, or `{pass, score, reason}`",
    "python": "the same, in Python",
    "latency": "took at most so many milliseconds",
    "cost": "cost at most so many USD",
    "levenshtein": "is at most so many edits from the text; 5 if no `threshold` is given",
    "word-count": "has so many words",
    "is-refusal": "refuses, by a list of phrases in English; an empty output does too, with the score 0",
    "is-html": "is HTML, with all its text inside of elements",
    "contains-html": "has signs of HTML",
    "is-xml": "is well-formed XML without a DOCTYPE, with the `requiredElements`",
    "contains-xml": "holds a well-formed element, with the `requiredElements`",
    "is-sql": "is SQL of the `databaseType` (MySQL) that touches only `allowedTables` and `allowedColumns`",
    "contains-sql": "the same of the first code block, or of the whole output",
    "rouge-n": "ROUGE-1, as F1, is at least 0.75",
    "bleu": "BLEU-4 is at least 0.5",
    "gleu": "GLEU is at least 0.5",
    "meteor": "METEOR on equal words is at least 0.5; below, stems and synonyms might lift it, and nobody knows",
    "perplexity": "the model was sure of its words",
    "perplexity-score": "the same, as a score from 0 to 1",
    "finish-reason": "the answer ended for this reason; one that nobody told fails",
    "is-valid-function-call": "calls a tool of the version, with arguments that fit its schema",
    "is-valid-openai-function-call": "the same",
    "is-valid-openai-tools-call": "the same, of every call",
    "tool-call-f1": "F1 of the tools that were called against those wanted; 1 if no `threshold` is given",
    "trajectory:tool-used": "called these tools, or one tool `min` to `max` times",
    "trajectory:tool-args-match": "called the tool with these `args`; `mode: exact` allows no others",
    "trajectory:tool-sequence": "called the tools in this order; `mode: exact` and no others",
    "trajectory:step-count": "called tools `min` to `max` times",
    "trace-span-count": "a trace has so many spans",
    "trace-span-duration": "spans of a trace took so long",
    "trace-error-spans": "a trace has no spans with errors",
    "skill-used": "an agent used a skill",
    "ruby": "what the code returns",
    "assert-set": "several graders that count as one",
}
_EXTRA = {
    Need.CODE: {
        "javascript": "`pip install 'cuelight-server[js]'`",
        "python": "`CUELIGHT_PYTHON_GRADERS=on`",
    },
    Need.OPTIONS: dict.fromkeys(("is-sql", "contains-sql"), "`pip install 'cuelight-server[sql]'`"),
}
_FROM = {"latency": "a time that was taken", "cost": "prices of the model"} | dict.fromkeys(
    ("is-valid-function-call", "is-valid-openai-function-call", "is-valid-openai-tools-call"), "tools in the version"
)


def graders_page() -> str:
    """The page, from the tables that lint and the graders use."""
    rows = [(code(name), MEANING[name], need.value, _needs(name, need)) for name, need in NEEDS.items()]
    return page(
        "Graders under promptfoo's names",
        "They mean what promptfoo's assertions of the same name mean. Each may stand with `not-` before it, `assert-set` "
        "excepted. Cuelight's own graders are in [the file format](format.md#grader); how to choose is told in "
        "[the guide](../guides/graders.md).",
        "A grader that cannot run has no word: a case that it would decide is undecided, and the verdict inconclusive.",
        table(("name", "what the output is to be", "given", "has no word without"), rows),
        section(
            "Graders that ask somebody",
            "They have no word where nobody is set to answer; [the guide to judges](../guides/judges.md) says how. "
            f"A model judge: {_listed(JUDGED)}. Vectors: {_listed(SIMILAR)}. Somebody's own program: {_listed(CUSTOM)}.",
            "Known, and never with a word, because of what they would ask:",
            table(("name", "why"), [(code(name), why) for name, why in NOT_CARRIED.items()]),
        ),
        section(
            "Personal data",
            "The grader `pii` knows these kinds: " + ", ".join(code(name) for name in KINDS) + ".",
        ),
    )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(code(name) for name in sorted(names))


def _needs(name: str, need: Need) -> str:
    if name in NEVER:
        return "anything that Cuelight has: it never runs"
    return _EXTRA.get(need, {}).get(name) or _FROM.get(name, "")
