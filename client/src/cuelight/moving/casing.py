"""Tests become the cases of one suite: inputs, graders, thresholds, tags; what was asked of all stands once at the top."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cuelight.moving import code
from cuelight.moving.assertions import Around, Assertions
from cuelight.moving.expanding import MAX_CASES, combinations
from cuelight.moving.gathering import Test
from cuelight.moving.names import CATEGORIES
from cuelight.moving.report import APPROXIMATED, ASIDE, ASSERTION, REFUSED, CannotCarry, Report
from cuelight.moving.sources import Sources

PREFIX, SUFFIX = "prompt_prefix", "prompt_suffix"
_TITLE = 120
_HARMLESS = frozenset({"disableConversationVar", "runSerially", "disableVarExpansion", "disableDefaultAsserts"})
_HANDLED = frozenset(
    {"prefix", "suffix", "transform", "postprocess", "rubricPrompt", "provider", "repeat", "factuality"}
)
_LOST = {
    "transformVars": "variables made by code have no counterpart: write them out",
    "storeOutputAs": "one case cannot use the output of another: cases are judged apart",
}


@dataclass(slots=True)
class Cases:
    """The suite as far as it was made: cases in order, and the outputs that tests bring along themselves."""

    cases: list[dict[str, Any]] = field(default_factory=list)
    graders: list[dict[str, Any]] = field(default_factory=list)
    defaults: dict[str, Any] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    wraps: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Casing:
    """Makes the cases of one config. `transform` is what the providers do to every output."""

    sources: Sources
    report: Report
    transform: Any = None

    def suite(self, default: Test, tests: list[Test]) -> Cases:
        """All cases. A test with something that cannot be had is refused whole, its assertions with it."""
        made, shared = Cases(), list[list[dict[str, Any]]]()
        self._options(default)
        for test in tests:
            try:
                shared += self._cases(default, test, made)
            except CannotCarry as bad:
                self._refuse(test, bad.why)
        _share(made, shared)
        return made

    def _refuse(self, test: Test, why: str) -> None:
        self.report.add(REFUSED, "test", test.where, str(test.document.get("description") or test.where)[:120], why)
        for where, one in test.asserts:
            kind = str(one.get("type", "?")) if isinstance(one, dict) else "?"
            self.report.add(REFUSED, ASSERTION, where, kind, f"its test cannot be carried: {why}")

    def _cases(self, default: Test, test: Test, made: Cases) -> list[list[dict[str, Any]]]:
        """Add the cases of one test; for each, its graders that come from the default."""
        options = {**default.options, **test.options}
        self._options(test)
        variables = {**default.vars, **test.vars}
        inputs = list(combinations(variables, self.sources, expand=not options.get("disableVarExpansion")))
        if len(made.cases) + len(inputs) > MAX_CASES:
            raise CannotCarry(f"with it the suite passes {MAX_CASES:,} cases")
        around = self._around(options)
        graders = Assertions(self.sources, self.report)
        asked = () if options.get("disableDefaultAsserts") is True else default.asserts
        first = [one for place, said in asked if (one := graders.grader(place, said, around)) is not None]
        own = [one for place, said in test.asserts if (one := graders.grader(place, said, around)) is not None]
        if not first and not own:
            words = "no assertion decides here: promptfoo passes it whatever comes, here nobody judges the case"
            self.report.add(APPROXIMATED, "test", test.where, "no assertions", words)
        number = len({one["id"].partition(".")[0] for one in made.cases}) + 1
        for at, given in enumerate(inputs, 1):
            id = f"t{number}" if len(inputs) == 1 else f"t{number}.{at}"
            self._wrap(options, given, made)
            made.cases.append(self._case(id, test, default, given, own))
            output = test.document.get("providerOutput", default.document.get("providerOutput"))
            if output is not None:
                made.outputs[id] = output if isinstance(output, str) else json.dumps(output, ensure_ascii=False)
        return [first] * len(inputs)

    def _case(
        self, id: str, test: Test, default: Test, given: dict[str, Any], graders: list[dict[str, Any]]
    ) -> dict[str, Any]:
        metadata = {**default.metadata, **test.metadata}
        category = metadata.get("category")
        said = test.document.get("description")
        threshold = test.document.get("threshold", default.document.get("threshold"))
        made: dict[str, Any] = {
            "id": id,
            "category": category if category in CATEGORIES else "normal",
            "title": _title(said, given) or f"test {id.removeprefix('t')}",
        }
        tags = [tag for key, value in metadata.items() for tag in _tags(key, value)]
        made.update({"tags": tags} if tags else {})
        made["input"] = given
        if isinstance(threshold, int | float) and not isinstance(threshold, bool):
            made["threshold"] = min(max(threshold, 0), 1)
            if not 0 <= threshold <= 1:
                self.report.add(APPROXIMATED, "test", test.where, "threshold", f"{threshold} is cut to 0 ... 1")
        made.update({"graders": graders} if graders else {})
        return made

    def _around(self, options: Mapping[str, Any]) -> Around:
        transform, refusal = "", ""
        try:
            said = options.get("transform") or options.get("postprocess")
            before = code.transform(self.transform, self.sources) if self.transform is not None else ""
            transform = code.chained(before, code.transform(said, self.sources) if said is not None else "")
        except CannotCarry as bad:
            refusal = f"the output is transformed before it: {bad.why}"
        said = options.get("provider"), options.get("rubricPrompt"), options.get("factuality")
        return Around(transform, *said, refusal)

    def _wrap(self, options: Mapping[str, Any], given: dict[str, Any], made: Cases) -> None:
        """A text before or after the prompt, as a variable of its own."""
        for key, name in (("prefix", PREFIX), ("suffix", SUFFIX)):
            if options.get(key):
                given[name] = str(options[key])
                made.wraps.add(name)

    def _options(self, test: Test) -> None:
        """What of a test's options and keys has no counterpart, named."""
        for key, value in test.options.items():
            if key in _LOST:
                self.report.add(REFUSED, "option", test.where, key, _LOST[key])
            elif key == "repeat":
                self.report.add(
                    APPROXIMATED, "option", test.where, key, "samples are one number for the whole suite: gate.repeat"
                )
            elif key not in _HARMLESS | _HANDLED:
                words = "an option of the provider for one test: settings are the same for all cases"
                self.report.add(REFUSED, "option", test.where, f"{key}: {value!r}"[:120], words)
        for key in test.document:
            if key in ("prompts", "providers"):
                words = "here every version meets every case"
                self.report.add(APPROXIMATED, "test", test.where, key, words)
            elif key == "provider":
                self.report.add(
                    REFUSED, "test", test.where, key, "a test cannot choose its model: that is a version of its own"
                )
            elif key == "assertScoringFunction":
                self.report.add(
                    REFUSED, "test", test.where, key, "code that makes a score of all scores has no counterpart"
                )
            elif key not in ("description", "threshold", "providerOutput"):
                self.report.add(ASIDE, "test", test.where, key, "promptfoo does not know this key either")
        if "conversationId" in test.metadata:
            words = (
                "a dialogue over several tests has no counterpart: put the messages into a variable of type messages"
            )
            self.report.add(REFUSED, "test", test.where, "conversationId", words)


def _share(made: Cases, shared: list[list[dict[str, Any]]]) -> None:
    """Graders and inputs that all cases have stand once, at the top of the suite."""
    same = shared and all(one == shared[0] for one in shared)
    if same and len(shared) > 1:
        made.graders = shared[0]
    else:
        for case, graders in zip(made.cases, shared, strict=True):
            if graders:
                case["graders"] = [*graders, *case.pop("graders", [])]
    if len(made.cases) > 1:
        first = made.cases[0]["input"]
        common = [
            key
            for key in first
            if all(key in one["input"] and _same(one["input"][key], first[key]) for one in made.cases)
        ]
        made.defaults = {key: first[key] for key in common}
        for one in made.cases:
            one["input"] = {key: value for key, value in one["input"].items() if key not in common}


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


def _title(said: Any, given: Mapping[str, Any]) -> str:
    words = said if isinstance(said, str) else ", ".join(f"{key}: {_shown(value)}" for key, value in given.items())
    line = re.sub(r"\s+", " ", words).strip()
    return line if len(line) <= _TITLE else f"{line[: _TITLE - 1]}…"


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _tags(key: str, value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [f"{key}:{one}"[:200] for one in values if isinstance(one, str | int | float) and str(one)]
