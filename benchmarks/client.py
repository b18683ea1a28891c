"""The client's own speed: resolving and rendering from memory, and the first answer of a fresh process from disk."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

from benchmarks.figures import best, figure
from benchmarks.peers import measured
from cuelight import Client
from cuelight.cache import DiskCopy
from cuelight.contract.canonical import canonical, digest_bytes
from cuelight.contract.content import parse
from cuelight.transport import MemoryTransport

URL, KEY, PROMPT = "http://127.0.0.1:9", "cue_production_0123456789abcdef_00_00", "sales.lead_qualification"
LOOPS, ROUNDS, STARTS, PROMPTS = 20_000, 9, 9, 50
TEXT = "You qualify leads for {{company}}. " + "Weigh what is known, say what is not. " * 40
VALUES = {"company": "Acme", "question": "Does this lead fit, and why?"}

_COLD = """
import time; begun = time.perf_counter()
from cuelight import Client
client = Client({url!r}, {key!r}, cache_dir={folder!r}, fresh_timeout={wait!r})
client.prompt({prompt!r}, key="conversation-17").render(**{values!r})
print((time.perf_counter() - begun) * 1000)
"""

_FLOOR = """
import time; begun = time.perf_counter()
import json, hashlib
body = json.load(open({path!r}))["body"]
hashlib.sha256(body.encode()).hexdigest(), json.loads(body)
print((time.perf_counter() - begun) * 1000)
"""


def snapshot_document(prompts: int = PROMPTS) -> dict[str, Any]:
    """A snapshot of so many prompts; the measured one rolls out v2 to a tenth and has two string variables."""
    content = parse(
        {
            "messages": [{"role": "system", "content": TEXT}, {"role": "user", "content": "{{question}}"}],
            "variables": [
                {"name": "company", "type": "string", "trust": "internal"},
                {"name": "question", "type": "string"},
            ],
            "settings": {"model": "example-1"},
            "evaluation": {"suite": "none", "gate": {}},
        }
    )
    held = {"digest": content.digest, "content": content.to_json()}
    names = [PROMPT, *(f"sales.prompt_{number}" for number in range(prompts - 1))]
    weights = [["v2", 10_000], ["v1", 90_000]]
    deployment = {"weights": weights, "seed": "rel_1", "algorithm": "b1", "release": "rel_1", "kill": None}
    return {
        "format": "cuelight/snapshot@1",
        "environment": "production",
        "epoch": "e1",
        "version": 1,
        "versions": {name: {"v1": held, "v2": held} for name in names},
        "deployments": {name: {"": deployment} for name in names},
        "authorities": {},
    }


def resolve_render() -> dict[str, Any]:
    """Microseconds for resolve and render in a warm client; the peer is a bare hash and two replaced texts."""
    with Client(cache_dir="", transport=MemoryTransport(snapshot_document())) as client:
        client.prompt(PROMPT, key="warm").render(**VALUES)
        value = best(lambda: client.prompt(PROMPT, key="conversation-17").render(**VALUES), LOOPS, ROUNDS)
    peer = best(floor, LOOPS, ROUNDS)
    return figure("client.resolve_render_us", value, "us", peer)


def floor() -> list[dict[str, str]]:
    """What nobody can leave out: hash the key, pick an arm, replace two variables."""
    place = int.from_bytes(sha256(b"rel_1conversation-17").digest()[:8], "big") * 100_000 >> 64
    text = TEXT if place < 10_000 else TEXT + ""
    system = text.replace("{{company}}", VALUES["company"])
    return [{"role": "system", "content": system}, {"role": "user", "content": VALUES["question"]}]


def cold_start(name: str, wait: float) -> dict[str, Any]:
    """Milliseconds in a fresh process for import, disk copy and first render, while no server answers.

    `wait` is the client's `fresh_timeout`: 0 serves the disk copy at once, the default asks the desk first. The peer
    reads, hashes and parses the same file with the standard library alone.
    """
    with tempfile.TemporaryDirectory() as folder:
        body = canonical(snapshot_document())
        disk = DiskCopy(folder, URL, KEY)
        disk.save(body, digest_bytes(body))
        cold = _COLD.format(url=URL, key=KEY, folder=folder, wait=wait, prompt=PROMPT, values=VALUES)
        value = min(fresh(cold, folder) for _ in range(STARTS))
        peer = min(fresh(_FLOOR.format(path=disk.path), folder) for _ in range(STARTS))
    return figure(name, value, "ms", peer)


def fresh(code: str, folder: str) -> float:
    """The milliseconds that a fresh interpreter prints; bytecode is kept in `folder`, as an installed package has it."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    kept["PYTHONPYCACHEPREFIX"] = folder
    kept["PYTHONPATH"] = os.pathsep.join(sys.path)
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=kept)
    return float(run.stdout)


def beside_others() -> Iterator[dict[str, Any]]:
    """The same work beside products that an app would use instead, each in its own venv; skipped where there is none."""
    given = {"prompts": PROMPTS, "values": VALUES, "loops": LOOPS // 4, "rounds": ROUNDS, "starts": STARTS}
    messages = [{"role": "system", "content": TEXT}, {"role": "user", "content": "{{question}}"}]
    given |= {"messages": messages, "expected": TEXT.replace("{{company}}", VALUES["company"])}
    with Client(cache_dir="", transport=MemoryTransport(snapshot_document())) as client:
        names = "client.resolve_render_us.langfuse, client.cold_start_asking_ms.langfuse"
        theirs = measured("langfuse_prompts", names, given)
        if theirs is not None:
            ours = best(lambda: client.prompt(PROMPT, key="conversation-17").render(**VALUES), LOOPS, ROUNDS)
            yield figure("client.resolve_render_us.langfuse", ours, "us", theirs["resolve_render_us"])
            asking = cold_start("client.cold_start_asking_ms", 1.0)["value"]
            yield figure("client.cold_start_asking_ms.langfuse", asking, "ms", theirs["cold_start_asking_ms"])
        for peer, name in (("unleash_variants", "unleash"), ("growthbook_features", "growthbook")):
            theirs = measured(peer, f"client.resolve_us.{name}", given)
            if theirs is not None:
                ours = best(lambda: client.prompt(PROMPT, key="conversation-17"), LOOPS, ROUNDS)
                yield figure(f"client.resolve_us.{name}", ours, "us", theirs["resolve_us"])


def figures() -> Iterator[Mapping[str, Any]]:
    """Every figure of this part."""
    yield resolve_render()
    yield cold_start("client.cold_start_ms", 0.0)
    yield cold_start("client.cold_start_asking_ms", 1.0)
    yield from beside_others()


if __name__ == "__main__":
    for one in figures():
        print(json.dumps(one))
