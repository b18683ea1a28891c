"""The story of the demo, act by act; each act ends in checks, and one that fails ends the demo with an error."""

import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cuelight import Action, Client
from cuelight.files import read_folder
from cuelight_server.control.access import add_actor, issue_key
from cuelight_server.control.opening import create_desk
from cuelight_server.demo.app import App, load
from cuelight_server.demo.stage import Narrator, Run, Stage, find_example, fresh_folder, running_server
from cuelight_server.kernel.actor import SYSTEM
from cuelight_server.kernel.terms import Environment

AUTHOR, RELEASER, SUPPORT, SAFE = "leon.abara", "mei.tanaka", "dana.kim", "research_summary"
PASS, FAIL, DENIED, BLOCKED = 0, 10, 23, 24
_LINES, _RECORDED_SECONDS = 12, 10.0
_BREAKS = {
    "research_summary": ("breaks the format the CRM reads", {"json_only", "schema"}),
    "lead_qualification": ("discards real buyers", {"ninety_percent_rule", "buyer_never_discarded"}),
    "outreach_draft": (
        "writes as if things were sent and approved",
        {"never_speaks_as_sent_or_approved", "opt_out_line", "tools_allowed"},
    ),
}


def main(folder: Path, example: str = "sales") -> int:
    """Play the story on a new demo desk in `folder`; 0 when every promise held, 1 otherwise."""
    narrator = Narrator()
    source = find_example(example)
    fresh_folder(folder)
    key = _open_desk(folder)
    with tempfile.TemporaryDirectory(prefix="cuelight-demo-") as scratch, running_server(folder) as url:
        work = Path(scratch)
        stage = Stage(folder, work, url, narrator)
        narrator.act(
            "Cuelight", "Three prompts of a sales team, on a new desk. The outputs are hand-written recordings."
        )
        first_versions(stage, source)
        with _app(stage, source, key) as app:
            serve_calls(stage, app)
            improvements(stage, source)
            safe_wording(stage, source, app)
            bad_moment(stage, app)
    return _close(narrator, folder)


def first_versions(stage: Stage, source: Path) -> None:
    """Push, evaluate, approve and release every v1; nothing goes live one step earlier."""
    tell = stage.narrator
    tell.act("1 · Three prompts come to the desk", "Leon, the domain expert, pushes the first version of each.")
    _copy(source, stage.work, "v1")
    pushed = stage.as_json(AUTHOR, "push", "sales").json
    tell.check("three versions were minted", holds=len(pushed["minted"]) == len(_BREAKS) and not pushed["refused"])
    tell.act("2 · Nothing goes live on a good feeling", "Mei tries to release at once.")
    refused = stage.cuelight(RELEASER, "release", "sales.lead_qualification@v1", "--to", "production")
    _excerpt(tell, refused)
    tell.check("refused: there is no evaluation and no approval", holds=refused.code == BLOCKED)
    tell.act(
        "3 · Evidence, then people", "The server runs each test set. Then the people whom the workflow names say yes."
    )
    for prompt in _BREAKS:
        report = stage.as_json(RELEASER, "eval", f"sales.{prompt}@v1", "--provider", "recorded")
        tell.check(f"{prompt} v1: {_sentence(report.json)}", holds=report.code == PASS)
    own = stage.cuelight(AUTHOR, "approve", "sales.lead_qualification@v1", "--to", "production")
    tell.check("Leon wrote it, so his own yes does not count", holds=own.code == DENIED)
    for prompt in _BREAKS:
        _approve_and_release(stage, f"sales.{prompt}@v1")


def serve_calls(stage: Stage, app: App) -> None:
    """The app serves real tasks; every output is checked and gets an id."""
    tell = stage.narrator
    tell.act("4 · The app works", "One process with the Cuelight client. It keeps running until the end of the story.")
    served = [app.serve(prompt, case) for prompt, cases in app.inputs.items() for case in list(cases)[:5]]
    tell.check(f"{len(served)} outputs served by v1, each inside its contract", holds=all(one.ok for _, one in served))
    denied = app.client.prompt("sales.outreach_draft", key="demo").render(**app.inputs["sales.outreach_draft"]["O16"])
    answer = denied.finish("{}", tool_calls=[Action("outreach.send_email", {})])
    tell.check(
        "a call that tries to send mail is refused by the authority table",
        holds=not answer.allowed("outreach.send_email"),
    )


def improvements(stage: Stage, source: Path) -> None:
    """Three changes that look better are each stopped for their own reason."""
    tell = stage.narrator
    tell.act("5 · Three improvements arrive", "Each reads well, and two are cheaper. Leon pushes them.")
    _copy(source, stage.work, "v2")
    pushed = stage.as_json(AUTHOR, "push", "sales").json
    tell.check("three versions v2 were minted, none serves anybody", holds=len(pushed["minted"]) == len(_BREAKS))
    for prompt, (words, graders) in _BREAKS.items():
        run = stage.as_json(AUTHOR, "eval", f"sales.{prompt}@v2", "--provider", "recorded")
        report = run.json
        tell.show(f"    why: {'; '.join(report['why'][:4])}")
        tell.show(f"    newly failing: {', '.join(report['newly_failing'])}")
        tell.check(f"{prompt} v2 is stopped: it {words}", holds=run.code == FAIL and graders <= set(report["blockers"]))
    refused = stage.cuelight(RELEASER, "release", "sales.outreach_draft@v2", "--to", "production")
    tell.check("and none can be released", holds=refused.code == BLOCKED)


def safe_wording(stage: Stage, source: Path, app: App) -> None:
    """A change of wording passes, is approved, and the running app follows."""
    tell = stage.narrator
    name = f"sales.{SAFE}"
    tell.act("6 · A safe change of wording goes live", "One tone sentence is kinder; nothing else changes.")
    _copy(source, stage.work, "v3", SAFE)
    stage.as_json(AUTHOR, "push", "sales")
    diff = stage.as_json(AUTHOR, "diff", f"{name}@v1", f"{name}@v3").json
    tell.check("the desk computes the class of the change: wording", holds=diff["change_class"] == "wording")
    report = stage.as_json(RELEASER, "eval", f"{name}@v3", "--provider", "recorded")
    tell.check(f"v3: {_sentence(report.json)}", holds=report.code == PASS)
    with app.following(name, "v3") as followed:
        _approve_and_release(stage, f"{name}@v3")
    tell.check("the running app serves v3, without a restart", holds=followed.seconds is not None)


def bad_moment(stage: Stage, app: App) -> None:
    """The format breaks, support takes the release back, and one output id explains it."""
    tell = stage.narrator
    name = f"sales.{SAFE}"
    tell.act("7 · A bad moment", "The model begins to wrap its answers in code fences. The CRM could not read them.")
    version, result = app.serve(name, "S01", fenced=True)
    step = result.step.kind if result.step else "nothing"
    tell.show(f"    {'; '.join(finding.message for finding in result.findings)}; next: {step}")
    tell.check(f"the output of {version} was caught before it reached the CRM", holds=not result.ok)
    tell.act("8 · Taken back", "Dana from support needs no version number, no gate and no approval.")
    with app.following(name, "v1") as followed:
        back = stage.cuelight(SUPPORT, "rollback", name, "--why", "code fences break the CRM form", "--yes")
    _excerpt(tell, back)
    words = f"the same running app serves v1 again {_in(followed.seconds)} after the command was typed"
    tell.check(words, holds=back.code == PASS and followed.seconds is not None)
    tell.act("9 · What happened?", "One output id answers.")
    why = _once_recorded(stage, result.id)
    _excerpt(tell, why, 16)
    rebuilt = stage.as_json(SUPPORT, "why", result.id, quiet=True).json
    tell.check("the prompt was rebuilt to identical bytes", holds=rebuilt["rebuild"]["state"] == "identical")
    verified = stage.server("verify")
    tell.check("every stored version and the audit log verify", holds=verified.code == PASS)


def _once_recorded(stage: Stage, output_id: str) -> Run:
    """The answer of `why`; the client sends its calls in the background, so the record may be a moment late."""
    until = time.monotonic() + _RECORDED_SECONDS
    while stage.as_json(SUPPORT, "why", output_id, quiet=True).code != PASS and time.monotonic() < until:
        time.sleep(0.2)
    return stage.cuelight(SUPPORT, "why", output_id)


def _approve_and_release(stage: Stage, reference: str) -> None:
    asked = stage.as_json(RELEASER, "release", reference, "--to", "production", "--check", quiet=True).json
    used: set[str] = set()
    for item in asked["items"]:
        if item["id"].startswith("approval:") and not item["ok"]:
            able = [one.rpartition("(")[2].rstrip(")") for one in item["who"]]  # Mei Tanaka (mei.tanaka)
            person = next(one for one in able if one not in used)
            used.add(person)
            role = item["id"].removeprefix("approval:")
            stage.cuelight(person, "approve", reference, "--to", "production", "--role", role, quiet=True)
    released = stage.cuelight(RELEASER, "release", reference, "--to", "production", quiet=True)
    stage.narrator.check(f"{reference} approved by {', '.join(sorted(used))}, and live", holds=released.code == PASS)


def _open_desk(folder: Path) -> str:
    desk = create_desk(folder, demo=True)
    try:
        for person, name in ((AUTHOR, "Leon Abara"), (RELEASER, "Mei Tanaka")):
            add_actor(desk, SYSTEM, person, name)
        key = issue_key(desk, SYSTEM, "crm", Environment.PRODUCTION)
    finally:
        desk.close()
    mark = folder / "demo"
    mark.touch(mode=0o600)
    mark.write_text(json.dumps({"key": key}), "utf-8")
    return key


@contextmanager
def _app(stage: Stage, source: Path, key: str) -> Iterator[App]:
    inputs, outputs = load(read_folder(source).bundle)
    with Client(stage.url, key, app="demo-app", cache_dir=stage.folder / "client-cache") as client:
        yield App(client, inputs, outputs)


def _copy(source: Path, work: Path, label: str, only: str = "") -> None:
    """Bring the shared files, and the prompt files and recordings up to this label."""
    target = work / source.name
    shutil.copytree(source, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("v[0-9]*.yaml", "*.jsonl"))
    for path in sorted([*source.glob(f"prompts/*/{label}.yaml"), *source.glob(f"recordings/*.{label}.jsonl")]):
        if not only or only in (path.parent.name, path.name.partition(".")[0]):
            shutil.copy(path, target / path.relative_to(source))


def _excerpt(tell: Narrator, run: Run, lines: int = _LINES) -> None:
    for line in [line for line in run.text.splitlines() if line.strip()][:lines]:
        tell.show(f"    {line}")


def _sentence(report: dict[str, Any]) -> str:
    cost = report["cost_delta_pct"]
    change = "" if cost is None else f", cost {cost:+.1f} %"
    return f"{report['verdict']}, {report['cases']} cases, pass rate {report['pass_rate']:.2f}{change}"


def _in(seconds: float | None) -> str:
    return "never" if seconds is None else f"{seconds:.1f} s"


def _close(narrator: Narrator, folder: Path) -> int:
    held, broken = len(narrator.held), len(narrator.broken)
    if broken:
        narrator.act("This did not hold", "\n".join(f"  ✗ {words}" for words in narrator.broken))
        return 1
    narrator.act(
        f"All {held} checks held",
        f"Open the desk on this data: make serve   (or cuelight-server serve --data {folder})",
    )
    return 0
