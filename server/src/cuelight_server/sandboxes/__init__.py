"""Where other people's code runs: JavaScript in a sandbox, Python and programs as processes with limits."""

from cuelight_server.sandboxes.command import command
from cuelight_server.sandboxes.javascript import javascript
from cuelight_server.sandboxes.python import python

__all__ = ["command", "javascript", "python"]
