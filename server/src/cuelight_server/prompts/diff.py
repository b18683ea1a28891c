"""What changed between two contents, part by part, and what kind of change that is."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Any

from cuelight.contract.canonical import canonical_text
from cuelight.contract.condition import same
from cuelight.contract.content import PARTS, Content
from cuelight_server.kernel.terms import ChangeClass
from cuelight_server.prompts import change_class
from cuelight_server.prompts.words import Edit, words

ORDER = ("settings", *(part for part in PARTS if part != "settings"))  # the model first: it is the easiest to overlook
_LISTS = {"variables": "name", "context": "id", "tools": "name", "rules": "id", "metrics": "id", "consumers": "name"}
_LONGER = 0.1  # texts that grow or shrink by a tenth cost differently


@dataclass(frozen=True, slots=True)
class Change:
    """One place that differs. `before` or `after` is None where there was, or is, nothing; `words` only for texts."""

    path: str
    before: Any
    after: Any
    words: tuple[Edit, ...] | None = None


@dataclass(frozen=True, slots=True)
class PartChange:
    """The changes in one of the seven parts, and what they could affect: behaviour, format, boundary, cost."""

    part: str
    changes: tuple[Change, ...]
    could_affect: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Diff:
    """All that changed; no part and no class where nothing did."""

    parts: tuple[PartChange, ...]
    change_class: ChangeClass | None
    summary: str

    def to_json(self) -> dict[str, Any]:
        """As it goes over the wire."""
        return {
            "change_class": self.change_class,
            "summary": self.summary,
            "parts": [_part_json(part) for part in self.parts],
        }


def diff(old: Content | None, new: Content) -> Diff:
    """The difference, empty exactly when both have one digest. Without an old content everything is new: `boundary`."""
    parts = tuple(part for part in (_part(name, old, new) for name in ORDER) if part.changes)
    kind = change_class.of(old, new) if parts else None
    return Diff(parts, kind, _summary(parts, kind, first=old is None))


def _part(name: str, old: Content | None, new: Content) -> PartChange:
    compare = _messages if name == "messages" else _compare
    after = getattr(new, name)
    changes = tuple(_first(name, after) if old is None else compare(name, getattr(old, name), after))
    affected = _AFFECTS[name](changes, old, new) if changes else set()
    return PartChange(
        name, changes, tuple(one for one in ("behaviour", "format", "boundary", "cost") if one in affected)
    )


def _first(name: str, after: Any) -> Iterator[Change]:
    if name == "messages":
        yield from _messages(name, [], after)
    elif after not in ([], {}):
        yield Change(name, None, after)


def _messages(_: str, before: list[Any], after: list[Any]) -> Iterator[Change]:
    """Message by message; one that was put in between does not make its neighbours look changed."""
    left, right = (list(map(canonical_text, side)) for side in (before, after))
    for tag, at, to, new_at, new_to in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        for index, (old, new) in enumerate(zip_longest(before[at:to], after[new_at:new_to])):
            path = f"messages[{new_at + index}]" if new is not None else f"messages[{at + index}] (before)"
            if old is None or new is None or old.get("role") != new.get("role") or "placeholder" in new:
                yield Change(path, old, new, words(_whole(old), _whole(new)))
            else:
                yield from _blocks(path, old, new)


def _blocks(path: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[Change]:
    """Text by block, so that a reader sees what happened to the boundary; what is left is the order of the parts."""
    left, right = change_class.by_block(old), change_class.by_block(new)
    found = False
    for block in [*left, *(block for block in right if block not in left)]:
        before, after = left.get(block), right.get(block)
        if before != after:
            found = True
            yield Change(f"{path}.{block}", before, after, words(before or "", after or ""))
    if not found or not same(_media(old), _media(new)):
        yield Change(f"{path}.parts", old["parts"], new["parts"])


def _compare(path: str, before: Any, after: Any) -> Iterator[Change]:
    """Key by key in objects, by name in lists of named things, as a whole elsewhere."""
    if same(before, after):
        return
    key = _LISTS.get(path.rpartition(".")[2])
    if isinstance(before, dict) and isinstance(after, dict):
        yield from _keys(path, before, after)
    elif key and _named(before, key) and _named(after, key):
        left, right = ({one[key]: one for one in side} for side in (before, after))
        yield from _keys(path, left, right)
        if [one for one in left if one in right] != [one for one in right if one in left]:
            yield Change(f"{path} (order)", list(left), list(right))
    elif isinstance(before, str) and isinstance(after, str):
        yield Change(path, before, after, words(before, after))
    else:
        yield Change(path, before, after)


def _keys(path: str, before: dict[str, Any], after: dict[str, Any]) -> Iterator[Change]:
    for key in [*before, *(key for key in after if key not in before)]:
        if key in before and key in after:
            yield from _compare(f"{path}.{key}", before[key], after[key])
        else:
            yield Change(f"{path}.{key}", before.get(key), after.get(key))


def _named(side: Any, key: str) -> bool:
    names = [one.get(key) for one in side if isinstance(one, dict)] if isinstance(side, list) else None
    return names is not None and len(names) == len(side) == len(set(map(str, names))) and None not in names


def _whole(message: dict[str, Any] | None) -> str:
    return "" if message is None else "".join(part.get("text", "") for part in message.get("parts", ()))


def _media(message: dict[str, Any]) -> list[dict[str, Any]]:
    return [part for part in message["parts"] if "text" not in part]


_Affects = Callable[[tuple[Change, ...], Content | None, Content], set[str]]


def _text_affects(changes: tuple[Change, ...], old: Content | None, new: Content) -> set[str]:
    found = {"behaviour"}
    kind = change_class.of_messages(old, new)
    found |= {"boundary"} if kind is ChangeClass.BOUNDARY else set()
    found |= {"format"} if any(one.path.endswith(".format") for one in changes) or old is None else set()
    before, after = (_length(content) if content else 0 for content in (old, new))
    return found | ({"cost"} if abs(after - before) > _LONGER * max(before, 1) else set())


def _settings_affect(changes: tuple[Change, ...], _: Content | None, __: Content) -> set[str]:
    shapes = ("structured_output", "max_output_tokens", "stop", "model", "extra", "settings")
    touched = {one.path.removeprefix("settings.").partition(".")[0] for one in changes}
    return {"behaviour", "cost"} | ({"format"} if touched.intersection(shapes) else set())


def _variables_affect(_: tuple[Change, ...], old: Content | None, new: Content) -> set[str]:
    trust = change_class.of_variables(old, new) is ChangeClass.BOUNDARY
    return {"behaviour", "cost"} | ({"boundary"} if trust else set())


def _length(content: Content) -> int:
    return sum(len(text) for _, _, text in content.texts())


_AFFECTS: dict[str, _Affects] = {
    "messages": _text_affects,
    "settings": _settings_affect,
    "variables": _variables_affect,
    "context": lambda *_: {"behaviour", "cost"},
    "output": lambda *_: {"behaviour", "format"},
    "tools": lambda *_: {"behaviour", "boundary", "cost"},
    "evaluation": lambda *_: {"boundary"},
}


def _summary(parts: tuple[PartChange, ...], kind: ChangeClass | None, *, first: bool) -> str:
    if kind is None:
        return "nothing changed"
    told = "; ".join(f"{part.part}: {_told(part)}" for part in parts)
    return f"{'everything is new' if first else kind.value.replace('_', ' ')} ({told})"


def _told(part: PartChange) -> str:
    model = next((one for one in part.changes if one.path == "settings.model"), None)
    if model:
        others = len(part.changes) - 1
        return f"model {model.before} → {model.after}" + (f" and {others} more" if others else "")
    return f"{len(part.changes)} change{'s' if len(part.changes) != 1 else ''}"


def _part_json(part: PartChange) -> dict[str, Any]:
    return {
        "part": part.part,
        "could_affect": list(part.could_affect),
        "changes": [
            {
                "path": one.path,
                "before": one.before,
                "after": one.after,
                "words": [{"op": edit.op.value, "text": edit.text} for edit in one.words] if one.words else None,
            }
            for one in part.changes
        ],
    }
