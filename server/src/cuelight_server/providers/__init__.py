"""The providers' room: whoever answers a prompt in an evaluation, behind one small port."""

from collections.abc import Sequence

from cuelight_server.outbound import Calls, Network
from cuelight_server.providers import anthropic, endpoint, openai, responses
from cuelight_server.providers.command import Command
from cuelight_server.providers.echo import Echo
from cuelight_server.providers.pacing import Pace, Rates
from cuelight_server.providers.port import ENDS_A_RUN, BadKey, BadSetting, Completion, CompletionRequest, Provider
from cuelight_server.providers.port import Json as Options
from cuelight_server.providers.recorded import Recorded, Recording
from cuelight_server.providers.remote import Remote

__all__ = [
    "ENDS_A_RUN",
    "KEYED",
    "LIVE",
    "NAMES",
    "BadKey",
    "BadSetting",
    "Command",
    "Completion",
    "CompletionRequest",
    "Echo",
    "Pace",
    "Provider",
    "Rates",
    "Recorded",
    "Recording",
    "Remote",
    "build",
    "connect",
    "read_rates",
]

KEYED = ("openai", "responses", "anthropic", "http")  # those that answer at an address, with a key
LIVE = (*KEYED, "command")  # those that ask a model
NAMES = ("recorded", *LIVE, "echo")
_FAMILIES = {"openai": openai.FAMILY, "responses": responses.FAMILY, "anthropic": anthropic.FAMILY}


def build(
    *, openai_base_url: str, openai_key: str | None, command: Sequence[str] = (), allowed: Sequence[Network] = ()
) -> dict[str, Provider]:
    """The providers that the server's settings make, by name; `recorded` needs none and is made for each evaluation."""
    made: dict[str, Provider] = {"echo": Echo()}
    for name in ("openai", "responses"):
        made[name] = Remote(_FAMILIES[name], openai_base_url, openai_key, calls=Calls(allowed=allowed))
    if command:
        made["command"] = Command(command)
    return made


def connect(name: str, base_url: str, key: str | None, options: Options, allowed: Sequence[Network] = ()) -> Provider:
    """One provider of the desk. Invalid where its options are none."""
    family = endpoint.family(endpoint.read_shape(options)) if name == "http" else _FAMILIES[name]
    return Remote(family, base_url, key, pace=Pace(read_rates(options)), calls=Calls(allowed=allowed))


def read_rates(options: Options) -> Rates:
    """The limits among a provider's options."""
    return Rates(
        requests_a_minute=options.get("requests_a_minute"),
        tokens_a_minute=options.get("tokens_a_minute"),
        at_once=options.get("at_once", 8),
    )
