"""What the log knows of an identity at an OpenID provider: a digest, and nothing that says who it is; pure."""

from cuelight.contract.canonical import digest_bytes
from cuelight_server.access.model import Identity


def sealed(identity: Identity) -> str:
    """The digest of salt, issuer and subject."""
    return digest_bytes(f"{identity.salt}:{identity.issuer}:{identity.subject}".encode())
