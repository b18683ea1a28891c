"""Products of others that the client is measured beside; they live in a venv of their own, made by `make peers`.

A peer's script stands alone: it imports the standard library and its product, reads what to do as JSON from stdin, and
prints its figures as one JSON object. Nothing of Cuelight is in that venv, and nothing of it is needed by Cuelight.
"""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from benchmarks.figures import skipped

HERE = Path(__file__).parent
SECONDS = 120


def python() -> Path:
    """The interpreter of the peers' venv; CUELIGHT_PEERS names another venv than .venv-peers."""
    return Path(os.environ.get("CUELIGHT_PEERS", ".venv-peers")).absolute() / "bin/python"


def measured(peer: str, names: str, given: dict[str, Any]) -> dict[str, float] | None:
    """What a peer's script measured; None, with a line on stderr that says why, where there is no such peer here."""
    if not python().exists():
        return skipped(names, f"the peer {peer} is not installed: make peers")
    plain = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    run = subprocess.run(
        [python(), HERE / f"{peer}.py"],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        env=plain,
        check=False,
    )
    if run.returncode != 0:
        last = (run.stderr.strip().splitlines() or ["no word"])[-1]
        return skipped(names, f"the peer {peer} did not run ({last}): make peers")
    answer: dict[str, float] = json.loads(run.stdout.strip().splitlines()[-1])
    return answer
