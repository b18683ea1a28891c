"""By which name a request came: this machine's own, or one that anybody may have pointed here."""

from ipaddress import ip_address
from urllib.parse import urlsplit


def at_home(host: str, bound: str) -> bool:
    """Whether the Host header `host` is an address, localhost, or `bound`, the name where the server listens.

    Any other name may be that of a stranger's page which was made to point here (DNS rebinding).
    """
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    if name and name in ("localhost", bound.lower()):
        return True
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
