"""Graders that ask elsewhere and are no model judges: vectors, a webhook, a command; promptfoo's texts are filled in."""

from collections.abc import Mapping
from typing import Any

from cuelight_server.evaluation.graders.custom import CUSTOM, custom
from cuelight_server.evaluation.graders.embedding import SIMILAR, similar
from cuelight_server.evaluation.graders.judged.asking import filled, looked_at
from cuelight_server.evaluation.graders.outcome import Outcome
from cuelight_server.evaluation.graders.outside import Outside
from cuelight_server.evaluation.graders.sample import Rule, Sample

AFIELD = SIMILAR | CUSTOM


def afield(rule: Rule, outside: Outside, sample: Sample) -> Outcome:
    """The word of one of them on one output."""
    text = looked_at(rule, sample)
    if rule["type"].removeprefix("not-") in CUSTOM:
        return custom(rule, outside, text, sample)
    return similar(rule, outside, _wanted(rule["value"], sample.input), text)


def _wanted(value: Any, given: Mapping[str, Any]) -> list[str]:
    return [filled(one, given) for one in value] if isinstance(value, list) else [filled(value, given)]
