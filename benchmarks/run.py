"""Every figure, one JSON line each: `python -m benchmarks.run [part]`, or ONLY=part."""

import importlib
import json
import os
import sys

PARTS = ("client", "store", "evaluation", "snapshot", "keys", "serve", "log", "noise")


def main(only: str) -> int:
    """Print the figures of one part, or of all of them; 2 for a part that there is not."""
    if only and only not in PARTS:
        print(f"there is no part {only}; there are {', '.join(PARTS)}", file=sys.stderr)
        return 2
    for part in (only,) if only else PARTS:
        for figure in importlib.import_module(f"benchmarks.{part}").figures():
            print(json.dumps(figure), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("ONLY", "")))
