"""The shipped fake: answers with what it was told to, or with the last message; free, instant and repeatable."""

from collections.abc import Callable
from dataclasses import dataclass

from cuelight_server.providers.port import Completion, CompletionRequest

_CHARS_A_TOKEN = 4


def last_message(request: CompletionRequest) -> str:
    """The text of the last message, as it was rendered."""
    content = request.messages[-1].get("content", "") if request.messages else ""
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)


@dataclass(frozen=True, slots=True)
class Echo:
    """A provider without a model. `answer` makes the output of a request; tokens are characters divided by four."""

    answer: Callable[[CompletionRequest], str] = last_message
    name: str = "echo"
    concurrency: int = 4
    recorded: bool = True
    adapter: str = ""  # nothing is paid, so nothing is cached

    def complete(self, request: CompletionRequest) -> Completion:
        """The answer, in 0 ms."""
        text = self.answer(request)
        asked = sum(len(str(message.get("content", ""))) for message in request.messages)
        return Completion(
            text=text,
            input_tokens=asked // _CHARS_A_TOKEN,
            output_tokens=len(text) // _CHARS_A_TOKEN,
            latency_ms=0.0,
            model="echo",
            finish_reason="stop",
            provenance="echo: no model was asked",
        )
