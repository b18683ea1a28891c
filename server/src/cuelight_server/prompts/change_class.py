"""The class of a change, computed from the contents: the strongest part decides, and the author's opinion does not count."""

import re
from collections import Counter
from typing import Any

from cuelight.contract.condition import same
from cuelight.contract.content import Content
from cuelight.contract.errors import Invalid, Unavailable
from cuelight.contract.jinja import Jinja, compile_as
from cuelight_server.kernel.terms import ChangeClass

_SPACE = re.compile(r"\s+")
_MARK = re.compile(r"\{\{[^{}]*\}\}|\{%[^{}]*%\}")  # in a text with broken braces
Message = dict[str, Any]


def of(old: Content | None, new: Content) -> ChangeClass:
    """The strictest class of any part; WORDING where nothing differs but the cut of the text, BOUNDARY for a first."""
    if old is None:
        return ChangeClass.BOUNDARY
    found = [of_messages(old, new), of_variables(old, new)]
    found += [kind for part, kind in _PARTS.items() if not same(getattr(old, part), getattr(new, part))]
    return max(found)


_PARTS = {
    "settings": ChangeClass.SETTINGS_OR_MODEL,
    "context": ChangeClass.CONTEXT,
    "output": ChangeClass.OUTPUT_CONTRACT,
    "tools": ChangeClass.BOUNDARY,
    "evaluation": ChangeClass.BOUNDARY,
}


def of_messages(old: Content | None, new: Content) -> ChangeClass:
    """BOUNDARY when a boundary text differs in any word, also by moving out or to another message.

    CONTEXT when other values, media or dialogue reach the model; INSTRUCTIONS for rules, format, roles and order;
    WORDING for `tone` blocks and white space.
    """
    if old is None or _boundary(old) != _boundary(new):
        return ChangeClass.BOUNDARY
    if _reaches(old) != _reaches(new):
        return ChangeClass.CONTEXT
    if _instructions(old) != _instructions(new):
        return ChangeClass.INSTRUCTIONS
    return ChangeClass.WORDING


def of_variables(old: Content | None, new: Content) -> ChangeClass:
    """BOUNDARY when a value that was untrusted is trusted from now on; CONTEXT for any other difference."""
    if old is None:
        return ChangeClass.BOUNDARY
    before = {one["name"]: one["trust"] for one in old.variables}
    if any(one["trust"] == "internal" and before.get(one["name"]) == "untrusted" for one in new.variables):
        return ChangeClass.BOUNDARY
    return ChangeClass.WORDING if same(old.variables, new.variables) else ChangeClass.CONTEXT


def by_block(message: Message) -> dict[str, str]:
    """Block -> all its text in this message, in the order in which the blocks first appear."""
    found: dict[str, str] = {}
    for part in message.get("parts", ()):
        if "text" in part:
            found[part["block"]] = found.get(part["block"], "") + part["text"]
    return found


def _boundary(content: Content) -> list[tuple[str, str]]:
    """(role, text) of the boundary in each message that has one."""
    texts = [(one.get("role", ""), by_block(one).get("boundary", "")) for one in content.messages]
    return [(role, _plain(text)) for role, text in texts if text.strip()]


def _reaches(content: Content) -> tuple[Counter[tuple[str, str]], list[Any]]:
    """What comes from outside: (role, variable) pairs with their count; media and placeholders in order.

    Code in a text decides what of it comes in: each tag counts as well.
    """
    names = Counter((role, name) for role, syntax, text in content.templates() for name in _names(syntax, text))
    other = [(one.get("role"), part) for one in content.messages for part in _media(one)]
    return names, other + [one["placeholder"] for one in content.messages if "placeholder" in one]


def _instructions(content: Content) -> list[tuple[Any, list[tuple[str, str]]]]:
    """Role of each message with its (block, text) runs, tone left out; a placeholder keeps its place."""
    return [(one.get("role", one.get("placeholder")), _runs(one)) for one in content.messages]


def _runs(message: Message) -> list[tuple[str, str]]:
    runs: list[tuple[str, str]] = []
    for part in message.get("parts", ()):
        block, text = part.get("block", "media"), part.get("text", "")
        if block == "tone":
            continue
        if runs and runs[-1][0] == block:
            text = runs.pop()[1] + text
        runs.append((block, text))
    return [(block, _plain(text)) for block, text in runs if text.strip() or block == "media"]


def _media(message: Message) -> list[Message]:
    return [part for part in message.get("parts", ()) if "text" not in part]


def _names(syntax: str, text: str) -> tuple[str, ...]:
    try:
        made = compile_as(syntax, text)
    except (Invalid, Unavailable):
        return (syntax, *_MARK.findall(text))
    return (*made.names, *made.tags) if isinstance(made, Jinja) else made.names


def _plain(text: str) -> str:
    return _SPACE.sub(" ", text).strip()
