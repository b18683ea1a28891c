"""Graders of what a call did and used: tools that it tried, tokens, milliseconds."""

from cuelight_server.evaluation.graders.sample import Rule, Sample, plain, show_all


def tools_allowed(rule: Rule, sample: Sample) -> str:
    """Every attempted tool call is on the list."""
    wrong = [call.get("name") for call in sample.tool_calls if call.get("name") not in rule["allow"]]
    return f"tried {show_all(wrong)}, allowed are {plain(rule['allow'])}" if wrong else ""


def max_output_tokens(rule: Rule, sample: Sample) -> str:
    """At most n output tokens; a number that nobody counted is a failure."""
    return _most("output tokens", sample.output_tokens, rule["n"])


def max_latency_ms(rule: Rule, sample: Sample) -> str:
    """At most n milliseconds; a time that nobody took is a failure."""
    return _most("ms", sample.latency_ms, rule["n"])


def _most(unit: str, value: float | None, limit: float) -> str:
    if value is None:
        return f"the number of {unit} is not known, wanted at most {limit:g}"
    return "" if value <= limit else f"{value:g} {unit}, wanted at most {limit:g}"
