"""One grader on one output."""

from cuelight_server.evaluation.graders import grade, prepare, read
from cuelight_server.evaluation.graders.outside import NOTHING_OUTSIDE


def word(rule, output="", outside=NOTHING_OUTSIDE, **facts):
    """The one grade of a rule on an output."""
    seen = read(output, **{"input": {}, **facts})
    return grade((prepare({"severity": "major", **rule}, None, outside),), seen)[0]
