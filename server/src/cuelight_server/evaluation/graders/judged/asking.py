"""What a judge is asked about one output: the pieces that its template shows, each between its own marks, bounded."""

from collections.abc import Mapping
from typing import Any

from cuelight.contract.canonical import digest_bytes
from cuelight_server.evaluation.graders.judged.pinned import Judge
from cuelight_server.evaluation.graders.judged.templates import MARKED, block
from cuelight_server.evaluation.graders.outside import Judgement
from cuelight_server.evaluation.graders.sample import Sample, plain
from cuelight_server.kernel.errors import Invalid
from cuelight_server.kernel.placeholders import render

Json = Mapping[str, Any]
Pieces = Mapping[str, str]
MOST_SHOWN = 200_000  # characters of all pieces together
_ALIASES = {  # promptfoo's names in a rubricPrompt -> ours
    "completion": "output",
    "answer": "output",
    "ideal": "expected",
    "criteria": "criterion",
    "input": "question",
    "query": "question",
    "groundTruth": "expected",
}


class Lacking(ValueError):
    """A piece that the judge needs is not there, or all of them are too much; the message says which."""


def pieces(judge: Judge, rule: Json, sample: Sample) -> dict[str, str]:
    """The pieces of one output. Lacking names what the case does not give."""
    config = rule.get("config", {})
    wanted = filled(rule.get("value", ""), sample.input)
    made = {
        "output": looked_at(rule, sample),
        "rubric": wanted,
        "criterion": wanted,
        "expected": wanted,
        "question": _given(sample.input, str(config.get("query", "query")), "question"),
        "context": _given(sample.input, str(config.get("context", "context"))),
        "conversation": _conversation(sample),
    }
    needed = judge.template.parts
    if judge.kind in ("context-recall", "factuality", "llm-rubric", "model-graded-closedqa", "g-eval") and not wanted:
        raise Lacking(f"{judge.kind} has no `value` to judge by")
    optional = {"question"} if judge.kind in ("factuality", "model-graded-closedqa", "g-eval", "select-best") else set()
    if judge.kind == "answer-relevance":
        needed = (*needed, "question")  # not shown, but compared with
    for name in needed:
        if name in ("question", "context", "conversation") and not made[name] and name not in optional:
            word = {"question": "query", "conversation": "_conversation or query"}.get(name, name)
            raise Lacking(f"{judge.kind} needs the case to give {word} in its input")
    return made


def judgement(judge: Judge, shown: Pieces, sample: Sample, turn: int = 1) -> Judgement:
    """What is asked, once for each turn. Lacking where it is more than a judge is shown."""
    if sum(map(len, shown.values())) > MOST_SHOWN:
        raise Lacking(f"there are more than {MOST_SHOWN} characters to judge")
    messages = _own(judge, shown, sample) if judge.own_prompt else _ours(judge, shown)
    text = plain([dict(one) for one in messages])
    return Judgement(
        messages=messages,
        settings={"model": judge.model, **judge.settings},
        model=judge.model,
        provider=judge.provider,
        judge=judge.digest,
        asked=digest_bytes(text.encode("utf-8", "surrogatepass")),
        turn=turn,
    )


def looked_at(rule: Json, sample: Sample) -> str:
    """The whole output, or the value at the grader's path as text."""
    if "path" not in rule:
        return sample.text
    found = [one for one in sample.at(rule["path"]) if one is not None]
    return "\n".join(one if isinstance(one, str) else plain(one) for one in found)


def filled(value: Any, given: Json) -> str:
    """A text with `{{ name }}` put in; a list or object as JSON. What the case does not give is empty, as promptfoo has it.

    Lacking where it is no template, or renders to too much.
    """
    try:
        return str(render(value if isinstance(value, str) else plain(value), given))
    except Invalid as bad:
        raise Lacking(bad.message) from bad


def _ours(judge: Judge, shown: Pieces) -> tuple[Json, ...]:
    parts = [block(name, shown[name]) for name in judge.template.parts if shown.get(name)]
    return (
        {"role": "system", "content": judge.template.text},
        {"role": "user", "content": "\n\n".join(parts)},
    )


def _own(judge: Judge, shown: Pieces, sample: Sample) -> tuple[Json, ...]:
    """The suite's own words; whatever is judged still stands between marks, and the judge is told so first."""
    marked = {name: block(name, text) if text else "" for name, text in shown.items()}
    marked |= {name: marked[ours] for name, ours in _ALIASES.items() if ours in marked}
    given = {**sample.input, "vars": sample.input, **marked}
    said = judge.own_prompt
    rows = [{"role": "user", "content": said}] if isinstance(said, str) else list(said)
    told = tuple({"role": row["role"], "content": filled(row["content"], given)} for row in rows)
    return ({"role": "system", "content": MARKED}, *told)


def _conversation(sample: Sample) -> str:
    turns = sample.input.get("_conversation")
    if isinstance(turns, list) and turns:
        rows = [(str(one.get("input", "")), str(one.get("output", ""))) for one in turns if isinstance(one, Mapping)]
    else:
        question = _given(sample.input, "query", "question")
        rows = [(question, sample.text)] if question else []
    if not rows:
        return ""
    return "\n".join(f"{who}: {text}" for row in rows for who, text in zip(("user", "assistant"), row, strict=True))


def _given(given: Json, *names: str) -> str:
    return next((text for name in names if (text := _shown(_lookup(given, name)))), "")


def _lookup(given: Json, dotted: str) -> Any:
    node: Any = given
    for step in dotted.split("."):
        if not isinstance(node, Mapping) or step not in node:
            return None
        node = node[step]
    return node


def _shown(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else plain(value)
