"""A promptfoo config becomes a workflow folder: prompts, suite, settings, outputs that need no model; the rest is named."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from cuelight.contract import content
from cuelight.contract.errors import CuelightError, Invalid, NotFound
from cuelight.contract.rendering import Rendered, Renderer
from cuelight.moving.casing import Cases, Casing
from cuelight.moving.gathering import Gathering
from cuelight.moving.loose import read_json, read_yaml
from cuelight.moving.models import Model, Models
from cuelight.moving.names import identifier
from cuelight.moving.nunjucks import translate
from cuelight.moving.prompts import Prompts
from cuelight.moving.references import resolved
from cuelight.moving.report import APPROXIMATED, ASIDE, REFUSED, CannotCarry, Report
from cuelight.moving.sources import Sources
from cuelight.moving.versions import Version, Versions

NAMES = ("promptfooconfig.yaml", "promptfooconfig.yml", "promptfooconfig.json")
_CODE = (".js", ".cjs", ".mjs", ".ts", ".mts", ".cts", ".py")
_READ = frozenset(
    {
        "description",
        "prompts",
        "providers",
        "targets",
        "tests",
        "scenarios",
        "defaultTest",
        "env",
        "evaluateOptions",
        "commandLineOptions",
        "derivedMetrics",
        "assertionTemplates",
        "$schema",
        "tags",
        "metadata",
    }
)
_LOST = {
    "redteam": "attacks are promptfoo's own; keep them there",
    "extensions": "code that runs around an evaluation has no counterpart",
    "nunjucksFilters": "filters in code have no counterpart; texts that use them are named",
}
_ASIDE = {
    "outputPath": "`cuelight eval --json` writes where you say",
    "sharing": "reports stay on the desk",
    "writeLatestResults": "every evaluation on the desk is kept",
    "tracing": "the desk takes OTLP by itself",
}
_RUN = frozenset(
    [
        "cache",
        "delay",
        "generateSuggestions",
        "suggestionsCount",
        "interactiveProviders",
        "maxConcurrency",
        "progressCallback",
        "showProgressBar",
        "timeoutMs",
        "maxEvalTimeMs",
        "filterRange",
        "verbose",
        "write",
        "table",
        "share",
        "progressBar",
        "envFile",
        "envPath",
        "maxCharLength",
        "grader",
    ]
)


@dataclass(frozen=True, slots=True)
class Moved:
    """The folder as a bundle, and what came of each thing."""

    bundle: dict[str, Any]
    report: Report
    counts: dict[str, int]


def find_config(path: Path) -> Path:
    """The config itself, or the one that a folder holds. NotFound where there is none, Invalid where it is code."""
    if path.is_dir():
        found = next((path / name for name in NAMES if (path / name).is_file()), None)
        if found is None:
            raise NotFound(f"there is no {NAMES[0]} in {path}", "name the config itself")
        return found
    if not path.is_file():
        raise NotFound(f"there is no file {path}", "name a promptfoo config, or the folder that holds one")
    if path.suffix in _CODE:
        raise Invalid(f"{path} is code, and nothing is run at import", "write the config out as YAML or JSON")
    return path


def import_config(path: Path, *, name: str = "", owner: str = "owner", allow_outside: bool = False) -> Moved:
    """The folder that a config stands for. Nothing of it is run, and no file outside of its folder is read unless allowed.

    `name` is the workflow's and the prompt's. Invalid where the config itself cannot be read; all else is in the report.
    """
    file = find_config(path)
    sources, report = Sources(file.parent, allow_outside=allow_outside), Report()
    try:
        config = _config(sources, file.name)
    except CannotCarry as bad:
        raise Invalid(f"{file}: {bad.why}", "correct the config; see: docs/guides/promptfoo.md") from bad
    stem = file.stem.removeprefix("promptfooconfig").strip(".-_") or file.resolve().parent.name
    return _Import(config, sources, report, name or identifier(stem, "imported"), owner).moved()


def _config(sources: Sources, name: str) -> dict[str, Any]:
    text = sources.text(name)
    value = read_json(text, name) if name.endswith(".json") else read_yaml(text, name)
    if not isinstance(value, dict):
        raise CannotCarry("no object at the top, expected prompts, providers and tests")
    return resolved(value)


@dataclass(slots=True)
class _Import:
    config: Mapping[str, Any]
    sources: Sources
    report: Report
    name: str
    owner: str

    def moved(self) -> Moved:
        self._top()
        models = Models(self.sources, self.report).all(self.config)
        prompts = Prompts(self.sources, self.report).all(self.config)
        gathering = Gathering(self.sources, self.report)
        casing = Casing(self.sources, self.report, self._transform(models))
        cases = casing.suite(gathering.default(self.config), gathering.tests(self.config))
        env = {str(key): str(value) for key, value in _object(self.config.get("env")).items()}
        versions = Versions(self.report, _given(cases), len(cases.cases), env, frozenset(cases.wraps))
        made = versions.all(prompts, models, {"suite": self.name, "gate": self._gate()})
        recordings = [one for version in made for one in self._recordings(version, cases)]
        suite = {
            "suite": self.name,
            **({"defaults": cases.defaults} if cases.defaults else {}),
            **({"graders": cases.graders} if cases.graders else {}),
            "cases": cases.cases,
        }
        bundle = {
            "workflow": self._workflow(),
            "authority": _authority(models),
            "prompts": {self.name: {one.label: one.document for one in made}},
            "suites": {self.name: suite},
            "recordings": recordings,
        }
        counts = {"versions": len(made), "cases": len(cases.cases), "recordings": len(recordings)}
        return Moved(bundle, self.report, counts)

    def _top(self) -> None:
        for key in self.config:
            if key in _LOST and self.config[key]:
                self.report.add(REFUSED, "config", key, key, _LOST[key])
            elif key in _ASIDE:
                self.report.add(ASIDE, "config", key, key, _ASIDE[key])
            elif key not in _READ and key not in _LOST:
                self.report.add(ASIDE, "config", key, key, "promptfoo does not know this key either")
        for where in ("evaluateOptions", "commandLineOptions"):
            for key in _object(self.config.get(where)):
                if key != "repeat":
                    known = key in _RUN
                    words = "belongs to a run, not to the files" if known else "promptfoo does not know this key either"
                    self.report.add(ASIDE, "config", where, key, words)

    def _transform(self, models: list[Model]) -> Any:
        """What every provider does to its output; CannotCarry has no place here, so a difference is named."""
        said = [one.transform for one in models]
        if all(one == said[0] for one in said):
            return said[0]
        words = "providers with different transforms: graders see the output as the model gave it"
        self.report.add(REFUSED, "provider", "providers", "transform", words)
        return None

    def _gate(self) -> dict[str, Any]:
        """Every case has to pass, as there; in each sample where tests are repeated."""
        rate = _object(self.config.get("env")).get("PROMPTFOO_PASS_RATE_THRESHOLD")
        percent = _number(rate)
        share = percent / 100 if percent is not None and 0 <= percent <= 100 else 1.0
        gate: dict[str, Any] = {"min_pass_rate": share}
        options = _object(self.config.get("commandLineOptions")), _object(self.config.get("evaluateOptions"))
        repeat = options[0].get("repeat", options[1].get("repeat"))
        if isinstance(repeat, int) and not isinstance(repeat, bool) and repeat > 1:
            samples = min(repeat, 100)
            gate["repeat"] = {"samples": samples, "majors_min": samples}
            words = "a case passes when each of its samples does; there each sample counts as a test of its own"
            self.report.add(APPROXIMATED, "config", "evaluateOptions", "repeat", words)
        metrics = list(self._metrics())
        return {**gate, **({"metrics": metrics} if metrics else {})}

    def _metrics(self) -> Any:
        said = self.config.get("derivedMetrics")
        for at, one in enumerate(said if isinstance(said, list) else []):
            if isinstance(one, dict) and one.get("name"):
                words = "computed from other scores: written down as a metric in words, which nothing enforces"
                self.report.add(REFUSED, "metric", f"derivedMetrics[{at}]", str(one["name"]), words)
                text = f"derived in promptfoo as {one.get('value')}"[:2000]
                yield {"id": identifier(str(one["name"]), f"metric_{at + 1}"), "declared_only": text}

    def _recordings(self, version: Version, cases: Cases) -> list[dict[str, Any]]:
        """Outputs that need no model: those that tests bring along, and echoes. A case that cannot be rendered is named."""
        parsed = content.parse(version.document)
        try:
            renderer = Renderer(parsed)
        except CuelightError as bad:
            self._unrendered(version, "every case", bad)
            return []
        echo = self._echo(version)
        found = []
        samples = version.document["evaluation"]["gate"].get("repeat", {}).get("samples", 1)
        for case in cases.cases:
            given = {**cases.defaults, **case["input"]}
            values = {one.name: given[one.name] for one in parsed.declared if one.name in given}
            try:
                rendered = renderer.render(values, date(2000, 1, 1))
            except CuelightError as bad:
                self._unrendered(version, case["id"], bad)
                return []
            output, origin = cases.outputs.get(case["id"]), "the test's own providerOutput"
            if output is None and version.model.echo and not version.prompt.todo:
                output, origin = echo(rendered, values), "echo: the prompt as it is rendered"
            if output is not None:
                line = {"content": parsed.digest, "case": case["id"], "output": output, "provenance": origin}
                found += [line if sample == 1 else {**line, "sample": sample} for sample in range(1, samples + 1)]
        return found

    def _echo(self, version: Version) -> Callable[[Rendered, Mapping[str, Any]], str]:
        """What promptfoo's echo provider answers: the rendered text of the prompt, a JSON chat as JSON."""
        prompt = version.prompt
        if prompt.json:
            return lambda rendered, _: json.dumps(list(rendered.messages), ensure_ascii=False, indent=2)
        if len(prompt.messages) == 1 and prompt.messages[0].get("content") == prompt.raw:
            return lambda rendered, _: str(rendered.messages[0]["content"])
        text = translate(prompt.raw, {}, {})
        message = {"role": "user", "content": text.text, **({"syntax": text.syntax} if text.syntax else {})}
        whole = Renderer(content.parse({**version.document, "messages": [message]}))
        return lambda _, values: str(whole.render(values).messages[0]["content"])

    def _unrendered(self, version: Version, case: str, bad: CuelightError) -> None:
        where = version.prompt.where
        self.report.add(REFUSED, "prompt", where, version.label, f"{case} cannot be rendered: {bad.message}")

    def _workflow(self) -> dict[str, Any]:
        said = self.config.get("description")
        title = " ".join(str(said).split())[:200] if said else self.name.replace("_", " ")
        person = self.owner
        words = f"the folder names {person} as every owner, and tier low: say in workflow.yaml who and what it is"
        self.report.add(ASIDE, "workflow", "workflow.yaml", "owners and tier", words)
        roles = ("workflow_owner", "domain_expert", "engineering_owner", "risk_owner", "support_owner")
        return {
            "workflow": self.name,
            "title": title if len(title) >= 3 else f"{title} tests",
            "purpose": "Imported from promptfoo; say here what the business gets from it.",
            "tier": "low",
            "people": [{"id": person, "name": person.replace(".", " ").title()}],
            "owners": {role: {"person": person} for role in roles},
            "prompts": {
                self.name: {
                    "use_case": "Imported from promptfoo; say here what the prompt is for.",
                    "fallback": {"message": "Not available at the moment."},
                }
            },
            "trace": {"content": "hash_only"},
        }


def _authority(models: list[Model]) -> dict[str, Any]:
    """Every tool of the config may be suggested, and nothing more."""
    actions: dict[str, dict[str, Any]] = {}
    for tool in (tool for model in models for tool in model.tools):
        actions.setdefault(
            tool["name"], {"action": tool["name"], "mode": "may_suggest", "arguments": tool["parameters"]}
        )
    principle = "Tools come from a promptfoo config; widen a mode only with a reason."
    return {"principle": principle, "actions": list(actions.values())}


def _given(cases: Cases) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for case in cases.cases:
        for name, value in {**cases.defaults, **case["input"]}.items():
            found.setdefault(name, []).append(value)
    return found


def _object(said: Any) -> Mapping[str, Any]:
    return said if isinstance(said, dict) else {}


def _number(said: Any) -> float | None:
    try:
        return float(said)
    except (TypeError, ValueError):
        return None
