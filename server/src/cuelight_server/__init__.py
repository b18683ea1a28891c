"""Cuelight, the release desk for production prompts: the server."""

__version__ = "0.1.0"
