"""How Cuelight signs what it posts: a shared secret, a timestamp and the body, in two headers."""

import hmac

TIMESTAMP, SIGNATURE = "Cuelight-Timestamp", "Cuelight-Signature"


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """`v1=` and the HMAC-SHA256, hex, of `<timestamp>.<body>`: whoever receives it computes the same."""
    return "v1=" + hmac.new(secret.encode(), timestamp.encode() + b"." + body, "sha256").hexdigest()
