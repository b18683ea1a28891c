"""One real provider for all tests of a process, with people in it, and desks that go by the machine's clock."""

from datetime import timedelta

import pytest

from cuelight_server.kernel.clock import system_clock
from server.tests.openid.provider import CLIENT, SECRET, open_provider


class Shifted:
    """The machine's clock, as wrong as a test wants it."""

    def __init__(self):
        self.by = timedelta(0)

    def __call__(self):
        return system_clock() + self.by


@pytest.fixture(scope="session")
def idp():
    with open_provider() as made:
        made.add_person("mei", "Mei Tanaka", "mei@example.org", "desk", "desk-admins")
        made.add_person("ben", "Ben Okoro", "ben@example.org", "desk")
        made.add_person("cleo", "Cleo Ray", "cleo@example.org", "others")
        yield made


@pytest.fixture
def shifted():
    return Shifted()


@pytest.fixture
def today(make_desk, shifted):
    """A desk of today: a provider's tokens are of today, too."""
    return make_desk("today", clock=shifted)


@pytest.fixture
def known(idp):
    """What a desk knows of the provider."""
    return {
        "issuer": idp.issuer,
        "client_id": CLIENT,
        "client_secret": SECRET,
        "name": "Example Corp",
        "scopes": "openid email profile groups",
    }
