"""Whether a desk may be reached from other machines: pure reasons against it, each with what to do."""

from dataclasses import dataclass
from ipaddress import ip_address


@dataclass(frozen=True, slots=True)
class Reason:
    """Why not, and what to set."""

    message: str
    hint: str


def at_home_only(host: str) -> bool:
    """Whether the address to listen at is this machine's own."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def reasons_against(host: str, public_url: str, *, demo: bool, owned: bool) -> list[Reason]:
    """What is missing before `host` may be listened at; nothing for this machine's own address."""
    if at_home_only(host):
        return []
    found = []
    if demo:
        found.append(Reason("a demo desk lets anybody in by name", "make a real desk: cuelight-server init"))
    if not public_url.startswith("https://"):
        found.append(
            Reason(
                "without https passwords and keys travel in the open",
                "set CUELIGHT_PUBLIC_URL to the https:// address at which your proxy serves the desk",
            )
        )
    if not owned:
        found.append(
            Reason(
                "nobody owns this desk yet, so whoever comes first could",
                "serve it on 127.0.0.1 and open the link that it prints, or: cuelight-server user add ID NAME --admin",
            )
        )
    return found
