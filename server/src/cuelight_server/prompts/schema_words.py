"""The words of JSON Schema: one that it does not have asks nothing, and is most often a slip of the pen."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

Step = str | int

_WORDS = """
    $schema $id $ref $defs $anchor $dynamicRef $dynamicAnchor $recursiveRef $recursiveAnchor $vocabulary $comment
    definitions dependencies additionalItems id title description default examples deprecated readOnly writeOnly
    type enum const multipleOf maximum exclusiveMaximum minimum exclusiveMinimum maxLength minLength pattern format
    contentEncoding contentMediaType contentSchema items prefixItems contains maxItems minItems uniqueItems maxContains
    minContains unevaluatedItems properties patternProperties additionalProperties propertyNames maxProperties
    minProperties required dependentRequired dependentSchemas unevaluatedProperties allOf anyOf oneOf not if then
    else
"""
WORDS = frozenset(_WORDS.split())
_BY_NAME = frozenset({"properties", "patternProperties", "dependentSchemas", "$defs", "definitions"})
_VALUES = frozenset({"const", "enum", "default", "examples", "required", "dependentRequired", "type"})


def unknown_words(schema: Any) -> Iterator[tuple[tuple[Step, ...], str, str]]:
    """(path, word, the word that was perhaps meant or empty) of every keyword that is none; `x-...` is anybody's own."""
    ahead: list[tuple[Any, tuple[Step, ...]]] = [(schema, ())]
    while ahead:
        node, path = ahead.pop()
        if isinstance(node, list):
            ahead.extend((one, (*path, at)) for at, one in enumerate(node))
        if not isinstance(node, Mapping):
            continue
        for word, value in node.items():
            if word not in WORDS and not word.startswith("x-"):
                yield (*path, word), word, next(iter(get_close_matches(word, sorted(WORDS), 1)), "")
            elif word in _BY_NAME and isinstance(value, Mapping):
                ahead.extend((one, (*path, word, name)) for name, one in value.items())
            elif word in WORDS and word not in _VALUES:
                ahead.append((value, (*path, word)))
