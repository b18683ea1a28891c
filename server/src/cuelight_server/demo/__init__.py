"""The demo: the main job played end to end, with the real server, the real command line and the real client."""

from cuelight_server.demo.story import main

__all__ = ["main"]
