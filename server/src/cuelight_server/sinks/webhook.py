"""Checkpoints over HTTP: a POST that is signed with a shared secret; what is answered beside the status is not read."""

from datetime import datetime

import httpx2

from cuelight_server.kernel.errors import Unavailable
from cuelight_server.kernel.signed import SIGNATURE, TIMESTAMP, signature
from cuelight_server.sinks.port import Sent

_TIMEOUT = httpx2.Timeout(10.0, connect=5.0)
_HINT = "it is tried again by itself; look at CUELIGHT_CHECKPOINT_WEBHOOK and at whoever answers there"


class Webhook:
    """One address. Redirects are not followed: whoever answers there decides nothing."""

    def __init__(self, url: str, secret: str) -> None:
        """Nothing is opened before the first checkpoint."""
        self._url = url
        self._secret = secret

    def deliver(self, sent: Sent, now: datetime) -> None:
        """POST it; any answer in 200-299 counts as taken."""
        body, timestamp = sent.line.encode(), str(int(now.timestamp()))
        headers = {"Content-Type": "application/json", TIMESTAMP: timestamp}
        headers[SIGNATURE] = signature(self._secret, timestamp, body)
        try:
            with (
                httpx2.Client(timeout=_TIMEOUT, follow_redirects=False, trust_env=False) as http,
                http.stream("POST", self._url, content=body, headers=headers) as answer,
            ):
                status, taken = answer.status_code, answer.is_success
        except (httpx2.HTTPError, OSError) as gone:
            raise Unavailable(f"the webhook does not answer: {type(gone).__name__}", _HINT) from None
        if not taken:
            raise Unavailable(f"the webhook answered {status}", _HINT)
