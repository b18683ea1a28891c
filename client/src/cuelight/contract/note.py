"""Signed notes and checkpoints as C2SP writes them down (signed-note, tlog-checkpoint): read, checked and composed."""

import binascii
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from cuelight.contract.errors import Invalid
from cuelight.contract.log import Checkpoint
from cuelight.contract.merkle import HASH_BYTES

ED25519 = b"\x01"  # the signature type of C2SP signed-note
MOST_BYTES, MOST_SIGNATURES = 64 * 1024, 32
_KEY_BYTES, _ID_BYTES, _SIGNATURE_BYTES = 32, 4, 64
_DASH = "\N{EM DASH} "
_ROTATION = "cuelight key rotation"
_NUMBER = re.compile(r"0|[1-9][0-9]{0,15}")
_HINT = "is it whole? it ends with a line that begins with an em dash"


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key and the name it signs under; as text `<name>+<id>+<base64>`, which is no secret."""

    name: str
    public: bytes

    @property
    def id(self) -> str:
        """The eight hex characters that tell this key from others of the name."""
        return sha256(self.name.encode() + b"\n" + ED25519 + self.public).digest()[:_ID_BYTES].hex()

    def signed(self, text: str, signature: bytes) -> bool:
        """Whether this key signed exactly this text."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text.encode())
        except (InvalidSignature, ValueError):
            return False
        return True

    def __str__(self) -> str:
        return f"{self.name}+{self.id}+{b64encode(ED25519 + self.public).decode()}"


@dataclass(frozen=True, slots=True)
class Signature:
    """One line under a note: who claims to have signed it, and with what."""

    name: str
    id: str
    value: bytes

    def __str__(self) -> str:
        return f"{_DASH}{self.name} {b64encode(bytes.fromhex(self.id) + self.value).decode()}"


@dataclass(frozen=True, slots=True)
class Note:
    """A text, which ends with a line end, and the signatures under it; nothing is believed before `signers`."""

    text: str
    signatures: tuple[Signature, ...]

    def __str__(self) -> str:
        return self.text + "\n" + "".join(f"{one}\n" for one in self.signatures)


@dataclass(frozen=True, slots=True)
class Signed:
    """A checkpoint that was signed: which log it is of, what that was, and the note."""

    origin: str
    checkpoint: Checkpoint
    note: Note


def is_name(text: str) -> bool:
    """Whether a key may have this name: no space, no plus, at most 100 printable characters."""
    return 0 < len(text) <= 100 and text.isprintable() and "+" not in text and not any(one.isspace() for one in text)


def parse_verifier(text: str) -> Verifier:
    """The public key in `<name>+<id>+<base64>`; Invalid where it is none, or its id does not fit."""
    name, _, rest = text.strip().partition("+")
    id, _, key = rest.partition("+")
    raw = _decoded(key)
    if raw is None or len(raw) != 1 + _KEY_BYTES or raw[:1] != ED25519 or not is_name(name):
        raise Invalid("this is no verifier key", "one looks like <name>+<8 hex characters>+<base64>, for Ed25519")
    found = Verifier(name, raw[1:])
    if found.id != id:
        raise Invalid(f"the id of the verifier key {name} does not fit the key", "copy it again, as a whole")
    return found


def parse_note(text: str) -> Note:
    """A note as C2SP has it; Invalid for anything else."""
    if len(text) > MOST_BYTES or len(text.encode(errors="replace")) > MOST_BYTES:
        raise Invalid(f"this note is longer than {MOST_BYTES // 1024} KB", "is it a checkpoint at all?")
    body, found, under = text.rpartition("\n\n")
    if not found or not under.endswith("\n") or any(ord(one) < ord(" ") and one != "\n" for one in text):
        raise Invalid("this is no signed note", _HINT)
    lines = under[:-1].split("\n")
    if len(lines) > MOST_SIGNATURES:
        raise Invalid(f"this note has more than {MOST_SIGNATURES} signatures", _HINT)
    return Note(body + "\n", tuple(_signature(line) for line in lines))


def signers(note: Note, known: Iterable[Verifier]) -> tuple[Verifier, ...]:
    """The known keys that signed this note; signatures of others count for nothing.

    Invalid where a known key's signature does not fit: then the note was changed, whatever else stands under it.
    """
    by_id = {(one.name, one.id): one for one in known}
    found = list[Verifier]()
    for line in note.signatures:
        key = by_id.get((line.name, line.id))
        if key is None:
            continue
        if not key.signed(note.text, line.value):
            raise Invalid(f"the signature of {line.name} ({line.id}) does not fit", "the note was changed, or forged")
        found.append(key)
    return tuple(dict.fromkeys(found))


def checkpoint_text(origin: str, checkpoint: Checkpoint) -> str:
    """What is signed: origin, size and root, a line each."""
    return f"{origin}\n{checkpoint.size}\n{b64encode(bytes.fromhex(checkpoint.root)).decode()}\n"


def parse_signed(text: str) -> Signed:
    """A signed checkpoint; Invalid for anything else. Who signed it, `signers` tells."""
    note = parse_note(text)
    origin, *rest = note.text[:-1].split("\n")
    root = _decoded(rest[1]) if len(rest) > 1 else None
    if not origin or root is None or len(root) != HASH_BYTES or not _NUMBER.fullmatch(rest[0]) or "" in rest:
        raise Invalid("this note is no checkpoint", "a checkpoint has three lines: origin, size, root in base64")
    return Signed(origin, Checkpoint(int(rest[0]), root.hex()), note)


def rotation_text(old: Verifier, new: Verifier) -> str:
    """What both keys sign when one takes over from the other."""
    return f"{_ROTATION}\n{old}\n{new}\n"


def is_rotation(text: str, old: Verifier, new: Verifier) -> bool:
    """Whether the text is a note in which the old key says yes to the new one, and the new one to itself."""
    try:
        note = parse_note(text)
        return note.text == rotation_text(old, new) and set(signers(note, (old, new))) == {old, new}
    except Invalid:
        return False


def _signature(line: str) -> Signature:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    raw = _decoded(encoded)
    if not line.startswith(_DASH) or not is_name(name) or raw is None or len(raw) <= _ID_BYTES:
        raise Invalid("a signature line of this note cannot be read", _HINT)
    return Signature(name, raw[:_ID_BYTES].hex(), raw[_ID_BYTES:])


def _decoded(text: str) -> bytes | None:
    try:
        return b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
