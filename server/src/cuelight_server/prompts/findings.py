"""How findings are made: one line for each thing that lint can say."""

from collections.abc import Iterator
from typing import Any

from cuelight.contract.errors import Invalid
from cuelight.contract.schemas import schema_validator
from cuelight_server.prompts.model import Finding, Severity
from cuelight_server.prompts.schema_words import unknown_words

Step = str | int
_SHOWN = 5


def error(code: str, message: str, hint: str, document: str, *path: Step) -> Finding:
    """A finding that stands in the way of minting."""
    return Finding(code, Severity.ERROR, message, hint, document, path)


def warning(code: str, message: str, hint: str, document: str, *path: Step) -> Finding:
    """A finding that is only told."""
    return Finding(code, Severity.WARNING, message, hint, document, path)


def judged(code: str, message: str, hint: str, document: str, *path: Step, strict: bool) -> Finding:
    """An error where `strict`, a warning elsewhere."""
    return (error if strict else warning)(code, message, hint, document, *path)


def declared(what: str, document: str, *path: Step) -> Finding:
    """A rule in words, where from tier elevated up only a rule that code enforces lets a release through."""
    return warning(
        "declared_only_blocks_release",
        f"{what} is declared only: nothing enforces it, and from tier elevated up that blocks release",
        "say it as a rule that code can hold, or take it out",
        document,
        *path,
    )


def some(words: list[str], joined: str = ", ") -> str:
    """The first few, and how many more there are."""
    more = f" and {len(words) - _SHOWN} more" if len(words) > _SHOWN else ""
    return joined.join(words[:_SHOWN]) + more


def schema_problems(places: Iterator[tuple[tuple[Step, ...], Any]], document: str) -> Iterator[Finding]:
    """`schema_invalid` for each schema that cannot be used, `schema_keyword_unknown` for each word that it cannot have."""
    for path, schema in places:
        if schema is None:
            continue
        for steps, word, meant in unknown_words(schema):
            hint = f"did you mean {meant}?" if meant else "take it out, or call it x-...: it has no effect"
            words = f"JSON Schema has no keyword {word}: nothing checks it"
            yield warning("schema_keyword_unknown", words, hint, document, *path, *steps)
        try:
            schema_validator(schema, ".".join(map(str, path)))
        except Invalid as bad:
            yield error("schema_invalid", bad.message, bad.hint, document, *path)
