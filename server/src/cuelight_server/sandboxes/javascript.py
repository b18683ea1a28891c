"""JavaScript on QuickJS inside of WebAssembly: no files, no network, a second and 64 MB; the extra `js` brings it."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from cuelight_server.kernel.errors import Invalid, Unavailable

Json = Mapping[str, Any]
SECONDS, MEMORY, LARGEST = 1.0, 64 << 20, 1_000_000
_FRAME = """(function () {
  const none = () => undefined;
  globalThis.console = {log: none, info: none, warn: none, error: none, debug: none};
  const given = JSON.parse(%s);
  const made = new Function(...Object.keys(given), %s)(...Object.values(given));
  if (made && typeof made.then === 'function') return '{"later": true}';
  return JSON.stringify({value: made === undefined ? null : made});
})()"""


def javascript() -> Callable[[str, Json], Any] | None:
    """A way to run the body of a function on named values, or None where the extra is not installed.

    It gives what the body returns, as JSON. Invalid where the code itself fails, Unavailable where it takes too much.
    """
    try:
        import quickjs_rs  # noqa: PLC0415  an extra, and 100 ms to load
        import wasmtime  # noqa: PLC0415  an extra
    except ImportError:
        return None

    def run(code: str, value: Json) -> Any:
        source = _FRAME % (json.dumps(json.dumps(value)), json.dumps(code))
        try:
            with quickjs_rs.Runtime(memory_limit=MEMORY) as engine, engine.new_context(timeout=SECONDS) as place:
                made = place.eval(source)
        except quickjs_rs.TimeoutError as slow:
            raise Unavailable(f"the JavaScript ran longer than {SECONDS:g} s", "make it do less") from slow
        except quickjs_rs.MemoryLimitError as big:
            raise Unavailable(f"the JavaScript took more than {MEMORY >> 20} MB", "make it hold less") from big
        except quickjs_rs.JSError as threw:
            raise Invalid(f"{threw}"[:500], "correct the JavaScript in the suite") from threw
        except (quickjs_rs.QuickJSError, wasmtime.Trap, wasmtime.WasmtimeError) as bad:
            words = (
                f"the JavaScript broke its sandbox's limits: {f'{bad}'.splitlines()[0][:200] if f'{bad}' else 'trap'}"
            )
            raise Unavailable(words, "look for endless recursion") from bad
        return _read(made)

    return run


def _read(made: Any) -> Any:
    if not isinstance(made, str):  # JSON.stringify gave nothing: a function, a symbol
        return None
    if len(made) > LARGEST:
        raise Unavailable(f"the JavaScript returned more than {LARGEST} characters", "return less")
    told = json.loads(made)
    if "later" in told:
        raise Unavailable(
            "the JavaScript returned a promise, and nothing here waits for one", "return the value itself"
        )
    return told.get("value")
