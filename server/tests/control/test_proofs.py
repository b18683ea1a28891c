"""Proofs from the kept frontiers: the same as from all leaves, checked before they are given, and refused when broken."""

import random

import pytest

from cuelight.contract.merkle import consistency_proof, inclusion_proof, verify_consistency, verify_inclusion
from cuelight_server.audit import store as audit
from cuelight_server.audit.model import Event
from cuelight_server.db.engine import Intent, reading, transaction
from cuelight_server.kernel.errors import Blocked, Invalid, NotFound
from cuelight_server.views import audit as view
from server.tests.tampering import behind_our_back

AT = "2026-01-05T09:00:00.000000Z"
SIZE = 90


@pytest.fixture
def long(desk):
    """A log of SIZE lines."""
    with transaction(desk.registry, Intent.WRITE) as sql:
        for n in range(SIZE - audit.head(sql).size):
            audit.append(sql, Event(at=AT, actor="mei", verb="draft.save", subject=f"s.{n}", facts={}))
    return desk


def leaves(desk):
    with reading(desk.registry) as sql:
        return [bytes.fromhex(one.leaf) for one, _ in audit.lines_after(sql, 0, SIZE, SIZE)]


def raw(hashes):
    return [bytes.fromhex(one) for one in hashes]


def test_every_line_is_proved_in_logs_of_many_sizes_as_from_all_leaves(long):
    all_leaves, dice = leaves(long), random.Random(6962)
    for size in (1, 2, 3, 8, 63, 64, 65, SIZE):
        for line in {1, size, *(dice.randint(1, size) for _ in range(4))}:
            proof = view.inclusion(long, line, size)
            assert raw(proof.hashes) == inclusion_proof(line - 1, all_leaves[:size])
            assert verify_inclusion(
                line - 1, size, bytes.fromhex(proof.leaf), raw(proof.hashes), bytes.fromhex(proof.root)
            )


def test_every_earlier_log_is_proved_the_start_of_a_later_one(long):
    all_leaves = leaves(long)
    for old, new in ((1, 1), (1, 2), (3, 7), (8, 8), (8, 9), (33, 64), (64, 65), (77, SIZE)):
        proof = view.consistency(long, old, new)
        assert raw(proof.hashes) == consistency_proof(old, all_leaves[:new])
        assert verify_consistency(old, new, bytes.fromhex(proof.leaf), bytes.fromhex(proof.root), raw(proof.hashes))


def test_what_is_not_there_is_not_proved(long):
    for line in (0, SIZE + 1):
        with pytest.raises(NotFound):
            view.inclusion(long, line)
    with pytest.raises(NotFound):
        view.inclusion(long, 1, SIZE + 1)
    with pytest.raises(NotFound):
        view.line(long, SIZE + 1)
    for old, new in ((0, 5), (6, 5)):
        with pytest.raises(Invalid):
            view.consistency(long, old, new)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_event SET leaf = 'ff' WHERE seq = 7",
        "UPDATE audit_head SET frontier = '[]' WHERE size = 64",
        "DELETE FROM audit_head WHERE size = 64",
        "UPDATE audit_head SET root = leaf FROM audit_event WHERE size = 90 AND seq = 7",
    ],
)
def test_a_log_that_was_changed_gives_no_proof_but_the_reason(long, statement):
    behind_our_back(long, statement)
    with pytest.raises(Blocked, match="cannot be proved") as refused:
        view.line(long, 70 if "64" in statement else 7)
    assert "verify" in refused.value.hint
