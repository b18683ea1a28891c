"""Where graders have others work: JavaScript in a sandbox, Python and allowed programs with limits, allowed addresses."""

from cuelight_server.sandboxes.javascript import javascript
from cuelight_server.sandboxes.python import python

__all__ = ["javascript", "python"]
