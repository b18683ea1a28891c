"""Coming in as people do: the first owner by a link, an invitation, a key shown once, sessions and signing out."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from cuelight_server.demo.stage import own_files
from walks.browser.screens import NAMES, SCREENS, look

PASSWORD, OTHER = "four words in a row", "five more words in a row"
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(params=SCREENS, ids=NAMES)
def open_browser(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[Callable[[], Page]]:
    """Another browser of another person each time."""
    scheme, size = request.param
    made = []

    def another() -> Page:
        context = chromium.new_context(color_scheme=scheme, viewport=size)
        context.set_default_timeout(10_000)
        made.append(context)
        return context.new_page()

    yield another
    for context in made:
        context.close()


@pytest.fixture
def link(tmp_path: Path) -> Iterator[str]:
    """A server on a new, real desk; the link that it prints for its first owner."""
    command = [sys.executable, "-m", "cuelight_server.cli", "serve", "--port", "0", "--data", str(tmp_path / "data")]
    process = subprocess.Popen(command, cwd=ROOT, env=own_files(), stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(3)]
        yield lines[-1].strip()
    finally:
        process.terminate()
        process.wait(10)


def test_from_the_first_owner_to_a_signed_out_session(link, open_browser, shots, request):
    def shot(page: Page, name: str) -> None:
        look(page, shots, name, request.node.callspec.id)
        assert page.locator("script").count() == 0

    owner = open_browser()
    owner.goto(link)
    shot(owner, "owner")
    become_owner(owner)
    assert owner.get_by_role("heading", level=1).inner_text().endswith(", Mei")

    owner.goto(link)
    assert owner.get_by_role("alert").is_visible()  # once means once
    shot(owner, "link-over")

    home = link.partition("/invitation")[0]
    owner.goto(f"{home}/people")
    shot(owner, "people-first")
    invited = invite(owner)
    shot(owner, "people-invited")
    key = issue_key(owner)
    shot(owner, "people-key")
    assert re.fullmatch("cue_production_[0-9a-f]{16}_[0-9a-f]{64}_[0-9a-f]{8}", key)
    owner.goto(f"{home}/people")
    assert key.split("_")[3] not in owner.content()

    priya = open_browser()
    priya.goto(invited)
    shot(priya, "invited")
    set_password(priya, "password1234")
    assert "people guess" in priya.get_by_role("alert").inner_text()
    set_password(priya, PASSWORD)
    priya.wait_for_url(f"{home}/")
    priya.goto(f"{home}/people")
    assert priya.get_by_role("button", name="Issue").count() == 0

    elsewhere = open_browser()
    come_elsewhere(elsewhere, home, shot)

    priya.goto(f"{home}/account")
    make_token(priya)
    shot(priya, "account")
    change_password(priya)
    shot(priya, "account-changed")
    elsewhere.goto(f"{home}/account")
    assert elsewhere.url == f"{home}/signin"  # the new password signed the other browser out

    owner.goto(f"{home}/people")
    disable(owner)
    shot(owner, "people-disabled")
    priya.goto(f"{home}/account")
    assert priya.url == f"{home}/signin"


def come_elsewhere(page: Page, home: str, shot: Callable[[Page, str], None]) -> None:
    page.goto(f"{home}/signin")
    sign_in(page, "a wrong password")
    assert "do not belong together" in page.get_by_role("alert").inner_text()
    shot(page, "signin-wrong")
    sign_in(page, PASSWORD)
    page.wait_for_url(f"{home}/")


def become_owner(page: Page) -> None:
    page.get_by_label("Your name").fill("Mei Tanaka")
    page.get_by_label("Name on this desk").fill("mei.tanaka")
    set_password(page, PASSWORD)
    page.wait_for_url(re.compile(r"/$"))


def set_password(page: Page, password: str) -> None:
    page.get_by_label("Choose a password").fill(password)
    page.get_by_label("The same password again").fill(password)
    page.get_by_role("button", name="Set password and sign in").click()


def sign_in(page: Page, password: str) -> None:
    page.get_by_label("Name on this desk").fill("priya.nandakumar")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def invite(page: Page) -> str:
    page.get_by_label("Name", exact=True).fill("Priya Nandakumar")
    page.get_by_label("Name on this desk").fill("priya.nandakumar")
    page.get_by_role("button", name="Add and make a link").click()
    return page.locator(".secret").inner_text()


def issue_key(page: Page) -> str:
    page.get_by_label("Its name").fill("crm")
    page.get_by_label("Note").fill("the shop's back end")
    page.get_by_role("button", name="Issue").click()
    return page.locator(".secret").inner_text()


def make_token(page: Page) -> None:
    page.get_by_label("Where you will use it").fill("laptop")
    page.get_by_label("Only for").fill("read push")
    page.get_by_role("button", name="Make a token").click()
    assert page.locator(".secret").inner_text().startswith("cue_all_")


def change_password(page: Page) -> None:
    page.get_by_label("The old one").fill(PASSWORD)
    page.get_by_label("The new one", exact=True).fill(OTHER)
    page.get_by_label("The new one again").fill(OTHER)
    page.get_by_role("button", name="Change password").click()
    assert page.get_by_role("status").is_visible()


def disable(page: Page) -> None:
    row = page.get_by_role("row").filter(has_text="Priya Nandakumar")
    row.get_by_text("Disable", exact=True).click()
    row.get_by_role("button", name="Yes, disable").click()
    assert "Disabled" in page.get_by_role("row").filter(has_text="Priya Nandakumar").inner_text()
