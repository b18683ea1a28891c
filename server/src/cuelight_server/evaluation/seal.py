"""The outputs of an evaluation as a whole: one digest, so that a line of the log can vouch for each of them."""

import json
from collections.abc import Iterable
from typing import Any

from cuelight.contract.canonical import digest

Output = tuple[str, str, int, bool, Any]  # arm, case, sample, passed, document


def results_digest(outputs: Iterable[Output]) -> str:
    """The digest of these outputs with their grades, in whatever order they come."""
    texts = [
        [arm, case, str(sample), str(bool(passed)), json.dumps(document, sort_keys=True)]
        for arm, case, sample, passed, document in outputs
    ]
    return digest(sorted(texts))
