"""Whether everything that one JSON Schema allows fits into another: pure, bounded, and what it cannot decide it names."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cuelight.contract.condition import same
from cuelight.contract.errors import Invalid
from cuelight.contract.schemas import schema_validator
from cuelight_server.prompts.fit_parts import (
    Fit,
    broken,
    compared_whole,
    in_all,
    inside,
    joined,
    lengths,
    multiples,
    named,
    patterns,
    some_values,
    undecided,
    unfit,
    value_range,
)
from cuelight_server.prompts.fit_schemas import DEEPEST, Schema, bare, conjuncts, kinds, merged

MOST_STEPS = 20_000
_FINITE: Mapping[str, tuple[Any, ...]] = {"null": (None,), "boolean": (True, False)}


def fit(giver: Schema, taker: Schema) -> Fit:
    """Whether each value that `giver` allows is accepted by `taker`. Both have their files inlined.

    Structure is compared, keyword by keyword: types, values, ranges, patterns (equal or not), keys, items, alternatives.
    What a `not`, an `if` or a pattern of `giver` may rule out besides is not credited to it, so that nothing passes by
    cleverness. `format` counts as a remark, as JSON Schema 2020-12 has it. After MOST_STEPS comparisons the rest is
    undecided.
    """
    return Fit() if same(giver, taker) else _Comparison(giver, taker).of([giver], taker, "")


def unread(output: Mapping[str, Any], consumers: Iterable[Mapping[str, Any]]) -> tuple[list[str], list[str]]:
    """(what some of these consumers cannot read of an output contract, what cannot be told), each with the consumer's name.

    A consumer that does not say what it accepts cannot be told.
    """
    lost, unsure = list[str](), list[str]()
    for one in consumers:
        if "schema" not in one:
            unsure.append(f"{one['name']} does not say what it accepts")
            continue
        found = fit(output["schema"] or {}, one["schema"])
        lost += [f"{one['name']}: {words}" for words in found.unfit]
        unsure += [f"{one['name']}: {words}" for words in found.undecided]
    return lost, unsure


def loosened(old: Mapping[str, Any], new: Mapping[str, Any]) -> Fit:
    """What the output contract `new` lets pass that `old` refused; both as in `Content.output`.

    `broken` is what no newer version may take back: strict, the schema, a rule, a required key, closed keys. The rest
    of `unfit` is merely wider: another key, value or range, as a contract grows.
    """
    words: list[str] = []
    wider: list[str] = []
    if old["strict"] and not new["strict"] and old["format"] == "json":
        words.append("strict is turned off")
    if old["format"] == "json" and new["format"] != "json":  # a schema holds nothing there
        (wider if old["schema"] is None else words).append("the output is no JSON any more")
    kept = {one["id"] for one in new["rules"] if "declared_only" not in one}
    gone = [one["id"] for one in old["rules"] if "declared_only" not in one and one["id"] not in kept]
    words += [f"the rule {one} is gone" for one in gone]
    if old["schema"] is None:
        return Fit(unfit=(*words, *wider), broken=tuple(words))
    if new["schema"] is None:
        words.append("the schema is gone")
        return Fit(unfit=tuple(words), broken=tuple(words))
    found = fit(new["schema"], old["schema"])
    return Fit((*words, *found.unfit), found.undecided, (*words, *found.broken))


class _Comparison:
    """One comparison under way: the two roots that references look into, and the steps that are left."""

    def __init__(self, giver: Schema, taker: Schema) -> None:
        self._giver, self._taker = giver, taker
        self._left = MOST_STEPS

    def of(self, givers: list[Any], taker: Any, at: str, depth: int = 0) -> Fit:
        """Whether what fits all `givers` fits `taker`; `at` says where, for the words."""
        self._left -= 1
        if self._left < 0 or depth > DEEPEST:
            return undecided("the rest", "the schemas are too large or refer in circles")
        found = [conjunct for one in givers for conjunct in conjuncts(one, self._giver)]
        wanted = list(conjuncts(taker, self._taker))
        if None in found or None in wanted:
            return undecided(at, "a reference leads nowhere or in circles")
        own = [one for one in found if one is not None] or [{}]
        if any("" in one for one in own):
            return Fit()
        return joined(self._conjunct(own, one, at, depth) for one in wanted if one)

    def _conjunct(self, givers: list[Schema], taker: Schema, at: str, depth: int) -> Fit:
        whole = merged(givers)
        if whole is not None:
            return self._alternatives(whole, taker, at, depth)
        results = [self._alternatives(one, taker, at, depth) for one in givers]
        if any(one.fits for one in results) and "unevaluatedProperties" not in taker:
            return Fit()
        branching = any(word in one for one in givers for word in ("anyOf", "oneOf"))
        sure = Fit() if branching else in_all(results)
        return joined((sure, undecided(at, "several schemas hold at once")))

    def _alternatives(self, giver: Schema, taker: Schema, at: str, depth: int) -> Fit:
        """Each of the giver's own alternatives must fit; then each of its kinds."""
        if "" in taker:
            return unfit(at, "nothing is accepted here")
        for word in ("anyOf", "oneOf"):
            if word in giver:
                rest = {key: value for key, value in giver.items() if key != word}
                return joined(self.of([rest, one], bare(taker), at, depth + 1) for one in giver[word])
        if "const" in giver or "enum" in giver:
            values = [giver["const"]] if "const" in giver else giver["enum"]
            return self._values(values, giver, taker, at)
        return joined(self._kind(giver, kind, taker, at, depth) for kind in kinds(giver))

    def _values(self, values: list[Any], giver: Schema, taker: Schema, at: str) -> Fit:
        try:
            own = schema_validator({**giver, "$defs": self._giver.get("$defs", {})}, "giver")
            other = schema_validator({**taker, "$defs": self._taker.get("$defs", {})}, "taker")
        except Invalid:
            return undecided(at, "its values are described elsewhere")
        bad = [one for one in values if own.is_valid(one) and not other.is_valid(one)]
        return unfit(at, f"{some_values(bad)} may come and is not accepted") if bad else Fit()

    def _kind(self, giver: Schema, kind: str, taker: Schema, at: str, depth: int) -> Fit:
        for word in ("anyOf", "oneOf"):
            if word in taker:
                rest = {key: value for key, value in taker.items() if key != word}
                either = self._either({**giver, "type": kind}, kind, taker[word], at, depth, one_only=word == "oneOf")
                return joined((self._kind(giver, kind, rest, at, depth), either))
        if kind not in kinds(taker) and not (kind == "integer" and "number" in kinds(taker)):
            return unfit(at, f"{named(kind)} may come, expected {' or '.join(kinds(taker))}")
        if "const" in taker or "enum" in taker:
            if kind in _FINITE:
                return self._values(list(_FINITE[kind]), {}, taker, at)
            wanted = taker["enum"] if "enum" in taker else [taker["const"]]
            return unfit(at, f"any {kind} may come, expected {some_values(wanted)}")
        return joined((compared_whole(giver, taker, kind, at), *self._inside(giver, kind, taker, at, depth)))

    def _either(self, giver: Schema, kind: str, branches: list[Any], at: str, depth: int, *, one_only: bool) -> Fit:
        """One alternative of the taker must take it all; of `oneOf`, no other may take any of it."""
        open_to = [one for one in branches if self._may_take(one, kind)]
        results = [self.of([giver], one, at, depth + 1) for one in open_to]
        if not results:
            return unfit(at, f"{named(kind)} may come and no alternative accepts it")
        if any(one.fits for one in results) and not (one_only and len(results) > 1):
            return Fit()
        return results[0] if len(results) == 1 else undecided(at, "several alternatives may accept it")

    def _may_take(self, branch: Any, kind: str) -> bool:
        found = list(conjuncts(branch, self._taker))
        near = {"integer", "number"} if kind in ("integer", "number") else {kind}
        return all(one is None or ("" not in one and near & set(kinds(one))) for one in found)

    def _inside(self, giver: Schema, kind: str, taker: Schema, at: str, depth: int) -> Iterator[Fit]:
        if kind == "string":
            yield from lengths(giver, taker, at, "minLength", "maxLength", "characters")
            yield patterns(giver, taker, at, "pattern")
        elif kind in ("integer", "number"):
            yield from value_range(giver, taker, at)
            yield multiples(giver, taker, kind, at)
        elif kind == "array":
            yield from lengths(giver, taker, at, "minItems", "maxItems", "items")
            yield from self._items(giver, taker, at, depth)
        elif kind == "object":
            yield from self._keys(giver, taker, at, depth)

    def _items(self, giver: Schema, taker: Schema, at: str, depth: int) -> Iterator[Fit]:
        if giver.get("maxItems") != 0:
            yield self.of([giver.get("items", True)], taker.get("items", True), f"{at}[*]", depth + 1)
        if taker.get("uniqueItems") and not giver.get("uniqueItems") and giver.get("maxItems", 2) > 1:
            yield unfit(at, "an item may come twice")

    def _keys(self, giver: Schema, taker: Schema, at: str, depth: int) -> Iterator[Fit]:
        """Required keys, each named key, and the keys that nobody names."""
        optional = [one for one in taker.get("required", ()) if one not in giver.get("required", ())]
        yield from (broken(inside(at, one), "may be missing") for one in optional)
        if taker.get("minProperties", 0) > max(giver.get("minProperties", 0), len(giver.get("required", ()))):
            yield unfit(at, f"fewer than {taker['minProperties']} keys may come")
        own, other = giver.get("properties", {}), taker.get("properties", {})
        more, open_to = giver.get("additionalProperties", True), taker.get("additionalProperties", True)
        shut = giver.get("unevaluatedProperties") is False
        for name in own if shut else dict.fromkeys((*own, *other)):
            mine = own.get(name, more)
            if mine is not False:
                yield self.of([mine], other.get(name, open_to), inside(at, name), depth + 1)
        yield from self._more_keys(giver, taker, at, depth)

    def _more_keys(self, giver: Schema, taker: Schema, at: str, depth: int) -> Iterator[Fit]:
        """The keys that nobody names; what `unevaluatedProperties` of the giver rules out is not credited to it."""
        own, other = giver.get("properties", {}), taker.get("properties", {})
        more, open_to = giver.get("additionalProperties", True), taker.get("additionalProperties", True)
        shut, wanted = (one.get("unevaluatedProperties") is False for one in (giver, taker))
        if (shut and (open_to is not True or other.keys() - own.keys())) or (wanted and own.keys() - other.keys()):
            yield undecided(at, "unevaluatedProperties cannot be compared with other keys")
        if more is not False and not shut and (wanted or open_to is False):
            yield broken(at, "further keys may come")
        elif more is not False and not shut:
            yield self.of([more], open_to, inside(at, "<any other key>"), depth + 1)
