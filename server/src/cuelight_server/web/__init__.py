"""The pages: the desk as people see it, read without script."""

from cuelight_server.web.evaluation import written
from cuelight_server.web.oidc import CALLBACK
from cuelight_server.web.pages import routes

__all__ = ["CALLBACK", "routes", "written"]
