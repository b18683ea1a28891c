"""What graders may ask of the world outside of this process; each is missing until somebody provides it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cuelight_server.providers.port import Completion

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What a model judge is asked: rendered messages and settings; `model` is the pinned name of the judge.

    `judge` is the digest of the judge as a whole, `asked` that of what it looks at, `turn` counts repeats from 1: what
    an answer is cached under.
    """

    messages: tuple[Json, ...]
    settings: Json
    model: str = ""
    provider: str = ""
    judge: str = ""
    asked: str = ""
    turn: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """Ways out of the process. A grader that needs one that is None has not run, and says what to install or set.

    `javascript` and `python` run a text on a JSON value under limits; `command` runs an allowed program, by its name
    on this desk, on a JSON document; `webhook` posts one; `embed` turns texts into vectors. All raise one of the six errors.
    """

    judge: Callable[[Judgement], Completion] | None = None
    javascript: Callable[[str, Json], Any] | None = None
    python: Callable[[str, Json], Any] | None = None
    command: Callable[[str, Json], Any] | None = None
    webhook: Callable[[str, Json], Any] | None = None
    embed: Callable[[Sequence[str]], Sequence[Sequence[float]]] | None = None


NOTHING_OUTSIDE = Outside()
