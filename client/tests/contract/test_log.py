"""What the verifier sees in a log that somebody changed, with and without a checkpoint."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuelight.contract.canonical import canonical_text
from cuelight.contract.errors import Invalid
from cuelight.contract.log import Checkpoint, Finding, Head, Line, Tampering, parse_checkpoint, verify_log
from cuelight.contract.merkle import Frontier, append, leaf_hash, root_of


def line(seq, fact=""):
    body = canonical_text({"seq": seq, "at": "", "actor": "mei", "verb": "draft.save", "subject": "s.x", "facts": fact})
    return Line(seq, body, leaf_hash(body.encode()).hex())


def heads_of(lines):
    frontier, heads = Frontier(), []
    for each in lines:
        frontier = append(frontier, bytes.fromhex(each.leaf))
        heads.append(Head(frontier.size, root_of(frontier).hex(), tuple(root.hex() for root in frontier.roots)))
    return heads


def log(size):
    lines = [line(seq) for seq in range(1, size + 1)]
    return lines, heads_of(lines)


def kept(heads, size):
    return Checkpoint(size, heads[size - 1].root)


def kinds(findings):
    return [finding.kind for finding in findings]


@given(st.integers(0, 40), st.data())
def test_a_whole_log_has_no_findings_against_itself_and_against_every_checkpoint(size, data):
    lines, heads = log(size)
    assert verify_log(lines, heads) == []
    if size:
        assert verify_log(lines, heads, kept(heads, data.draw(st.integers(1, size)))) == []


def test_an_empty_log_is_whole_and_a_checkpoint_of_nothing_is_kept_by_every_log():
    empty = Checkpoint(0, root_of(Frontier()).hex())
    assert verify_log([], [], empty) == []
    assert verify_log(*log(3), empty) == []


@given(st.integers(1, 40), st.data())
def test_an_edited_line_is_named(size, data):
    lines, heads = log(size)
    at = data.draw(st.integers(1, size))
    lines[at - 1] = replace(lines[at - 1], body=lines[at - 1].body.replace("mei", "eve"))
    findings = verify_log(lines, heads)
    assert (findings[0].kind, findings[0].seq) == (Tampering.EDIT, at)


@given(st.integers(1, 40), st.data())
def test_an_edited_line_with_a_fitting_hash_is_named_by_the_heads(size, data):
    lines, heads = log(size)
    at = data.draw(st.integers(1, size))
    lines[at - 1] = line(at, "forged")
    assert verify_log(lines, heads) == [
        Finding(Tampering.EDIT, at, f"line {at} and the head after it do not belong together")
    ]


@given(st.integers(1, 40), st.data())
def test_a_rewrite_of_lines_and_heads_shows_against_a_checkpoint_only(size, data):
    lines, heads = log(size)
    checkpoint = kept(heads, data.draw(st.integers(1, size)))
    at = data.draw(st.integers(1, checkpoint.size))
    lines[at - 1] = line(at, "forged")
    assert verify_log(lines, heads_of(lines)) == []
    assert kinds(verify_log(lines, heads_of(lines), checkpoint)) == [Tampering.EDIT]


@given(st.integers(2, 40), st.data())
def test_a_deleted_line_is_named(size, data):
    lines, heads = log(size)
    at = data.draw(st.integers(1, size - 1))
    findings = verify_log(lines[: at - 1] + lines[at:], heads)
    assert (findings[0].kind, findings[0].seq, findings[0].message) == (Tampering.DELETION, at, f"line {at} is gone")


def test_several_deleted_lines_are_named_together():
    lines, heads = log(6)
    assert verify_log([lines[0], *lines[4:]], heads)[0].message == "lines 2 to 4 are gone"


@given(st.integers(2, 40), st.data())
def test_two_swapped_lines_are_both_named(size, data):
    lines, heads = log(size)
    one, other = data.draw(st.lists(st.integers(1, size), min_size=2, max_size=2, unique=True))
    first, second = lines[one - 1], lines[other - 1]
    lines[one - 1], lines[other - 1] = replace(second, seq=one), replace(first, seq=other)
    findings = [finding for finding in verify_log(lines, heads) if finding.kind is Tampering.REORDER]
    assert {finding.seq for finding in findings} == {one, other}


@given(st.integers(1, 40), st.data())
def test_a_line_put_at_the_end_past_the_desk_is_an_insertion(size, data):
    lines, heads = log(size)
    findings = verify_log([*lines, line(size + 1)], heads)
    assert [(finding.kind, finding.seq) for finding in findings] == [(Tampering.INSERTION, size + 1)]


@pytest.mark.parametrize("seq", [0, -3])
def test_a_line_put_before_the_first_is_an_insertion(seq):
    lines, heads = log(3)
    assert Tampering.INSERTION in kinds(verify_log([line(seq), *lines], heads))


@given(st.integers(1, 40), st.data())
def test_a_line_put_between_others_is_found_however_they_are_renumbered(size, data):
    lines, heads = log(size)
    at = data.draw(st.integers(1, size))
    shifted = [line(each.seq + 1) for each in lines[at - 1 :]]
    findings = verify_log([*lines[: at - 1], line(at, "forged"), *shifted], heads)
    assert findings[0].seq == at
    assert kinds(findings) == [Tampering.EDIT, Tampering.INSERTION]


@given(st.integers(1, 40), st.data())
def test_a_cut_tail_is_known_to_the_heads_that_are_left(size, data):
    lines, heads = log(size)
    left = data.draw(st.integers(0, size - 1))
    assert [(f.kind, f.seq) for f in verify_log(lines[:left], heads)] == [(Tampering.TRUNCATION, left + 1)]


@given(st.integers(1, 40), st.data())
def test_a_tail_cut_with_its_heads_shows_against_a_checkpoint_only(size, data):
    lines, heads = log(size)
    left = data.draw(st.integers(0, size - 1))
    assert verify_log(lines[:left], heads[:left]) == []
    assert kinds(verify_log(lines[:left], heads[:left], kept(heads, size))) == [Tampering.TRUNCATION]


def test_a_missing_head_and_a_forged_frontier_are_found():
    lines, heads = log(5)
    assert kinds(verify_log(lines, heads[:2] + heads[3:])) == [Tampering.DELETION]
    assert kinds(verify_log(lines, [*heads[:4], replace(heads[4], frontier=heads[3].frontier)])) == [Tampering.EDIT]


@pytest.mark.parametrize("body", ["", "[]", "null", '{"seq":"1"}', "{", "\ud800"])
def test_a_line_that_is_no_event_is_found_and_does_not_stop_the_verifier(body):
    lines, heads = log(2)
    forged = Line(1, body, leaf_hash(body.encode(errors="surrogatepass")).hex())
    assert verify_log([forged, lines[1]], heads)[0].seq == 1


@given(st.integers(0, 10**15), st.binary(min_size=32, max_size=32))
def test_a_checkpoint_survives_being_saved(size, root):
    checkpoint = Checkpoint(size, root.hex())
    assert parse_checkpoint(f"{checkpoint}\n") == checkpoint


@pytest.mark.parametrize(
    "text", ["", "5", "5 abc", "-1 " + "a" * 64, "05 " + "a" * 64, "5  " + "a" * 64, "5 " + "A" * 64]
)
def test_a_text_that_is_no_checkpoint_is_refused(text):
    with pytest.raises(Invalid):
        parse_checkpoint(text)


@given(st.integers(2, 40), st.data())
def test_a_forged_frontier_of_any_head_is_found_for_proofs_are_made_from_each(size, data):
    lines, heads = log(size)
    at = data.draw(st.integers(2, size))
    heads[at - 1] = replace(heads[at - 1], frontier=heads[at - 2].frontier)
    findings = verify_log(lines, heads)
    assert [(one.kind, one.seq) for one in findings] == [(Tampering.EDIT, at)]
