"""What the walks share: a desk on which the demo was played, and a server on its data."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cuelight_server.demo.stage import running_server

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Played:
    """The demo after its last act: where its data is, its exit code and all that it printed."""

    folder: Path
    code: int
    text: str


@pytest.fixture(scope="session")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """Play the demo once."""
    folder = tmp_path_factory.mktemp("demo") / "data"
    command = [sys.executable, "-m", "cuelight_server.cli", "demo", "--data", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180, check=False)
    return Played(folder, done.returncode, done.stdout + done.stderr)


@pytest.fixture(scope="session")
def desk_url(played: Played) -> Iterator[str]:
    """A server on the data that the demo left, as `make serve` starts it."""
    assert played.code == 0, played.text
    with running_server(played.folder) as url:
        yield url
