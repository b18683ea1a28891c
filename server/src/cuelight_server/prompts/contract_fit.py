"""Whether everything that one JSON Schema allows fits into another: pure, bounded, and what it cannot decide it names."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cuelight.contract.condition import is_number, same
from cuelight.contract.errors import Invalid
from cuelight.contract.schemas import schema_validator

Schema = Mapping[str, Any]
MOST_STEPS, DEEPEST = 20_000, 40
KINDS = ("null", "boolean", "integer", "number", "string", "array", "object")
_FINITE: Mapping[str, tuple[Any, ...]] = {"null": (None,), "boolean": (True, False)}
_SILENT = ("title", "description", "default", "examples", "$comment", "deprecated", "readOnly", "writeOnly")
_ASIDE = {*_SILENT, "format", "contentEncoding", "contentMediaType", "$schema", "$id", "$defs", "definitions"}
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
# Keywords that only mean something beside each other: two schemas that share out such a group cannot become one.
_TOGETHER = (
    {"properties", "patternProperties", "additionalProperties"},
    {"prefixItems", "items"},
    {"if", "then", "else"},
    {"contains", "minContains", "maxContains"},
)


@dataclass(frozen=True, slots=True)
class Fit:
    """`unfit`: what the first allows and the second refuses; `undecided`: where nobody could say. Both in words."""

    unfit: tuple[str, ...] = ()
    undecided: tuple[str, ...] = ()

    @property
    def fits(self) -> bool:
        """Whether everything was compared, and fits."""
        return not self.unfit and not self.undecided


def fit(giver: Schema, taker: Schema) -> Fit:
    """Whether each value that `giver` allows is accepted by `taker`. Both have their files inlined.

    Structure is compared: types, values, ranges, patterns (equal or not), keys, items, alternatives. `format` counts as
    a remark, as JSON Schema 2020-12 has it. After MOST_STEPS comparisons the rest is undecided.
    """
    return Fit() if same(giver, taker) else _Comparison(giver, taker).of([giver], taker, "")


def loosened(old: Mapping[str, Any], new: Mapping[str, Any]) -> Fit:
    """What the output contract `new` lets pass that `old` refused; both as in `Content.output`."""
    words = []
    if old["strict"] and not new["strict"] and old["format"] == "json":
        words.append("strict is turned off")
    if old["format"] == "json" and new["format"] != "json":
        words.append("the output is no JSON any more")
    kept = {one["id"] for one in new["rules"] if "declared_only" not in one}
    gone = [one["id"] for one in old["rules"] if "declared_only" not in one and one["id"] not in kept]
    words += [f"the rule {one} is gone" for one in gone]
    if old["schema"] is None:
        return Fit(tuple(words))
    if new["schema"] is None:
        return Fit((*words, "the schema is gone"))
    found = fit(new["schema"], old["schema"])
    return Fit((*words, *found.unfit), found.undecided)


class _Comparison:
    """One comparison under way: the two roots that references look into, and the steps that are left."""

    def __init__(self, giver: Schema, taker: Schema) -> None:
        self._giver, self._taker = giver, taker
        self._left = MOST_STEPS

    def of(self, givers: list[Any], taker: Any, at: str, depth: int = 0) -> Fit:
        """Whether what fits all `givers` fits `taker`; `at` says where, for the words."""
        self._left -= 1
        if self._left < 0 or depth > DEEPEST:
            return _undecided("the rest", "the schemas are too large or refer in circles")
        found = [conjunct for one in givers for conjunct in _conjuncts(one, self._giver)]
        wanted = list(_conjuncts(taker, self._taker))
        if None in found or None in wanted:
            return _undecided(at, "a reference leads nowhere or in circles")
        own = [one for one in found if one is not None] or [{}]
        if any("" in one for one in own):
            return Fit()
        return _all(self._conjunct(own, one, at, depth) for one in wanted if one)

    def _conjunct(self, givers: list[Schema], taker: Schema, at: str, depth: int) -> Fit:
        merged = _merged(givers)
        if merged is not None:
            return self._alternatives(merged, taker, at, depth)
        results = [self._alternatives(one, taker, at, depth) for one in givers]
        if any(one.fits for one in results):
            return Fit()
        return _undecided(at, "several schemas hold at once")

    def _alternatives(self, giver: Schema, taker: Schema, at: str, depth: int) -> Fit:
        """Each of the giver's own alternatives must fit; then each of its kinds."""
        if "" in taker:
            return _unfit(at, "nothing is accepted here")
        for word in ("anyOf", "oneOf"):
            if word in giver:
                rest = {key: value for key, value in giver.items() if key != word}
                return _all(self.of([rest, one], _bare(taker), at, depth + 1) for one in giver[word])
        if "const" in giver or "enum" in giver:
            values = [giver["const"]] if "const" in giver else giver["enum"]
            return self._values(values, giver, taker, at)
        return _all(self._kind(giver, kind, taker, at, depth) for kind in _kinds(giver))

    def _values(self, values: list[Any], giver: Schema, taker: Schema, at: str) -> Fit:
        try:
            own = schema_validator({**giver, "$defs": self._giver.get("$defs", {})}, "giver")
            other = schema_validator({**taker, "$defs": self._taker.get("$defs", {})}, "taker")
        except Invalid:
            return _undecided(at, "its values are described elsewhere")
        bad = [one for one in values if own.is_valid(one) and not other.is_valid(one)]
        return _unfit(at, f"{_some(bad)} may come and is not accepted") if bad else Fit()

    def _kind(self, giver: Schema, kind: str, taker: Schema, at: str, depth: int) -> Fit:
        for word in ("anyOf", "oneOf"):
            if word in taker:
                rest = {key: value for key, value in taker.items() if key != word}
                either = self._either({**giver, "type": kind}, kind, taker[word], at, depth, one_only=word == "oneOf")
                return _all((self._kind(giver, kind, rest, at, depth), either))
        if kind not in _kinds(taker) and not (kind == "integer" and "number" in _kinds(taker)):
            return _unfit(at, f"{_a(kind)} may come, expected {' or '.join(_kinds(taker))}")
        if "const" in taker or "enum" in taker:
            if kind in _FINITE:
                return self._values(list(_FINITE[kind]), {}, taker, at)
            wanted = taker["enum"] if "enum" in taker else [taker["const"]]
            return _unfit(at, f"any {kind} may come, expected {_some(wanted)}")
        return _all((_whole(giver, taker, kind, at), *self._inside(giver, kind, taker, at, depth)))

    def _either(self, giver: Schema, kind: str, branches: list[Any], at: str, depth: int, *, one_only: bool) -> Fit:
        """One alternative of the taker must take it all; of `oneOf`, no other may take any of it."""
        open_to = [one for one in branches if self._may_take(one, kind)]
        results = [self.of([giver], one, at, depth + 1) for one in open_to]
        if not results:
            return _unfit(at, f"{_a(kind)} may come and no alternative accepts it")
        if any(one.fits for one in results) and not (one_only and len(results) > 1):
            return Fit()
        return results[0] if len(results) == 1 else _undecided(at, "several alternatives may accept it")

    def _may_take(self, branch: Any, kind: str) -> bool:
        found = list(_conjuncts(branch, self._taker))
        near = {"integer", "number"} if kind in ("integer", "number") else {kind}
        return all(one is None or ("" not in one and near & set(_kinds(one))) for one in found)

    def _inside(self, giver: Schema, kind: str, taker: Schema, at: str, depth: int) -> Iterator[Fit]:
        if kind == "string":
            yield from _lengths(giver, taker, at, "minLength", "maxLength", "characters")
            yield _equal_or_unfit(giver, taker, at, "pattern")
        elif kind in ("integer", "number"):
            yield from _range(giver, taker, at)
            yield _steps(giver, taker, kind, at)
        elif kind == "array":
            yield from _lengths(giver, taker, at, "minItems", "maxItems", "items")
            yield from self._items(giver, taker, at, depth)
        elif kind == "object":
            yield from self._keys(giver, taker, at, depth)

    def _items(self, giver: Schema, taker: Schema, at: str, depth: int) -> Iterator[Fit]:
        if giver.get("maxItems") != 0:
            yield self.of([giver.get("items", True)], taker.get("items", True), f"{at}[*]", depth + 1)
        if taker.get("uniqueItems") and not giver.get("uniqueItems") and giver.get("maxItems", 2) > 1:
            yield _unfit(at, "an item may come twice")

    def _keys(self, giver: Schema, taker: Schema, at: str, depth: int) -> Iterator[Fit]:
        """Required keys, each named key, and the keys that nobody names."""
        optional = [one for one in taker.get("required", ()) if one not in giver.get("required", ())]
        yield from (_unfit(_step(at, one), "may be missing") for one in optional)
        if taker.get("minProperties", 0) > max(giver.get("minProperties", 0), len(giver.get("required", ()))):
            yield _unfit(at, f"fewer than {taker['minProperties']} keys may come")
        own, other = giver.get("properties", {}), taker.get("properties", {})
        more, open_to = giver.get("additionalProperties", True), taker.get("additionalProperties", True)
        for name in dict.fromkeys((*own, *other)):
            mine = own.get(name, more)
            if mine is not False:
                yield self.of([mine], other.get(name, open_to), _step(at, name), depth + 1)
        if more is not False and open_to is False:
            yield _unfit(at, "further keys may come")
        elif more is not False:
            yield self.of([more], open_to, _step(at, "<any other key>"), depth + 1)


def _conjuncts(schema: Any, root: Schema, depth: int = 0) -> Iterator[Schema | None]:
    """Schemas that must all hold, references followed; None where one leads nowhere. {"": ...} allows nothing."""
    if isinstance(schema, bool):
        yield {} if schema else {"": False}
        return
    if depth > DEEPEST or not isinstance(schema, Mapping):
        yield None
        return
    own = {key: value for key, value in schema.items() if key not in {*_ASIDE, "$ref", "allOf"}}
    if own or not ("$ref" in schema or "allOf" in schema):
        yield own
    if "$ref" in schema:
        target = _target(str(schema["$ref"]), root)
        if target is None:
            yield None
        else:
            yield from _conjuncts(target, root, depth + 1)
    for one in schema.get("allOf", ()):
        yield from _conjuncts(one, root, depth + 1)


def _target(ref: str, root: Schema) -> Any:
    if ref == "#":
        return root
    node: Any = root
    for step in ref.removeprefix("#/").split("/") if ref.startswith("#/") else ("",):
        name = step.replace("~1", "/").replace("~0", "~")
        node = node.get(name) if isinstance(node, Mapping) else None
    return node


def _merged(schemas: list[Schema]) -> Schema | None:
    """One schema that means the same as all together, or None where their keywords meet."""
    if len(schemas) == 1:
        return schemas[0]
    made: dict[str, Any] = {}
    for one in schemas:
        if made.keys() & one.keys() or any(group & made.keys() and group & one.keys() for group in _TOGETHER):
            return None
        made.update(one)
    return made


def _bare(schema: Schema) -> Any:
    return False if "" in schema else schema


def _kinds(schema: Schema) -> tuple[str, ...]:
    """The kinds of value that the schema's `type` allows; every one where it has none."""
    named = schema.get("type")
    if named is None:
        return tuple(one for one in KINDS if one != "integer")
    return (named,) if isinstance(named, str) else tuple(named)


def _whole(giver: Schema, taker: Schema, kind: str, at: str) -> Fit:
    """Keywords that are not taken apart: undecided where the taker's differ, and where the giver's hide what may come."""
    hiding = ("patternProperties", "prefixItems")
    asked = [one for one in _WHOLE if kind in _WHOLE[one] and (one in taker or (one in giver and one in hiding))]
    unlike = [one for one in asked if not same(giver.get(one), taker.get(one)) or "$ref" in str(taker.get(one))]
    return _undecided(at, f"{', '.join(unlike)} cannot be compared") if unlike else Fit()


def _lengths(giver: Schema, taker: Schema, at: str, least: str, most: str, what: str) -> Iterator[Fit]:
    if giver.get(least, 0) < taker.get(least, 0):
        yield _unfit(at, f"fewer than {taker[least]} {what} may come")
    if most in taker and giver.get(most, taker[most] + 1) > taker[most]:
        yield _unfit(at, f"more than {taker[most]} {what} may come")


def _range(giver: Schema, taker: Schema, at: str) -> Iterator[Fit]:
    for least, strict, sign, word in (
        ("minimum", "exclusiveMinimum", 1, "less"),
        ("maximum", "exclusiveMaximum", -1, "more"),
    ):
        wanted, own = _bound(taker, least, strict, sign), _bound(giver, least, strict, sign)
        if wanted is not None and (own is None or own < wanted):
            yield _unfit(
                at, f"{word} than {wanted[0] * sign} may come" if not wanted[1] else f"{wanted[0] * sign} may come"
            )


def _bound(schema: Schema, open_end: str, strict: str, sign: int) -> tuple[float, bool] | None:
    """The tighter of two bounds as (value, excluded), turned so that larger is tighter."""
    ends = [(schema[key] * sign, key == strict) for key in (open_end, strict) if is_number(schema.get(key))]
    return max(ends, default=None)


def _steps(giver: Schema, taker: Schema, kind: str, at: str) -> Fit:
    wanted, own = taker.get("multipleOf"), giver.get("multipleOf", 1 if kind == "integer" else None)
    if wanted is None or (own is not None and own % wanted == 0):
        return Fit()
    return _unfit(at, f"a number that is no multiple of {wanted} may come")


def _equal_or_unfit(giver: Schema, taker: Schema, at: str, key: str) -> Fit:
    """A pattern against none lets anything come; two unlike patterns cannot be compared."""
    if key not in taker or giver.get(key) == taker[key]:
        return Fit()
    if key in giver:
        return _undecided(at, f"the {key}s {giver[key]!r} and {taker[key]!r} differ")
    return _unfit(at, f"text outside the {key} {taker[key]!r} may come")


def _all(results: Iterable[Fit]) -> Fit:
    unfit: dict[str, None] = {}
    undecided: dict[str, None] = {}
    for one in results:
        unfit.update(dict.fromkeys(one.unfit))
        undecided.update(dict.fromkeys(one.undecided))
    return Fit(tuple(unfit), tuple(undecided))


def _unfit(at: str, words: str) -> Fit:
    return Fit(unfit=(f"{at or 'the whole'}: {words}",))


def _undecided(at: str, words: str) -> Fit:
    return Fit(undecided=(f"{at or 'the whole'}: {words}",))


def _step(at: str, name: str) -> str:
    return f"{at}.{name}" if at else name


def _some(values: list[Any]) -> str:
    shown = ", ".join(repr(one)[:40] for one in values[:3])
    return f"{shown} and {len(values) - 3} more" if len(values) > 3 else shown


def _a(kind: str) -> str:
    return kind if kind == "null" else f"an {kind}" if kind[0] in "aio" else f"a {kind}"
