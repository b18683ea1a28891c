"""A person signs in at a real OpenID provider with a real browser, connects their account, and signs out."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from cuelight_server.access.oidc import Newcomers
from cuelight_server.control.access import add_actor
from cuelight_server.control.opening import create_desk
from cuelight_server.kernel.actor import SYSTEM
from server.tests.openid.provider import CLIENT, PASSWORD, SECRET, open_provider
from server.tests.openid.serving import serving
from server.tests.signing_in import PASSWORD as OURS
from server.tests.signing_in import give_password

pytestmark = pytest.mark.browser
WIDE, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def idp():
    with open_provider() as made:
        made.add_person("ben", "Ben Okoro", "ben@example.org", "desk")
        yield made


@pytest.fixture(params=[("light", WIDE), ("dark", WIDE), ("light", PHONE)], ids=["light", "dark", "phone"])
def browser_page(chromium, request):
    scheme, size = request.param
    context = chromium.new_context(color_scheme=scheme, viewport=size, java_script_enabled=False)
    yield context.new_page()
    context.close()


def there(page, id="ben"):
    """Through the provider's own pages."""
    page.locator("input[name=login]").fill(id)
    page.locator("button[type=submit]").last.click()
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("button[type=submit]").last.click()
    page.locator("button[value=accept]").click()


def test_a_person_signs_in_at_the_organisations_provider_and_connects_an_older_account(
    browser_page, idp, tmp_path, shots, request
):
    page, desk = browser_page, create_desk(tmp_path / "desk")
    add_actor(desk, SYSTEM, "ben.older", "Ben Older")
    give_password(desk, "ben.older")

    def shot(name):
        if shots:
            Path(shots).mkdir(parents=True, exist_ok=True)
            page.screenshot(path=f"{shots}/{name}-{request.node.callspec.id}.png", full_page=True)

    known = {"issuer": idp.issuer, "client_id": CLIENT, "client_secret": SECRET, "name": "Example Corp"}
    with serving(desk, {**known, "newcomers": Newcomers.ADD}) as at:
        idp.add_client(at.callback, f"{at.url}/signin")
        page.goto(f"{at.url}/signin")
        expect(page.get_by_role("link", name="Sign in with Example Corp")).to_be_visible()
        shot("oidc-signin")
        page.get_by_role("link", name="Sign in with Example Corp").click()
        there(page)
        expect(page).to_have_url(f"{at.url}/")
        page.goto(f"{at.url}/account")
        expect(page.get_by_text("Connected")).to_be_visible()
        shot("oidc-account")
        page.get_by_role("button", name="Sign out", exact=True).first.click()
        page.locator("#id").fill("ben.older")
        page.locator("#password").fill(OURS)
        page.get_by_role("button", name="Sign in").click()
        page.goto(f"{at.url}/account")
        page.get_by_role("button", name="Connect with Example Corp").click()
        expect(page.get_by_text("both accounts count as one person")).to_be_visible()
        shot("oidc-connect")
        page.get_by_role("link", name="Go on to Example Corp").click()
        expect(page).to_have_url(f"{at.url}/account")  # still signed in there
        page.goto(f"{at.url}/people")
        expect(page.get_by_text("the same person as ben").first).to_be_attached()
        page.goto(f"{at.callback}?state=x&code=y")
        expect(page.get_by_role("alert")).to_contain_text("did not begin in this browser")
        shot("oidc-refused")
    desk.close()
