"""The log as a person sees it, after the demo: looking through it, one line proved, everything verified."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from walks.browser.screens import NAMES, SCREENS, look, signed_in

AUDITOR = "Ines Duarte"


@pytest.fixture(params=SCREENS, ids=NAMES)
def page(request: pytest.FixtureRequest, chromium: Browser, desk_url: str) -> Iterator[Page]:
    with signed_in(chromium, request.param, desk_url, "Dana Kim") as shown:
        yield shown


def _shot(page: Page, shots: str | None, name: str, request: pytest.FixtureRequest) -> None:
    look(page, shots, name, request.node.callspec.id)


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
