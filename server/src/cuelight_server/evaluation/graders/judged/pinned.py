"""The judge as an instrument: which model with which settings is told what; its digest names it in every report."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from cuelight.contract.canonical import digest
from cuelight_server.evaluation.graders.judged.answers import Shape
from cuelight_server.evaluation.graders.judged.templates import SAME, TEMPLATES, Template
from cuelight_server.kernel.errors import Invalid

Json = Mapping[str, Any]
MAJORITY, MEAN = "majority", "mean"
_SETTINGS = ("temperature", "top_p", "seed", "max_output_tokens", "structured_output", "extra")
_USUAL = {"temperature": 0, "max_output_tokens": 1024}
_NEEDED = "give the suite a judge: {provider: openai, model: <name with its date>}, or the grader one of its own"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """A pinned judge of one grader. `missing` says why there is none; then nothing else counts."""

    grader: str
    kind: str  # promptfoo's name, without `not-`
    template: Template
    provider: str = ""
    model: str = ""
    settings: Json
    rubric: Any = None
    own_prompt: Any = None  # the suite's words in the place of ours
    repeats: int = 1
    combine: str = MAJORITY
    missing: str = ""
    instrument: str = ""  # the digest of all but the rubric: judges with the same one are one instrument
    digest: str = ""  # of everything that may change its word: model, settings, rubric, template, form, repeats

    @property
    def shape(self) -> Shape:
        """The form of its answers."""
        return self.template.shape

    @property
    def key(self) -> tuple[str, str]:
        """What reports put together: one grader's name, one instrument."""
        return self.grader, self.instrument

    def told(self) -> dict[str, Any]:
        """The judge in a report."""
        return {
            "type": self.kind,
            "provider": self.provider,
            "model": self.model,
            "settings": dict(self.settings),
            "template": "the suite's own" if self.own_prompt else self.template.name,
            "answer": self.shape.value,
            "repeats": self.repeats,
            "combine": self.combine,
        }


def bare(kind: str) -> str:
    """A grader's type without `not-`, and of two names of one grader the shorter."""
    plain = kind.removeprefix("not-")
    return SAME.get(plain, plain)


def judge_of(name: str, rule: Json) -> Judge:
    """The judge that a grader names: its `provider` (promptfoo's word) before its `judge`, which may be the suite's.

    Invalid where it is named in a way that nobody can read.
    """
    kind = bare(rule["type"])
    given = {**rule.get("judge", {}), **_provider(rule.get("provider"))}
    whole = bool(given.get("provider")) and bool(given.get("model"))
    made = Judge(
        grader=name,
        kind=kind,
        template=TEMPLATES[kind],
        provider=str(given.get("provider", "")),
        model=str(given.get("model", "")),
        settings={**_USUAL, **{one: given[one] for one in _SETTINGS if one in given}},
        rubric=rule.get("value"),
        own_prompt=rule.get("rubric_prompt"),
        repeats=int(rule.get("repeats", given.get("repeats", 1))),
        combine=str(rule.get("combine", given.get("combine", MAJORITY))),
        missing="" if whole else f"no judge is named; {_NEEDED}",
    )
    words = made.own_prompt or made.template.text
    told = {**made.told(), "told": words}
    return replace(made, instrument=digest(told), digest=digest({**told, "rubric": made.rubric}))


def _provider(said: Any) -> Json:
    """`openai:chat:gpt-5-mini` or {id, config} as promptfoo writes them."""
    if said is None:
        return {}
    name, config = (said.get("id"), said.get("config", {})) if isinstance(said, Mapping) else (said, {})
    parts = str(name or "").split(":", 2)
    if len(parts) < 2 or not all(parts):
        raise Invalid(f"the provider {name!r} names no model", "write openai:<model>, or judge: {provider, model}")
    kind = parts[1] if len(parts) == 3 else ""
    model = parts[2] if kind in ("", "chat", "messages", "responses", "completion") and len(parts) == 3 else parts[-1]
    known = {one: config[one] for one in ("temperature", "top_p", "seed") if one in config}
    limit = {"max_output_tokens": config["max_tokens"]} if "max_tokens" in config else {}
    return {"provider": parts[0], "model": model, **known, **limit}
