def get_assert(output, context):
    """One point for each word of the test, out of four."""
    return min(1.0, len(output.split()) / 4)


def strict(output, context):
    return {"pass": len(output.split()) == 3, "score": 0.0, "reason": "three words were wanted"}
