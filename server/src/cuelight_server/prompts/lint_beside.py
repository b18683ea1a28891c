"""What is wrong with what lies beside the prompts: prices twice, and recordings and excuses that nothing asks for."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from cuelight_server.prompts.bundle import Facts
from cuelight_server.prompts.findings import error, warning
from cuelight_server.prompts.lint_grader import unknown_versions
from cuelight_server.prompts.model import Finding

_SHOWN = 5


def findings_of_what_lies_beside(facts: Facts) -> Iterator[Finding]:
    """Prices, recordings and expected failures, seen against the folder and what the desk has."""
    if facts.bundle.prices is not None:
        yield from _prices(facts.bundle.prices)
    yield from _recordings(facts)
    yield from _excuses(facts)


def _prices(prices: Mapping[str, Any]) -> Iterator[Finding]:
    seen: set[str] = set()
    for at, one in enumerate(prices["models"]):
        if one["model"] in seen:
            words = f"the model {one['model']} has two prices"
            yield error("price_duplicate", words, "keep one line for each model", "prices", "models", at, "model")
        seen.add(one["model"])


def _recordings(facts: Facts) -> Iterator[Finding]:
    suites: dict[str, str] = {}
    for labels in facts.bundle.prompts.values():
        suites.update({item.content.digest: item.content.evaluation["suite"] for item in labels.values()})
    cases = {name: {case["id"] for case in suite["cases"]} for name, suite in facts.suites.items()}
    strange = Counter(key[0] for key in facts.bundle.recordings if key[0] not in {*suites, *facts.desk.digests})
    for digest, count in sorted(strange.items()):
        words = (
            f"{count} recorded output{'' if count == 1 else 's'} of {digest[:19]}…, which is no version or draft here"
        )
        hint = "`cuelight digest` shows the digests: record again, or take the lines out"
        yield warning("recording_unknown", words, hint, "recordings")
    lost: dict[str, dict[str, None]] = {}
    for digest, case, _ in facts.bundle.recordings:
        if digest in suites and suites[digest] in cases and case not in cases[suites[digest]]:
            lost.setdefault(suites[digest], {})[case] = None
    for suite, ids in sorted(lost.items()):
        more = f" and {len(ids) - _SHOWN} more" if len(ids) > _SHOWN else ""
        words = f"there are recorded outputs for {', '.join(list(ids)[:_SHOWN])}{more}, no case of suite {suite}"
        yield warning("recording_unknown", words, "correct the case, or take the lines out", "recordings")


def _excuses(facts: Facts) -> Iterator[Finding]:
    """A suite's expected failures name versions of any prompt that it tests."""
    for name, suite in facts.suites.items():
        known: set[str] = set()
        for prompt, labels in facts.bundle.prompts.items():
            if any(item.content.evaluation["suite"] == name for item in labels.values()):
                known |= {*labels, *facts.desk.labels.get(prompt, ())}
        if known and name in facts.bundle.suites:
            yield from unknown_versions(suite, frozenset(known), f"suites/{name}")
