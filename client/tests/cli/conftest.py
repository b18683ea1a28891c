"""Running the command line in this process or as people do, and a small folder to run it on."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

import cuelight
from cuelight.cli.main import main

ROOT = Path(__file__).parents[3]
PYTHONPATH = os.pathsep.join([str(ROOT / "client/src"), str(ROOT / "server/src")])
MINIMAL = Path(cuelight.__file__).parent / "cli/examples/minimal"


@dataclass(frozen=True)
class Run:
    """What one command did."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


@pytest.fixture
def run(capsys, monkeypatch):
    """Run a command in this process; nothing of the caller's environment reaches it."""
    for name in [name for name in os.environ if name.startswith("CUELIGHT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PYTHONPATH", PYTHONPATH)  # for the local desk, which is a process of its own

    def one(*args):
        with pytest.raises(SystemExit) as ended:
            main([str(arg) for arg in args])
        done = capsys.readouterr()
        return Run(ended.value.code, done.out, done.err)

    return one


@pytest.fixture(scope="session")
def shell():
    """Run the command as a process of its own, as a person does."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CUELIGHT_")}
    environment["PYTHONPATH"] = PYTHONPATH

    def one(*args, **more):
        command = [sys.executable, "-c", "from cuelight.cli.main import main; main()", *map(str, args)]
        env = {**environment, **more.pop("env", {})}
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, env=env, **more)
        return Run(done.returncode, done.stdout, done.stderr)

    return one


@pytest.fixture
def minimal(tmp_path):
    """A copy of the minimal example."""
    shutil.copytree(MINIMAL, tmp_path / "news")
    return tmp_path / "news"
