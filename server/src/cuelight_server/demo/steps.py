"""The steps that every chapter of the demo takes: files arrive, people say yes, a version goes live, an app serves it."""

import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cuelight import Action, Client
from cuelight.admin import Admin
from cuelight.contract.errors import NotFound
from cuelight.files import read_folder
from cuelight_server.demo.app import App, load
from cuelight_server.demo.stage import Narrator, Run, Stage

PASS, FAIL, REFUSED, DENIED, BLOCKED = 0, 10, 20, 23, 24
_LINES, _RECORDED_SECONDS = 12, 10.0
_REVIEW = "human_review:"


@dataclass(frozen=True, slots=True)
class Chapter:
    """Where one workflow's story is played: the stage, the example's folder, and the key of its app."""

    stage: Stage
    source: Path
    key: str

    @property
    def tell(self) -> Narrator:
        """Who tells it."""
        return self.stage.narrator

    def bring(self, label: str, only: str = "") -> None:
        """Lay the shared files, and the prompt files and recordings of this label, into the folder that people push from."""
        target = self.stage.work / self.source.name
        shutil.copytree(
            self.source, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("v[0-9]*.yaml", "*.jsonl")
        )
        for path in self._files(label):
            if not only or only in (path.parent.name, path.name.partition(".")[0]):
                shutil.copy(path, target / path.relative_to(self.source))

    def take_away(self, label: str) -> None:
        """Take the prompt files and recordings of this label out of that folder."""
        for path in self._files(label):
            (self.stage.work / self.source.name / path.relative_to(self.source)).unlink(missing_ok=True)

    def _files(self, label: str) -> list[Path]:
        return sorted([*self.source.glob(f"prompts/*/{label}.yaml"), *self.source.glob(f"recordings/*.{label}.jsonl")])

    def push(self, person: str, *flags: str) -> dict[str, Any]:
        """`cuelight push` of the folder as it lies there."""
        answer: dict[str, Any] = self.stage.as_json(person, "push", self.source.name, *flags).json
        return answer

    def evaluate(self, person: str, reference: str) -> Run:
        """`cuelight eval` on the desk, from the recordings."""
        return self.stage.as_json(person, "eval", reference, "--provider", "recorded")

    def stopped(self, person: str, reference: str, words: str, because: set[str], newly: int = -1) -> None:
        """Evaluate a candidate that must fail for this reason: blockers, or sentences of the report's why.

        `newly` is how many cases must be newly failing; -1 where that is not asked.
        """
        run = self.evaluate(person, reference)
        report = run.json
        self.tell.show(f"    why: {'; '.join(report['why'][:4])}")
        if report["newly_failing"]:
            self.tell.show(f"    newly failing: {_some(report['newly_failing'])}")
        seen = {*report["blockers"], *report["why"]}
        holds = run.code == FAIL and because <= seen and newly in (-1, len(report["newly_failing"]))
        self.tell.check(f"{_short(reference)} is stopped: it {words}", holds=holds)

    def passes(self, person: str, reference: str) -> None:
        """Evaluate a version that must pass."""
        run = self.evaluate(person, reference)
        self.tell.check(f"{_short(reference)}: {sentence(run.json)}", holds=run.code == PASS)

    def approve_and_release(self, releaser: str, reference: str, people: int) -> None:
        """Each missing yes from another person whom the workflow names, then the release; `people` is how many it takes.

        The yes goes over the HTTP API, which the command line and the pages speak as well.
        """
        prompt, _, label = reference.partition("@")
        with Admin(self.stage.url, as_=releaser) as asking:
            items = asking.release_check(prompt, label, "production")["items"]
        self._read_blind(releaser, reference, items)
        used: list[str] = []
        for role, able in _missing(items).items():
            person = next((one for one in able if one not in used), None)
            if person is None:
                raise NotFound(
                    f"nobody is left who could say yes to {reference} as {role}", "see owners in workflow.yaml"
                )
            with Admin(self.stage.url, as_=person) as yes:
                yes.approve(prompt, label, "production", role)
            used.append(person)
        released = self.stage.cuelight(releaser, "release", reference, "--to", "production")
        by = f"approved by {', '.join(sorted(used))}, and" if used else "needs nobody else's yes, and is"
        holds = released.code == PASS and len(used) == people
        self.tell.check(f"{reference} {by} live", holds=holds)

    def _read_blind(self, asker: str, reference: str, items: list[dict[str, Any]]) -> None:
        """Each blind review that the gate asks for: the first who could reads every case, is content, and signs."""
        prompt, _, label = reference.partition("@")
        for role, able in _missing(items, _REVIEW).items():
            with Admin(self.stage.url, as_=asker) as asking:
                found = asking.evaluations(prompt, limit=200)["items"]
                passed = [one["id"] for one in found if one["label"] == label and one["verdict"] == "pass"]
                if not passed:
                    return  # the release says so by itself
                made = asking.open_review(passed[0], role)
            with Admin(self.stage.url, as_=able[0]) as reader:
                for number in range(1, made["cases"] + 1):
                    reader.open_case(made["id"], number)
                    reader.answer_case(made["id"], number, "both")
                signed = reader.sign_review(made["id"])
            words = f"{able[0]} read {made['cases']} outputs of {_short(reference)} without knowing whose they are, and signed"
            self.tell.check(words, holds=signed["signed_by"] == [able[0]])

    def refused(self, person: str, reference: str, words: str, *, show: bool = False) -> None:
        """`cuelight release`, which must be refused."""
        run = self.stage.cuelight(person, "release", reference, "--to", "production")
        if show:
            self.excerpt(run)
        self.tell.check(words, holds=run.code == BLOCKED)

    def excerpt(self, run: Run, lines: int = _LINES) -> None:
        """The first lines of what a command printed."""
        for line in [line for line in run.text.splitlines() if line.strip()][:lines]:
            self.tell.show(f"    {line}")

    def why(self, person: str, output_id: str) -> dict[str, Any]:
        """What the desk knows of an output; the client sends its calls in the background, so it may be a moment late."""
        until = time.monotonic() + _RECORDED_SECONDS
        with Admin(self.stage.url, as_=person) as asking:
            while True:
                try:
                    return asking.why(output_id)
                except NotFound:
                    if time.monotonic() > until:
                        raise
                    time.sleep(0.1)

    @contextmanager
    def app(self) -> Iterator[App]:
        """This workflow's app: one process with the client, its model played by the recordings."""
        inputs, outputs = load(read_folder(self.source).bundle)
        kept = self.stage.folder / "client-cache"
        with Client(self.stage.url, self.key, app=f"{self.source.name}-app", cache_dir=kept) as client:
            yield App(client, inputs, outputs)

    def served(self, app: App, cases: Mapping[str, list[str]]) -> str:
        """Serve these cases by prompt; every output keeps its contract. The id of the last one."""
        done = [app.serve(prompt, case) for prompt, wanted in cases.items() for case in wanted]
        labels = " and ".join(sorted({version for version, _ in done}))
        words = f"{len(done)} outputs served by {labels}, each inside its contract"
        self.tell.check(words, holds=bool(done) and all(one.ok for _, one in done))
        return done[-1][1].id if done else ""

    def never(self, app: App, prompt: str, case: str, action: str, words: str) -> None:
        """An action that the authority table refuses, whatever the prompt says."""
        call = app.client.prompt(prompt, key=case).render(**app.inputs[prompt][case])
        answer = call.finish("{}", tool_calls=[Action(action, {})])
        self.tell.check(words, holds=not answer.allowed(action))


def sentence(report: Mapping[str, Any]) -> str:
    """A report in one line."""
    cost, rate = report["cost_delta_pct"], report["pass_rate"]
    change = "" if cost is None else f", cost {cost:+.1f} %"
    known = "no pass rate" if rate is None else f"pass rate {rate:.2f}"
    return f"{report['verdict']}, {report['cases']} cases, {known}{change}"


def _missing(items: list[dict[str, Any]], what: str = "approval:") -> dict[str, list[str]]:
    """Who could give each missing yes (or review), by role; the desk names them as `Mei Tanaka (mei.tanaka)`."""
    return {
        one["id"].removeprefix(what): [who.rpartition("(")[2].rstrip(")") for who in one["who"]]
        for one in items
        if one["id"].startswith(what) and not one["ok"]
    }


def _short(reference: str) -> str:
    return reference.rpartition(".")[2].replace("@", " ")


def _some(cases: list[str], most: int = 14) -> str:
    more = len(cases) - most
    return ", ".join(cases[:most]) + (f" and {more} more" if more > 0 else "")
