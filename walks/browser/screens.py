"""The screens that every walk is seen on, and one way to look at a page: laid out, no wider than the window, pictured."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, ViewportSize

WIDE, PHONE = ViewportSize(width=1280, height=860), ViewportSize(width=390, height=844)
SCREENS = (("light", WIDE), ("dark", WIDE), ("light", PHONE))
NAMES = ("light", "dark", "phone")


@contextmanager
def signed_in(chromium: Browser, screen: tuple[str, ViewportSize], url: str, person: str) -> Iterator[Page]:
    """The desk as a person of the demo sees it on such a screen; what the browser complains of fails the walk."""
    scheme, size = screen
    context = chromium.new_context(color_scheme="dark" if scheme == "dark" else "light", viewport=size)
    context.set_default_timeout(10_000)
    page = context.new_page()
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.goto(f"{url}/signin")
    page.get_by_role("button", name=person).click()
    page.wait_for_url(f"{url}/")
    yield page
    context.close()
    assert problems == []


def look(page: Page, shots: str | None, name: str, variant: str) -> None:
    """Measure a page, and picture it where `shots` names a folder.

    A page that is still arriving has no stylesheet yet, and a width that nobody sees: it is waited for.
    """
    page.wait_for_load_state("load")
    widths = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert widths[0] <= widths[1], f"{name} is wider than the window"
    if shots:
        page.screenshot(path=str(Path(shots) / f"{name}-{variant}.png"), full_page=True)
