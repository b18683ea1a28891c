"""The way out: HTTP to addresses that somebody set, guarded: which addresses, how much, and how long in all."""

from cuelight_server.outbound.calling import Answer, Calls, Trouble
from cuelight_server.outbound.guard import Forbidden, Network, check_peer, check_url, networks

__all__ = ["Answer", "Calls", "Forbidden", "Network", "Trouble", "check_peer", "check_url", "networks"]
