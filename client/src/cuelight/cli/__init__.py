"""The command line: `cuelight push | eval | release | rollback | why`, each a thin question to the server."""

import os
import sys
from importlib.util import find_spec
from types import TracebackType


def _stopped(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Ctrl-C while the commands are still being imported, before `main` can catch it: 130 as shells have it."""
    if issubclass(kind, KeyboardInterrupt):
        sys.stderr.write("stopped\n")
        sys.stderr.flush()
        os._exit(130)
    sys.__excepthook__(kind, error, trace)


sys.excepthook = _stopped

if any(find_spec(name) is None for name in ("click", "rich", "yaml")):
    raise ModuleNotFoundError("the command line needs more than the client: pip install 'cuelight[cli]'")
