"""The log as a person sees it, after the demo: looking through it, one line proved, everything verified."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

AUDITOR = "Ines Duarte"
WIDE, PHONE = {"width": 1280, "height": 860}, {"width": 390, "height": 844}


@pytest.fixture(params=[("light", WIDE), ("dark", WIDE), ("light", PHONE)], ids=["light", "dark", "phone"])
def page(request: pytest.FixtureRequest, chromium: Browser, desk_url: str) -> Iterator[Page]:
    scheme, size = request.param
    context = chromium.new_context(color_scheme=scheme, viewport=size)
    context.set_default_timeout(10_000)
    shown = context.new_page()
    problems: list[str] = []
    shown.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    shown.goto(f"{desk_url}/signin")
    shown.get_by_role("button", name="Dana Kim").click()
    shown.wait_for_url(f"{desk_url}/")
    yield shown
    context.close()
    assert problems == []


def _shot(page: Page, shots: str | None, name: str, request: pytest.FixtureRequest) -> None:
    if shots:
        page.screenshot(path=str(Path(shots) / f"{name}-{request.node.callspec.id}.png"), full_page=True)
    widths = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert widths[0] <= widths[1]


def test_a_person_finds_a_release_in_the_log_and_sees_it_proved(page, shots, request):
    page.get_by_role("link", name="Log").click()
    page.get_by_role("heading", level=1, name="Log").wait_for()
    _shot(page, shots, "log", request)
    page.get_by_label("What").select_option("release.open")
    page.get_by_role("button", name="Look").click()
    row = page.get_by_role("listitem").filter(has_text="Released").first
    row.get_by_role("link").first.click()
    assert page.get_by_text("It is in the log of").is_visible()
    page.get_by_text("The hashes, for whoever recomputes them").click()
    _shot(page, shots, "line", request)


def test_an_auditor_has_everything_verified_and_an_owner_the_lines_that_they_see(page, shots, request):
    page.get_by_role("link", name="Log").click()
    page.get_by_role("button", name="Prove the lines that you see").click()
    page.get_by_text("newest lines that you see is proved").wait_for()
    _shot(page, shots, "proved", request)
    page.context.clear_cookies()
    page.goto(f"{page.url.partition('/audit')[0]}/signin")
    page.get_by_role("button", name=AUDITOR).click()
    page.get_by_role("link", name="Log").click()
    page.get_by_role("button", name="Verify everything now").click()
    page.get_by_text("everything that serves is what the log says").wait_for()
    _shot(page, shots, "verified", request)
