"""Prompts times providers become the versions of one prompt: messages in our syntax, declared variables, settings, tools."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cuelight.moving.casing import PREFIX, SUFFIX
from cuelight.moving.models import Model
from cuelight.moving.names import label as free_label
from cuelight.moving.nunjucks import Translated, translate
from cuelight.moving.prompts import Prompt
from cuelight.moving.report import APPROXIMATED, REFUSED, CannotCarry, Report

_MOST = 200


@dataclass(frozen=True, slots=True)
class Version:
    """One version or draft, with where it comes from."""

    label: str
    document: dict[str, Any]
    prompt: Prompt
    model: Model


@dataclass(slots=True)
class Versions:
    """Makes the versions. `given` are the values that the cases give each variable, by name; `cases` how many there are."""

    report: Report
    given: Mapping[str, list[Any]]
    cases: int
    env: Mapping[str, str] = field(default_factory=dict)
    wraps: frozenset[str] = frozenset()

    def all(self, prompts: Sequence[Prompt], models: Sequence[Model], evaluation: Mapping[str, Any]) -> list[Version]:
        """The first pair is v1, the others are drafts; a prompt that code makes is a draft for a person to write."""
        made: list[Version] = []
        taken: set[str] = set()
        pairs = list(_pairs(prompts, models))
        if len(pairs) > _MOST:
            words = f"{len(pairs)} pairs of prompt and provider; the first {_MOST} are written"
            self.report.add(REFUSED, "prompt", "prompts", "prompts times providers", words)
        for prompt, model in pairs[:_MOST]:
            try:
                document = self._document(prompt, model, evaluation)
            except CannotCarry as bad:
                self.report.add(REFUSED, "prompt", prompt.where, prompt.label or "the text", bad.why)
                document = self._to_write(prompt, model, evaluation, bad.why)
                made.append(Version(free_label(f"todo-{prompt.label}", taken, "todo"), document, prompt, model))
                continue
            first = not prompt.todo and not any(one.label == "v1" for one in made)
            wish = _wish(prompt, prompts.index(prompt) + 1, model, (len(prompts), len(models)))
            label = (
                "v1"
                if first
                else free_label(f"todo-{prompt.label}" if prompt.todo else wish, taken, f"p{len(made) + 1}")
            )
            made.append(Version(label, document, prompt, model))
        return made

    def _document(self, prompt: Prompt, model: Model, evaluation: Mapping[str, Any]) -> dict[str, Any]:
        if prompt.todo:
            return self._to_write(prompt, model, evaluation, prompt.todo)
        mixed = {name for name, values in self.given.items() if _kind(values) == "json" and _scalars(values)}
        names: dict[str, None] = {}
        messages = []
        for at, said in enumerate(prompt.messages):
            message = self._message(_wrapped(said, self._around(prompt, model, at)), mixed, names, prompt)
            messages.append(message)
        variables = [self._variable(name) for name in names]
        origin = " ".join(filter(None, [prompt.label.split("\n")[0][:80], f"with {model.id}" if model.id else ""]))
        return {
            "release_note": f"Imported from promptfoo: {origin or 'a prompt'}.",
            "messages": messages,
            "variables": variables,
            "settings": dict(model.settings),
            "output": {"format": "json", "schema": dict(model.schema)} if model.schema else {"format": "text"},
            "tools": [dict(one) for one in model.tools],
            "evaluation": dict(evaluation),
        }

    def _around(self, prompt: Prompt, model: Model, at: int) -> tuple[str, str]:
        """What stands before and after the message: promptfoo puts it before and after the whole prompt."""
        last = len(prompt.messages) - 1
        before = f"{{{{{PREFIX}}}}}" if PREFIX in self.wraps and at == 0 else ""
        after = f"{{{{{SUFFIX}}}}}" if SUFFIX in self.wraps and at == last else ""
        return (model.prefix if at == 0 else "") + before, after + (model.suffix if at == last else "")

    def _message(
        self, said: Mapping[str, Any], mixed: set[str], names: dict[str, None], prompt: Prompt
    ) -> dict[str, Any]:
        parts = said["parts"] if "parts" in said else [{"text": said["content"]}]
        texts = [part["text"] if "text" in part else part["image"]["url"] for part in parts]
        made = [translate(text, self.given, self.env) for text in texts]
        if any(one.syntax or mixed & set(one.names) for one in made):
            made = [translate(text, self.given, self.env, code=True) for text in texts]
        for one in made:
            names.update(dict.fromkeys(one.names))
            self._differences(one, prompt)
        syntax = {"syntax": "jinja"} if any(one.syntax for one in made) else {}
        if "parts" not in said:
            return {"role": said["role"], **syntax, "content": made[0].text}
        done = [
            {"text": one.text} if "text" in part else {"image": {**part["image"], "url": one.text}}
            for part, one in zip(parts, made, strict=True)
        ]
        return {"role": said["role"], **syntax, "parts": done}

    def _differences(self, one: Translated, prompt: Prompt) -> None:
        for words in one.differs:
            self.report.add(APPROXIMATED, "prompt", prompt.where, prompt.label or "the text", words)
        for name in one.names:
            values = self.given.get(name, [])
            if not values:
                words = f"no test gives {name}: it prints nothing, as there"
                self.report.add(APPROXIMATED, "variable", prompt.where, name, words)
            if not one.syntax and any(isinstance(value, dict | list) for value in values):
                words = "a list or an object prints as JSON here, and as JavaScript prints it there"
                self.report.add(APPROXIMATED, "variable", prompt.where, name, words)

    def _variable(self, name: str) -> dict[str, Any]:
        values = self.given.get(name, [])
        missing = len(values) < self.cases or not values
        return {
            "name": name,
            "type": _kind(values),
            **({"required": False} if missing else {}),
            "source": "the tests that were imported",
            "trust": "internal",
        }

    def _to_write(self, prompt: Prompt, model: Model, evaluation: Mapping[str, Any], why: str) -> dict[str, Any]:
        text = f"To be written: {prompt.label[:200]}. It was not carried over from promptfoo: {why}".replace(
            "{{", "{{{{"
        )
        return {
            "release_note": f"To be written: {prompt.label[:80]}",
            "messages": [{"role": "user", "content": text}],
            "variables": [],
            "settings": dict(model.settings),
            "output": {"format": "text"},
            "tools": [dict(one) for one in model.tools],
            "evaluation": dict(evaluation),
        }


def _pairs(prompts: Sequence[Prompt], models: Sequence[Model]) -> Iterator[tuple[Prompt, Model]]:
    """Every prompt with every provider that is for it; one to be written is one all the same."""
    for prompt in prompts:
        fits = [model for model in models if not model.only or any(_named(prompt, only) for only in model.only)]
        fits = fits or list(models[:1])
        yield from ((prompt, model) for model in (fits[:1] if prompt.todo else fits))


def _named(prompt: Prompt, only: str) -> bool:
    bare = only.removeprefix("file://")
    names = [prompt.label, *(name.removeprefix("file://") for name in prompt.names)]
    return any(
        bare == name or name.startswith(f"{bare}:") or (bare.endswith("*") and name.startswith(bare[:-1]))
        for name in names
    )


def _wish(prompt: Prompt, number: int, model: Model, counts: tuple[int, int]) -> str:
    """A label of what tells this version from the others."""
    prompts, models = counts
    mine = (prompt.label.split("\n")[0] or f"p{number}") if prompts > 1 else ""
    return "-".join(filter(None, [mine, model.label if models > 1 else ""]))


def _wrapped(said: Mapping[str, Any], around: tuple[str, str]) -> Mapping[str, Any]:
    before, after = around
    if not before and not after:
        return said
    if "content" in said:
        return {**said, "content": f"{before}{said['content']}{after}"}
    texts = [{"text": before}] if before else []
    return {**said, "parts": [*texts, *said["parts"], *([{"text": after}] if after else [])]}


def _kind(values: list[Any]) -> str:
    """The type that all values have; json where they differ."""
    kinds = {_type(value) for value in values}
    if kinds == {"integer", "number"}:
        return "number"
    return kinds.pop() if len(kinds) == 1 else "json" if kinds else "string"


def _type(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return "string"
    return "integer" if isinstance(value, int) else "number" if isinstance(value, float) else "json"


def _scalars(values: list[Any]) -> bool:
    """Whether texts are among values of several types: the strict syntax would print them with quotes."""
    return any(isinstance(value, str) or value is None for value in values)
