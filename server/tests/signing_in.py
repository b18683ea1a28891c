"""People with passwords, and browsers in which they are signed in."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from starlette.testclient import TestClient

from cuelight_server.access.model import Came
from cuelight_server.access.passwords import QuickPasswords
from cuelight_server.app import Front, build
from cuelight_server.control.desk import Desk
from cuelight_server.control.invitations import accept, issue_link
from cuelight_server.kernel.actor import SYSTEM

PASSWORD = "four words in a row"
FRONT = Front(passwords=QuickPasswords())
HERE = Came(source="192.0.2.1", browser="Firefox/140.0 (Linux)")


def give_password(desk: Desk, id: str, password: str = PASSWORD) -> None:
    """The person sets their password with a link, as everybody does."""
    accept(desk, QuickPasswords(), issue_link(desk, SYSTEM, id).code, password, HERE)


@contextmanager
def browsing(desk: Desk, *, base_url: str = "http://localhost", **front: Any) -> Iterator[TestClient]:
    """A browser with nobody signed in."""
    app = build(desk, worker=False, front=Front(**{"passwords": QuickPasswords(), **front}))
    with TestClient(app, base_url=base_url, follow_redirects=False) as made:
        yield made


def sign_in(client: TestClient, id: str, password: str = PASSWORD) -> None:
    """With id and password on the page."""
    answer = client.post("/signin", data={"id": id, "password": password})
    assert answer.status_code == 303, answer.text


def proof(client: TestClient, path: str = "/account") -> str:
    """What the forms of the page carry."""
    found = re.search(r'name="csrf" value="([0-9a-f]+)"', client.get(path).text)
    assert found, "the page has no form"
    return found[1]


def send(client: TestClient, path: str, **fields: str) -> Any:
    """Send a form as our own page would."""
    return client.post(path, data={"csrf": proof(client), **fields})
