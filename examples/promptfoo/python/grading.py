"""Grading in Python, as promptfoo calls it."""

from typing import Any


def get_assert(output: str, context: dict[str, Any]) -> float:
    """One point for each word, out of three and the words of the test."""
    return min(1.0, len(output.split()) / (3 + len(context["vars"])))


def strict(output: str, context: dict[str, Any]) -> dict[str, Any]:
    """Three words, and nothing else."""
    return {"pass": len(output.split()) == 3, "score": 0.0, "reason": f"three words were wanted, not {context['vars']}"}
