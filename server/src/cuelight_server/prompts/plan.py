"""What a push would do: pure, from what the desk has and what the folder says."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from cuelight.contract.canonical import digest
from cuelight.contract.condition import same
from cuelight_server.prompts.bundle import Bundle, Item, number_of
from cuelight_server.prompts.governed import governed, rest
from cuelight_server.prompts.lint import standing_in_the_way
from cuelight_server.prompts.model import Finding, Numbered, RecordingKey, Workflow


class State(StrEnum):
    """What a document is to the desk."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What the desk has of one workflow. Prompts go by their full names; documents are at their newest number."""

    workflow: Workflow | None
    prompts: frozenset[str]
    retired: frozenset[str]
    versions: Mapping[str, Mapping[int, str]]
    drafts: Mapping[str, Mapping[str, str]]
    suites: Mapping[str, Numbered]
    knowledge: Mapping[str, Numbered]
    prices: Numbered | None
    recordings: Mapping[RecordingKey, str]
    notes: Mapping[str, Mapping[int, str]] = field(default_factory=dict)  # the release note of each version


@dataclass(frozen=True, slots=True)
class Entry:
    """One prompt file and what becomes of it. `number` is that of a version; `why` explains where it is not obvious."""

    prompt: str
    label: str
    item: Item
    state: State
    number: int | None = None
    why: str = ""
    hint: str = ""
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Placed:
    """A suite, knowledge or prices with the number it has or gets."""

    name: str
    number: int
    digest: str
    state: State
    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that a push does."""

    governance: State
    revised: bool  # the workflow document or the authority differs in anything
    reworded: bool  # the workflow document differs in what does not decide who may do what
    mint: tuple[Entry, ...]
    unchanged: tuple[Entry, ...]
    refused: tuple[Entry, ...]
    drafts: tuple[Entry, ...]
    suites: tuple[Placed, ...]
    knowledge: tuple[Placed, ...]
    prices: Placed | None
    new_recordings: Mapping[RecordingKey, str]
    changed_recordings: Mapping[RecordingKey, str]
    unchanged_recordings: int


def plan(stored: Stored, bundle: Bundle, findings: list[Finding], *, as_drafts: bool) -> Plan:
    """What a push of this folder does to this desk; nothing is refused as a whole here (see `retired_names`)."""
    entries = [
        entry for name in bundle.prompts for entry in _prompt(stored, bundle, name, findings, as_drafts=as_drafts)
    ]
    minted = [one for one in entries if one.number is not None and one.state is State.NEW]
    old = stored.recordings
    return Plan(
        governance=_governance(stored.workflow, bundle),
        revised=_revised(stored.workflow, bundle),
        reworded=stored.workflow is None or not same(rest(stored.workflow.document), rest(bundle.workflow)),
        mint=tuple(minted),
        unchanged=tuple(one for one in entries if one.number is not None and one.state is State.UNCHANGED),
        refused=tuple(one for one in entries if one.why and one.number is None),
        drafts=tuple(one for one in entries if one.number is None and not one.why),
        suites=tuple(_placed(stored.suites, bundle.suites)),
        knowledge=tuple(_placed(stored.knowledge, bundle.knowledge)),
        prices=_prices(stored.prices, bundle.prices),
        new_recordings={key: text for key, text in bundle.recordings.items() if key not in old},
        changed_recordings={key: text for key, text in bundle.recordings.items() if old.get(key, text) != text},
        unchanged_recordings=sum(old.get(key) == text for key, text in bundle.recordings.items()),
    )


def retired_names(stored: Stored, bundle: Bundle) -> list[str]:
    """Full names of retired prompts that the folder would bring back."""
    named = {f"{bundle.name}.{short}" for short in (*bundle.prompts, *bundle.workflow["prompts"])}
    return sorted(named & stored.retired)


def dropped(stored: Stored, bundle: Bundle) -> list[str]:
    """Full names of prompts that the workflow document names on the desk and no longer in the folder."""
    before = stored.workflow.document.get("prompts", {}) if stored.workflow else {}
    return sorted({f"{bundle.name}.{short}" for short in before.keys() - bundle.workflow["prompts"]} - stored.retired)


def _prompt(stored: Stored, bundle: Bundle, name: str, findings: list[Finding], *, as_drafts: bool) -> Iterator[Entry]:
    full = f"{bundle.name}.{name}"
    drafts, known = stored.drafts.get(full, {}), dict(stored.versions.get(full, {}))
    notes, waiting = stored.notes.get(full, {}), ""
    for label, item in sorted(bundle.prompts[name].items(), key=lambda one: (number_of(one[0]) or 0, one[0])):
        number = number_of(label)
        if number is None or (as_drafts and number not in known):
            yield Entry(name, label, item, _draft_state(drafts.get(label), item))
            continue
        entry = _version(
            Entry(name, label, item, State.NEW, number),
            known,
            waiting,
            findings,
            as_drafts=as_drafts,
            note=notes.get(number),
        )
        if entry.state is State.NEW and entry.number is not None:
            known[number] = item.content.digest
        waiting = waiting or (label if entry.findings else "")
        yield entry


def _version(
    entry: Entry,
    known: Mapping[int, str],
    waiting: str,
    findings: list[Finding],
    *,
    as_drafts: bool,
    note: str | None = None,
) -> Entry:
    """The entry settled: a version is minted once, above all others, free of errors, and never under two numbers."""
    number, content, most = number_of(entry.label) or 0, entry.item.content, max(known, default=0)
    twin = next((other for other, stored in known.items() if stored == content.digest), None)
    if known.get(number) == content.digest:
        return _settled(entry, State.UNCHANGED, number, _reworded(entry.item, note))
    if number in known and as_drafts:
        return _refused(entry, f"{entry.label} is a version; a draft cannot carry its name", "rename the draft's file")
    if number in known:
        return _refused(entry, "a version never changes", f"save as v{most + 1}")
    if twin is not None:
        return _refused(entry, f"the same content as v{twin}", f"use v{twin}, or change something")
    if number < most:
        return _refused(entry, f"v{most} exists already, and numbers only go up", f"save as v{most + 1}")
    errors = standing_in_the_way(findings, entry.prompt, entry.label, content.evaluation["suite"])
    if errors:
        why = "; ".join(dict.fromkeys(one.message for one in errors))
        return _refused(entry, why, errors[0].hint, tuple(errors))
    if waiting:
        return _refused(entry, f"{waiting} comes first and was refused", f"correct {waiting}, or take its file out")
    return Entry(entry.prompt, entry.label, entry.item, State.NEW, number, _gap(most, number))


def _reworded(item: Item, note: str | None) -> str:
    """A minted version keeps the note that it was minted with."""
    changed = note is not None and item.release_note != note
    return "its new release note is ignored: a version never changes" if changed else ""


def _gap(most: int, number: int) -> str:
    """Numbers that no version has, said in words: they can never be filled."""
    missing = range(most + 1, number)
    if not missing:
        return ""
    names = f"v{missing[0]}" if len(missing) == 1 else f"v{missing[0]} to v{missing[-1]}"
    return f"there is no {names}, and there never will be: numbers only go up"


def _settled(entry: Entry, state: State, number: int, why: str = "") -> Entry:
    return Entry(entry.prompt, entry.label, entry.item, state, number, why)


def _refused(entry: Entry, why: str, hint: str, findings: tuple[Finding, ...] = ()) -> Entry:
    return Entry(entry.prompt, entry.label, entry.item, State.UNCHANGED, None, why, hint, findings)


def _draft_state(stored: str | None, item: Item) -> State:
    if stored is None:
        return State.NEW
    return State.UNCHANGED if stored == item.content.digest else State.CHANGED


def _placed(stored: Mapping[str, Numbered], sent: Mapping[str, Mapping[str, Any]]) -> Iterator[Placed]:
    for name, document in sent.items():
        yield _place(name, stored.get(name), document)


def _prices(stored: Numbered | None, sent: Mapping[str, Any] | None) -> Placed | None:
    return None if sent is None else _place("", stored, sent)


def _place(name: str, stored: Numbered | None, document: Mapping[str, Any]) -> Placed:
    """A digest other than the newest gets the next number, also when an older number had it."""
    now = digest(dict(document))
    if stored is not None and stored.digest == now:
        return Placed(name, stored.number, now, State.UNCHANGED, document)
    return Placed(name, stored.number + 1 if stored else 1, now, State.NEW, document)


def _revised(stored: Workflow | None, bundle: Bundle) -> bool:
    if stored is None:
        return True
    return not (same(stored.document, bundle.workflow) and same(stored.authority, bundle.authority))


def _governance(stored: Workflow | None, bundle: Bundle) -> State:
    if stored is None:
        return State.NEW
    equal = same(governed(stored.document), governed(bundle.workflow))
    return State.UNCHANGED if equal and same(stored.authority, bundle.authority) else State.CHANGED
