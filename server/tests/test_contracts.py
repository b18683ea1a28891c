"""Each wall of .importlinter, broken on purpose in a copy of the trees: the linter must fail and name it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TREES = {"cuelight": "client/src", "cuelight_server": "server/src"}
LINT = "import sys; from importlinter.cli import lint_imports_command as run; sys.exit(run())"

BREACHES = [
    pytest.param("floors", "cuelight_server.kernel.page", "cuelight_server.db.engine", id="the ground imports a hand"),
    pytest.param("floors", "cuelight_server.db.engine", "cuelight_server.audit.store", id="a hand imports a noun"),
    pytest.param("floors", "cuelight_server.prompts.diff", "cuelight_server.routing.rules", id="a noun imports a noun"),
    pytest.param("floors", "cuelight_server.audit.store", "cuelight_server.control.door", id="a noun imports a verb"),
    pytest.param("floors", "cuelight_server.control.door", "cuelight_server.views", id="a verb imports a view"),
    pytest.param("floors", "cuelight_server.control.door", "cuelight_server.web", id="a verb imports a face"),
    pytest.param("floors", "cuelight_server.web.made_up", "cuelight_server.api", id="a face imports a face"),
    pytest.param("floors", "cuelight_server.api.made_up", "cuelight_server.app", id="a face imports the roof"),
    pytest.param("floors", "cuelight_server.lost_and_found", "json", id="a new room stands on no floor"),
    pytest.param("client-floors", "cuelight.contract.bucket", "cuelight.client", id="the contract imports the client"),
    pytest.param("client-floors", "cuelight.transport", "cuelight.cli", id="the client imports its command line"),
    pytest.param("client-alone", "cuelight.cli.made_up", "cuelight_server", id="the client imports the server"),
    pytest.param("pure-rooms", "cuelight.contract.bucket", "time", id="the contract looks at the clock"),
    pytest.param("pure-rooms", "cuelight_server.kernel.verdict", "os", id="the kernel asks the system"),
    pytest.param("pure-rooms", "cuelight_server.releases.policy", "pathlib", id="a policy reads files"),
    pytest.param("pure-rooms", "cuelight_server.prompts.lint", "httpx2", id="a lint calls out"),
    pytest.param("pure-rooms", "cuelight_server.routing.rules", "sqlalchemy", id="a rule queries"),
    pytest.param("pure-rooms", "cuelight_server.access.model", "pydantic", id="a model is a Pydantic model"),
    pytest.param("sql", "cuelight_server.control.door", "sqlalchemy", id="a verb writes SQL"),
    pytest.param("sql", "cuelight_server.api.made_up", "sqlalchemy", id="a face writes SQL"),
    pytest.param("one-door", "cuelight_server.control.made_up", "cuelight_server.db.writing", id="a second door"),
    pytest.param("one-door", "cuelight_server.audit.store", "cuelight_server.db.writing", id="a store opens a write"),
    pytest.param("stores", "cuelight_server.api.made_up", "cuelight_server.prompts.store", id="a face opens a store"),
    pytest.param("providers", "cuelight_server.web.made_up", "cuelight_server.providers", id="a face calls a model"),
    pytest.param("sinks", "cuelight_server.web.made_up", "cuelight_server.sinks", id="a face brings a checkpoint out"),
    pytest.param("settings", "cuelight_server.control.door", "cuelight_server.settings", id="a verb reads settings"),
    pytest.param("faces", "cuelight_server.api.made_up", "cuelight_server.db.schema", id="a face knows a table"),
    pytest.param("faces", "cuelight_server.web.made_up", "cuelight_server.db.operational", id="a face writes a mark"),
    pytest.param("views-read", "cuelight_server.views.made_up", "cuelight_server.db.operational", id="a view writes"),
    pytest.param("views-read", "cuelight_server.views.made_up", "cuelight_server.control.door", id="a view acts"),
    pytest.param("web-frameworks", "cuelight_server.control.door", "fastapi", id="a verb speaks HTTP"),
    pytest.param("web-frameworks", "cuelight_server.access.store", "starlette", id="a noun speaks HTTP"),
    pytest.param("pydantic", "cuelight_server.web.made_up", "pydantic", id="a page is a Pydantic model"),
    pytest.param("no-circles", "cuelight_server.kernel.ids", "cuelight_server.kernel.circle", id="a ring of two"),
]


@pytest.fixture
def copy(tmp_path):
    """Both source trees and the contracts, in a folder where they may be harmed."""
    for tree in set(TREES.values()):
        shutil.copytree(ROOT / tree, tmp_path / tree, ignore=shutil.ignore_patterns("__pycache__", "*.html", "static"))
    shutil.copy(ROOT / ".importlinter", tmp_path)
    return tmp_path


def write_import(root, module, imported):
    """Append `import imported` to the module, which is made when it does not exist."""
    package, *rest = module.split(".")
    path = root / TREES[package] / package / "/".join(rest)
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    before = file.read_text() if file.exists() else ""
    file.write_text(f"{before}\nimport {imported}\n")


def lint(root, *contracts):
    """Run lint-imports over the trees under root; returns (exit status, what it printed)."""
    limits = [word for contract in contracts for word in ("--contract", contract)]
    run = subprocess.run(
        [sys.executable, "-c", LINT, "--no-cache", "--no-logo", *limits],
        cwd=root,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(str(root / tree) for tree in TREES.values()),
            "COLUMNS": "200",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    return run.returncode, run.stdout + run.stderr


def test_the_house_as_it_stands_keeps_every_contract():
    status, said = lint(ROOT)
    assert status == 0, said


def test_every_contract_is_broken_on_purpose_somewhere_below():
    stated = set(re.findall(r"^\[importlinter:contract:(.+)\]$", (ROOT / ".importlinter").read_text(), re.MULTILINE))
    assert stated == {breach.values[0] for breach in BREACHES}


@pytest.mark.parametrize(("contract", "module", "imported"), BREACHES)
def test_a_wall_that_is_broken_is_named(copy: Path, contract, module, imported):
    write_import(copy, module, imported)
    if contract == "no-circles":
        write_import(copy, imported, module)
    status, said = lint(copy, contract)
    assert status == 1
    assert re.search(rf"^{re.escape(contract.replace('-', ' '))}: .* BROKEN( \(.*\))?$", said, re.MULTILINE), said
    assert module in said or contract == "no-circles", said
