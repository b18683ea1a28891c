"""Which addresses a server may ask: a table of names and where they lead."""

import pytest

from cuelight_server.kernel.errors import Invalid
from cuelight_server.outbound import Forbidden, check_peer, check_url, networks

INSIDE = networks(["10.1.0.0/16", "fd12::/16"])


@pytest.mark.parametrize(
    ("peer", "host", "may"),
    [
        ("93.184.216.34", "api.example.com", True),
        ("2606:2800:220:1:248:1893:25c8:1946", "api.example.com", True),
        ("127.0.0.1", "localhost", True),
        ("127.0.0.1", "127.0.0.1", True),
        ("::1", "::1", True),
        ("127.0.0.1", "api.example.com", False),
        ("::1", "api.example.com", False),
        ("::ffff:127.0.0.1", "api.example.com", False),
        ("64:ff9b::7f00:1", "api.example.com", False),
        ("2002:7f00:1::", "api.example.com", False),
        ("10.0.0.7", "api.example.com", False),
        ("10.0.0.7", "10.0.0.7", True),
        ("10.1.0.7", "model.corp.example", True),
        ("10.2.0.7", "model.corp.example", False),
        ("fd12::7", "model.corp.example", True),
        ("192.168.1.1", "api.example.com", False),
        ("100.64.0.1", "api.example.com", False),
        ("169.254.169.254", "169.254.169.254", False),
        ("169.254.169.254", "api.example.com", False),
        ("fe80::1%eth0", "api.example.com", False),
        ("fd00:ec2::254", "fd00:ec2::254", False),
        ("100.100.100.200", "100.100.100.200", False),
        ("0.0.0.0", "0.0.0.0", False),
        ("224.0.0.1", "224.0.0.1", False),
    ],
)
def test_where_a_name_leads_decides(peer, host, may):
    if may:
        check_peer(peer, host, INSIDE)
        return
    with pytest.raises(Forbidden):
        check_peer(peer, host, INSIDE)


@pytest.mark.parametrize("url", ["https://api.example.com/v1/", "http://127.0.0.1:8080", "https://10.0.0.7/v1"])
def test_an_address_that_may_be_set(url):
    assert check_url(url) == url.rstrip("/")


@pytest.mark.parametrize("text", ["10.0.0.0/33", "ten", ""])
def test_what_is_no_network_is_refused(text):
    with pytest.raises(Invalid, match="is no network"):
        networks([text])
