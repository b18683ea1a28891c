"""Unleash's SDK: which of two variants a sticky key gets, from memory."""

import json
import logging
import sys
import tempfile
import time

from UnleashClient import UnleashClient
from UnleashClient.cache import FileCache


def main() -> None:
    """Print {"resolve_us"}."""
    logging.disable(logging.CRITICAL)
    given = json.load(sys.stdin)
    toggle = {
        "name": "lead",
        "type": "release",
        "enabled": True,
        "stale": False,
        "strategies": [{"name": "default", "parameters": {}}],
        "variants": [
            {"name": name, "weight": weight, "weightType": "fix", "stickiness": "userId", "overrides": []}
            for name, weight in (("v2", 100), ("v1", 900))
        ],
    }
    others = [{**toggle, "name": f"prompt_{number}"} for number in range(given["prompts"] - 1)]
    with tempfile.TemporaryDirectory() as folder:
        cache = FileCache("bench", directory=folder)
        cache.bootstrap_from_dict({"version": 2, "features": [toggle, *others]})
        client = UnleashClient(
            url="http://127.0.0.1:9/api", app_name="bench", cache=cache, disable_metrics=True, disable_registration=True
        )
        client.initialize_client(fetch_toggles=False)
        context = {"userId": "conversation-17"}
        assert client.get_variant("lead", context)["name"] in ("v1", "v2")
        rounds = []
        for _ in range(given["rounds"]):
            begun = time.perf_counter()
            for _ in range(given["loops"]):
                client.get_variant("lead", context)
            rounds.append((time.perf_counter() - begun) / given["loops"] * 1e6)
        print(json.dumps({"resolve_us": min(rounds)}), flush=True)
        client.destroy()


main()
