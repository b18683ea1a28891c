"""Model judges in a run: asked through the providers' port and counted, compared in pairs, and checked against people."""

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

from cuelight_server.control.trial import Providers, Trial
from cuelight_server.evaluation import pairwise
from cuelight_server.evaluation.costs import cost_usd
from cuelight_server.evaluation.graders import Grader, prepare, read
from cuelight_server.evaluation.graders.judged import Judge, Judged, ask, asking, why_lost
from cuelight_server.evaluation.graders.judged.answers import Nonsense
from cuelight_server.evaluation.graders.judged.asking import Lacking
from cuelight_server.evaluation.graders.outside import Judgement, Outside
from cuelight_server.evaluation.graders.sample import Sample
from cuelight_server.evaluation.judges import Checked, Key, Panel
from cuelight_server.evaluation.model import Arm, Case, Grade, Json, SampleResult
from cuelight_server.evaluation.pairwise import Choice, Pair
from cuelight_server.evaluation.results import Bench, compares, used_by
from cuelight_server.evaluation.runner import Key as Place
from cuelight_server.kernel.cases import applies
from cuelight_server.kernel.errors import CuelightError, Unavailable
from cuelight_server.providers.port import Completion, CompletionRequest, Provider

AT_ONCE = 4
MOST_SILENCES = 3  # in a row: whoever is silent so often is not waited for again in this run
Stop = Callable[[], str]
Through = Callable[[Provider, CompletionRequest], Completion]
_POINTS = {Choice.CANDIDATE: 1.0, Choice.PRODUCTION: 0.0}


def _at_once(provider: Provider, request: CompletionRequest) -> Completion:
    return provider.complete(request)


class Asked:
    """Who asks judges: through the desk's providers, from several threads, with every call counted.

    A provider that was silent three times in a row is not asked again: a run does not wait for it at every output.
    """

    def __init__(self, providers: Providers, prices: Json | None, through: Through = _at_once) -> None:
        """Nothing is asked yet; every call goes `through` the limits of a run, once there is one."""
        self.through = through
        self._providers, self._prices = providers, prices
        self._lock = threading.Lock()
        self._known: dict[str, Provider] = {}
        self._silent: Counter[str] = Counter()
        self._calls = self._input = self._output = 0
        self._usd: float | None = 0.0

    def __call__(self, asked: Judgement) -> Completion:
        """The judge's answer; one of the six errors where none comes."""
        provider = self._provider(asked.provider)
        request = CompletionRequest(
            content_digest=asked.judge,
            case=asked.asked,
            sample=asked.turn,
            messages=asked.messages,
            settings=asked.settings,
        )
        try:
            answer = self.through(provider, request)
        except Unavailable:
            with self._lock:
                self._silent[asked.provider] += 1
            raise
        usd = cost_usd(self._prices, answer.model or asked.model, used_by(answer))
        with self._lock:
            self._silent[asked.provider] = 0
            self._calls += 1
            self._input += answer.input_tokens or 0
            self._output += answer.output_tokens or 0
            self._usd = None if self._usd is None or usd is None else self._usd + usd
        return answer

    def _provider(self, name: str) -> Provider:
        """The provider, looked up once a run. Unavailable where there is none, or it was silent too often."""
        with self._lock:
            if self._silent[name] >= MOST_SILENCES:
                words = f"{name} was silent {MOST_SILENCES} times in a row and is not asked again in this run"
                raise Unavailable(words, "evaluate again when it answers")
            if name not in self._known:
                if name not in self._providers:
                    raise Unavailable(f"this desk has no provider {name}", "set it: cuelight providers set")
                self._known[name] = self._providers[name]
            return self._known[name]

    @property
    def usd(self) -> float:
        """What is known to be spent on judges so far; calls without a price count as nothing here."""
        return self._usd or 0.0

    def spend(self) -> dict[str, Any] | None:
        """For the report; None where no judge was asked. `usd` is None where a call had no price or no tokens."""
        if not self._calls:
            return None
        return {"calls": self._calls, "input_tokens": self._input, "output_tokens": self._output, "usd": self._usd}


@dataclass(frozen=True, slots=True)
class _Comparison:
    """One pairwise grader of one case, with the outputs of both versions."""

    grader: Grader
    judged: Judged
    case: Case
    sample: int
    candidate: Sample
    baseline: Sample


class Outputs(Protocol):
    """A run whose outputs are all there."""

    results: dict[Place, SampleResult]

    def text_of(self, place: Place) -> str:
        """One output, whole."""

    def stop(self) -> str:
        """Why the run must stop now; empty while it may go on."""


def panel(trial: Trial, bench: Bench, run: Outputs, outside: Outside) -> tuple[Panel, dict[Place, list[Grade]]]:
    """The judges of a run once every output is there: pairs compared, labels checked; and the grades that came of it."""
    judges = {one.digest: one for one in _judges(trial, bench, outside)}
    pairs, grades, notes = _compare(trial, run, outside)
    checked = _checked(trial, bench, run.stop)
    return Panel(judges=judges, pairs=pairs, checked=checked, notes=tuple(notes)), grades


@dataclass(frozen=True, slots=True)
class _Named:
    """A grader that asks a judge."""

    grader: Grader
    judged: Judged


def _judges(trial: Trial, bench: Bench, outside: Outside) -> Iterator[Judge]:
    """Every judge of the run, those inside of sets too."""
    for graders in bench.graders.values():
        yield from (judge for one in graders for judge in one.judges)
    for case in trial.suite.cases:
        yield from (one.judged.judge for one in _comparing(trial, case, outside))


def _comparing(trial: Trial, case: Case, outside: Outside) -> Iterator[_Named]:
    for rule in (*trial.suite.graders, *case.graders):
        if compares(rule) and applies(rule, case.input, case.label):
            made = prepare(rule, trial.suite.schema, outside)
            if isinstance(made.check, Judged):
                yield _Named(made, made.check)


def _compare(
    trial: Trial, run: Outputs, outside: Outside
) -> tuple[dict[Key, pairwise.Tally], dict[Place, list[Grade]], list[str]]:
    """Every pair of outputs that has both, with the grades of both sides."""
    named = [one for case in trial.suite.cases for one in _comparing(trial, case, outside)]
    if not named:
        return {}, {}, []
    if trial.baseline is None:
        return {}, {}, [f"no baseline to compare with: {', '.join(sorted({one.grader.name for one in named}))}"]
    if trial.baseline.digest == trial.candidate.digest:
        return {}, {}, ["nothing to compare: the candidate is the baseline"]
    work = list(_comparisons(trial, run, outside))
    found = list(_in_threads(lambda one: _pair(one, outside), work, run.stop))
    by_key: dict[Key, list[Pair]] = {}
    for one, pair in zip(work, found, strict=True):
        by_key.setdefault(one.judged.judge.key, []).append(pair)
    tallies = {key: pairwise.tally(pairs) for key, pairs in by_key.items()}
    grades: dict[Place, list[Grade]] = {}
    for one, pair in zip(work, found, strict=True):
        refused = pairwise.refused(tallies[one.judged.judge.key])
        for arm in Arm:
            grades.setdefault((arm, one.case.id, one.sample), []).append(_graded(one, pair, arm, refused))
    return tallies, grades, []


def _comparisons(trial: Trial, run: Outputs, outside: Outside) -> Iterator[_Comparison]:
    for case in trial.suite.cases:
        for one in _comparing(trial, case, outside):
            sample = 1
            while all((arm, case.id, sample) in run.results for arm in Arm):
                both = [_seen(case, run.text_of((arm, case.id, sample))) for arm in Arm]
                yield _Comparison(one.grader, one.judged, case, sample, *both)
                sample += 1


def _pair(one: _Comparison, outside: Outside) -> Pair:
    """Asked twice, once in each order."""
    judge, rule = one.judged.judge, one.judged.rule
    texts = {Arm.CANDIDATE: one.candidate, Arm.BASELINE: one.baseline}
    said, reason = [], ""
    try:
        for first in pairwise.orders(judge.digest, one.case.id, one.sample):
            second = Arm.BASELINE if first is Arm.CANDIDATE else Arm.CANDIDATE
            shown = asking.pieces(judge, rule, texts[first])
            shown |= {"first": shown["output"], "second": asking.looked_at(rule, texts[second])}
            shown["output"] = ""
            answer = ask(judge, asking.judgement(judge, shown, texts[first], one.sample), outside)
            said.append((first, answer.texts[0]))
            reason = reason or answer.reason
    except (Nonsense, Lacking, CuelightError) as bad:
        return Pair(case=one.case.id, sample=one.sample, choice=Choice.NO_WORD, why=why_lost(bad))
    return Pair(case=one.case.id, sample=one.sample, choice=pairwise.together(said), reason=reason)


def _graded(one: _Comparison, pair: Pair, arm: Arm, refused: str) -> Grade:
    """The grade of one side: a clear loser fails; a tie fails nobody."""
    score = _POINTS.get(pair.choice, 0.5)
    score = score if arm is Arm.CANDIDATE else 1 - score
    inverse = one.judged.inverse
    score = 1 - score if inverse else score
    passed = score >= 0.5
    rule, not_run = one.grader.rule, refused or pair.why
    other = "production's" if arm is Arm.CANDIDATE else "the candidate's"
    words = f"the judge likes {other} output {'less' if inverse else 'better'}: {pair.reason}".rstrip(": ")
    return Grade(
        one.grader.name,
        one.grader.severity,
        passed=passed and not not_run,
        message="" if passed or not_run else words,
        score=None if not_run else score,
        weight=float(rule.get("weight", 1)),
        metric=str(rule.get("metric", "")),
        not_run=not_run,
        judge=one.grader.judge,
        alone=True,
        said={"judge": one.grader.judge, "choice": pair.choice.value, "reason": pair.reason},
    )


def _checked(trial: Trial, bench: Bench, stop: Stop) -> dict[Key, Checked]:
    """Every judge put to the outputs that people have judged."""
    cases = {case.id: case for case in trial.suite.cases}
    work = []
    for label in trial.suite.labels:
        case = cases.get(label["case"])
        graders = bench.graders[case.id] if case else ()
        named = (one for one in graders if one.name == label["grader"] and isinstance(one.check, Judged))
        found = next(named, None)
        if case is not None and found is not None and isinstance(found.check, Judged):
            work.append((label, found.check, _seen(case, label["output"])))
    said = list(_in_threads(lambda one: one[1](one[2]), work, stop))
    marks: dict[Key, list[tuple[bool, bool]]] = {}
    lost: dict[Key, list[str]] = {}
    for (label, check, _), word in zip(work, said, strict=True):
        if word.not_run:
            lost.setdefault(check.judge.key, []).append(word.not_run)
        else:
            marks.setdefault(check.judge.key, []).append((bool(label["passed"]), word.passed))
    return {
        key: Checked(
            marks=tuple(marks.get(key, ())), no_word=len(lost.get(key, ())), why=next(iter(lost.get(key, ())), "")
        )
        for key in {**marks, **lost}
    }


def _in_threads(do: Callable[[Any], Any], work: Sequence[Any], stop: Stop) -> Iterable[Any]:
    """Each done, a few at once, in their order. Unavailable where the run must stop meanwhile."""

    def one(item: Any) -> Any:
        why = stop()
        if why:
            raise Stopped(why)
        return do(item)

    with ThreadPoolExecutor(AT_ONCE, "judges") as pool:
        return list(pool.map(one, work))


class Stopped(Exception):
    """Why the run must stop now, while judges are being asked."""


def _seen(case: Case, text: str) -> Sample:
    return read(text, input=case.input, label=case.label)
