"""Signed checkpoints: when they are signed, by which key, where they go, and that no change ever waits for one."""

from datetime import timedelta

import pytest

from cuelight.contract.note import is_rotation, parse_signed, parse_verifier, signers
from cuelight_server.audit import store as audit
from cuelight_server.audit.signing import KeyPlace, Signer
from cuelight_server.audit.store import checkpoints as store
from cuelight_server.control.checkpoints import Checkpoints, issue, tick
from cuelight_server.control.releases import approve, release, roll_back
from cuelight_server.control.signing import ensure_key, rotate_key
from cuelight_server.control.verify import verify_desk
from cuelight_server.db.engine import Intent, reading, transaction
from cuelight_server.db.schema import checkpoint
from cuelight_server.kernel.actor import SYSTEM
from cuelight_server.kernel.errors import Blocked, Conflict, Invalid, Unavailable
from cuelight_server.sinks.port import Kept
from cuelight_server.views.audit import standing
from server.tests.releasing import ENGINEER, OWNER, PROMPT, evaluate, prepare, who
from server.tests.tampering import behind_our_back

HOUR = 3600


@pytest.fixture
def place(tmp_path):
    return KeyPlace(file=tmp_path / "elsewhere" / "signing.key")


@pytest.fixture
def sink():
    return Kept()


@pytest.fixture
def how(place, sink):
    return Checkpoints(keys=place, every_s=HOUR, sinks={"kept": sink})


def log_line(desk, person, n=0):
    """Any change."""
    person(f"someone.{n}", of=desk)


def go_live(desk):
    prepare(desk, versions=1)
    evaluate(desk, "v1")
    for one in (OWNER, ENGINEER):
        approve(desk, who(desk, one), PROMPT, "v1")
    release(desk, who(desk, ENGINEER), PROMPT, "v1")


def known(desk):
    with reading(desk.registry) as sql:
        return [parse_verifier(one.verifier) for one in store.keys(sql)]


def head(desk):
    with reading(desk.registry) as sql:
        return audit.checkpoint(sql)


def lines(desk, verb):
    with reading(desk.registry) as sql:
        return [one for one in audit.readable(sql) if one.verb == verb]


def test_the_first_start_makes_a_key_outside_of_the_database_that_only_its_owner_reads_and_announces_it(desk, place):
    signer = ensure_key(desk, place)
    assert oct(place.file.stat().st_mode & 0o777) == "0o600"
    assert ensure_key(desk, place) == signer
    (line,) = lines(desk, "key.make")
    assert line.facts["verifier"] == str(signer.verifier)
    assert signer.secret_text() not in repr(signer) + repr(place) + repr(KeyPlace(given=signer.secret_text()))
    with reading(desk.registry) as sql:
        everything = repr(list(audit.readable(sql))) + repr(store.keys(sql))
    assert signer.secret_text().rpartition("+")[2] not in everything
    assert verify_desk(desk).problems == ()


def test_a_checkpoint_is_signed_at_the_start_and_then_says_size_and_root_of_the_log(desk, how):
    tick(desk, how)
    with reading(desk.registry) as sql:
        made = store.newest(sql)
    signed = parse_signed(made.note)
    assert signed.checkpoint == head(desk)
    assert signers(signed.note, known(desk)) == tuple(known(desk))
    assert signed.origin == known(desk)[0].name
    assert verify_desk(desk, made.note).problems == ()


def test_a_log_that_did_not_grow_is_not_signed_again_and_one_that_did_only_after_the_interval(
    desk, how, sink, person, clock
):
    tick(desk, how)
    clock.forward(timedelta(seconds=2 * HOUR))
    tick(desk, how)
    assert len(sink.sent) == 1
    log_line(desk, person)
    clock.forward(timedelta(seconds=-2 * HOUR))
    tick(desk, how)
    assert len(sink.sent) == 1
    clock.forward(timedelta(seconds=2 * HOUR))
    tick(desk, how)
    assert [one.size for one in sink.sent] == [2, 3]


def test_each_production_change_is_signed_at_once_whatever_the_interval(demo_desk, how, sink):
    tick(demo_desk, how)
    go_live(demo_desk)
    tick(demo_desk, how)
    assert sink.sent[-1].size == head(demo_desk).size
    roll_back(demo_desk, SYSTEM, PROMPT, why="bad")
    tick(demo_desk, how)
    assert [one.size for one in sink.sent][-1] == head(demo_desk).size
    assert len(sink.sent) == 3


def test_a_sink_that_fails_is_tried_later_and_later_gets_everything_in_order_and_shows_meanwhile(
    desk, how, sink, person, clock
):
    sink.refuse = "the webhook answered 503"
    tick(desk, how)
    shown = standing(desk, how.sinks)
    assert shown.state == "hold"
    assert "the webhook answered 503" in shown.words
    assert shown.sinks[0].attempts == 1
    for _ in range(3):
        clock.forward(timedelta(minutes=10))
        tick(desk, how)
    with reading(desk.registry) as sql:
        assert store.sinks(sql)["kept"].attempts == 4
    log_line(desk, person)
    issue(desk, how.keys)
    sink.refuse = ""
    tick(desk, how)
    assert sink.sent == []  # its time has not come yet
    clock.forward(timedelta(minutes=10))
    tick(desk, how)
    assert [one.size for one in sink.sent] == [2, 3]
    assert standing(desk, how.sinks).state == "go"


def test_a_failing_sink_and_a_lost_key_never_stand_in_the_way_of_a_change(demo_desk, how, sink):
    sink.refuse = "no"
    tick(demo_desk, how)
    how.keys.file.unlink()
    go_live(demo_desk)
    with pytest.raises(Unavailable, match="is not where it should be"):
        tick(demo_desk, how)
    assert roll_back(demo_desk, SYSTEM, PROMPT, why="bad").switched_off


def test_two_servers_bring_a_checkpoint_once_between_them(desk, how, sink):
    issue(desk, how.keys)
    with reading(desk.registry) as sql:
        before = store.newest(sql)
    tick(desk, how)
    tick(desk, how)
    assert [one.checkpoint for one in sink.sent] == [before.note]


def test_a_log_that_was_cut_or_rewritten_is_not_signed_again(desk, how, person):
    for n in range(4):
        log_line(desk, person, n)
    issue(desk, how.keys)
    size = head(desk).size
    behind_our_back(
        desk,
        ("DELETE FROM audit_event WHERE seq > ?", (size - 2,)),
        ("DELETE FROM audit_head WHERE size > ?", (size - 2,)),
        "DELETE FROM personal",
    )
    with pytest.raises(Blocked, match="no continuation"):
        issue(desk, how.keys)
    for n in range(10, 15):
        log_line(desk, person, n)
    with pytest.raises(Blocked, match="no continuation"):
        issue(desk, how.keys)
    assert standing(desk, how.sinks).state == "hold"
    assert any("not the one that was signed" in one for one in verify_desk(desk).problems)


def test_a_forged_checkpoint_behind_our_back_is_named(desk, how):
    made = issue(desk, how.keys)
    eve = Signer(parse_signed(made.note).origin, b"e" * 32)
    forged = str(eve.checkpoint(parse_signed(made.note).checkpoint))
    behind_our_back(desk, ("UPDATE checkpoint SET note = ?", (forged,)))
    assert any("none of the keys of this desk signed it" in one for one in verify_desk(desk).problems)
    behind_our_back(desk, ("UPDATE checkpoint SET note = ?", (made.note.replace("\n2\n", "\n1\n"),)))
    assert any("does not fit" in one for one in verify_desk(desk).problems)


def test_a_stored_checkpoint_is_never_changed_by_the_program(desk, how):
    issue(desk, how.keys)
    with pytest.raises(Blocked, match="never changes"), transaction(desk.registry, Intent.WRITE) as sql:
        sql.execute(checkpoint.update().values(note="x"))


def test_a_rotation_is_signed_by_the_old_key_told_by_the_log_and_verified(desk, how, person):
    issue(desk, how.keys)
    old = how.keys.load()
    new = rotate_key(desk, how.keys)
    assert how.keys.load().verifier == new
    assert new.name == old.name
    with reading(desk.registry) as sql:
        first, second = store.keys(sql)
    assert is_rotation(second.endorsement, parse_verifier(first.verifier), new)
    (line,) = lines(desk, "key.rotate")
    assert (line.seq, line.facts["previous"], line.facts["lost"]) == (second.seq, first.id, False)
    made = issue(desk, how.keys)
    assert made.key == new.id
    assert verify_desk(desk).problems == ()
    assert not list(how.keys.file.parent.glob("*.new"))


def test_a_rotation_that_ended_before_the_new_key_took_its_place_is_finished_at_the_next_start(desk, place):
    old = ensure_key(desk, place)
    rotate_key(desk, place)
    new = place.load()
    place.file.write_text(old.secret_text())
    place.file.chmod(0o600)
    place.waiting().make(new)
    assert ensure_key(desk, place) == new


def test_a_lost_key_is_replaced_only_by_who_says_that_it_is_lost_and_no_yes_stands_under_the_new_one(desk, place):
    ensure_key(desk, place)
    with pytest.raises(Conflict, match="not lost"):
        rotate_key(desk, place, lost=True)
    place.file.unlink()
    with pytest.raises(Unavailable, match="is not where"):
        rotate_key(desk, place)
    rotate_key(desk, place, lost=True)
    with reading(desk.registry) as sql:
        assert [one.endorsement for one in store.keys(sql)] == [None, None]
    assert lines(desk, "key.rotate")[0].facts["lost"] is True


def test_a_key_that_others_may_read_or_that_is_another_desks_signs_nothing(desk, place, make_desk, tmp_path, databases):
    ensure_key(desk, place)
    place.file.chmod(0o644)
    with pytest.raises(Unavailable, match="others may read"):
        ensure_key(desk, place)
    other = KeyPlace(given=Signer("cuelight.desk/other", b"o" * 32).secret_text())
    with pytest.raises(Unavailable, match="the log announced"):
        ensure_key(desk, other)


@pytest.mark.parametrize("text", ["", "PRIVATE+KEY+a+b", "PRIVATE+KEY+a+00000000+AQ==", "x" * 500])
def test_a_signing_key_that_is_none_is_refused_in_words_that_hold_nothing_of_it(text):
    with pytest.raises(Invalid) as refused:
        KeyPlace(given=text).load()
    assert not text or text not in refused.value.message + refused.value.hint


def test_a_key_slipped_into_the_database_is_named(desk, place):
    ensure_key(desk, place)
    eve = Signer("cuelight.desk/eve", b"e" * 32).verifier
    behind_our_back(desk, ("INSERT INTO signing_key (seq, id, verifier) VALUES (99, ?, ?)", (eve.id, str(eve))))
    assert any("signing key of line 99" in one for one in verify_desk(desk).problems)


def test_a_log_that_nobody_signs_any_more_asks_for_a_person(desk, how, person, clock):
    tick(desk, how)
    log_line(desk, person)
    clock.forward(timedelta(minutes=50))
    assert standing(desk, how.sinks, every_s=how.every_s).state == "go"
    clock.forward(timedelta(minutes=20))
    shown = standing(desk, how.sinks, every_s=how.every_s)
    assert shown.state == "hold"
    assert "since line 2" in shown.words


def test_a_key_that_cannot_be_kept_says_so(desk, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match="cannot be kept"):
        ensure_key(desk, KeyPlace(file=tmp_path / "file" / "folder" / "signing.key"))
