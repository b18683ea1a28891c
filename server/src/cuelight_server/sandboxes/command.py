"""Graders as programs: a suite names one, the desk says what that is; a JSON document in, one out."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cuelight_server.kernel.errors import Invalid, NotFound, Unavailable
from cuelight_server.sandboxes.limits import Limits, run

MOST_COMMANDS = 100


@dataclass(frozen=True, slots=True)
class Commands:
    """The programs that graders may ask, by name; a suite never says what is run."""

    allowed: Mapping[str, tuple[str, ...]]
    limits: Limits = field(default_factory=Limits)

    def __call__(self, name: str, document: Mapping[str, Any]) -> Any:
        """What it answers. NotFound for a name that is not allowed, Unavailable where no JSON comes."""
        argv = self.allowed.get(name)
        if argv is None:
            raise NotFound(
                f"this desk allows no command {name[:80]!r}", "an administrator adds it to CUELIGHT_GRADER_COMMANDS"
            )
        said = run(argv, json.dumps(document).encode(), self.limits, f"the command {name}")
        try:
            return json.loads(said)
        except (ValueError, RecursionError):
            raise Unavailable(f"the command {name} printed no JSON", "it prints one {pass, score, reason}") from None


def commands(text: str) -> dict[str, tuple[str, ...]]:
    """The setting: a JSON object from names to lists of words, the first of them a program's whole path. Invalid."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or len(found) > MOST_COMMANDS:
        raise _odd('it is no JSON object such as {"spelling": ["/opt/graders/spelling", "--strict"]}')
    for name, argv in found.items():
        if (
            not isinstance(argv, list)
            or not argv
            or not all(isinstance(one, str) and one and "\0" not in one for one in argv)
        ):
            raise _odd(f"{name} is no list of words")
        if not Path(argv[0]).is_absolute():
            raise _odd(f"{name} starts with {argv[0]}, which is no whole path")
    return {name: tuple(argv) for name, argv in found.items()}


def _odd(why: str) -> Invalid:
    return Invalid(
        f"CUELIGHT_GRADER_COMMANDS cannot be read: {why}", "give names with lists of words, whole paths first"
    )
