"""The app of the demo: it asks the desk for its prompt, and its model is played by the recordings."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread
from typing import Any

from cuelight import Action, Client, Result
from cuelight.contract.errors import NotFound
from cuelight_server.kernel.cases import whole_input

_FOLLOW_SECONDS = 10.0


@dataclass
class Followed:
    """How long it took a running client to follow; None while it has not."""

    seconds: float | None = None


@dataclass
class App:
    """One long-running process of the app; it is never restarted during the story."""

    client: Client
    inputs: dict[str, dict[str, dict[str, Any]]]
    outputs: dict[tuple[str, str], dict[str, Any]]

    def serve(self, prompt: str, case: str, *, fenced: bool = False) -> tuple[str, Result]:
        """Serve one task with the input of a case; returns the version that served it and the checked result.

        `fenced` breaks the format on purpose: the model wraps its answer in a code fence.
        """
        served = self.client.prompt(prompt, key=case)
        call = served.render(**self.inputs[prompt][case])
        answer = self.outputs.get((str(served.digest), case))
        if answer is None:
            raise NotFound(
                f"the demo has no recorded answer of {prompt} {served.version} for {case}", "see recordings/"
            )
        text = f"```json\n{answer['output']}\n```" if fenced else answer["output"]
        result = call.finish(
            text,
            tool_calls=[Action(one["name"], one.get("arguments", {})) for one in answer.get("tool_calls", ())],
            model=answer.get("model"),
            input_tokens=answer.get("input_tokens"),
            output_tokens=answer.get("output_tokens"),
            latency_ms=answer.get("latency_ms"),
        )
        return str(served.version), result

    @contextmanager
    def following(self, prompt: str, version: str) -> Iterator["Followed"]:
        """Watch, from now on, when this process begins to serve `version`; leaving waits up to ten seconds for it."""
        followed = Followed()
        start = time.monotonic()

        def look() -> None:
            while followed.seconds is None and time.monotonic() - start < _FOLLOW_SECONDS:
                if self.client.prompt(prompt, key="follow").version == version:
                    followed.seconds = time.monotonic() - start
                time.sleep(0.005)

        watcher = Thread(target=look, name="demo-follow", daemon=True)
        watcher.start()
        yield followed
        watcher.join(_FOLLOW_SECONDS)


def load(bundle: dict[str, Any]) -> tuple[dict[str, dict[str, dict[str, Any]]], dict[tuple[str, str], dict[str, Any]]]:
    """Inputs by prompt and case, and outputs by (content digest, case), of a workflow's bundle."""
    workflow = bundle["workflow"]["workflow"]
    inputs = {
        f"{workflow}.{name}": {case["id"]: whole_input(case, suite) for case in suite["cases"]}
        for name, suite in bundle["suites"].items()
    }
    outputs = {(one["content"], one["case"]): one for one in bundle["recordings"]}
    return inputs, outputs
