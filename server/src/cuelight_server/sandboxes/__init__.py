"""Where other people's code runs: JavaScript in a sandbox, Python as a process with limits."""

from cuelight_server.sandboxes.javascript import javascript
from cuelight_server.sandboxes.python import python

__all__ = ["javascript", "python"]
