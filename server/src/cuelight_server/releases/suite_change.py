"""How a suite differs from the one that what serves was released with: pure, in words for whoever says yes."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from cuelight.contract.canonical import digest

Json = Mapping[str, Any]
_WEIGHT = {"minor": 0, "major": 1, "blocker": 2}


def words(old: Json | None, new: Json | None) -> str:
    """One sentence on what is measured otherwise now; empty where nothing is. `old` None = the suite is another one."""
    if new is None:
        return ""
    if old is None:
        return "the suite differs: it is another one than what serves was released with"
    if digest(dict(old)) == digest(dict(new)):
        return ""
    told = [f"{count} {_noun(noun, count)} {what}" for (noun, what), count in _counts(old, new).items()]
    return f"the suite differs from the one that what serves was released with: {', '.join(told) or 'in other parts'}"


def _counts(old: Json, new: Json) -> dict[tuple[str, str], int]:
    """(noun, what became of it) -> how many, what takes away first."""
    found = Counter([*_cases(old, new), *_graders(old, new), *_expected(old, new), *_judges(old, new)])
    order = ("removed", "weakened", "changed", "added")
    return dict(sorted(found.items(), key=lambda one: (order.index(one[0][1]), one[0][0])))


def _cases(old: Json, new: Json) -> Iterator[tuple[str, str]]:
    before, after = ({one["id"]: one for one in suite["cases"]} for suite in (old, new))
    yield from (("case", "removed") for id in before if id not in after)
    yield from (("case", "added") for id in after if id not in before)
    for id in before.keys() & after.keys():
        rest = [{key: value for key, value in one.items() if key != "graders"} for one in (before[id], after[id])]
        if digest(rest[0]) != digest(rest[1]):
            yield "case", "changed"
        yield from _compared(before[id].get("graders", ()), after[id].get("graders", ()))


def _graders(old: Json, new: Json) -> Iterator[tuple[str, str]]:
    yield from _compared(old.get("graders", ()), new.get("graders", ()))


def _compared(old: Any, new: Any) -> Iterator[tuple[str, str]]:
    before, after = _named(old), _named(new)
    yield from (("grader", "removed") for name in before if name not in after)
    yield from (("grader", "added") for name in after if name not in before)
    for name in before.keys() & after.keys():
        left, right = before[name], after[name]
        if _WEIGHT[right["severity"]] < _WEIGHT[left["severity"]]:
            yield "grader", "weakened"
        elif digest(dict(left)) != digest(dict(right)):
            yield "grader", "changed"


def _named(graders: Any) -> dict[tuple[str, int], Json]:
    """By id, else type and path; a name that stands twice is counted through."""
    made: dict[tuple[str, int], Json] = {}
    for one in graders:
        name = one.get("id") or f"{one['type']}:{one.get('path', '')}"
        made[name, sum(name == known for known, _ in made)] = one
    return made


def _expected(old: Json, new: Json) -> Iterator[tuple[str, str]]:
    """A failure that is expected is one that no longer counts."""
    before, after = ({digest(dict(one)) for one in suite.get("expected_failures", ())} for suite in (old, new))
    yield from (("expected failure", "added") for _ in after - before)
    yield from (("expected failure", "removed") for _ in before - after)


def _judges(old: Json, new: Json) -> Iterator[tuple[str, str]]:
    """Another judge is another instrument; labels are what it is checked against."""
    if old.get("judge") != new.get("judge"):
        yield "model judge", "removed" if "judge" not in new else "changed" if "judge" in old else "added"
    before, after = ({digest(dict(one)) for one in suite.get("labels", ())} for suite in (old, new))
    yield from (("label", "removed") for _ in before - after)
    yield from (("label", "added") for _ in after - before)


def _noun(noun: str, count: int) -> str:
    return noun if count == 1 else f"{noun}s"
