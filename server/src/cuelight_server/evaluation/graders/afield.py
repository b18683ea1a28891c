"""Graders that ask elsewhere and are no model judges: vectors, a webhook, a command; promptfoo's texts are filled in."""

from collections.abc import Mapping
from typing import Any

from cuelight_server.evaluation.graders.asserts.looking import transformed
from cuelight_server.evaluation.graders.custom import custom
from cuelight_server.evaluation.graders.embedding import similar
from cuelight_server.evaluation.graders.judged.asking import Lacking, filled, looked_at
from cuelight_server.evaluation.graders.outcome import Outcome, not_run
from cuelight_server.evaluation.graders.outside import Outside
from cuelight_server.evaluation.graders.sample import Rule, Sample
from cuelight_server.kernel.judges import CUSTOM


def afield(rule: Rule, outside: Outside, sample: Sample) -> Outcome:
    """The word of one of them on one output."""
    turned = transformed(rule, sample, outside)
    if isinstance(turned, Outcome):
        return turned
    rule, sample = turned
    text = looked_at(rule, sample)
    if rule["type"].removeprefix("not-") in CUSTOM:
        return custom(rule, outside, text, sample)
    try:
        wanted = _wanted(rule["value"], sample.input)
    except Lacking as bad:
        return not_run(str(bad))
    return similar(rule, outside, wanted, text)


def _wanted(value: Any, given: Mapping[str, Any]) -> list[str]:
    return [filled(one, given) for one in value] if isinstance(value, list) else [filled(value, given)]
