"""GrowthBook's SDK: which of two values a sticky key gets, from memory."""

import json
import logging
import sys
import time

from growthbook import GrowthBook


def main() -> None:
    """Print {"resolve_us"}."""
    logging.disable(logging.CRITICAL)
    given = json.load(sys.stdin)
    rule = {"variations": ["v2", "v1"], "weights": [0.1, 0.9], "coverage": 1, "hashAttribute": "id", "key": "lead"}
    names = ["lead", *(f"prompt_{number}" for number in range(given["prompts"] - 1))]
    features = {name: {"defaultValue": "v1", "rules": [rule]} for name in names}
    client = GrowthBook(attributes={"id": "conversation-17"}, features=features)
    assert client.get_feature_value("lead", "none") in ("v1", "v2")
    rounds = []
    for _ in range(given["rounds"]):
        begun = time.perf_counter()
        for _ in range(given["loops"]):
            client.get_feature_value("lead", "none")
        rounds.append((time.perf_counter() - begun) / given["loops"] * 1e6)
    print(json.dumps({"resolve_us": min(rounds)}), flush=True)
    client.destroy()


main()
