"""The outputs of an evaluation as a whole: one digest, so that a line of the log can vouch for each of them."""

import json
from collections.abc import Iterable
from hashlib import sha256
from typing import Any

from cuelight.contract.canonical import canonical_text, digest

Output = tuple[str, str, int, bool, Any]  # arm, case, sample, passed, document


def results_digest(outputs: Iterable[Output]) -> str:
    """The digest of these outputs with their grades, in whatever order they come."""
    return digest(sorted(map(_texts, outputs)))


def sorted_results_digest(outputs: Iterable[Output]) -> str:
    """The same of outputs that come in order of arm, case and the sample as a text: none of them is held in memory."""
    whole, between = sha256(b"["), ""
    for one in outputs:
        whole.update((between + canonical_text(_texts(one))).encode())
        between = ","
    whole.update(b"]")
    return f"sha256:{whole.hexdigest()}"


def _texts(one: Output) -> list[str]:
    arm, case, sample, passed, document = one
    return [arm, case, str(sample), str(bool(passed)), json.dumps(document, sort_keys=True)]
