"""Which addresses may be asked: never the machine's own insides by way of a name, never a cloud's inner addresses."""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from cuelight_server.kernel.errors import Invalid

MOST_URL = 500
Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# Where clouds tell a machine its own secrets, and which no rule of ranges names.
_METADATA = frozenset(map(ip_address, ("fd00:ec2::254", "100.100.100.200", "192.0.0.192")))
_NAT64 = ip_network("64:ff9b::/96")


class Forbidden(Invalid):
    """An address that is not one to ask, whatever stands there."""


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """The networks in words like 10.0.0.0/8. Invalid names the one that is none."""
    made: list[Network] = []
    for text in texts:
        try:
            made.append(ip_network(text.strip(), strict=False))
        except ValueError:
            raise Invalid(f"{text!r} is no network", "give one like 10.0.0.0/8") from None
    return tuple(made)


def check_url(text: str) -> str:
    """The address without a slash at its end: https, or http to this machine. Invalid for anything else."""
    try:
        parts = urlsplit(text.strip())
        host = parts.hostname or ""
        whole = parts.port != 0 and bool(host)
        whole = whole and not (parts.username or parts.password or parts.query or parts.fragment)
    except ValueError:
        host, whole, parts = "", False, urlsplit("")
    sound = text.isascii() and text.isprintable() and len(text) <= MOST_URL
    if not (whole and sound) or parts.scheme not in ("http", "https") or _inner(host):
        raise Forbidden("the base URL is no web address of a provider", "give one like https://api.openai.com/v1")
    if parts.scheme == "http" and not at_home(host):
        raise Forbidden("a key would go over the wire in the clear", "use https; http is for this machine only")
    return text.strip().rstrip("/")


def check_peer(peer: str, host: str, allowed: Sequence[Network] = ()) -> None:
    """Forbidden where the address behind a name is not one to ask.

    Addresses of clouds' insides never are. Those of this machine and of private networks are asked only where `host`
    says so itself (localhost, or the address in figures), or where a network in `allowed` holds them: a public name
    that leads inside is how a server is made to talk to itself.
    """
    address = _plain(ip_address(peer.partition("%")[0]))
    named = _literal(host)
    if _never(address):
        raise _forbidden(host)
    if address.is_global:
        return
    if address.is_loopback and at_home(host):
        return
    if named == address or any(address in one for one in allowed if one.version == address.version):
        return
    raise _forbidden(host)


def at_home(host: str) -> bool:
    """Whether a name says itself that it is this machine."""
    address = _literal(host)
    return host == "localhost" or (address is not None and address.is_loopback)


def _forbidden(host: str) -> Forbidden:
    return Forbidden(
        f"{host} leads to an address inside, which is not asked",
        "name the address itself, or add its network to CUELIGHT_PROVIDER_NETWORKS",
    )


def _inner(host: str) -> bool:
    address = _literal(host)
    return address is not None and _never(address)


def _never(address: Address) -> bool:
    if address.is_loopback:
        return False
    odd = address.is_link_local or address.is_multicast or address.is_unspecified or address.is_reserved
    return odd or address in _METADATA


def _literal(host: str) -> Address | None:
    try:
        return _plain(ip_address(host))
    except ValueError:
        return None


def _plain(address: Address) -> Address:
    """The IPv4 address that an IPv6 one only wraps."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address
