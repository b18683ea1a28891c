"""The private half of the key that signs checkpoints: outside of the database, never shown, and what it signs."""

import os
from base64 import b64decode, b64encode
from binascii import Error
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cuelight.contract.log import Checkpoint
from cuelight.contract.note import ED25519, Note, Signature, Verifier, checkpoint_text, is_name
from cuelight_server.kernel.errors import Blocked, Conflict, Invalid, Unavailable

FILE = "signing.key"
_PREFIX = "PRIVATE+KEY+"
_SEED_BYTES = 32
_OTHERS = 0o077


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key and the name it signs under; `repr` never shows it."""

    name: str
    seed: bytes = field(repr=False)

    @property
    def verifier(self) -> Verifier:
        """The public half."""
        return Verifier(self.name, self._private().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))

    def signature(self, text: str) -> Signature:
        """The line that goes under this text."""
        return Signature(self.name, self.verifier.id, self._private().sign(text.encode()))

    def checkpoint(self, checkpoint: Checkpoint) -> Note:
        """The signed checkpoint; the origin is the key's name, as C2SP advises."""
        text = checkpoint_text(self.name, checkpoint)
        return Note(text, (self.signature(text),))

    def secret_text(self) -> str:
        """`PRIVATE+KEY+<name>+<id>+<base64>`, as it is kept; for the key's own place and nothing else."""
        return f"{_PREFIX}{self.name}+{self.verifier.id}+{b64encode(ED25519 + self.seed).decode()}"

    def _private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)


def parse_signer(text: str) -> Signer:
    """The key in `PRIVATE+KEY+...`; Invalid where it is none, in words that hold nothing of it."""
    name, _, rest = text.strip().removeprefix(_PREFIX).partition("+")
    id, _, key = rest.partition("+")
    try:
        raw = b64decode(key, validate=True)
    except (Error, ValueError):
        raw = b""
    if not text.startswith(_PREFIX) or raw[:1] != ED25519 or len(raw) != 1 + _SEED_BYTES or not is_name(name):
        raise Invalid("the signing key cannot be read", "it begins with PRIVATE+KEY+; take it from its backup")
    found = Signer(name, raw[1:])
    if found.verifier.id != id:
        raise Invalid("the signing key is damaged: its id does not fit", "take it from its backup")
    return found


@dataclass(frozen=True, slots=True)
class KeyPlace:
    """Where the private key is kept: given from outside as text, or a file that only its owner may read."""

    file: Path | None = None
    given: str | None = field(default=None, repr=False)

    def load(self) -> Signer | None:
        """The key; None where there is none yet. Unavailable where its file may be read by others, or cannot be read."""
        if self.given is not None:
            return parse_signer(self.given)
        if self.file is None or not self.file.exists():
            return None
        try:
            if self.file.stat().st_mode & _OTHERS:
                raise Unavailable(f"others may read {self.file}", f"chmod 600 {self.file}, and rotate the key")
            return parse_signer(self.file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as bad:
            raise Unavailable(f"the signing key in {self.file} cannot be read", "look at the file") from bad

    def make(self, signer: Signer) -> None:
        """Keep a first key; Conflict where there is one. Blocked where the place is not ours to write."""
        path = self._own()
        try:
            _write(path, signer, os.O_EXCL)
        except FileExistsError as there:
            raise Conflict(f"{path} is there already", "another server was quicker: start again") from there
        except OSError as bad:
            words = f"the signing key cannot be kept in {path}: {bad.strerror}"
            raise Unavailable(words, "make the folder writable, or set CUELIGHT_SIGNING_KEY_FILE") from bad

    def waiting(self) -> "KeyPlace":
        """The place beside it, where a new key waits until its line is written."""
        path = self._own()
        return KeyPlace(path.with_name(path.name + ".new"))

    def take_over(self) -> None:
        """The key that waits takes the old one's place, in one step."""
        path = self._own()
        path.with_name(path.name + ".new").replace(path)

    def drop_waiting(self) -> None:
        """A key that waited and was never announced goes."""
        path = self._own()
        path.with_name(path.name + ".new").unlink(missing_ok=True)

    def _own(self) -> Path:
        if self.given is not None or self.file is None:
            words = "the signing key was given with CUELIGHT_SIGNING_KEY, so it is kept elsewhere"
            raise Blocked(words, "give it as a file, CUELIGHT_SIGNING_KEY_FILE, to let this command change it")
        return self.file


def _write(path: Path, signer: Signer, how: int) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | how, 0o600)
    try:
        os.write(handle, (signer.secret_text() + "\n").encode())
        os.fsync(handle)
    finally:
        os.close(handle)
