"""The desk as a person sees it, after the demo: signing in, what serves where, what needs somebody."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

WIDE, PHONE = {"width": 1280, "height": 860}, {"width": 390, "height": 844}


@pytest.fixture(params=[("light", WIDE), ("dark", WIDE), ("light", PHONE)], ids=["light", "dark", "phone"])
def page(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[Page]:
    scheme, size = request.param
    context = chromium.new_context(color_scheme=scheme, viewport=size)
    context.set_default_timeout(10_000)
    shown = context.new_page()
    problems: list[str] = []
    shown.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    shown.on("pageerror", lambda error: problems.append(str(error)))
    yield shown
    context.close()
    assert problems == []


def _shot(page: Page, shots: str | None, name: str, request: pytest.FixtureRequest) -> None:
    if shots:
        variant = request.node.callspec.id
        page.screenshot(path=str(Path(shots) / f"{name}-{variant}.png"), full_page=True)


def test_a_person_signs_in_and_sees_what_serves_where(page, desk_url, shots, request):
    page.goto(desk_url)
    assert page.url.endswith("/signin")
    _shot(page, shots, "signin", request)
    page.get_by_role("button", name="Priya Nandakumar").click()
    page.wait_for_url(f"{desk_url}/")
    assert page.get_by_role("heading", level=1).inner_text().endswith(", Priya")
    row = page.get_by_role("row").filter(has_text="sales.research_summary")
    assert "v1" in row.inner_text()
    assert "Hold" in row.inner_text() or "Standby" in row.inner_text() or "Go" in row.inner_text()
    assert page.get_by_text("hand-written recordings").is_visible()
    _shot(page, shots, "desk", request)


def test_the_page_fits_its_width_and_reads_without_script(page, desk_url):
    page.goto(f"{desk_url}/signin")
    page.get_by_role("button", name="Dana Kim").click()
    page.wait_for_url(f"{desk_url}/")
    widths = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert widths[0] <= widths[1]
    assert page.locator("script").count() == 0


def test_what_needs_a_person_names_the_rollback(page, desk_url):
    page.goto(f"{desk_url}/signin")
    page.get_by_role("button", name="Dana Kim").click()
    needs = page.locator("section", has=page.get_by_role("heading", name="Needs a person"))
    assert "sales.research_summary" in needs.inner_text()


def test_a_wrong_password_is_told_what_to_do(chromium, desk_url):
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{desk_url}/signin")
    page.get_by_label("Name on this desk").fill("nobody.here")
    page.get_by_label("Password").fill("nothing of the kind")
    page.get_by_role("button", name="Sign in").click()
    assert page.get_by_role("alert").is_visible()
    context.close()
