"""Proofs from what is kept: the frontiers hold the root of every left subtree, so a proof reads rows, not the log."""

from sqlalchemy import Connection, select

from cuelight.contract.merkle import (
    Range,
    consistency_path,
    folded,
    full_subtrees,
    inclusion_path,
    node_hash,
    verify_consistency,
    verify_inclusion,
)
from cuelight_server.audit.model import Proof
from cuelight_server.db.schema import audit_event, audit_head
from cuelight_server.kernel.errors import Blocked

_LAST = slice(-66, -2)  # of a frontier as text, `["<64 hex>", "<64 hex>"]`: its last root
_AT_ONCE = 500


def inclusion(sql: Connection, seq: int, size: int, leaf: str, root: str) -> Proof:
    """The proof that line `seq` is in the log of `size` lines; at most (log2 size)² / 2 rows are read.

    Blocked where what is kept does not lead to the root: somebody changed it.
    """
    hashes = _roots(sql, inclusion_path(seq - 1, size))
    if not verify_inclusion(seq - 1, size, bytes.fromhex(leaf), hashes, bytes.fromhex(root)):
        raise _broken(f"line {seq}")
    return Proof(start=seq, leaf=leaf, size=size, root=root, hashes=tuple(one.hex() for one in hashes))


def consistency(sql: Connection, old: int, old_root: str, new: int, root: str) -> Proof:
    """The proof that the log of `old` lines (at least 1) is the start of that of `new`; Blocked as for `inclusion`."""
    hashes = _roots(sql, consistency_path(old, new))
    if not verify_consistency(old, new, bytes.fromhex(old_root), bytes.fromhex(root), hashes):
        raise _broken(f"the log of {old} lines")
    return Proof(start=old, leaf=old_root, size=new, root=root, hashes=tuple(one.hex() for one in hashes))


def _broken(what: str) -> Blocked:
    return Blocked(f"{what} cannot be proved from what is stored", "the log was changed: run `cuelight-server verify`")


def _roots(sql: Connection, path: list[Range]) -> list[bytes]:
    """The root of each range."""
    parts = [full_subtrees(*one) for one in path]
    needed = [piece for pieces in parts for one in pieces for piece in _pieces(one)]
    kept = _kept(sql, needed)
    try:
        return [folded([_root(one, kept) for one in pieces]) for pieces in parts]
    except KeyError as gone:
        raise _broken(f"what ends with line {gone.args[0][1]}") from gone


def _pieces(one: Range) -> list[Range]:
    """The left subtrees, and at last perhaps one line, that a full subtree is made of: what a row has a root of."""
    found = list[Range]()
    start, end = one
    while end - start > 1 and not _is_left(start, end):
        middle = (start + end) // 2
        found.append((start, middle))
        start = middle
    return [*found, (start, end)]


def _root(one: Range, kept: dict[Range, bytes]) -> bytes:
    pieces = _pieces(one)
    root = kept[pieces[-1]]
    for left in reversed(pieces[:-1]):
        root = node_hash(kept[left], root)
    return root


def _is_left(start: int, end: int) -> bool:
    """Whether the subtree ends where an odd number of its width ends: then it is the last root of that frontier."""
    return (end // (end - start)) % 2 == 1


def _kept(sql: Connection, needed: list[Range]) -> dict[Range, bytes]:
    lines = {end: (start, end) for start, end in needed if end - start == 1}
    trees = {end: (start, end) for start, end in needed if end - start > 1}
    found = dict[Range, bytes]()
    for sizes, places, query in (
        (sorted(lines), lines, select(audit_event.c.seq, audit_event.c.leaf).where),
        (sorted(trees), trees, select(audit_head.c.size, audit_head.c.frontier).where),
    ):
        key = audit_event.c.seq if places is lines else audit_head.c.size
        for at in range(0, len(sizes), _AT_ONCE):
            for size, text in sql.execute(query(key.in_(sizes[at : at + _AT_ONCE]))):
                found[places[size]] = _hash(text if places is lines else text[_LAST])
    return found


def _hash(text: object) -> bytes:
    try:
        return bytes.fromhex(str(text))
    except ValueError:
        return b""  # no hash at all: the proof will not hold
