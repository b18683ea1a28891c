"""One assertion as one grader: promptfoo's own name and fields, files put in their places, each held against our format."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cuelight.contract.format import check
from cuelight.moving import code
from cuelight.moving.loose import read_json, read_yaml
from cuelight.moving.names import BESIDE_OUTPUT, KNOWN, MODEL_GRADED, NO_GRADER, SPECIAL, TOOL_CALLS_ONLY, base
from cuelight.moving.report import APPROXIMATED, ASSERTION, CARRIED, REFUSED, CannotCarry, Report
from cuelight.moving.sources import Sources

_FIELDS = ("value", "threshold", "weight", "metric", "config")
_KEYS = frozenset(
    {"type", *_FIELDS, "transform", "provider", "rubricPrompt", "contextTransform", "assert", "description"}
)
_JUDGE = frozenset({"temperature", "top_p", "seed", "max_tokens"})
_G_EVAL = 0.7  # what a score has to reach where nobody says


@dataclass(frozen=True, slots=True)
class Around:
    """What the test around an assertion adds to it. `refusal` says why none of its assertions about the output can be carried."""

    transform: str = ""
    provider: Any = None
    rubric_prompt: Any = None
    factuality: Any = None
    refusal: str = ""


@dataclass(slots=True)
class Assertions:
    """Makes graders; each assertion gets one finding."""

    sources: Sources
    report: Report
    _differs: list[str] = field(default_factory=list)

    def grader(self, where: str, said: Any, around: Around) -> dict[str, Any] | None:
        """The grader of one assertion, or None where it was refused."""
        kind = str(said.get("type", "")) if isinstance(said, dict) else ""
        if kind == "assert-set" and isinstance(said, dict):
            return self._set(where, said, around)
        self._differs = []
        try:
            made = self._made(said, kind, around)
        except CannotCarry as bad:
            self.report.add(REFUSED, ASSERTION, where, kind or "?", bad.why)
            return None
        if base(kind) in TOOL_CALLS_ONLY:
            self._differs.append("of a call's steps only its tool calls are known")
        state = APPROXIMATED if self._differs else CARRIED
        self.report.add(state, ASSERTION, where, kind, "; ".join(dict.fromkeys(self._differs)))
        return made

    def _set(self, where: str, said: Mapping[str, Any], around: Around) -> dict[str, Any] | None:
        """A set is carried with those of its assertions that are; one without any is nothing."""
        inner = said.get("assert")
        if not isinstance(inner, list) or not inner:
            self.report.add(REFUSED, ASSERTION, where, "assert-set", "a set without a list of assertions")
            return None
        graders = [self.grader(f"{where}.assert[{at}]", one, around) for at, one in enumerate(inner)]
        kept = [_inner(one) for one in graders if one is not None]
        made: dict[str, Any] = {"type": "assert-set", "severity": "major", "assert": kept}
        made.update({key: said[key] for key in ("threshold", "weight", "metric") if said.get(key) is not None})
        problem = _problem(_severe(made)) if kept else ""
        if not kept or problem:
            for at, _ in enumerate(inner):
                why = f"its set cannot be carried: {problem}" if problem else ""
                self.report.add(REFUSED, ASSERTION, f"{where}.assert[{at}]", str(inner[at].get("type", "?")), why)
            return None
        if len(kept) < len(inner):
            words = f"{len(inner) - len(kept)} of its {len(inner)} assertions are refused: the others decide alone"
            self.report.add(APPROXIMATED, "assert-set", where, "assert-set", words)
        return _severe(made)

    def _made(self, said: Any, kind: str, around: Around) -> dict[str, Any]:
        if not isinstance(said, dict) or not kind:
            raise CannotCarry("no assertion with a type")
        _refuse_unknown(kind)
        if around.refusal and base(kind) not in BESIDE_OUTPUT:
            raise CannotCarry(around.refusal)
        strange = sorted(said.keys() - _KEYS)
        if strange:
            self._differs.append(f"the key {strange[0]} means nothing to promptfoo either, and is left out")
        made: dict[str, Any] = {"type": kind, "severity": "major"}
        made.update({key: said[key] for key in _FIELDS if said.get(key) is not None})
        self._numbers(made)
        if "value" in made:
            made["value"] = self._value(kind, made["value"])
        transform = self._transform(said, around, kind)
        made.update({"transform": transform} if transform else {})
        self._judged(made, said, around, kind)
        if said.get("contextTransform") is not None:
            raise CannotCarry("contextTransform, which takes the context out of the output, has no counterpart")
        made = _severe(_criteria(made))
        problem = _problem(made)
        if problem:
            raise CannotCarry(problem)
        return made

    def _numbers(self, made: dict[str, Any]) -> None:
        for key in ("threshold", "weight"):
            if isinstance(made.get(key), str):
                try:
                    made[key] = float(made[key])
                except ValueError as bad:
                    raise CannotCarry(f"its {key} is {made[key]!r}, expected a number") from bad

    def _value(self, kind: str, value: Any) -> Any:
        if not isinstance(value, str):
            return [self._value(kind, one) for one in value] if isinstance(value, list) else value
        if value.startswith("package:"):
            raise CannotCarry("its value comes from a package, and nothing is run at import")
        if base(kind) == "javascript":
            return code.javascript(value, self.sources)
        if base(kind) == "python":
            return code.python(value, self.sources)
        return self._file(value) if value.startswith("file://") else value

    def _file(self, value: str) -> Any:
        path = value.removeprefix("file://")
        if code.is_code(path):
            raise CannotCarry(f"its value comes from {path}, and nothing is run at import")
        text = self.sources.text(path)
        if path.endswith(".json"):
            return read_json(text, path)
        return read_yaml(text, path) if path.endswith((".yaml", ".yml")) else text.strip()

    def _transform(self, said: Mapping[str, Any], around: Around, kind: str) -> str:
        own = code.transform(said["transform"], self.sources) if said.get("transform") is not None else ""
        return code.chained("" if base(kind) in BESIDE_OUTPUT else around.transform, own)

    def _judged(self, made: dict[str, Any], said: Mapping[str, Any], around: Around, kind: str) -> None:
        """Judge and rubric prompt, the assertion's own before those of its test."""
        if base(kind) not in MODEL_GRADED:
            return
        provider = said.get("provider", around.provider)
        if provider is not None:
            made["provider"] = self._provider(provider, kind)
        prompt = said.get("rubricPrompt", around.rubric_prompt)
        if base(kind) in ("factuality", "model-graded-factuality") and isinstance(around.factuality, dict):
            made["config"] = {**around.factuality, **made.get("config", {})}
        if prompt is not None:
            found = self._file(prompt) if isinstance(prompt, str) and prompt.startswith("file://") else prompt
            made["rubric_prompt"] = found

    def _provider(self, provider: Any, kind: str) -> Any:
        if isinstance(provider, str):
            return provider
        if isinstance(provider, dict) and isinstance(provider.get("id"), str):
            said = provider.get("config")
            config: dict[str, Any] = said if isinstance(said, dict) else {}
            kept = {key: value for key, value in config.items() if key in _JUDGE}
            if config.keys() - _JUDGE:
                lost = ", ".join(sorted(config.keys() - _JUDGE))
                self._differs.append(f"{lost} of the judge {provider['id']} is set on the desk")
            return {"id": provider["id"], "config": kept} if kept else provider["id"]
        names = ("embedding", "text") if kind.startswith(("similar", "not-similar")) else ("text", "embedding")
        found = next((provider[name] for name in names if isinstance(provider, dict) and name in provider), None)
        if found is None:
            raise CannotCarry("its provider cannot be read")
        return self._provider(found, kind)


def _criteria(made: dict[str, Any]) -> dict[str, Any]:
    """g-eval with several criteria: the mean of their scores decides, which is what a set with a threshold does."""
    value = made.get("value")
    if made["type"] != "g-eval" or not isinstance(value, list) or not value:
        return made
    if len(value) == 1:
        return {**made, "value": value[0]}
    inner = {key: one for key, one in made.items() if key not in ("threshold", "weight", "metric", "severity")}
    outer: dict[str, Any] = {key: made[key] for key in ("severity", "weight", "metric") if key in made}
    asserts = [{**inner, "value": one} for one in value]
    return {"type": "assert-set", **outer, "threshold": made.get("threshold", _G_EVAL), "assert": asserts}


def _inner(made: Mapping[str, Any]) -> dict[str, Any]:
    """A grader as it stands in a set, which has the severity."""
    return {key: one for key, one in made.items() if key != "severity"}


def _severe(made: dict[str, Any]) -> dict[str, Any]:
    """A weight of 0 is reported and decides nothing."""
    return {**made, "severity": "minor"} if made.get("weight") == 0 else made


def _refuse_unknown(kind: str) -> None:
    name = base(kind)
    if kind.startswith("promptfoo:redteam:"):
        raise CannotCarry("red-team graders belong to promptfoo's own attacks")
    if name not in KNOWN and kind not in SPECIAL:
        raise CannotCarry("promptfoo 0.123.1 has no such assertion")
    if name in NO_GRADER:
        raise CannotCarry(NO_GRADER[name])


def _problem(made: Mapping[str, Any]) -> str:
    """Why our format does not take a grader; empty where it does."""
    problems = check("grader", made)
    if not problems:
        return ""
    first = problems[0]
    if first.path == ("type",):
        return "Cuelight has no grader of this kind"
    place = ".".join(map(str, first.path))
    return f"{place + ': ' if place else ''}{first.message}" + (f" ({first.hint})" if first.hint else "")
