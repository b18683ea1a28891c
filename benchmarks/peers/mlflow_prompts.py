"""MLflow's prompt registry on a SQLite file: one prompt registered, which is its like of a push."""

import json
import logging
import sys
import tempfile
import time
from statistics import median

import mlflow
from mlflow.genai import register_prompt


def main() -> None:
    """Print {"push_ms"}: the median of so many first versions."""
    logging.disable(logging.CRITICAL)
    given = json.load(sys.stdin)
    with tempfile.TemporaryDirectory() as folder:
        mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
        mlflow.set_registry_uri(f"sqlite:///{folder}/mlflow.db")
        register_prompt("warm", given["text"])
        took = []
        for number in range(given["times"]):
            begun = time.perf_counter()
            register_prompt(f"prompt{number}", given["text"])
            took.append((time.perf_counter() - begun) * 1000)
    print(json.dumps({"push_ms": median(took)}), flush=True)


main()
