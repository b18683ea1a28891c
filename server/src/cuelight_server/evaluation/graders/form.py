"""Graders of the form: one JSON object and nothing else, fitting the suite's schema."""

from typing import Any

from cuelight.contract.output import schema_findings
from cuelight_server.evaluation.graders.sample import Rule, Sample

_KINDS = {list: "a list", str: "a text", bool: "true or false", int: "a number", float: "a number", type(None): "null"}


def json_only(_: Rule, sample: Sample) -> str:
    """The whole output parses as one JSON object."""
    if sample.problem:
        return f"{sample.problem}; wanted one JSON object and nothing else"
    if not isinstance(sample.value, dict):
        return f"the output is {_KINDS[type(sample.value)]}; wanted one JSON object"
    return ""


def schema(validator: Any, sample: Sample) -> str:
    """The output parses strictly and fits the compiled schema."""
    if sample.problem:
        return f"{sample.problem}; wanted JSON that fits the schema"
    if validator.is_valid(sample.value):
        return ""
    findings = schema_findings(validator, sample.value)
    shown = "; ".join(f"{one.path or 'the output'}: {one.message}" for one in findings[:3])
    return shown + (f"; and {len(findings) - 3} more" if len(findings) > 3 else "")
