"""What one can do with prompts besides pushing them: look over a folder, compare, take a workflow out, verify."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cuelight.contract.content import Content, parse
from cuelight_server.audit import store as audit
from cuelight_server.audit.verbs import Verb
from cuelight_server.control.desk import Desk
from cuelight_server.control.push import facts, facts_apart, push
from cuelight_server.control.pushed import PushResult
from cuelight_server.db.engine import Connection, reading
from cuelight_server.kernel.errors import NotFound
from cuelight_server.kernel.page import MAX_SIZE
from cuelight_server.kernel.sight import EVERYTHING, Sight, unseen
from cuelight_server.kernel.terms import Environment
from cuelight_server.prompts import store
from cuelight_server.prompts.bundle import Bundle, Item, checked, number_of
from cuelight_server.prompts.diff import Diff, diff
from cuelight_server.prompts.enforcement import rules
from cuelight_server.prompts.export import prompt_document
from cuelight_server.prompts.lint import lint
from cuelight_server.prompts.model import Finding, RuleState, Tampered
from cuelight_server.prompts.verify import verify_versions
from cuelight_server.routing import store as routing

__all__ = ["LabelDiff", "LintResult", "PushResult", "diff_labels", "export", "lint_bundle", "push", "verify_prompts"]


@dataclass(frozen=True, slots=True)
class LintResult:
    """What lint says about a folder. `digests` maps a prompt's full name to label to content digest."""

    findings: tuple[Finding, ...]
    rules: tuple[RuleState, ...]
    digests: Mapping[str, Mapping[str, str]]

    def to_json(self) -> dict[str, Any]:
        """As it goes over the wire."""
        return {
            "findings": [one.to_json() for one in self.findings],
            "rules": [one.to_json() for one in self.rules],
            "digests": {name: dict(labels) for name, labels in self.digests.items()},
        }


@dataclass(frozen=True, slots=True)
class Labelled:
    """One side of a comparison: what was asked for, what it is, and its content."""

    label: str
    digest: str
    content: Content


@dataclass(frozen=True, slots=True)
class LabelDiff:
    """The difference between two labels of one prompt; `old` is None where nothing was served yet."""

    prompt: str
    old: Labelled | None
    new: Labelled
    diff: Diff

    def to_json(self) -> dict[str, Any]:
        """As it goes over the wire."""
        old, new = ({"label": one.label, "digest": one.digest} if one else None for one in (self.old, self.new))
        return {"prompt": self.prompt, "from": old, "to": new, **self.diff.to_json()}


def lint_bundle(desk: Desk, bundle: Any, sight: Sight = EVERYTHING) -> LintResult:
    """What is wrong with a folder, and which of its rules anything enforces; nothing is stored. Invalid as in push.

    Of a workflow that is out of sight nothing is looked at: as if the desk had nothing of that name.
    """
    folder = checked(bundle)
    with reading(desk.registry) as sql:
        suites = {one.name: one for one in store.suites(sql, folder.name)}
        knowledge = {one.name: one for one in store.all_knowledge(sql, folder.name)}
        seen = sight.sees(folder.name)
        look = facts(sql, folder, suites, knowledge) if seen else facts_apart(sql, folder)
    digests = {
        f"{folder.name}.{name}": {label: item.content.digest for label, item in labels.items()}
        for name, labels in folder.prompts.items()
    }
    return LintResult(tuple(lint(look)), tuple(rules(look)), digests)


def diff_labels(
    desk: Desk, prompt: str, from_label: str, to_label: str, bundle: Any = None, sight: Sight = EVERYTHING
) -> LabelDiff:
    """What changed from one label of a prompt to another.

    A label is `v2`, that of a draft, or an environment (`production`): what it serves to everyone; on a local desk,
    which serves nothing, the lowest version stands in. What the bundle has under a label counts before what the desk
    has. NotFound where there is no such label; an environment that serves nothing as `from_label` means that
    everything is new.
    """
    folder = checked(bundle) if bundle is not None else None
    if not sight.sees(prompt):
        return _diff_apart(folder, prompt, from_label, to_label)
    with reading(desk.registry) as sql:
        old = _find(desk, sql, folder, prompt, from_label)
        new = _find(desk, sql, folder, prompt, to_label)
    if new is None or (old is None and from_label not in list(Environment)):
        missing = from_label if new is not None else to_label
        raise NotFound(f"{prompt} has no {missing}", "see its labels with `cuelight show`")
    return LabelDiff(prompt, old, new, diff(old.content if old else None, new.content))


def _diff_apart(folder: Bundle | None, prompt: str, from_label: str, to_label: str) -> LabelDiff:
    """The same for somebody who does not see the workflow: the folder is all there is."""
    items = _items(folder, prompt)
    old, new = items.get(from_label), items.get(to_label)
    if new is None or (old is None and from_label not in list(Environment)):
        raise unseen(prompt)
    before = Labelled(from_label, old.content.digest, old.content) if old else None
    after = Labelled(to_label, new.content.digest, new.content)
    return LabelDiff(prompt, before, after, diff(before.content if before else None, after.content))


def _find(desk: Desk, sql: Connection, folder: Bundle | None, prompt: str, label: str) -> Labelled | None:
    items = _items(folder, prompt)
    if label in list(Environment):
        number = routing.served(sql, prompt, label)
        if number is None and desk.local:
            return _lowest(sql, items, prompt)
        items, label = {}, f"v{number}" if number is not None else ""
    if label in items:
        return Labelled(label, items[label].content.digest, items[label].content)
    found = store.labelled(sql, prompt, label) if label else None
    return Labelled(label, found.digest, parse(found.content)) if found else None


def _lowest(sql: Connection, items: Mapping[str, Item], prompt: str) -> Labelled | None:
    """The lowest version of the folder, else of the desk."""
    numbers = {number: item.content for label, item in items.items() if (number := number_of(label)) is not None}
    if numbers:
        number = min(numbers)
        return Labelled(f"v{number}", numbers[number].digest, numbers[number])
    found = store.lowest(sql, prompt)
    return Labelled(found.label, found.digest, parse(found.content)) if found else None


def _items(folder: Bundle | None, prompt: str) -> Mapping[str, Item]:
    """Label -> prompt file, for one prompt by its full name."""
    if folder is None or not prompt.startswith(f"{folder.name}."):
        return {}
    return folder.prompts.get(prompt.partition(".")[2], {})


def export(desk: Desk, workflow: str) -> dict[str, Any]:
    """A workflow as a bundle: every version and draft, the newest of everything else. NotFound.

    Pushed into another desk it gives the same digests. A draft under a version's name (pushed with `as_drafts`) stays.
    """
    with reading(desk.registry) as sql:
        known = store.workflow(sql, workflow)
        if known is None:
            raise NotFound(f"there is no workflow {workflow}", "see the workflows with `cuelight status`")
        prices = store.prices(sql, workflow)
        return {
            "workflow": known.document,
            "authority": known.authority,
            "prompts": {one.short: dict(_labels(sql, one.name)) for one in store.prompts_of(sql, workflow)},
            "suites": {one.name: one.document for one in store.suites(sql, workflow)},
            "knowledge": {one.name: one.document for one in store.all_knowledge(sql, workflow)},
            "prices": prices.document if prices else None,
            "recordings": [
                line
                for content in store.recorded_contents(sql, workflow)
                for _, line in sorted(store.recordings_of(sql, workflow, content).items())
            ],
            "ignored": [],
        }


def _labels(sql: Connection, prompt: str) -> Iterator[tuple[str, dict[str, Any]]]:
    before: int | None = None
    while True:
        page = store.versions(sql, prompt, before, MAX_SIZE)
        yield from ((one.label, prompt_document(one.content, one.release_note)) for one in page.items)
        if page.next is None:
            break
        before = int(page.next)
    after = ""
    while True:
        drafts = store.drafts(sql, prompt, after, MAX_SIZE)
        kept = (one for one in drafts.items if number_of(one.label) is None)
        yield from ((one.label, prompt_document(one.content)) for one in kept)
        if drafts.next is None:
            break
        after = drafts.next


def verify_prompts(desk: Desk) -> list[Tampered]:
    """Everything that is wrong with the stored versions, against their own digests and the audit log."""
    with reading(desk.registry) as sql:
        return verify_versions(store.every_version(sql), dict(_minted(sql)))


def _minted(sql: Connection) -> Iterator[tuple[tuple[str, str], Mapping[str, Any]]]:
    for event in audit.readable(sql).of(Verb.PROMPT_MINT):
        prompt, _, label = event.subject.rpartition("@")
        yield (prompt, label), event.facts
