"""The pages: the desk as people see it, read without script."""

from cuelight_server.web.pages import routes

__all__ = ["routes"]
