"""Promise 9: an exported log is verified with nothing but itself, and whatever was done to it is found and named."""

# long because: one table of everything that can be done to an exported log, each with its finding

import json
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cuelight.contract.canonical import canonical_text
from cuelight.contract.errors import Invalid
from cuelight.contract.kept import read_kept
from cuelight.contract.merkle import Frontier, append, leaf_hash, root_of
from cuelight.contract.note import parse_signed, parse_verifier
from cuelight.exported import MOST_BYTES_IN_A_LINE, verify_file
from cuelight_server.audit.signing import KeyPlace, Signer
from cuelight_server.control.checkpoints import issue
from cuelight_server.control.log_export import export, export_to
from cuelight_server.control.opening import create_desk, open_desk
from cuelight_server.control.signing import rotate_key
from server.tests.control.test_promise_9_rows import OTHER, PROMPT, TO_V2, behind_our_back, live_on

TENANT = (
    "INSERT INTO deployment SELECT prompt, environment, 'acme', weights, NULL, NULL, NULL, 1, since"
    f" FROM deployment WHERE prompt = '{PROMPT}'"
)


@pytest.fixture(scope="module")
def lived(tmp_path_factory):
    """A demo desk on which much happened: its folder, with two checkpoints, before and after a rotation of the key."""
    folder = tmp_path_factory.mktemp("export") / "desk"
    desk = create_desk(folder, demo=True, admin=("root", "Root"))
    place = KeyPlace(file=folder / "signing.key")
    issue(desk, place)
    live_on(desk)
    (folder.parent / "half").write_text(issue(desk, place).note)
    rotate_key(desk, place)
    (folder.parent / "whole").write_text(issue(desk, place).note)
    desk.close()
    export_again(folder)
    return folder


def export_again(folder):
    """The export of this folder, written beside it."""
    desk = open_desk(folder)
    try:
        export_to(folder.parent / "log.jsonl", export(desk))
    finally:
        desk.close()
    return folder.parent / "log.jsonl"


@pytest.fixture
def whole(lived, tmp_path):
    """The export and its checkpoints, in a folder of this test's own."""
    for name in ("log.jsonl", "half", "whole"):
        shutil.copy(lived.parent / name, tmp_path / name)
    return tmp_path / "log.jsonl"


@pytest.fixture
def tampered(lived, tmp_path):
    """`tampered("UPDATE ...")`: the export of a desk on whose database somebody did this."""
    shutil.copytree(lived.parent, tmp_path / "copy")

    def make(*statements):
        behind_our_back(tmp_path / "copy/desk", *statements)
        return export_again(tmp_path / "copy/desk")

    return make


def kept(path, *names):
    return [one for name in names for one in read_kept((path.parent / name).read_text(), name)]


def records(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def write(path, made):
    path.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in made))
    return path


KINDS = ("key", "checkpoint", "serves", "checklist", "published")


def lines_of(made):
    return [one for one in made if "line" in one]


def rehashed(made):
    """Every leaf, root and the head computed anew: what somebody does who knows how a log is made."""
    frontier = Frontier()
    for one in lines_of(made):
        leaf = leaf_hash(one["body"].encode())
        frontier = append(frontier, leaf)
        one["leaf"], one["root"] = leaf.hex(), root_of(frontier).hex()
    made[0] |= {"size": frontier.size, "root": root_of(frontier).hex()}
    counts = {name: len([one for one in made if name in one]) for name in KINDS}
    end = made[-1]["end"]
    end["lines"], end["keys"], end["checkpoints"] = frontier.size, counts["key"], counts["checkpoint"]
    end["facts"] = counts["serves"] + counts["checklist"] + counts["published"]
    return made


def renumbered(made):
    for number, one in enumerate(lines_of(made), 1):
        one["line"] = number
        one["body"] = canonical_text(json.loads(one["body"]) | {"seq": number})
    return made


def edit(made, at=24):
    one = lines_of(made)[at - 1]
    one["body"], times = re.subn(r"priya\.nandakumar|mei\.tanaka|leon\.abara", "eve.stone", one["body"])
    assert times


def take_out(made, at):
    made.remove(lines_of(made)[at - 1])


def swap(made, one, other):
    first, second = lines_of(made)[one - 1], lines_of(made)[other - 1]
    for name in ("body", "leaf", "root"):
        first[name], second[name] = second[name], first[name]


def insert(made, at):
    place = made.index(lines_of(made)[at - 1])
    body = canonical_text({"seq": at, "at": "", "actor": "eve", "verb": "draft.save", "subject": "s", "facts": {}})
    made.insert(place, {"line": at, "body": body, "leaf": leaf_hash(body.encode()).hex(), "root": "00"})


def cut(made, left):
    for one in lines_of(made)[left:]:
        made.remove(one)


def found(path, *names, key=None):
    return verify_file(path, kept(path, *names), key)


def test_promise_9_an_honest_export_has_no_findings_against_every_checkpoint_and_under_each_of_its_keys(whole):
    outcome = found(whole, "half", "whole")
    assert outcome.findings == ()
    assert outcome.checkpoints == 5
    first, second = (parse_verifier(one["key"]["verifier"]) for one in records(whole) if "key" in one)
    for key in (first, second):
        assert found(whole, "half", "whole", key=key).findings == ()
    assert any("no saved checkpoint" in note for note in found(whole).notes)
    assert not any("no saved checkpoint" in note for note in outcome.notes)


@pytest.mark.parametrize(
    ("harm", "kind", "line"),
    [
        (edit, "edit", 24),
        (lambda made: take_out(made, 17), "deletion", 17),
        (lambda made: insert(made, 9), "insertion", 9),
        (lambda made: swap(made, 12, 14), "reorder", 12),
        (lambda made: cut(made, 30), "truncation", 31),
    ],
    ids=["edit", "delete", "insert", "swap", "truncate"],
)
def test_promise_9_a_clumsy_change_of_an_export_is_found_and_the_first_bad_line_told(whole, harm, kind, line):
    made = records(whole)
    harm(made)
    outcome = found(write(whole, made))
    assert outcome.first_bad in (line, line + (kind == "insertion"))
    assert kind in [one.kind.value for one in outcome.findings]


@pytest.mark.parametrize(
    "harm",
    [
        edit,
        lambda made: (take_out(made, 17), renumbered(made)),
        lambda made: (insert(made, 9), renumbered(made)),
        lambda made: (swap(made, 12, 14), renumbered(made)),
    ],
    ids=["edit", "delete", "insert", "swap"],
)
def test_promise_9_a_skilful_rewrite_with_all_hashes_anew_is_found_by_a_checkpoint_that_narrows_it_down(whole, harm):
    made = records(whole)
    harm(made)
    words = " ".join(one.message for one in found(write(whole, rehashed(made)), "half", "whole").findings)
    half = kept(whole, "half")[0].checkpoint.size
    assert f"are not those that the checkpoint saw; the first 3 are, so it begins with one of 4 to {half}" in words


def test_promise_9_a_log_that_was_cut_as_a_whole_is_found_only_by_the_checkpoint_that_was_saved(whole):
    made = records(whole)
    cut(made, 20)
    signed = [one for one in made if "checkpoint" in one and parse_signed(one["checkpoint"]).checkpoint.size > 20]
    made = [one for one in made if one not in signed and not {"serves", "checklist", "published"} & one.keys()]
    made = [one for one in made if "key" not in one or one["key"]["seq"] <= 20]
    made[-1]["end"]["lines"] = 20
    write(whole, rehashed(made))
    assert found(whole).findings == ()  # said honestly: without a saved checkpoint this cannot be seen
    outcome = found(whole, "half")
    assert [(one.kind.value, one.seq) for one in outcome.findings if one.kind.value == "truncation"] == [
        ("truncation", 21)
    ]


def test_promise_9_a_rewritten_log_signed_by_another_key_is_found_by_whoever_knows_the_key(whole):
    honest = parse_verifier(next(one for one in records(whole) if "key" in one)["key"]["verifier"])
    made = records(whole)
    edit(made)
    rehashed(made)
    eve, frontier = Signer(honest.name, b"e" * 32), Frontier()
    for one in lines_of(made):
        frontier = append(frontier, bytes.fromhex(one["leaf"]))
    forged = parse_signed(next(one for one in made if "checkpoint" in one)["checkpoint"]).checkpoint
    made = [one for one in made if "checkpoint" not in one and "key" not in one]
    verifier = str(eve.verifier)
    roots = {one["line"]: one["root"] for one in lines_of(made)}
    made.insert(1, {"key": {"seq": 3, "id": eve.verifier.id, "verifier": verifier, "endorsement": None}})
    signed = eve.checkpoint(type(forged)(forged.size, roots[forged.size]))
    made.insert(2, {"checkpoint": str(signed)})
    write(whole, rehashed(made))
    assert [one.kind.value for one in found(whole).findings if one.kind.value == "forgery"] == []
    assert "forgery" in [one.kind.value for one in found(whole, key=honest).findings]
    assert "forgery" in [one.kind.value for one in found(whole, "half").findings]


@pytest.mark.parametrize("what", ["size", "signature", "saved"])
def test_promise_9_a_forged_checkpoint_is_found(whole, what):
    made = records(whole)
    one = next(one for one in made if "checkpoint" in one)
    note = one["checkpoint"]
    if what == "size":
        one["checkpoint"] = note.replace("\n3\n", "\n4\n", 1)
        outcome = found(write(whole, made))
    elif what == "signature":
        head, _, line = note.partition("\n\n")
        one["checkpoint"] = f"{head}\n\n{line[:40]}{'A' if line[40] != 'A' else 'B'}{line[41:]}"
        outcome = found(write(whole, made))
    else:
        saved = whole.parent / "half"
        saved.write_text(re.sub(r"\n(\d+)\n", lambda size: f"\n{int(size[1]) - 1}\n", saved.read_text(), count=1))
        outcome = found(whole, "half")
    assert "forgery" in [one.kind.value for one in outcome.findings]


def test_promise_9_a_key_that_nobody_endorsed_is_found_by_all_but_whoever_trusts_it_from_elsewhere(whole):
    made = records(whole)
    first, second = (one["key"] for one in made if "key" in one)
    second["endorsement"] = None
    write(whole, made)
    for trusted in (None, parse_verifier(first["verifier"])):
        assert any("took over without the yes" in one.message for one in found(whole, key=trusted).findings)
    later = found(whole, key=parse_verifier(second["verifier"]))
    assert later.findings == ()
    assert any("took over without the yes" in note for note in later.notes)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (TO_V2, f"{OTHER} in production: what it serves is not what line"),
        (f"UPDATE deployment SET kill = NULL, rollback_target = 2 WHERE prompt = '{OTHER}'", "rollback target is not"),
        (f"DELETE FROM deployment WHERE prompt = '{OTHER}'", "serves nothing on record"),
        (
            TENANT,
            "for acme serves, and no line of the log let it",
        ),
        (
            "UPDATE release SET checklist = replace(checklist, 'workflow owner', 'nobody')",
            "is not the one it was opened",
        ),
        ("UPDATE release SET checklist = '{'", "checklist of"),
        ("UPDATE snapshot SET body = CAST('{}' AS BLOB) WHERE environment = 'production'", "the newest snapshot of"),
    ],
)
def test_promise_9_what_was_moved_by_sql_is_found_offline(tampered, statement, words):
    outcome = found(tampered(statement))
    assert any(words in one.message for one in outcome.findings), outcome.findings


def change(made, verb, how):
    """Change the facts of the first line with this verb, and hash everything anew."""
    for one in lines_of(made):
        body = json.loads(one["body"])
        if body["verb"] == verb:
            how(body)
            one["body"] = canonical_text(body)
            return rehashed(made)
    raise AssertionError(verb)


@pytest.mark.parametrize(
    ("verb", "how", "words"),
    [
        ("release.approve", lambda body: body.update(actor="root"), "without the yes of the"),
        ("release.approve", lambda body: body["facts"].update(binding="sha256:00"), "without the yes of the"),
        ("release.approve", lambda body: body["facts"].update(role="support_owner"), "without the yes of the"),
        ("release.approve", lambda body: body.update(verb="refused"), "without the yes of the"),
        ("evaluation.finish", lambda body: body["facts"].update(verdict="fail"), "without a report that passed"),
        ("evaluation.finish", lambda body: body["facts"].update(evidence="sha256:00"), "without a report that passed"),
        ("prompt.mint", lambda body: body.update(subject="sales.other@v9"), "never minted"),
        ("release.open", lambda body: body["facts"]["bound"].update(content="sha256:00"), "bound to something else"),
        ("review.sign", lambda body: body["facts"].update(evidence="sha256:00"), "without a signed review by the"),
        ("release.open", lambda body: body["facts"].update(environment="staging"), "never released|something else"),
        ("release.roll_back", lambda body: body["facts"]["deployment"].update(weights=[[2, 100000]]), "never released"),
        ("release.roll_back", lambda body: body.update(facts=[]), "cannot be read as a line"),
    ],
)
def test_promise_9_lines_that_let_happen_what_may_not_are_found_even_if_every_hash_fits(whole, verb, how, words):
    made = change(records(whole), verb, how)
    messages = [one.message for one in found(write(whole, made)).findings]
    assert any(re.search(words, one) for one in messages), messages


def deep(n):
    return "[" * n + "]" * n


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "ends in the middle"),
        (b"\n", "is no JSON"),
        (b"\x00\xff\xfe garbage", "is not UTF-8|is no JSON"),
        (b"garbage\n", ":1 is no JSON"),
        (b"[]\n", ":1 is no record"),
        (b"{}\n", "is no export of a log"),
        (b'{"line": 1}\n', "is no export of a log"),
        (b'{"cuelight_log": 2, "size": 0, "root": ""}\n', "format 2"),
        (b'{"cuelight_log": 1}\n', "cannot be read"),
        (deep(100_000).encode() + b"\n", "is no JSON|no record"),
        (b"x" * (MOST_BYTES_IN_A_LINE + 10), "longer than 8 MB"),
        (b'{"cuelight_log": 1, "size": 0, "root": ""}\n{"moon": 1}\n', ":2 is no record"),
        (b'{"cuelight_log": 1, "size": 0, "root": ""}\n{"line": "x", "body": "", "leaf": ""}\n', "cannot be read"),
        (b'{"cuelight_log": 1, "size": 0, "root": ""}\n{"key": {"verifier": "x"}}\n', "no verifier key"),
        (b'{"cuelight_log": 1, "size": 0, "root": ""}\n{"checkpoint": "x"}\n', "no signed note"),
        (b'{"cuelight_log": 1, "size": 0, "root": ""}\n{"end": {"lines": 4}}\n', "does not belong"),
        (b'{"cuelight_log": 1, "size": 1e999, "root": ""}\n', "cannot be read"),
    ],
)
def test_promise_9_what_is_no_export_is_told_with_its_line_and_never_breaks_the_verifier(tmp_path, content, words):
    (tmp_path / "log.jsonl").write_bytes(content)
    with pytest.raises(Invalid, match=words) as refused:
        verify_file(tmp_path / "log.jsonl")
    assert refused.value.hint


@pytest.mark.parametrize("body", [deep(100_000), "null", '{"seq": 3}', "\ud800", "9" * 10_000, 7, None])
def test_promise_9_a_line_with_nonsense_in_it_is_a_finding_and_does_not_stop_the_verifier(whole, body):
    made = records(whole)
    lines_of(made)[2]["body"] = body
    whole.write_text("".join(json.dumps(one) + "\n" for one in made))
    assert found(whole).first_bad == 3


def test_promise_9_an_export_holds_no_name_and_no_secret(whole, lived):
    text = whole.read_text()
    assert not re.search(r'Root\\?"', text)
    assert (lived / "signing.key").read_text().strip().split("+", 4)[4] not in text


def test_promise_9_the_file_that_a_sink_appends_to_is_read_as_saved_checkpoints(whole):
    notes = [(whole.parent / name).read_text() for name in ("half", "whole")]
    lines = "".join(json.dumps({"checkpoint": note}) + "\n" for note in notes)
    (whole.parent / "sink").write_text(lines)
    assert found(whole, "sink").findings == ()
    assert found(whole, "sink").checkpoints == 5
    for bad in ('{"checkpoint": 7}\n', "{\n", '{"checkpoint": "x"}\n'):
        with pytest.raises(Invalid):
            read_kept(bad, "sink")


def test_promise_9_the_verifier_never_imports_the_server():
    look = "any('cuelight_server' in one or one == 'sqlalchemy' for one in sys.modules)"
    code = f"import sys, cuelight.exported, cuelight.cli.verify; sys.exit({look})"
    path = str(Path(__file__).parents[3] / "client/src")
    done = subprocess.run([sys.executable, "-c", code], check=False, env={"PYTHONPATH": path})
    assert done.returncode == 0


def test_promise_9_whatever_byte_of_an_export_is_changed_the_verifier_finds_it_or_says_what_it_cannot_read(whole):
    """Only where nothing hangs on it: when it was exported, and the number of the line in the record of a key."""
    honest, dice, unnoticed = whole.read_bytes(), random.Random(9162), list[str]()
    for _ in range(300):
        at = dice.randrange(len(honest))
        whole.write_bytes(honest[:at] + bytes([honest[at] ^ (1 << dice.randrange(8))]) + honest[at + 1 :])
        try:
            outcome = found(whole, "half", "whole")
        except Invalid:
            continue
        if not outcome.findings:
            unnoticed.append(honest[max(0, at - 40) : at + 10].decode(errors="replace"))
    assert [one for one in unnoticed if not re.search('exported_at|"seq"', one)] == []
