"""The desk as a person sees it, after the demo: signing in, what serves where, what needs somebody."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from walks.browser.screens import NAMES, SCREENS, look


@pytest.fixture(params=SCREENS, ids=NAMES)
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
    look(page, shots, name, request.node.callspec.id)


def test_a_person_signs_in_and_sees_what_serves_where(page, desk_url, shots, request):
    page.goto(desk_url)
    assert page.url.endswith("/signin")
    _shot(page, shots, "signin", request)
    page.get_by_role("button", name="Priya Nandakumar").click()
    page.wait_for_url(f"{desk_url}/")
    assert page.get_by_role("heading", level=1).inner_text().endswith(", Priya")
    row = page.get_by_role("row").filter(has_text="research_summary")
    assert "v1" in row.inner_text()
    assert "Hold" in row.inner_text() or "Standby" in row.inner_text() or "Go" in row.inner_text()
    assert page.get_by_text("hand-written recordings").is_visible()
    groups = page.get_by_role("rowheader").all_inner_texts()
    assert [one.split()[0] for one in groups] == ["sales"]
    assert "yours" in groups[0]
    _shot(page, shots, "desk", request)


def test_an_auditor_sees_what_serves_in_every_workflow(page, desk_url, shots, request):
    page.goto(f"{desk_url}/signin")
    page.get_by_role("button", name="Ines Duarte").click()
    page.wait_for_url(f"{desk_url}/")
    groups = page.get_by_role("rowheader").all_inner_texts()
    assert [one.split()[0] for one in groups] == ["clinical", "notes", "sales", "tutoring"]
    assert not any("yours" in one for one in groups)
    _shot(page, shots, "desk-all", request)
    page.get_by_role("link", name="People").click()
    page.get_by_role("heading", level=1, name="People and keys").wait_for()
    _shot(page, shots, "people", request)


def test_the_page_fits_its_width_and_reads_without_script(page, desk_url):
    page.goto(f"{desk_url}/signin")
    page.get_by_role("button", name="Dana Kim").click()
    page.wait_for_url(f"{desk_url}/")
    widths = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert widths[0] <= widths[1]
    assert page.locator("script").count() == 0
    bar = page.get_by_role("navigation", name="Main")
    assert bar.evaluate("bar => bar.scrollWidth <= bar.clientWidth")  # nothing of it is off the screen
    for link in bar.get_by_role("link").all():
        assert link.is_visible()


def test_what_needs_a_person_names_the_rollback(page, desk_url):
    page.goto(f"{desk_url}/signin")
    page.get_by_role("button", name="Dana Kim").click()
    needs = page.locator("section", has=page.get_by_role("heading", name="Needs a person"))
    assert "sales.research_summary" in needs.inner_text()


def test_who_stands_in_for_an_owner_is_found_without_script(page, desk_url):
    page.goto(f"{desk_url}/signin")
    stand_in = page.get_by_role("button", name="Tom Whelan")
    assert not stand_in.is_visible()
    page.locator(".team", has=page.get_by_role("heading", name="sales")).locator("summary").click()
    stand_in.click()
    page.wait_for_url(f"{desk_url}/")


def test_a_wrong_password_is_told_what_to_do(chromium, desk_url):
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{desk_url}/signin")
    page.get_by_label("Name on this desk").fill("nobody.here")
    page.get_by_label("Password").fill("nothing of the kind")
    page.get_by_role("button", name="Sign in").click()
    assert page.get_by_role("alert").is_visible()
    context.close()


def test_the_owners_of_every_prompt_are_named(page, desk_url, shots, request):
    page.goto(f"{desk_url}/signin")
    page.get_by_role("button", name="Priya Nandakumar").click()
    page.wait_for_url(f"{desk_url}/")
    page.get_by_role("link", name="Owners").click()
    section = page.get_by_label("sales.research_summary")
    assert "Mei Tanaka" in section.inner_text()
    assert "engineering owner" in section.inner_text()
    _shot(page, shots, "owners", request)


def test_a_right_is_explained_on_a_page(page, desk_url, shots, request):
    page.goto(f"{desk_url}/signin")
    page.get_by_role("button", name="Priya Nandakumar").click()
    page.wait_for_url(f"{desk_url}/")
    page.get_by_role("link", name="Access").click()
    page.get_by_role("textbox", name="Who").fill("leon.abara")
    page.get_by_role("combobox").select_option("release.open")
    page.get_by_role("textbox", name="On").fill("sales.research_summary")
    page.get_by_role("button", name="Explain").click()
    answer = page.get_by_label("The question").locator("xpath=following-sibling::section")
    assert "it takes the workflow owner or the engineering owner" in answer.inner_text()
    _shot(page, shots, "access", request)
