"""Rendering pages: a frozen page and its template become one HTML answer with safe headers."""

from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

_TEMPLATES = Environment(
    loader=PackageLoader("cuelight_server.web"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


def html(template: str, page: Any, status: int = 200, csrf: str = "") -> HTMLResponse:
    """The page as HTML; every name the template uses must be a field of the page. `csrf` goes into each of its forms."""
    return HTMLResponse(_TEMPLATES.get_template(template).render(page=page, csrf=csrf), status, HEADERS)


def document(template: str, page: Any) -> str:
    """A page as a file of its own: the stylesheet is in it, and nothing is fetched from anywhere."""
    style = (files("cuelight_server.web") / "static" / "look.css").read_text(encoding="utf-8")
    return _TEMPLATES.get_template(template).render(page=page, style=Markup(style))  # noqa: S704  our own stylesheet
