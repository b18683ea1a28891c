"""Passwords: what one must be, and how one is kept; argon2id behind a port, with a quick stand-in beside it."""

import hmac
import threading
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Protocol

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from cuelight_server.kernel.errors import Invalid

LEAST, MOST_BYTES = 12, 1024
_AT_ONCE = 4  # each takes 64 MiB while it runs
# What an unknown person's password is compared with: of the same parameters, so that it costs the same.
NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$wgsu4Y1+z7p4l0Qf9kXJ2g$5Voi9joPMfUdRlFtumUcVaRJknz4TifQAxCIDZuN83E"


class Passwords(Protocol):
    """How passwords are kept and compared."""

    def hash(self, password: str) -> str:
        """What is stored of a password."""

    def verify(self, stored: str | None, password: str) -> bool:
        """Whether it is the one; the same work where nothing is stored (None), and then False."""


class Argon2:
    """argon2id with the second recommended option of RFC 9106 (3 passes, 64 MiB, 4 lanes); few at once."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=4)
        self._turns = threading.BoundedSemaphore(_AT_ONCE)

    def hash(self, password: str) -> str:
        """The hash in PHC format, with its own salt and parameters."""
        with self._turns:
            return self._hasher.hash(password)

    def verify(self, stored: str | None, password: str) -> bool:
        """Whether it is the one."""
        try:
            with self._turns:
                self._hasher.verify(stored or NOBODY, password)
        except (Argon2Error, InvalidHashError):
            return False
        return stored is not None


class QuickPasswords:
    """A stand-in for tests: no protection at all, and it counts how often it was asked to verify."""

    def __init__(self) -> None:
        self.verified = 0

    def hash(self, password: str) -> str:
        """A plain digest."""
        return f"quick:{sha256(password.encode()).hexdigest()}"

    def verify(self, stored: str | None, password: str) -> bool:
        """Whether it is the one."""
        self.verified += 1
        same = hmac.compare_digest(stored or "", self.hash(password))
        return same and stored is not None


def check_password(password: str, *about: str) -> str:
    """The password, if it may be one; Invalid otherwise. `about` are words that it must not be, such as the person's id.

    Long and uncommon is all that is asked (NIST SP 800-63B): no mix of signs, no change by the calendar.
    """
    if len(password) < LEAST:
        raise Invalid(f"a password has at least {LEAST} characters", "several words in a row are easy to remember")
    if len(password.encode(errors="replace")) > MOST_BYTES:
        raise Invalid(f"a password has at most {MOST_BYTES} bytes", "choose a shorter one")
    plain = password.casefold()
    if plain in common() or plain in {one.casefold() for one in about} or len(set(plain)) <= 2:
        raise Invalid("this password is one that people guess", "choose one that nobody else would think of")
    return password


@cache
def common() -> frozenset[str]:
    """Passwords of twelve characters and more that stand at the top of every list of stolen ones."""
    text = (files("cuelight_server.access") / "common_passwords.txt").read_text(encoding="utf-8")
    return frozenset(line for line in text.splitlines() if line and not line.startswith("#"))
