"""What is wrong with one prompt file: its template, settings, context, output contract, tools and evaluation."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from cuelight.contract.authority import WIDEST_FIRST
from cuelight.contract.content import Content
from cuelight.contract.errors import Invalid, Unavailable
from cuelight.contract.jinja import compile_as
from cuelight_server.kernel.terms import OURS, Tier
from cuelight_server.prompts.bundle import Facts, Item, number_of, schemas_in
from cuelight_server.prompts.contract_fit import fit
from cuelight_server.prompts.findings import declared, error, judged, schema_problems, some, warning
from cuelight_server.prompts.lint_change import findings_of_change
from cuelight_server.prompts.lint_knowledge import findings_of_sources
from cuelight_server.prompts.lint_suite import Pairing, findings_of_pair
from cuelight_server.prompts.model import Finding

# A date (2026-06-01, 20260601), month and day (-0613), a numbered revision (-002) or a hash: names that stay.
_PINNED = re.compile(
    r"(?<!\d)20\d\d-?(0[1-9]|1[0-2])-?([0-2]\d|3[01])(?!\d)"
    r"|-(0[1-9]|1[0-2])([0-2]\d|3[01])(?!\d)"
    r"|-0\d\d(?!\d)"
    r"|[@:#]([0-9a-f]{7,64})$"
    r"|sha256:[0-9a-f]{12,64}",
    re.IGNORECASE,
)


def findings_of_prompt(
    facts: Facts, name: str, label: str, item: Item, tier: Tier, pairs: Mapping[str, Pairing]
) -> Iterator[Finding]:
    """Everything that is wrong with one prompt file, and how it fits its suite and the authority table."""
    place, content = f"prompts/{name}/{label}", item.content
    if name not in facts.bundle.workflow["prompts"]:
        hint = f"add prompts.{name} with its use_case and fallback"
        yield error("prompt_not_listed", f"workflow.yaml does not list the prompt {name}", hint, place)
    if number_of(label) is not None and not item.release_note.strip():
        hint = "say in release_note what changes for whom; `cuelight diff` helps"
        yield error("release_note_missing", "the version has no release note", hint, place, "release_note")
    yield from _texts(content, place, tier)
    yield from _settings(content.settings, place, tier)
    yield from _endpoint(content.settings, facts.bundle.workflow.get("approved_endpoints"), place)
    if content.settings["model"] in facts.retired_models:
        words = f"{content.settings['model']} is retired: its provider no longer offers it"
        hint = "choose another model; `cuelight models` lists those in use"
        yield error("model_retired", words, hint, place, "settings", "model")
    yield from _context(content, place)
    yield from schema_problems(schemas_in("prompt", content.to_json()), place)
    yield from _on_invalid(content.output, place, tier)
    yield from _consumers(content.output, place)
    yield from findings_of_sources(facts, content, place, tier)
    yield from findings_of_change(facts, name, label, content, tier)
    yield from _tools(content, facts.bundle.authority, place)
    pair = pairs.get(content.evaluation["suite"])
    if pair is None:
        words = f"there is no suite {content.evaluation['suite']}"
        yield error("suite_missing", words, f"write suites/{content.evaluation['suite']}.yaml", place, "evaluation")
    else:
        labels = facts.bundle.prompts[name].values()
        known = {one.name for other in labels for one in other.content.declared}
        yield from findings_of_pair(content, pair, place, frozenset(known) | facts.desk.declared.get(name, frozenset()))


def _texts(content: Content, place: str, tier: Tier) -> Iterator[Finding]:
    known, used = {one.name for one in content.declared}, set[str]()
    untrusted = {one.name for one in content.declared if one.trust == "untrusted"}
    for path, syntax, text in _templates(content):
        try:
            names = compile_as(syntax, text, untrusted).names
        except (Invalid, Unavailable) as bad:
            yield error("template_broken", bad.message, bad.hint, place, *path)
            continue
        used.update(names)
        for name in sorted(set(names) - known):
            yield _undeclared(name, place, path)
    for index, message in enumerate(content.messages):
        if "placeholder" in message:
            used.add(message["placeholder"])
            if message["placeholder"] not in known:
                yield _undeclared(message["placeholder"], place, ("messages", index))
        for at, part in enumerate(message.get("parts", ())):
            if "include" in part and "@" not in part["include"]:
                hint = f"write {part['include']}@sha256:...; `cuelight digest` tells it"
                words = f"the fragment {part['include']} is not pinned by its digest"
                yield error("include_not_pinned", words, hint, place, "messages", index, "parts", at)
    order = [one.name for one in content.declared]
    for name in sorted(known - used):
        hint = "use it in a message, or take it out: a required variable must be passed with each call"
        yield warning(
            "variable_unused", f"no message uses the variable {name}", hint, place, "variables", order.index(name)
        )
    if tier >= Tier.ELEVATED and not any(block == "boundary" and text.strip() for _, block, text in content.texts()):
        hint = "mark what it must never do, and when a person takes over, as `block: boundary`"
        yield error("boundary_missing", "the prompt states no boundary", hint, place, "messages")


def _templates(content: Content) -> Iterator[tuple[tuple[str | int, ...], str, str]]:
    for index, message in enumerate(content.messages):
        for at, part in enumerate(message.get("parts", ())):
            url = next((part[kind]["url"] for kind in ("image", "audio", "file") if kind in part), None)
            yield ("messages", index, "parts", at), message.get("syntax", ""), part.get("text", url or "")


def _undeclared(name: str, place: str, path: tuple[str | int, ...]) -> Finding:
    hint = f"declare {name} under variables, or write {{{{{{{{ for a literal {{{{"
    return error("variable_undeclared", f"the text uses {name}, which is not declared", hint, place, *path)


def _settings(settings: Mapping[str, Any], place: str, tier: Tier) -> Iterator[Finding]:
    strict = tier >= Tier.ELEVATED
    model = settings["model"]
    pinned = "latest" not in model.lower() and (_PINNED.search(model) or settings.get("extra", {}).get("revision"))
    if not pinned:
        yield judged(
            "model_alias_not_pinned",
            f"{model} may become another model overnight",
            "name a dated or numbered snapshot, such as example-large-2026-06-01",
            place,
            "settings",
            "model",
            strict=strict,
        )
    for key in sorted(OURS & settings.get("extra", {}).keys()):
        hint = "take it out of settings.extra: what is pinned, reviewed and evaluated is not overridden there"
        yield error("extra_overrides", f"settings.extra sets {key}", hint, place, "settings", "extra", key)
    for key in ("temperature", "max_output_tokens"):
        if strict and key not in settings:
            hint = "from tier elevated up the provider's default is not enough: it can change"
            yield error("settings_incomplete", f"the settings leave out {key}", hint, place, "settings", key)


def _endpoint(settings: Mapping[str, Any], approved: list[str] | None, place: str) -> Iterator[Finding]:
    provider = settings.get("provider")
    if approved is not None and provider not in approved:
        said = f"the endpoint {provider} is not approved" if provider else "the settings name no endpoint"
        hint = (
            f"set settings.provider to one of approved_endpoints in workflow.yaml: {', '.join(approved) or 'none yet'}"
        )
        yield error("endpoint_not_approved", said, hint, place, "settings", "provider")


def _consumers(output: Mapping[str, Any], place: str) -> Iterator[Finding]:
    """Everything that the output contract allows must be readable by each consumer that says what it accepts."""
    for index, one in enumerate(output["consumers"]):
        if "schema" not in one:
            continue
        found, where = fit(output["schema"] or {}, one["schema"]), ("output", "consumers", index)
        if found.unfit:
            words = f"{one['name']} cannot read every output: {some(list(found.unfit), '; ')}"
            hint = "narrow the output schema, or let the consumer accept more first"
            yield error("consumer_unfit", words, hint, place, *where)
        if found.undecided:
            words = f"whether {one['name']} can read every output cannot be told: {some(list(found.undecided), '; ')}"
            hint = "say that part in types, keys, values and ranges, in both schemas"
            yield warning("consumer_undecided", words, hint, place, *where)


def _context(content: Content, place: str) -> Iterator[Finding]:
    known = {one.name for one in content.declared}
    for index, rule in enumerate(content.context):
        if "variable" in rule and rule["variable"] not in known:
            words = f"context rule {rule['id']} is about {rule['variable']}, which is not declared"
            hint = "a rule on a variable that does not exist holds nothing: correct its name"
            yield error("context_rule_variable_unknown", words, hint, place, "context", index, "variable")


def _on_invalid(output: Mapping[str, Any], place: str, tier: Tier) -> Iterator[Finding]:
    if tier < Tier.ELEVATED:
        return
    if not output["on_invalid"]:
        hint = "for example on_invalid: [{retry: 1, with_error: true}, {person: review queue}]"
        words = "nobody says what happens to an output that breaks its contract"
        yield error("on_invalid_missing", words, hint, place, "output", "on_invalid")
    for index, step in enumerate(output["on_invalid"]):
        if "declared_only" in step:
            yield declared("an on-invalid step", place, "output", "on_invalid", index)


def _tools(content: Content, authority: Mapping[str, Any], place: str) -> Iterator[Finding]:
    modes = {rule["action"]: rule["mode"] for rule in reversed(authority["actions"])}
    for index, tool in enumerate(content.tools):
        name, mode = tool["name"], tool["mode"]
        if name not in modes:
            words = f"the tool {name} is not in the authority table, so it is never allowed"
            yield error("tool_not_in_authority", words, f"add the action {name}", place, "tools", index, "name")
        elif WIDEST_FIRST.index(mode) < WIDEST_FIRST.index(modes[name]):
            words = f"the tool {name} asks for {mode}, the authority table says {modes[name]}"
            hint = "narrow the tool; widening the table is a change of authority"
            yield error("tool_mode_wider_than_authority", words, hint, place, "tools", index, "mode")
