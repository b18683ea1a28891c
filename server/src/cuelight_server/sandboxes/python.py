"""Python graders: a process of its own for each, with limits, without the network where that can be, and only the standard library.

Off until an operator turns it on: whoever may push a suite could otherwise run code on the server.
"""

import json
from collections.abc import Mapping
from typing import Any

from cuelight_server.kernel.errors import Invalid, Unavailable
from cuelight_server.sandboxes.process import LIMITER, Bounds, limited, read_json

BOUNDS = Bounds(seconds=5.0, cpu_seconds=2, memory=512 << 20, output=1_000_000, processes=0, strange=True)
_MARK = "cuelight:"
_RUNNER = (
    "import collections, datetime, functools, itertools, json, math, re, statistics, string, traceback\n"
    + LIMITER
    + """
told = json.loads(sys.stdin.read())
out, sys.stdout = sys.stdout, sys.stderr
def refuse(event, _):
    if event.split('.')[0] in ('socket', 'subprocess', 'ctypes', 'pty') or event in (
        'os.system', 'os.exec', 'os.posix_spawn', 'os.spawn', 'os.fork', 'os.forkpty', 'os.kill'):
        raise PermissionError(event + ' is not for graders')
sys.addaudithook(refuse)
def plain(value):
    if hasattr(value, '__dataclass_fields__'):
        return {name: getattr(value, name) for name in value.__dataclass_fields__}
    return str(value)
try:
    names = {'__name__': 'grader', 'json': json}
    exec(compile(told['code'], 'grader', 'exec'), names)
    grader = names.get('get_assert') or names.get('main')
    answer = {'value': grader(told['output'], told['context'])}
    text = json.dumps(answer, default=plain, allow_nan=False)
except MemoryError:
    sys.exit(77)
except (Exception, SystemExit) as bad:
    text = json.dumps({'threw': (type(bad).__name__ + ': ' + str(bad))[:500]})
out.write('"""
    + _MARK
    + """' + text)
out.flush()
"""
)


def python(code: str, value: Mapping[str, Any], bounds: Bounds = BOUNDS) -> Any:
    """What `get_assert` or `main` of a module gives for `output` and `context`.

    Invalid where the code itself fails, Unavailable where it takes too much.
    """
    given = json.dumps({"code": code, "output": value["output"], "context": value["context"]})
    try:
        printed = limited(["-c", _RUNNER, *bounds.arguments()], given, bounds)
    except Unavailable as bad:
        raise Unavailable(f"the Python grader did not come to an end: {bad.message}", bad.hint) from bad
    told = _told(printed)
    if "threw" in told:
        raise Invalid(str(told["threw"]), "correct the Python in the suite")
    return told.get("value")


def _told(printed: str) -> Mapping[str, Any]:
    made = read_json(printed.partition(_MARK)[2], "the Python grader")
    if not isinstance(made, Mapping):
        raise Unavailable("the Python grader printed something of its own", "return the word instead of printing it")
    return made
