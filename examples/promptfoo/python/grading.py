"""Grading in Python, as promptfoo calls it."""


def get_assert(output: str, context: dict[str, object]) -> float:
    """One point for each word, out of three and the values of the context."""
    return min(1.0, len(output.split()) / (3 + bool(context)))


def strict(output: str, context: dict[str, object]) -> dict[str, object]:
    """Three words, and nothing else."""
    held = len(output.split()) == 3 and bool(context)
    return {"pass": held, "score": 0.0, "reason": "three words were wanted"}
