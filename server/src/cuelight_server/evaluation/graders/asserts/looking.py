"""What a grader under promptfoo's names looks at: the output, or a part of it, or what a transform makes of it."""

from dataclasses import replace

from cuelight.contract.condition import lookup
from cuelight_server.evaluation.graders.asked import Asked, with_output
from cuelight_server.evaluation.graders.asserts import scripts
from cuelight_server.evaluation.graders.outcome import Outcome, not_run
from cuelight_server.evaluation.graders.outside import Outside
from cuelight_server.evaluation.graders.sample import Rule, Sample


def looked_at(asked: Asked) -> Asked | Outcome:
    """The same question about the value at the rule's path and after its transform; the word where there is none."""
    if "path" in asked.rule:
        path, sample = asked.rule["path"], asked.sample
        if sample.problem and not path.startswith("$"):
            return Outcome(passed=False, message=f"nothing to look at: {sample.problem}")
        found = lookup(path, sample.document)
        asked = with_output(asked, found[0] if found else "")
    if "transform" in asked.rule:
        turned = scripts.transformed(asked)
        if turned.not_run:
            return not_run(turned.not_run)
        if turned.threw:
            return Outcome(passed=False, message=f"the transform failed: {turned.threw}", score=0.0)
        asked = with_output(asked, turned.value)
    return asked


def transformed(rule: Rule, sample: Sample, outside: Outside) -> tuple[Rule, Sample] | Outcome:
    """The rule without its transform, and the sample whose text is what came of it; as they are where it has none."""
    if "transform" not in rule:
        return rule, sample
    asked = Asked(
        kind=rule["type"],
        rule=rule,
        inverse=False,
        value=rule.get("value"),
        ready=None,
        output=sample.text,
        text=sample.text,
        sample=sample,
        outside=outside,
    )
    found = looked_at(asked)
    if isinstance(found, Outcome):
        return found
    plain = {name: value for name, value in rule.items() if name not in ("path", "transform")}
    return plain, replace(sample, text=found.text)
