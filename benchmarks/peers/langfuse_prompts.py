"""Langfuse's SDK: a prompt from its memory cache, compiled; and a fresh process whose server does not answer."""

import json
import logging
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

from langfuse import Langfuse

COLD = """
import time; begun = time.perf_counter()
import logging; logging.disable(logging.CRITICAL)
from langfuse import Langfuse
client = Langfuse(public_key="pk", secret_key="sk", base_url="http://127.0.0.1:9", tracing_enabled=False)
prompt = client.get_prompt("lead", type="chat", fallback={messages!r}, max_retries=0, fetch_timeout_seconds=1)
prompt.compile(**{values!r})
print((time.perf_counter() - begun) * 1000)
import os; os._exit(0)
"""


class Desk(BaseHTTPRequestHandler):
    """Answers every question with the one prompt."""

    body = b""

    def do_GET(self) -> None:
        """The prompt."""
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


def main() -> None:
    """Print {"resolve_render_us", "cold_start_asking_ms"}."""
    logging.disable(logging.CRITICAL)
    given = json.load(sys.stdin)
    prompt = {
        "name": "lead",
        "version": 1,
        "type": "chat",
        "prompt": given["messages"],
        "config": {},
        "labels": ["production"],
        "tags": [],
    }
    Desk.body = json.dumps(prompt).encode()
    server = HTTPServer(("127.0.0.1", 0), Desk)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    client = Langfuse(public_key="pk", secret_key="sk", base_url=url, tracing_enabled=False)

    def call() -> list:
        return client.get_prompt("lead", type="chat", cache_ttl_seconds=3600).compile(**given["values"])

    assert call()[0]["content"] == given["expected"], call()
    rounds = []
    for _ in range(given["rounds"]):
        begun = time.perf_counter()
        for _ in range(given["loops"]):
            call()
        rounds.append((time.perf_counter() - begun) / given["loops"] * 1e6)
    cold = COLD.format(messages=given["messages"], values=given["values"])
    starts = [
        float(subprocess.run([sys.executable, "-c", cold], capture_output=True, text=True, check=True).stdout)
        for _ in range(given["starts"])
    ]
    print(json.dumps({"resolve_render_us": min(rounds), "cold_start_asking_ms": min(starts)}), flush=True)


main()
