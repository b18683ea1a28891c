"""Signed notes against the published example, and everything that is almost one."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from cuelight.contract.errors import Invalid
from cuelight.contract.log import Checkpoint
from cuelight.contract.note import (
    Note,
    Signature,
    Verifier,
    checkpoint_text,
    is_rotation,
    parse_note,
    parse_signed,
    parse_verifier,
    rotation_text,
    signers,
)

# The example of golang.org/x/mod/sumdb/note, whose format C2SP wrote down.
NEUMANN = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PROBLEM = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


class Key:
    def __init__(self, name, seed):
        self.private = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
        self.verifier = Verifier(name, self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))

    def sign(self, text):
        return Signature(self.verifier.name, self.verifier.id, self.private.sign(text.encode()))


ONE, TWO = Key("desk.example/1", 1), Key("desk.example/1", 2)


def note(text, *keys):
    return Note(text, tuple(key.sign(text) for key in keys))


def test_the_published_example_is_signed_by_its_key_and_by_no_other():
    key = parse_verifier(NEUMANN)
    assert str(key) == NEUMANN
    read = parse_note(PROBLEM)
    assert signers(read, [key]) == (key,)
    assert signers(read, [ONE.verifier]) == ()
    assert str(read) == PROBLEM


def test_a_changed_text_under_a_known_signature_is_refused_and_not_merely_unsigned():
    with pytest.raises(Invalid, match="does not fit"):
        signers(parse_note(PROBLEM.replace("answer", "cause ")), [parse_verifier(NEUMANN)])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "PeterNeumann",
        NEUMANN.replace("c74f20a3", "c74f20a4"),
        NEUMANN.replace("PeterNeumann", "Eve"),
        NEUMANN[:-4],
        NEUMANN.replace("+AR", "+BR"),
        "a b+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    ],
)
def test_what_is_no_verifier_key_is_refused(text):
    with pytest.raises(Invalid):
        parse_verifier(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "words\n",
        "words\n\n",
        PROBLEM[:-1],
        PROBLEM.replace("— ", "- "),
        PROBLEM.replace("x08go", "x08 go"),
        PROBLEM.replace("answer", "ans\twer"),
        "text\n\n— key AAAA\n",
        "x" * 70_000 + PROBLEM,
        "text\n\n" + PROBLEM.rpartition("\n\n")[2] * 40,
    ],
)
def test_what_is_no_note_is_refused(text):
    with pytest.raises(Invalid):
        parse_note(text)


@given(st.integers(0, 10**15), st.binary(min_size=32, max_size=32))
def test_a_signed_checkpoint_survives_being_saved(size, root):
    made = note(checkpoint_text("desk.example/1", Checkpoint(size, root.hex())), ONE)
    read = parse_signed(str(made))
    assert (read.origin, read.checkpoint) == ("desk.example/1", Checkpoint(size, root.hex()))
    assert signers(read.note, [TWO.verifier, ONE.verifier]) == (ONE.verifier,)


@pytest.mark.parametrize(
    "text",
    ["o\n5\n", "o\n05\n" + "A" * 43 + "=\n", "o\n5\nAAAA\n", "o\n-1\n" + "A" * 43 + "=\n", "\n5\n" + "A" * 43 + "=\n"],
)
def test_a_note_that_is_no_checkpoint_is_refused(text):
    with pytest.raises(Invalid):
        parse_signed(str(note(text, ONE)))


def test_a_new_key_counts_only_where_the_old_one_and_itself_said_so():
    text = rotation_text(ONE.verifier, TWO.verifier)
    assert is_rotation(str(note(text, ONE, TWO)), ONE.verifier, TWO.verifier)
    assert not is_rotation(str(note(text, ONE)), ONE.verifier, TWO.verifier)
    assert not is_rotation(str(note(text, TWO)), ONE.verifier, TWO.verifier)
    assert not is_rotation(str(note(text, ONE, TWO)), TWO.verifier, ONE.verifier)
    assert not is_rotation("", ONE.verifier, TWO.verifier)
