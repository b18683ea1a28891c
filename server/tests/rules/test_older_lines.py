"""Lines of an older Cuelight: the rows that a migration left beside them fit, and a change of these is named all the same."""

import pytest

from cuelight.contract.canonical import digest_bytes
from cuelight_server.audit.model import Event
from cuelight_server.control.replay import people

AT = "2026-01-05T09:00:00.000000Z"
HASH = "a" * 64
LINE = Event(
    at=AT,
    actor="system",
    verb="token.issue",
    subject="mei.tanaka",
    facts={"token": "t1", "environment": None, "secret": digest_bytes(HASH.encode())},
    seq=1,
)
ROW = {
    "id": "t1",
    "actor": "mei.tanaka",
    "secret_hash": HASH,
    "environment": None,
    "created_at": AT,
    "revoked_at": None,
    "last_used_at": None,
    "scopes": None,
    "expires_at": None,
    "label": "",
}


class Lines(list):
    """A log of a few lines."""

    def of(self, *verbs):
        return (one for one in self if one.verb in verbs)


def test_a_key_from_before_there_were_scopes_fits_its_line():
    assert list(people.tokens(Lines([LINE]), [ROW])) == []


@pytest.mark.parametrize(
    "change", [{"scopes": '["read"]'}, {"expires_at": AT}, {"label": "x"}, {"environment": "staging"}]
)
def test_what_somebody_gives_such_a_key_behind_our_back_is_named(change):
    (found,) = people.tokens(Lines([LINE]), [{**ROW, **change}])
    assert "token t1" in found
