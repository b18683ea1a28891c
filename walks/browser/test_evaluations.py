"""A report as a person reads it, after the demo: what got worse first, and two answers side by side."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from walks.browser.screens import NAMES, SCREENS, look, signed_in


@pytest.fixture(params=SCREENS, ids=NAMES)
def page(request: pytest.FixtureRequest, chromium: Browser, desk_url: str) -> Iterator[Page]:
    with signed_in(chromium, request.param, desk_url, "Dana Kim") as shown:
        yield shown


def _shot(page: Page, shots: str | None, name: str, request: pytest.FixtureRequest) -> None:
    look(page, shots, name, request.node.callspec.id)


def test_a_person_reads_what_got_worse_and_sees_both_answers(page, shots, request):
    page.get_by_role("link", name="Evaluations").click()
    page.get_by_role("heading", level=1, name="Evaluations").wait_for()
    _shot(page, shots, "evaluations", request)
    failed = page.get_by_role("row").filter(has_text="Failed").filter(has_text="against v1")
    failed.first.get_by_role("link").click()
    page.get_by_role("heading", name="Newly failing").wait_for()
    first = page.locator("main section").first
    assert "Newly failing" in first.inner_text()
    assert page.get_by_role("heading", name="Six questions").is_visible()
    _shot(page, shots, "report", request)
    first.get_by_role("link").first.click()
    page.get_by_role("heading", level=3, name=re.compile("this version")).wait_for()
    assert page.locator("ins").count() > 0
    assert page.locator("del").count() > 0
    _shot(page, shots, "case", request)
    before = page.url
    page.get_by_role("link", name="Next case").click()
    page.wait_for_url(lambda url: url != before)


def test_a_saved_report_needs_nothing_else(page, shots, request, tmp_path, chromium):
    page.get_by_role("link", name="Evaluations").click()
    page.get_by_role("row").filter(has_text="Failed").first.get_by_role("link").click()
    with page.expect_download() as begun:
        page.get_by_role("link", name="Save as a file").click()
    file = tmp_path / "report.html"
    begun.value.save_as(file)
    alone = chromium.new_context(offline=True)
    asked: list[str] = []
    saved = alone.new_page()
    saved.on("request", lambda one: asked.append(one.url))
    saved.goto(file.as_uri())
    assert saved.get_by_role("heading", name="Six questions").is_visible()
    assert [url for url in asked if not url.startswith("file:")] == []
    _shot(saved, shots, "saved", request)
    alone.close()
