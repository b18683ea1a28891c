"""The Merkle log of RFC 6962: hashes, the compact frontier, proofs and their verification; client and server share it."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()  # RFC 6962 2.1


@dataclass(frozen=True, slots=True)
class Frontier:
    """A log of `size` leaves by the roots of its full subtrees, largest first: one for each 1 bit of `size`."""

    size: int = 0
    roots: tuple[bytes, ...] = ()


def leaf_hash(body: bytes) -> bytes:
    """SHA-256(0x00 ‖ body), RFC 6962 2.1."""
    return sha256(b"\x00" + body).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 ‖ left ‖ right), RFC 6962 2.1."""
    return sha256(b"\x01" + left + right).digest()


def append(frontier: Frontier, leaf: bytes) -> Frontier:
    """The frontier after one more leaf hash: equal subtrees merge, as a binary counter carries."""
    roots, carry = [*frontier.roots], frontier.size
    while carry & 1:
        leaf = node_hash(roots.pop(), leaf)
        carry >>= 1
    return Frontier(frontier.size + 1, (*roots, leaf))


def root_of(frontier: Frontier) -> bytes:
    """The root hash of the whole log."""
    if not frontier.roots:
        return EMPTY_ROOT
    root = frontier.roots[-1]
    for left in reversed(frontier.roots[:-1]):
        root = node_hash(left, root)
    return root


def root_of_leaves(leaves: Sequence[bytes]) -> bytes:
    """The same root from all leaf hashes, by the recursive definition (RFC 6962 2.1)."""
    if len(leaves) < 2:
        return leaves[0] if leaves else EMPTY_ROOT
    split = _split(len(leaves))
    return node_hash(root_of_leaves(leaves[:split]), root_of_leaves(leaves[split:]))


def inclusion_proof(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    """The hashes that lead from leaf `index` (from 0) to the root, leaf end first (RFC 6962 2.1.1)."""
    if len(leaves) < 2:
        return []
    split = _split(len(leaves))
    left, right = leaves[:split], leaves[split:]
    if index < split:
        return [*inclusion_proof(index, left), root_of_leaves(right)]
    return [*inclusion_proof(index - split, right), root_of_leaves(left)]


def consistency_proof(size: int, leaves: Sequence[bytes]) -> list[bytes]:
    """The hashes that show that the first `size` leaves are the start of this log (RFC 6962 2.1.2)."""
    return _subproof(size, leaves, whole=True)


def verify_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether the leaf hash stands at `index` (from 0) in the log of `size` leaves with this root, RFC 9162 2.1.3.2."""
    if not 0 <= index < size or not _hashes(leaf, root, *proof):
        return False
    here, last, found = index, size - 1, leaf
    for step in proof:
        if last == 0:
            return False
        if here & 1 or here == last:
            found = node_hash(step, found)
            while here and not here & 1:
                here, last = here >> 1, last >> 1
        else:
            found = node_hash(found, step)
        here, last = here >> 1, last >> 1
    return last == 0 and found == root


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the log of `new` leaves begins with the log of `old` leaves (RFC 9162 2.1.4.2); false for `old` = 0."""
    if not 0 < old <= new or not _hashes(old_root, new_root, *proof):
        return False
    if old == new:
        return not proof and old_root == new_root
    steps = [*proof] if old & (old - 1) else [old_root, *proof]
    if not steps:
        return False
    here, last = old - 1, new - 1
    while here & 1:
        here, last = here >> 1, last >> 1
    found_old = found_new = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if here & 1 or here == last:
            found_old, found_new = node_hash(step, found_old), node_hash(step, found_new)
            while here and not here & 1:
                here, last = here >> 1, last >> 1
        else:
            found_new = node_hash(found_new, step)
        here, last = here >> 1, last >> 1
    return last == 0 and found_old == old_root and found_new == new_root


def _subproof(size: int, leaves: Sequence[bytes], *, whole: bool) -> list[bytes]:
    if size == len(leaves):
        return [] if whole else [root_of_leaves(leaves)]
    split = _split(len(leaves))
    if size <= split:
        return [*_subproof(size, leaves[:split], whole=whole), root_of_leaves(leaves[split:])]
    return [*_subproof(size - split, leaves[split:], whole=False), root_of_leaves(leaves[:split])]


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << ((size - 1).bit_length() - 1)


def _hashes(*hashes: bytes) -> bool:
    return all(len(value) == HASH_BYTES for value in hashes)


Range = tuple[int, int]  # leaves from the first (counted from 0) to before the last


def inclusion_path(index: int, size: int) -> list[Range]:
    """The subtrees whose roots prove leaf `index` in a log of `size` leaves, leaf end first: for whoever keeps roots."""
    path, start, end = list[Range](), 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((start, middle))
            start = middle
    return path[::-1]


def consistency_path(old: int, new: int) -> list[Range]:
    """The subtrees whose roots prove that a log of `old` leaves is the start of one of `new`."""
    path, start, end, whole = list[Range](), 0, new, True
    while end - start > old - start:
        middle = start + _split(end - start)
        if old <= middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((start, middle))
            start, whole = middle, False
    return [*([] if whole else [(start, end)]), *path[::-1]]


def full_subtrees(start: int, end: int) -> list[Range]:
    """The full, aligned subtrees that the range is made of, largest first; `start` is aligned as in a proof's path."""
    found = list[Range]()
    while start < end:
        width = 1 << ((end - start).bit_length() - 1)
        found.append((start, start + width))
        start += width
    return found


def folded(roots: Sequence[bytes]) -> bytes:
    """The root over full subtrees, largest first, as `root_of` folds a frontier."""
    return root_of(Frontier(len(roots), tuple(roots)))
