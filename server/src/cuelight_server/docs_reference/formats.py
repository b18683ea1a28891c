"""format.md: every kind of file with every key, its type, whether it must be there and what it means."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cuelight.contract import format as file_format
from cuelight_server.docs_reference.markdown import code, codes, page, prose, section, table
from cuelight_server.docs_reference.types import type_of

Schema = Mapping[str, Any]
_HEAD = ("key", "type", "must be there", "meaning")


def format_page() -> str:
    """The page, from the JSON Schema that checks the files."""
    shared = definitions()
    kinds = [_named(kind, shared[kind]) for kind in file_format.KINDS]
    parts = [_named(name, one) for name, one in shared.items() if name not in file_format.KINDS and _big(one)]
    small = [
        (f'<a id="{name}"></a>{code(name)}', type_of(one), _meaning(one))
        for name, one in shared.items()
        if name not in file_format.KINDS and not _big(one)
    ]
    return page(
        "The file format",
        "Every key, its type, whether it must be there when what holds it is there, and what it means. A key that is not "
        "listed is refused. `a.b` is the key `b` in the object `a`; `a[].b` is the key `b` of each item of the list `a`. "
        "How the files belong together is told in [the guide](../guides/format.md); `cuelight schema KIND` prints the "
        "JSON Schema.",
        *kinds,
        *parts,
        section("Small types", table(("name", "type", "meaning"), small)),
    )


def definitions() -> dict[str, Any]:
    """Every named shape of the format, in the order of the format."""
    whole: dict[str, Any] = {}
    for kind in file_format.KINDS:
        whole |= {name: one for name, one in file_format.schema(kind)["$defs"].items() if name not in whole}
    return whole


def graders() -> list[str]:
    """The type of every grader."""
    shared = definitions()
    shapes = [shared[one["$ref"].rpartition("/")[2]] if "$ref" in one else one for one in shared["grader"]["oneOf"]]
    return [name for one in shapes for name in file_format.tags_of(one["properties"]["type"])]


def _big(one: Schema) -> bool:
    return bool(one.get("properties") or one.get("oneOf"))


def _named(name: str, one: Schema) -> str:
    shapes = [shape for shape in one.get("oneOf", ()) if "properties" in shape]
    head = f'<a id="{name}"></a>\n\n{_meaning(one)}'
    if not shapes:
        return section(name, head, _choice(one), table(_HEAD, _rows(one)))
    shared = _common(shapes)
    common = {**shapes[0], "properties": shared}
    words = "Each kind has these keys and its own." if shared else ""
    each = [section(_tag(shape), *_shape(shape, shared), level=3) for shape in shapes]
    return section(name, head, words, table(_HEAD, _rows(common)) if shared else "", *each)


def _shape(shape: Schema, shared: Mapping[str, Any]) -> tuple[str, str]:
    drop = shared if _kind_of(shape) else {}
    own = {key: value for key, value in shape["properties"].items() if key not in drop}
    return _meaning(shape), table(_HEAD, _rows({**shape, "properties": own}))


def _common(shapes: Sequence[Schema]) -> dict[str, Any]:
    """The keys that every shape with a kind has in the same way; nothing where shapes have no kind."""
    kinds = [one["properties"] for one in shapes if _kind_of(one)]
    return {
        key: value
        for key, value in (kinds[0] if kinds else {}).items()
        if all(key in one and (one[key] == value or "const" in one[key]) for one in kinds)
    }


def _kind_of(shape: Schema) -> str:
    """The constant that names the shape (`type`, `rule`); "" where there is none."""
    return next((str(one["const"]) for one in shape["properties"].values() if "const" in one), "")


def _tag(shape: Schema) -> str:
    """The name of one of several shapes: its constant, else the keys that it must have."""
    kind = _kind_of(shape)
    if "title" in shape:
        return prose(str(shape["title"]))
    return code(kind) if kind else codes(shape["required"])


def _choice(one: Schema) -> str:
    """The words for `exactly one of these keys`."""
    keys = [shape["required"][0] for shape in one.get("oneOf", ()) if shape.get("required")]
    return f"Exactly one of {codes(keys)} must be there." if keys else ""


def _rows(shape: Schema, prefix: str = "") -> Iterator[tuple[str, str, str, str]]:
    """A row a key; the keys of an object inside follow it, `outer.inner` and `list[].inner`."""
    required = shape.get("required", ())
    for key, one in shape.get("properties", {}).items():
        name = f"{prefix}{key}"
        yield code(name), _typed(one), "yes" if key in required else "no", _meaning(one)
        yield from _below(one, name)


def _below(one: Schema, name: str) -> Iterator[tuple[str, str, str, str]]:
    listed = one.get("type") == "array"
    inner: Any = one.get("items") if listed else one
    steps = f"{name}[]" if listed else name
    if not isinstance(inner, Mapping) or "$ref" in inner:
        return
    if "properties" in inner:
        yield from _rows(inner, f"{steps}.")
    for shape in inner.get("oneOf", ()):
        if "$ref" in shape:
            yield code(steps), _typed(shape), "", _meaning(shape)
            continue
        yield code(steps), f"with {_tag(shape)}", "", _meaning(shape)
        yield from _rows(shape, f"{steps}.")


def _typed(one: Schema) -> str:
    """The type; of the constant that names a kind, the kind."""
    return "the kind" if "const" in one else type_of(one)


def _meaning(one: Schema) -> str:
    """The description; of a reference without one, the first sentence of what it refers to."""
    if "description" in one or "$ref" not in one:
        return prose(str(one.get("description", "")))
    told = str(definitions()[one["$ref"].rpartition("/")[2]].get("description", ""))
    return prose(told.partition(". ")[0].rstrip(".") + "." if told else "")
