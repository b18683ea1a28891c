"""Where checkpoints go: places outside of the desk that whoever holds its database cannot rewrite."""

from collections.abc import Mapping
from pathlib import Path

from cuelight_server.sinks.port import Sent, Sink
from cuelight_server.sinks.streams import File, Stdout
from cuelight_server.sinks.webhook import Webhook

__all__ = ["File", "Sent", "Sink", "Stdout", "Webhook", "build"]


def build(*, file: Path | None, stdout: bool, webhook: str | None, secret: str | None) -> Mapping[str, Sink]:
    """The sinks that were asked for, by name."""
    made: dict[str, Sink] = {}
    if file is not None:
        made["file"] = File(file)
    if stdout:
        made["stdout"] = Stdout()
    if webhook is not None:
        made["webhook"] = Webhook(webhook, secret or "")
    return made
