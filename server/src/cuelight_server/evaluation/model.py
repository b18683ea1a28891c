"""What an evaluation is made of: cases and a suite going in, grades and results between, facts and a decision out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from cuelight_server.kernel.verdict import Verdict

Json = Mapping[str, Any]


class Severity(StrEnum):
    """How much a failed grader counts."""

    BLOCKER = "blocker"
    MAJOR = "major"
    MINOR = "minor"


class Category(StrEnum):
    """The ten kinds of case, in the order of the reports."""

    NORMAL = "normal"
    EDGE = "edge"
    BAD_INPUT = "bad_input"
    MISSING_CONTEXT = "missing_context"
    CONFLICTING_CONTEXT = "conflicting_context"
    SENSITIVE_DATA = "sensitive_data"
    DOMAIN_SPECIFIC = "domain_specific"
    OUTPUT_FORMAT = "output_format"
    REFUSAL_ESCALATION = "refusal_escalation"
    COST_LATENCY = "cost_latency"


class CaseState(StrEnum):
    """What became of a case, seen against the baseline."""

    FIXED = "fixed"
    NEWLY_FAILING = "newly_failing"
    FAILING = "failing"
    PASSING = "passing"
    UNDECIDED = "undecided"
    EXPECTED_FAILURE = "expected_failure"
    UNSTABLE = "unstable"


class Standing(StrEnum):
    """How one output stands under some of its graders."""

    SOUND = "sound"
    FAILED = "failed"
    UNDECIDED = "undecided"  # a grader that would decide has not run


class Arm(StrEnum):
    """Which of the two versions an output belongs to."""

    CANDIDATE = "candidate"
    BASELINE = "baseline"


class Mark(StrEnum):
    """What one rule of the gate says. UNKNOWN never passes; NOT_APPLICABLE comes with a note."""

    PASS = "pass"  # noqa: S105  a mark, not a password
    FAIL = "fail"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not_applicable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One test case; `input` is complete: the suite's defaults and derived variables are in it."""

    id: str
    category: Category
    title: str
    input: Json
    tags: tuple[str, ...] = ()
    label: Json | None = None
    graders: tuple[Json, ...] = ()
    threshold: float | None = None  # where given, the weighted mean of the scores decides and not each grader
    cluster: str = ""  # shared by cases that are not independent, such as questions on one document


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """A test set as read from its document. `expected_failures` maps a version label to {case id: reason}."""

    name: str
    digest: str
    cases: tuple[Case, ...]
    graders: tuple[Json, ...]
    schema: Json | None
    expected_failures: Mapping[str, Mapping[str, str]]
    labels: tuple[Json, ...] = ()  # what people said of outputs that a judge grades


@dataclass(frozen=True, slots=True)
class Grade:
    """What one grader said about one output; `message` says what was found and what was wanted, empty on a pass.

    `unread`: the grader had nothing to look at because the output could not be parsed. It fails, but where another
    blocker names the cause it is not named a second time. `not_run` says why the grader has no word at all: that is
    neither a pass nor a failure. `score` runs from 0 to 1, and is None where the grader only knows yes and no.
    `weight` is what the score counts in the case's; 0 counts for nothing and is only reported, under `metric`.
    `judge` is the digest of the model judge that was asked, `said` its answers; empty for every other grader. `alone`:
    nothing but model judges decides it.
    """

    name: str
    severity: Severity
    passed: bool
    message: str = ""
    unread: bool = False
    score: float | None = None
    weight: float = 1.0
    metric: str = ""
    not_run: str = ""
    judge: str = ""
    said: Json | None = None
    alone: bool = False

    @property
    def points(self) -> float:
        """The score; of a grader that only knows yes and no, 1 or 0."""
        return float(self.passed) if self.score is None else self.score


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleResult:
    """One output of one case with its grades; tokens, `latency_ms` and `cost_usd` are None where they are not known.

    `counts` holds for each metric of the gate whether the output is one of those looked at, and whether it counts.
    """

    case: str
    sample: int
    text: str
    grades: tuple[Grade, ...]
    counts: tuple[tuple[bool, bool], ...]
    tool_calls: tuple[Json, ...]
    input_tokens: int | None
    output_tokens: int | None
    latency_ms: float | None
    cost_usd: float | None
    model: str
    finish_reason: str
    provenance: str
    threshold: float | None = None  # the case's
    cached_input_tokens: int | None = None  # of the input, read from the provider's own cache
    cache_write_tokens: int | None = None  # of the input, written to it
    reasoning_tokens: int | None = None  # of the output
    uncached_usd: float | None = None  # what it would have cost with the provider's cache empty
    error: str = ""  # why there is no output; then nothing of it is known
    seal: str = ""  # digest of the whole output, where only the start of it is kept here

    def clean(self, *severities: Severity) -> bool:
        """Whether every grader of these severities passed."""
        return all(one.passed for one in self.grades if one.severity in severities)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """All samples of one case and whether the case passes."""

    case: Case
    samples: tuple[SampleResult, ...]
    passed: bool
    unstable: bool
    blockers: tuple[str, ...]  # names of the blocker graders that failed in some sample, sorted
    judged: bool = True  # whether a blocker or major grader had a word on every sample
    undecided: str = ""  # why nobody can say whether it passes; then `passed` is False
    score: float | None = None  # the weighted mean of its graders' scores over its samples
    every: bool = False  # whether the gate lets it fail in no sample at all
    only_judge: bool = False  # whether nothing but model judges decides on some sample

    @property
    def fails(self) -> bool:
        """Whether the case is known not to pass."""
        return not self.passed and not self.undecided


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricValue:
    """Of `of` samples, the share that counts; `value` is None where `of` is 0 or the metric is declared in words."""

    id: str
    of: int
    value: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmResult:
    """One version's outputs, graded and summed up. `cost_usd` is the mean of a case, None where any part is unknown."""

    label: str
    digest: str
    cases: tuple[CaseResult, ...]
    metrics: tuple[MetricValue, ...]
    pass_rate: float | None
    cost_usd: float | None
    p95_ms: float | None
    models: tuple[str, ...]
    uncached_usd: float | None = None  # the mean of a case with the provider's own cache empty
    cached_share: float | None = None  # of the input tokens, those read from that cache; None where nobody counted
    errors: int = 0  # outputs that could not be had, of `outputs`
    outputs: int = 0
    first_error: str = ""
    pinned: str = ""  # the model that the version names; empty where nobody asked


class Finding(StrEnum):
    """What a comparison with production has shown."""

    NOT_WORSE = "not_worse"  # no worse than the margin, whatever else
    HARM = "harm"
    OPEN = "open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """This version against production on the same cases; shares of sound samples, all differences here minus there.

    `lower` and `upper` are one-sided bounds, each at `confidence`. None: not to be told.
    """

    finding: Finding
    cases: int
    clusters: int
    samples: int  # of each case and arm, where they differ the fewest
    candidate: float | None
    baseline: float | None
    difference: float
    lower: float
    upper: float
    method: str  # newcombe or t
    p_worse: float
    lower_cases: int  # cases that pass in fewer samples than in production
    higher_cases: int
    drop_shown: bool  # also where it lies within the margin
    sees: float | None  # the least drop that is found in four of five runs
    more_cases: int | None  # that would decide
    samples_instead: int | None  # samples of each case that would decide as well
    margin: float
    confidence: float
    required: bool
    underpowered_allowed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Regressions:
    """Ids of cases, in the suite's order; `newly_failing` and `fixed` are None without a baseline.

    `newly_failing`: pass in production and fail here. `doubtful` are those of them that fail in every sample and could
    still be noise; `unstable` pass in some samples and fail in others, and are neither failed nor passed; `faded` still
    pass, and pass less often than before by more than chance.
    """

    newly_failing: tuple[str, ...] | None = None
    fixed: tuple[str, ...] | None = None
    doubtful: tuple[str, ...] = ()
    unstable: tuple[str, ...] = ()
    faded: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricChange:
    """How a metric of the gate moved over the cases that both arms count; positive `better` is for the better.

    Bounds are one-sided. `finding` is None where the gate gives the metric no margin.
    """

    id: str
    cases: int
    better: float
    lower: float
    upper: float
    p_better: float
    finding: Finding | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricFact:
    """A metric of both arms: None where there is no denominator, or no baseline."""

    id: str
    value: float | None
    baseline: float | None
    change: MetricChange | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the samples of both arms show, where it was looked at."""

    cases: Regressions | None = None
    comparison: Comparison | None = None
    metrics: Mapping[str, MetricChange] = field(default_factory=dict)
    stopped: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything that the gate decides on. None means: not known, or (`baseline_*`, `newly_failing`) no baseline."""

    cases: int
    passed: int
    blocked_cases: int
    blockers: tuple[str, ...]
    categories: Mapping[str, tuple[int, int]]  # category -> (passed, cases)
    tags: Mapping[str, tuple[int, int]]
    has_baseline: bool
    newly_failing: int | None
    cost_usd: float | None
    baseline_cost_usd: float | None
    p95_ms: float | None
    baseline_p95_ms: float | None
    metrics: tuple[MetricFact, ...] = ()
    unfinished: str = ""  # why the run did not come to its end
    least_cases: int = 0  # what the workflow's tier asks for
    not_judged: tuple[str, ...] = ()  # ids of cases that no blocker or major grader looks at
    only_judge: tuple[str, ...] = ()  # ids of cases whose only blocker is a model judge, where the tier minds that
    undecided: Mapping[str, str] = field(default_factory=dict)  # case id -> why nobody can say whether it passes
    undecided_in: Mapping[str, int] = field(default_factory=dict)  # category or tag -> undecided cases of it
    perhaps_newly_failing: int = 0  # cases that fail, and nobody can say whether they did on the baseline
    doubtful: tuple[str, ...] = ()  # newly failing cases in `perhaps_newly_failing` that may be noise
    comparison: Comparison | None = None  # None without a baseline, or where it is the same content
    stopped: str = ""  # why the run ended before its end because it could not pass any more
    strange_models: tuple[str, ...] = ()  # answers of another model than the pinned one, in words
    lost: tuple[str, ...] = ()  # arms of which too many outputs could not be had, in words


@dataclass(frozen=True, slots=True)
class Ruling:
    """What one rule says, in words."""

    rule: str
    mark: Mark
    words: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict, the reasons for it, and the remarks that do not change it."""

    verdict: Verdict
    why: tuple[str, ...]
    notes: tuple[str, ...]
    rulings: tuple[Ruling, ...]
