"""Content on its way back into a file: what was only written out as a default is left out again."""

from collections.abc import Mapping
from typing import Any

_EMPTY: dict[str, list[Any]] = {"variables": [], "context": [], "tools": []}


def prompt_document(content: Mapping[str, Any], release_note: str = "") -> dict[str, Any]:
    """A prompt file that gives this content, and its digest, again."""
    document = {part: value for part, value in content.items() if _EMPTY.get(part) != value}
    output = {key: value for key, value in content["output"].items() if (key, value) != ("schema", None)}
    variables = [{key: one[key] for key in one if (key, one[key]) != ("source", "")} for one in content["variables"]]
    return {
        **({"release_note": release_note} if release_note else {}),
        **document,
        "output": output,
        **({"variables": variables} if variables else {}),
    }
