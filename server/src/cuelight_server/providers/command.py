"""A program as a provider: the request as JSON on its standard input, the answer on its standard output, under limits."""

import json
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import IO, Any

from cuelight_server.kernel.errors import Unavailable
from cuelight_server.providers.port import BadSetting, Completion, CompletionRequest
from cuelight_server.providers.remote import count

MOST_OUTPUT = 8 * 1024 * 1024
MOST_WORDS = 2_000  # of what it says on standard error
_PIECE = 65_536
_PATH = "/usr/local/bin:/usr/bin:/bin"


class Command:
    """Runs `argv` for each request: no shell, an empty environment, a temporary folder, so many seconds and bytes.

    It answers with a JSON object that has `output` and perhaps tool_calls, input_tokens, output_tokens and model; or
    with plain text, which is the output.
    """

    name = "command"
    recorded = False

    def __init__(self, argv: Sequence[str], *, timeout_s: float = 60.0, concurrency: int = 2) -> None:
        """`timeout_s` is how long one answer may take."""
        self._argv, self._timeout_s, self.concurrency = tuple(argv), timeout_s, concurrency
        self.adapter = f"command/1 {json.dumps(self._argv)}"

    def complete(self, request: CompletionRequest) -> Completion:
        """One answer. BadSetting where there is no such program, Unavailable where it fails."""
        most_s = self._timeout_s if request.most_s is None else min(self._timeout_s, request.most_s)
        begun = time.monotonic()
        text = run(self._argv, _asked(request), most_s)
        return _completion(text, request, round((time.monotonic() - begun) * 1000, 1))


def run(argv: Sequence[str], given: bytes, most_s: float) -> str:
    """What a program says on standard output when it is given these bytes; it and its children are ended after that."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as asked:
        asked.write(given)
        asked.seek(0)
        try:
            process = subprocess.Popen(  # noqa: S603  no shell, and the words are those of the server's settings
                argv,
                stdin=asked,
                stdout=subprocess.PIPE,
                stderr=said,
                cwd=folder,
                env={"PATH": _PATH, "HOME": folder, "LANG": "C.UTF-8"},
                start_new_session=True,
            )
        except OSError as bad:
            words = f"the program {argv[0]} does not start: {bad.strerror}"
            raise BadSetting(words, "look at CUELIGHT_COMMAND_PROVIDER") from None
        late = threading.Event()
        timer = threading.Timer(most_s, _end, [process, late])
        timer.start()
        try:
            text = _output(process, late)
            code = process.wait()
        finally:
            timer.cancel()
            _end(process, threading.Event())
            process.wait()
        if late.is_set():
            raise Unavailable(f"the program did not answer in time ({most_s:g} s)", "give it more time, or less to do")
        if code:
            raise Unavailable(f"the program ended with {code}: {_last(said)}", "run it by hand with the same input")
        return text


def _output(process: subprocess.Popen[bytes], late: threading.Event) -> str:
    pieces: list[bytes] = []
    size = 0
    if process.stdout is None:
        return ""
    with process.stdout as out:
        while piece := out.read1(_PIECE):  # type: ignore[attr-defined]  # a buffered reader has it
            size += len(piece)
            if size > MOST_OUTPUT:
                _end(process, threading.Event())
                raise Unavailable(f"the program said more than {MOST_OUTPUT // 1024} kB", "let it say less")
            pieces.append(piece)
            if late.is_set():
                break
    return b"".join(pieces).decode(errors="replace")


def _end(process: subprocess.Popen[bytes], late: threading.Event) -> None:
    """Kill the whole group, also what the program itself has started."""
    if process.poll() is None:
        late.set()
    with suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)


def _asked(request: CompletionRequest) -> bytes:
    document = {
        "messages": list(request.messages),
        "settings": dict(request.settings),
        "tools": list(request.tools),
        "case": request.case,
        "sample": request.sample,
    }
    return json.dumps(document, ensure_ascii=False).encode(errors="replace")


def _completion(text: str, request: CompletionRequest, ms: float) -> Completion:
    try:
        found: Any = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    told = found if isinstance(found, dict) and isinstance(found.get("output"), str) else {"output": text.rstrip("\n")}
    calls = told.get("tool_calls")
    return Completion(
        text=told["output"],
        tool_calls=tuple(one for one in calls if isinstance(one, dict)) if isinstance(calls, list) else (),
        input_tokens=count(told.get("input_tokens")),
        output_tokens=count(told.get("output_tokens")),
        latency_ms=ms,
        model=str(told.get("model") or request.settings.get("model", "")),
        finish_reason="stop",
        provenance="a program of the server's settings",
    )


def _last(said: IO[bytes]) -> str:
    said.seek(0)
    rows = said.read(MOST_WORDS).decode(errors="replace").strip().splitlines()
    return rows[-1][:300] if rows else "it said nothing"
