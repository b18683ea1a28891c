"""Model judges under promptfoo's names: a pinned model is asked, strictly read, as often as the grader says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cuelight_server.evaluation.graders.asserts.looking import transformed
from cuelight_server.evaluation.graders.embedding import cosine
from cuelight_server.evaluation.graders.judged import asking, votes
from cuelight_server.evaluation.graders.judged.answers import Nonsense, Shape, Word, closed, word
from cuelight_server.evaluation.graders.judged.asking import Lacking
from cuelight_server.evaluation.graders.judged.pinned import Judge, bare, judge_of
from cuelight_server.evaluation.graders.outcome import Outcome, not_run
from cuelight_server.evaluation.graders.outside import Judgement, Outside
from cuelight_server.evaluation.graders.sample import Rule, Sample
from cuelight_server.evaluation.models import is_pinned
from cuelight_server.kernel.errors import CuelightError
from cuelight_server.kernel.judges import NOT_CARRIED, PAIRWISE, SHARES

__all__ = ["Judge", "Judged", "ask", "judged", "not_carried", "spread", "why_lost"]

_THRESHOLDS = {"g-eval": 0.7, "conversation-relevance": 0.5}
NO_JUDGE = "no model judge can be asked here; run it on a desk with a provider"
NO_EMBEDDING = "answer-relevance compares questions by an embedding; set CUELIGHT_EMBEDDING_MODEL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One grader with its judge; call it with an output."""

    judge: Judge
    rule: Rule
    outside: Outside
    threshold: float | None
    inverse: bool

    def __call__(self, sample: Sample) -> Outcome:
        """What the judge says; what could not be asked or understood has not run."""
        found = transformed(self.rule, sample, self.outside)
        if isinstance(found, Outcome):
            return found
        rule, sample = found
        if self.judge.kind in PAIRWISE:
            return not_run("it compares the two versions once both have answered")
        if self.judge.shape is Shape.QUESTIONS and self.outside.embed is None:
            return not_run(NO_EMBEDDING)
        try:
            shown = [asking.pieces(self.judge, one, sample) for one in self._parts(rule)]
            asked = [
                [asking.judgement(self.judge, one, sample, n) for one in shown]
                for n in range(1, self.judge.repeats + 1)
            ]
        except Lacking as bad:
            return not_run(str(bad))
        words, lost = [], []
        for turn in asked:
            try:
                words.append(_mean([self._word(one, part) for one, part in zip(turn, shown, strict=True)]))
            except (ValueError, CuelightError) as bad:
                lost.append(why_lost(bad))
                if isinstance(bad, CuelightError):
                    break  # who cannot be asked now is not asked again at once
        lost += lost[-1:] * (len(asked) - len(words) - len(lost))
        return votes.outcome(self.judge, words, lost, votes.Count(threshold=self.threshold, inverse=self.inverse))

    def _parts(self, rule: Rule) -> list[Rule]:
        """One question each; g-eval asks for every criterion of a list by itself."""
        value = rule.get("value")
        if self.judge.kind == "g-eval" and isinstance(value, list) and value:
            return [{**rule, "value": one} for one in value]
        return [rule]

    def _word(self, asked: Judgement, shown: Mapping[str, str]) -> Word:
        return self._scored(ask(self.judge, asked, self.outside, self.rule.get("config")), shown)

    def _scored(self, one: Word, shown: Mapping[str, str]) -> Word:
        """Of answer-relevance: how near the questions that the output answers are to the one that was asked."""
        if self.judge.shape is not Shape.QUESTIONS:
            return one
        if self.outside.embed is None:
            raise Nonsense(NO_EMBEDDING)
        asked, *others = self.outside.embed([shown["question"], *one.texts])
        near = [cosine(asked, other) for other in others]
        return Word(passed=None, score=min(1.0, max(0.0, sum(near) / len(near))), reason=one.texts[0])


def judged(name: str, rule: Rule, outside: Outside) -> Judged:
    """The grader of one rule. Invalid where its judge is named in a way that nobody can read."""
    judge = judge_of(name, rule)
    return Judged(
        judge=judge,
        rule=rule,
        outside=outside,
        threshold=_threshold(judge, rule),
        inverse=rule["type"].startswith("not-"),
    )


def not_carried(rule: Rule) -> Outcome:
    """A grader of promptfoo that needs a service which is not here."""
    kind = bare(rule["type"])
    return not_run(f"{kind} is not carried: {NOT_CARRIED[kind]}")


def ask(judge: Judge, asked: Judgement, outside: Outside, scores: Mapping[str, Any] | None = None) -> Word:
    """One answer. Nonsense where it is none, or another model's; one of the six errors where nobody answers."""
    if judge.missing:
        raise Nonsense(judge.missing)
    if outside.judge is None:
        raise Nonsense(NO_JUDGE)
    said = outside.judge(asked)
    if said.model and not is_pinned(said.model, judge.model):
        raise Nonsense(f"{votes.NO_WORD}: answered by {said.model}, pinned is {judge.model}")
    try:
        if judge.kind == "model-graded-closedqa":
            return closed(said.text)
        return word(judge.shape, said.text, scores if judge.kind == "factuality" else None)
    except Nonsense as bad:
        raise Nonsense(f"{votes.NO_WORD}: {bad}") from None


def why_lost(bad: Exception) -> str:
    """Why a turn brought no word."""
    if isinstance(bad, CuelightError):
        return f"the judge could not be asked: {bad.message}"
    return str(bad)


def _mean(words: Sequence[Word]) -> Word:
    """Several criteria as one word: their mean, and the reason of the worst."""
    if len(words) == 1:
        return words[0]
    worst = min(words, key=lambda one: one.score)
    return Word(passed=None, score=sum(one.score for one in words) / len(words), reason=worst.reason)


def _threshold(judge: Judge, rule: Rule) -> float | None:
    """The grader's; promptfoo's own where the form of the answer has no pass in it."""
    if "threshold" in rule:
        return float(rule["threshold"])
    return 0.0 if judge.kind in SHARES else _THRESHOLDS.get(judge.kind)


def spread(scores: Sequence[float]) -> float:
    """How far the scores of one output lie apart."""
    return max(scores) - min(scores) if scores else 0.0
