"""The Merkle log against the vectors of RFC 6962 implementations, and against its own definition."""

import base64
import json
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuelight.contract.merkle import (
    EMPTY_ROOT,
    Frontier,
    append,
    consistency_path,
    consistency_proof,
    folded,
    full_subtrees,
    inclusion_path,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_of,
    root_of_leaves,
    verify_consistency,
    verify_inclusion,
)

VECTORS = Path(__file__).parents[1] / "vectors" / "rfc6962"
INCLUSION = sorted((VECTORS / "inclusion").rglob("*.json"))
CONSISTENCY = sorted((VECTORS / "consistency").rglob("*.json"))

# Its roots are no hashes but the words "don't care 2"; the reference accepts equal words, we accept only hashes.
STRICTER = VECTORS / "consistency" / "additional" / "sizes-are-equal-one-and-proof-is-empty.json"

LEAVES = st.lists(st.binary(max_size=4), min_size=1, max_size=70).map(lambda bodies: [leaf_hash(b) for b in bodies])

# Certificate Transparency's reference tree: its leaves, and its root after each of them.
REFERENCE_LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
REFERENCE_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def read(path):
    vector = json.loads(path.read_text())
    return {
        key: base64.b64decode(value) if key.lower().endswith(("root", "root1", "root2", "hash")) else value
        for key, value in vector.items()
    } | {"proof": [base64.b64decode(step) for step in vector["proof"] or []]}


@pytest.mark.parametrize("path", INCLUSION, ids=lambda path: str(path.relative_to(VECTORS)))
def test_inclusion_is_judged_as_others_judge_it(path):
    v = read(path)
    assert verify_inclusion(v["leafIdx"], v["treeSize"], v["leafHash"], v["proof"], v["root"]) is not v["wantErr"]


@pytest.mark.parametrize("path", CONSISTENCY, ids=lambda path: str(path.relative_to(VECTORS)))
def test_consistency_is_judged_as_others_judge_it(path):
    v = read(path)
    valid = not v["wantErr"] and path != STRICTER
    assert verify_consistency(v["size1"], v["size2"], v["root1"], v["root2"], v["proof"]) is valid


def test_what_is_no_hash_is_no_root_even_if_both_sides_agree():
    assert not verify_consistency(1, 1, b"don't care 2", b"don't care 2", [])
    assert verify_consistency(1, 1, leaf_hash(b"a"), leaf_hash(b"a"), [])


def test_the_vectors_are_all_there():
    assert (len(INCLUSION), len(CONSISTENCY)) == (98, 98)


def test_an_empty_log_has_the_root_of_nothing():
    assert root_of(Frontier()) == root_of_leaves([]) == EMPTY_ROOT == sha256(b"").digest()


def test_the_reference_tree_has_the_known_root_after_every_leaf():
    frontier = Frontier()
    for body, root in zip(REFERENCE_LEAVES, REFERENCE_ROOTS, strict=True):
        frontier = append(frontier, leaf_hash(bytes.fromhex(body)))
        assert root_of(frontier).hex() == root


def test_a_leaf_can_never_pass_for_a_node():
    left, right = leaf_hash(b"a"), leaf_hash(b"b")
    assert leaf_hash(left + right) != node_hash(left, right)


@given(LEAVES)
def test_the_frontier_keeps_one_root_a_full_subtree_and_gives_the_root_of_all_leaves(leaves):
    frontier = Frontier()
    for count, leaf in enumerate(leaves, start=1):
        frontier = append(frontier, leaf)
        assert frontier.size == count
        assert len(frontier.roots) == count.bit_count()
        assert root_of(frontier) == root_of_leaves(leaves[:count])


@given(LEAVES, st.data())
def test_every_leaf_can_be_proved_and_no_other_leaf_with_its_proof(leaves, data):
    index = data.draw(st.integers(0, len(leaves) - 1))
    root, proof = root_of_leaves(leaves), inclusion_proof(index, leaves)
    assert verify_inclusion(index, len(leaves), leaves[index], proof, root)
    assert not verify_inclusion(index, len(leaves), leaf_hash(b"forged"), proof, root)
    assert not verify_inclusion(index, len(leaves), leaves[index], [*proof, root], root)


@given(LEAVES, st.data())
def test_every_earlier_log_is_proved_a_start_of_the_later_and_a_rewritten_one_is_not(leaves, data):
    old = data.draw(st.integers(1, len(leaves)))
    before, after, proof = root_of_leaves(leaves[:old]), root_of_leaves(leaves), consistency_proof(old, leaves)
    assert verify_consistency(old, len(leaves), before, after, proof)
    rewritten = [leaf_hash(b"forged"), *leaves[1:]]
    assert not verify_consistency(
        old, len(leaves), before, root_of_leaves(rewritten), consistency_proof(old, rewritten)
    )


def range_root(leaves, one):
    """The root of a range as `full_subtrees` cuts it."""
    return folded([root_of_leaves(leaves[start:end]) for start, end in full_subtrees(*one)])


@given(LEAVES, st.data())
def test_a_proof_from_kept_subtree_roots_is_the_proof_from_all_leaves(leaves, data):
    index, old = data.draw(st.integers(0, len(leaves) - 1)), data.draw(st.integers(1, len(leaves)))
    included = [range_root(leaves, one) for one in inclusion_path(index, len(leaves))]
    assert included == inclusion_proof(index, leaves)
    consistent = [range_root(leaves, one) for one in consistency_path(old, len(leaves))]
    assert consistent == consistency_proof(old, leaves)
