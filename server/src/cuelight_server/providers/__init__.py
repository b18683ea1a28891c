"""The providers' room: whoever answers a prompt in an evaluation, behind one small port."""

from cuelight_server.providers.echo import Echo
from cuelight_server.providers.openai import OpenAI
from cuelight_server.providers.port import Completion, CompletionRequest, Provider
from cuelight_server.providers.recorded import Recorded, Recording

__all__ = [
    "KEYED",
    "NAMES",
    "Completion",
    "CompletionRequest",
    "Echo",
    "OpenAI",
    "Provider",
    "Recorded",
    "Recording",
    "build",
]

NAMES = ("recorded", "openai", "echo")
KEYED = ("openai",)  # those that answer at an address, with a key


def build(*, openai_base_url: str, openai_key: str | None) -> dict[str, Provider]:
    """The providers that need settings, by name; `recorded` needs none and is made for each evaluation."""
    return {"openai": OpenAI(openai_base_url, openai_key), "echo": Echo()}
