"""The outcome of a comparison of two schemas in words, and the parts that are compared by number or by name."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cuelight.contract.condition import is_number, same
from cuelight_server.prompts.fit_schemas import KINDS, Schema

# What is only ever compared whole: equal on both sides it changes nothing, else nobody can say. By the kind it is about.
_WHOLE: Mapping[str, tuple[str, ...]] = {
    "not": KINDS,
    "if": KINDS,
    "then": KINDS,
    "else": KINDS,
    "$dynamicRef": KINDS,
    "patternProperties": ("object",),
    "propertyNames": ("object",),
    "dependentRequired": ("object",),
    "dependentSchemas": ("object",),
    "unevaluatedProperties": ("object",),
    "maxProperties": ("object",),
    "prefixItems": ("array",),
    "contains": ("array",),
    "minContains": ("array",),
    "maxContains": ("array",),
    "unevaluatedItems": ("array",),
}


@dataclass(frozen=True, slots=True)
class Fit:
    """`unfit`: what the first allows and the second refuses; `undecided`: where nobody could say. Both in words.

    `broken` are those of `unfit` that readers of the second count on: a required key, or that no further keys come.
    """

    unfit: tuple[str, ...] = ()
    undecided: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()

    @property
    def fits(self) -> bool:
        """Whether everything was compared, and fits."""
        return not self.unfit and not self.undecided


def compared_whole(giver: Schema, taker: Schema, kind: str, at: str) -> Fit:
    """Keywords that are not taken apart: undecided where the taker's differ, and where the giver's hide what may come."""
    hiding = ("patternProperties", "prefixItems")
    asked = [one for one in _WHOLE if kind in _WHOLE[one] and (one in taker or (one in giver and one in hiding))]
    unlike = [one for one in asked if not same(giver.get(one), taker.get(one)) or "$ref" in str(taker.get(one))]
    return undecided(at, f"{', '.join(unlike)} cannot be compared") if unlike else Fit()


def lengths(giver: Schema, taker: Schema, at: str, least: str, most: str, what: str) -> Iterator[Fit]:
    """Whether there may be fewer or more (characters, items) than the taker accepts."""
    if giver.get(least, 0) < taker.get(least, 0):
        yield unfit(at, f"fewer than {taker[least]} {what} may come")
    if most in taker and giver.get(most, taker[most] + 1) > taker[most]:
        yield unfit(at, f"more than {taker[most]} {what} may come")


def value_range(giver: Schema, taker: Schema, at: str) -> Iterator[Fit]:
    """Whether a number may lie outside the taker's bounds."""
    for least, strict, sign, word in (
        ("minimum", "exclusiveMinimum", 1, "less"),
        ("maximum", "exclusiveMaximum", -1, "more"),
    ):
        wanted, own = _bound(taker, least, strict, sign), _bound(giver, least, strict, sign)
        if wanted is not None and (own is None or own < wanted):
            yield unfit(
                at, f"{word} than {wanted[0] * sign} may come" if not wanted[1] else f"{wanted[0] * sign} may come"
            )


def _bound(schema: Schema, open_end: str, strict: str, sign: int) -> tuple[float, bool] | None:
    """The tighter of two bounds as (value, excluded), turned so that larger is tighter."""
    ends = [(schema[key] * sign, key == strict) for key in (open_end, strict) if is_number(schema.get(key))]
    return max(ends, default=None)


def multiples(giver: Schema, taker: Schema, kind: str, at: str) -> Fit:
    """Whether each number is a multiple of what the taker asks; an integer is one of 1."""
    wanted, own = taker.get("multipleOf"), giver.get("multipleOf", 1 if kind == "integer" else None)
    if wanted is None or (own is not None and own % wanted == 0):
        return Fit()
    return unfit(at, f"a number that is no multiple of {wanted} may come")


def patterns(giver: Schema, taker: Schema, at: str, key: str) -> Fit:
    """A pattern against none lets anything come; two unlike patterns cannot be compared."""
    if key not in taker or giver.get(key) == taker[key]:
        return Fit()
    if key in giver:
        return undecided(at, f"the {key}s {giver[key]!r} and {taker[key]!r} differ")
    return unfit(at, f"text outside the {key} {taker[key]!r} may come")


def joined(results: Iterable[Fit]) -> Fit:
    """All outcomes in one, each said once."""
    unfit: dict[str, None] = {}
    undecided: dict[str, None] = {}
    broken: dict[str, None] = {}
    for one in results:
        unfit.update(dict.fromkeys(one.unfit))
        undecided.update(dict.fromkeys(one.undecided))
        broken.update(dict.fromkeys(one.broken))
    return Fit(tuple(unfit), tuple(undecided), tuple(broken))


def in_all(results: list[Fit]) -> Fit:
    """What is broken by each of several schemas that hold at once, and so by all of them together."""
    broken = tuple(one for one in results[0].broken if all(one in other.broken for other in results))
    return Fit(unfit=broken, broken=broken)


def unfit(at: str, words: str) -> Fit:
    """One thing that may come and is not accepted."""
    return Fit(unfit=(f"{at or 'the whole'}: {words}",))


def broken(at: str, words: str) -> Fit:
    """One thing that may come though readers count on it that it does not."""
    found = unfit(at, words)
    return Fit(unfit=found.unfit, broken=found.unfit)


def undecided(at: str, words: str) -> Fit:
    """One place that nobody can compare."""
    return Fit(undecided=(f"{at or 'the whole'}: {words}",))


def inside(at: str, name: str) -> str:
    """The place of a key."""
    return f"{at}.{name}" if at else name


def some_values(values: list[Any]) -> str:
    """The first few values, and how many more there are."""
    shown = ", ".join(repr(one)[:40] for one in values[:3])
    return f"{shown} and {len(values) - 3} more" if len(values) > 3 else shown


def named(kind: str) -> str:
    """A kind with its article."""
    return kind if kind == "null" else f"an {kind}" if kind[0] in "aio" else f"a {kind}"
