"""A model's endpoint on a real socket that answers well, badly or not at all, and counts what it was asked."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

GOOD = {
    "model": "m-1-2026",
    "choices": [{"message": {"role": "assistant", "content": "hello"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 12, "completion_tokens": 3},
}
MESSAGE = {
    "model": "m-1",
    "content": [{"type": "text", "text": "hello"}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 12, "output_tokens": 3},
}
RESPONSE = {
    "model": "m-1",
    "status": "completed",
    "output": [
        {"type": "reasoning", "summary": []},
        {"type": "message", "content": [{"type": "output_text", "text": "hello"}]},
    ],
    "usage": {"input_tokens": 12, "output_tokens": 3},
}
DRIPS = {
    "drip": (b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n", b" "),
    "drip heads": (b"HTTP/1.1 200 OK\r\nx: ", b"a"),
}
BIG = b'{"choices": "' + b"x" * 1_000_000


@dataclass
class Line:
    """Answers in order: (status, body bytes or JSON, headers); the last one goes on. Keeps what it was asked.

    In the place of a status: `silence`, `hang up`, `drop` in mid-answer, `drip` a byte now and then, `flood` 50 MB.
    """

    answers: list
    asked: list = field(default_factory=list)
    heads: list = field(default_factory=list)
    url: str = ""
    hold: threading.Event = field(default_factory=threading.Event)
    delay_s: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next(self):
        with self.lock:
            return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def misbehave(out, how, hold):
    """Answer so that nobody can use it; `hold` says that the test is over."""
    if how == "silence":
        hold.wait(5)
    elif how == "drop":
        out.write(b'HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{"choices": [')
    elif how in DRIPS:
        begun, piece = DRIPS[how]
        out.write(begun)
        while not hold.wait(0.02):
            out.write(piece)
    elif how == "flood":
        out.write(b"HTTP/1.1 200 OK\r\ncontent-length: 50000000\r\n\r\n")
        for _ in range(50):
            out.write(BIG)


@contextmanager
def line(*answers, delay_s=0.0) -> Iterator[Line]:
    made = Line(list(answers), delay_s=delay_s)

    class Answer(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            with made.lock:
                made.asked.append((self.path, self.headers.get("authorization"), json.loads(body)))
                made.heads.append(dict(self.headers))
            status, said, *headers = made.next()
            if made.delay_s:
                time.sleep(made.delay_s)
            if isinstance(status, str):
                with suppress(OSError):
                    misbehave(self.wfile, status, made.hold)
                self.close_connection = True
                return
            said = said(json.loads(body)) if callable(said) else said
            said = said if isinstance(said, bytes) else json.dumps(said).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(said)))
            for name, value in dict(*headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    server.daemon_threads = True
    made.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield made
    finally:
        made.hold.set()
        server.shutdown()
        thread.join()
        server.server_close()


def asks_once(made: Line, case: str) -> int:
    """How often the endpoint was asked with these words in its last message."""
    return sum(case in str(body) for _, _, body in made.asked)
