"""Names as people type them: a prompt in a folder, a label, a reference like sales.lead_qualification@v2."""

import re
from collections.abc import Iterable
from difflib import get_close_matches

from cuelight.contract.errors import Invalid, NotFound
from cuelight.files import Folder

_REFERENCE = re.compile(r"([a-z][a-z0-9_]*\.[a-z][a-z0-9_]*)@([A-Za-z0-9][A-Za-z0-9_.-]*)")
_PROMPT = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")


def reference(typed: str) -> tuple[str, str]:
    """(`sales.lead_qualification`, `v2`) of a reference; Invalid where it is none."""
    found = _REFERENCE.fullmatch(typed)
    if found is None:
        raise Invalid(
            f"{typed!r} is no reference, expected <workflow>.<prompt>@<label>",
            "for example sales.lead_qualification@v2",
        )
    return found.group(1), found.group(2)


def is_prompt(typed: str) -> bool:
    """Whether this is a prompt's full name, such as sales.lead_qualification."""
    return _PROMPT.fullmatch(typed) is not None


def full_prompt(typed: str) -> str:
    """A prompt's full name as typed; Invalid where it is none."""
    if _PROMPT.fullmatch(typed):
        return typed
    hint = f"leave out {typed[typed.index('@') :]}" if "@" in typed else "for example sales.lead_qualification"
    raise Invalid(f"{typed!r} is no full name of a prompt, expected <workflow>.<prompt>", hint)


def prompt_in(folder: Folder, typed: str | None) -> str:
    """The short name of a prompt of the folder, typed short or in full; the only one where none was typed."""
    known: list[str] = list(folder.bundle["prompts"])
    if typed is None:
        if len(known) == 1:
            return known[0]
        raise Invalid("the folder has several prompts, expected --prompt", f"name one of: {', '.join(known)}")
    short = typed.removeprefix(f"{folder.workflow}.")
    if short not in known:
        raise NotFound(f"{folder.workflow} has no prompt {typed}", _known(short, known))
    return short


def label_in(folder: Folder, prompt: str, typed: str | None) -> str:
    """A label of a prompt in the folder; the newest version where none was typed, a draft where there is no version."""
    known: list[str] = sorted(folder.bundle["prompts"][prompt], key=_order)
    if typed is None:
        return known[-1]
    if typed not in known:
        raise NotFound(f"{folder.workflow}.{prompt} has no version {typed}", _known(typed, known))
    return typed


def _order(label: str) -> tuple[int, str]:
    number = label.removeprefix("v")
    return (int(number) if label.startswith("v") and number.isdigit() else 0, label)


def _known(typed: str, known: Iterable[str]) -> str:
    names = list(known)
    near = get_close_matches(typed, names, 1)
    listed = f"there are: {', '.join(names)}" if names else "there is none yet"
    return f"did you mean {near[0]}? {listed}" if near else listed
