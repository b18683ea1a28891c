"""A prompt of ours as a promptfoo config: prompts, providers, tests; graders without a counterpart become JavaScript or are named."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cuelight.contract.condition import lookup, same
from cuelight.contract.errors import NotFound
from cuelight.moving.names import KNOWN, SPECIAL, base
from cuelight.moving.report import APPROXIMATED, ASIDE, ASSERTION, CARRIED, REFUSED, CannotCarry, Report
from cuelight.moving.scripts import script

_SETTINGS = {
    "temperature": "temperature",
    "top_p": "top_p",
    "max_output_tokens": "max_tokens",
    "seed": "seed",
    "stop": "stop",
}
_NAME = re.compile(r"\{\{\{\{|\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")
_PLAIN_KEYS = ("type", "value", "threshold", "weight", "metric", "transform", "config", "provider")


@dataclass(frozen=True, slots=True)
class Outward:
    """A config as JSON values, and what came of each thing."""

    config: dict[str, Any]
    report: Report


def export_config(bundle: Mapping[str, Any], prompt: str, labels: Sequence[str]) -> Outward:
    """The config of one prompt with these labels. NotFound where the prompt has no suite in the folder."""
    documents = {label: bundle["prompts"][prompt][label] for label in labels}
    name = next(iter(documents.values()))["evaluation"]["suite"]
    suite = bundle["suites"].get(name)
    if suite is None:
        raise NotFound(f"there is no suite {name}", f"write suites/{name}.yaml")
    return _Export(bundle, documents, suite, Report()).made()


@dataclass(slots=True)
class _Export:
    bundle: Mapping[str, Any]
    documents: Mapping[str, Mapping[str, Any]]
    suite: Mapping[str, Any]
    report: Report

    def made(self) -> Outward:
        prompts, providers = [], []
        for label, document in self.documents.items():
            try:
                prompts.append({"label": label, "raw": self._raw(document, label)})
            except CannotCarry as bad:
                self.report.add(REFUSED, "prompt", label, label, bad.why)
                continue
            providers.append(self._provider(document, label))
            self.report.add(CARRIED, "prompt", label, label)
        if not prompts:
            raise CannotCarry(
                "none of these versions has a counterpart: " + "; ".join(one.why for one in self.report.findings)
            )
        shared = [
            one
            for at, rule in enumerate(self.suite.get("graders", []))
            if not _bound(rule) and (one := self._assertion(rule, f"graders[{at}]"))
        ]
        default = {
            **({"vars": self.suite["defaults"]} if self.suite.get("defaults") else {}),
            **({"assert": shared} if shared else {}),
        }
        gate = next(iter(self.documents.values()))["evaluation"]["gate"]
        config: dict[str, Any] = {
            "description": str(self.bundle["workflow"]["title"]),
            "prompts": prompts,
            "providers": _merged(providers),
            **({"defaultTest": default} if default else {}),
            "tests": [self._test(case) for case in self.suite["cases"]],
        }
        if gate.get("repeat", {}).get("samples", 1) > 1:
            config["evaluateOptions"] = {"repeat": gate["repeat"]["samples"]}
        if gate["min_pass_rate"] < 1:
            config["env"] = {"PROMPTFOO_PASS_RATE_THRESHOLD": str(round(gate["min_pass_rate"] * 100, 6))}
        self._gate(gate)
        return Outward(config, self.report)

    def _raw(self, document: Mapping[str, Any], label: str) -> str:
        messages: list[dict[str, Any]] = [self._message(one, document, label) for one in document["messages"]]
        if len(messages) == 1 and messages[0]["role"] == "user" and isinstance(messages[0]["content"], str):
            return str(messages[0]["content"])
        return json.dumps(messages, ensure_ascii=False, indent=2)

    def _message(self, one: Mapping[str, Any], document: Mapping[str, Any], label: str) -> dict[str, Any]:
        if "placeholder" in one:
            raise CannotCarry("the place of a dialogue has no counterpart in a prompt")
        declared = {variable["name"]: variable for variable in document.get("variables", [])}
        if "content" in one or all("text" in part for part in one["parts"]):
            text = one["content"] if "content" in one else "".join(part["text"] for part in one["parts"])
            return {"role": one["role"], "content": self._text(text, one, declared, label)}
        parts: list[dict[str, Any]] = []
        for part in one["parts"]:
            if "text" in part:
                parts.append({"type": "text", "text": self._text(part["text"], one, declared, label)})
            elif "image" in part:
                parts.append(
                    {"type": "image_url", "image_url": {"url": self._text(part["image"]["url"], one, {}, label)}}
                )
            else:
                raise CannotCarry("audio and files in a message have no counterpart that all providers read")
        return {"role": one["role"], "content": parts}

    def _text(self, text: str, message: Mapping[str, Any], declared: Mapping[str, Any], label: str) -> str:
        if message.get("syntax") == "jinja":
            return text
        return _NAME.sub(lambda found: self._tag(found, declared, label), text)

    def _tag(self, found: re.Match[str], declared: Mapping[str, Any], label: str) -> str:
        name = found.group(1)
        if name is None:
            return "{{ '{{' }}"
        one = declared.get(name, {})
        tag = f"{{{{ {name} | dump }}}}" if one.get("type") == "json" else f"{{{{{name}}}}}"
        if one.get("type") == "json":
            self.report.add(APPROXIMATED, "variable", label, name, "JSON in the order that it was given, not sorted")
        if one.get("trust", "untrusted") != "untrusted" or not one:
            return tag
        words = "its marks are written around it, but a text that holds such marks itself is not defused there"
        self.report.add(APPROXIMATED, "variable", label, name, words)
        return f'<untrusted name="{name}">\n{tag}\n</untrusted>'

    def _provider(self, document: Mapping[str, Any], label: str) -> dict[str, Any]:
        settings = document["settings"]
        family, model = settings.get("provider", "any"), settings["model"]
        ids = {"echo": "echo", "anthropic": f"anthropic:messages:{model}", "openai": f"openai:chat:{model}"}
        if family not in ids:
            words = f"the endpoint {family} is taken for an OpenAI-compatible one: set its address there"
            self.report.add(APPROXIMATED, "provider", label, str(family), words)
        config = {theirs: settings[ours] for ours, theirs in _SETTINGS.items() if ours in settings}
        config.update(settings.get("extra", {}))
        schema = document.get("output", {}).get("schema")
        form = settings.get("structured_output", "none")
        if form == "json_schema" and schema:
            config["response_format"] = {"type": "json_schema", "json_schema": {"name": "output", "schema": schema}}
        elif form == "json_object":
            config["response_format"] = {"type": "json_object"}
        if document.get("tools"):
            config["tools"] = [_tool(one) for one in document["tools"]]
        return {
            "id": ids.get(family, f"openai:chat:{model}"),
            **({"config": config} if config else {}),
            "prompts": [label],
        }

    def _test(self, case: Mapping[str, Any]) -> dict[str, Any]:
        rules = [(f"graders[{at}]", rule) for at, rule in enumerate(self.suite.get("graders", [])) if _bound(rule)]
        rules = [
            (where, rule)
            for where, rule in rules
            if _applies(rule, {**self.suite.get("defaults", {}), **case["input"]}, case)
        ]
        rules += [(f"{case['id']}.graders[{at}]", rule) for at, rule in enumerate(case.get("graders", []))]
        asserts = [one for where, rule in rules if (one := self._assertion(rule, where))]
        metadata = {
            "case": case["id"],
            "category": case["category"],
            **({"tags": case["tags"]} if case.get("tags") else {}),
        }
        made: dict[str, Any] = {"description": case["title"], "vars": {**self._derived(case), **case["input"]}}
        if any(isinstance(value, list) and value and isinstance(value[0], str) for value in made["vars"].values()):
            made["options"] = {"disableVarExpansion": True}
        if any(_multiplies(value) for value in self.suite.get("defaults", {}).values()):
            made["options"] = {"disableVarExpansion": True}
        made.update({"assert": asserts} if asserts else {})
        made.update({"threshold": case["threshold"]} if "threshold" in case else {})
        return {**made, "metadata": metadata}

    def _derived(self, case: Mapping[str, Any]) -> dict[str, Any]:
        given = {**self.suite.get("defaults", {}), **case["input"]}
        found = {name: lookup(path, {"output": given}) for name, path in self.suite.get("derived", {}).items()}
        return {name: values[0] for name, values in found.items() if values}

    def _assertion(self, rule: Mapping[str, Any], where: str) -> dict[str, Any] | None:
        kind = str(rule["type"])
        try:
            made, differs = self._asked(rule, kind)
        except CannotCarry as bad:
            self.report.add(REFUSED, ASSERTION, where, kind, bad.why)
            return None
        if rule["severity"] == "minor" and "weight" not in made:
            made["weight"] = 0
        self.report.add(APPROXIMATED if differs else CARRIED, ASSERTION, where, kind, differs)
        return made

    def _asked(self, rule: Mapping[str, Any], kind: str) -> tuple[dict[str, Any], str]:
        """(assertion, what is different about it)."""
        if kind == "assert-set":
            inner = [self._asked(one, str(one["type"])) for one in rule["assert"]]
            made = {key: rule[key] for key in ("type", "threshold", "weight", "metric") if key in rule}
            return {**made, "assert": [one for one, _ in inner]}, "; ".join(filter(None, (words for _, words in inner)))
        if "path" not in rule and (base(kind) in KNOWN or kind in SPECIAL):
            made = {key: rule[key] for key in _PLAIN_KEYS if key in rule}
            made.update({"rubricPrompt": rule["rubric_prompt"]} if "rubric_prompt" in rule else {})
            return made, ""
        if kind == "json_only":
            return {"type": "is-json", "metric": _metric(rule)}, "any JSON value will do there, here an object"
        if kind == "schema":
            schema = rule.get("schema", self.suite.get("schema"))
            if not isinstance(schema, dict):
                raise CannotCarry("a schema grader without a schema")
            return {"type": "is-json", "value": schema, "metric": _metric(rule)}, ""
        if kind == "max_latency_ms":
            return {"type": "latency", "threshold": rule["n"], "metric": _metric(rule)}, ""
        code = script(rule)
        if code is None:
            raise CannotCarry(f"there is no counterpart of {kind}")
        return {"type": "javascript", "value": code, "metric": _metric(rule)}, ""

    def _gate(self, gate: Mapping[str, Any]) -> None:
        for key in sorted(gate.keys() - {"min_pass_rate", "repeat"}):
            self.report.add(
                REFUSED, "gate", "evaluation.gate", key, "promptfoo judges single tests and the pass rate only"
            )
        for document in self.documents.values():
            if document.get("context"):
                self.report.add(
                    REFUSED, "prompt", "context", "context rules", "what may reach the model is not checked there"
                )
        if self.suite.get("expected_failures"):
            words = "there is no expected failure there: these tests fail"
            self.report.add(ASIDE, "suite", "expected_failures", "expected_failures", words)


def _metric(rule: Mapping[str, Any]) -> str:
    return str(
        rule.get("metric") or rule.get("id") or (f"{rule['type']}:{rule['path']}" if "path" in rule else rule["type"])
    )


def _bound(rule: Mapping[str, Any]) -> bool:
    """Whether a grader is for some cases only."""
    return "when" in rule or "label" in rule


def _applies(rule: Mapping[str, Any], given: Mapping[str, Any], case: Mapping[str, Any]) -> bool:
    if "label" in rule and not same((case.get("label") or {}).get(rule["label"]), rule.get("label_value")):
        return False
    when = rule.get("when", {})
    return all(
        any(same(value, want) for value in lookup(path, {"output": given}) or [None] for want in wanted)
        for path, wanted in when.items()
    )


def _multiplies(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], str)


def _tool(one: Mapping[str, Any]) -> dict[str, Any]:
    function = {
        "name": one["name"],
        "description": one.get("description", ""),
        "parameters": one.get("parameters", {"type": "object"}),
    }
    return {"type": "function", "function": function}


def _merged(providers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Equal providers once, with the prompts of each."""
    return list(_merging(providers))


def _merging(providers: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    done: list[dict[str, Any]] = []
    for one in providers:
        twin = next((other for other in done if {**other, "prompts": None} == {**one, "prompts": None}), None)
        if twin is None:
            done.append({**one, "prompts": list(one["prompts"])})
        else:
            twin["prompts"] += one["prompts"]
    for number, one in enumerate(done, 1):
        twice = sum(other["id"] == one["id"] for other in done) > 1
        yield {
            "id": one["id"],
            **({"label": f"{one['id']} {number}"} if twice else {}),
            **{key: value for key, value in one.items() if key != "id"},
        }
