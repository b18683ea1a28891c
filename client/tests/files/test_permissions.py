"""Folders that nobody lets us read or write, and writing that is stopped half-way: said, and nothing left behind."""

import os
from contextlib import contextmanager

import pytest

from cuelight.contract.errors import Invalid, Unavailable
from cuelight.files import placing, read_folder

NOBODY = 65534


@contextmanager
def somebody_else():
    """Not root for a while: root may read everything."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def shop(shop, tmp_path):
    """The folder, at a place that everybody can reach."""
    before = {above: above.stat().st_mode for above in tmp_path.parents if not above.stat().st_mode & 0o001}
    for above in (tmp_path, *before):
        above.chmod(above.stat().st_mode | 0o055)
    yield shop
    for path in shop.path.rglob("*"):
        path.chmod(0o755)
    shop.path.chmod(0o755)


@pytest.mark.parametrize("closed", ["", "schemas", "prompts/greeting", "recordings"])
def test_a_folder_that_may_not_be_read_is_named(shop, closed):
    read_folder(shop.path)  # whatever Python loads late, it loads while we may still read it
    place = shop.path / closed
    place.mkdir(exist_ok=True)
    place.chmod(0)
    with somebody_else(), pytest.raises(Invalid) as refused:
        read_folder(shop.path)
    place.chmod(0o755)
    assert str(place) in refused.value.message
    assert "cannot be read: Permission denied" in refused.value.message
    assert "may read" in refused.value.message + refused.value.hint


@pytest.mark.parametrize("there", [True, False])
def test_a_folder_that_may_not_be_written_is_named_and_left_alone(shop, there):
    target = shop.path / "new"
    closed = target if there else shop.path
    if there:
        target.mkdir()
    closed.chmod(0o555)
    with (
        somebody_else(),
        pytest.raises(Unavailable, match="cannot be written: Permission denied"),
        placing.whole(target),
    ):
        pass
    assert closed.stat().st_mode & 0o777 == 0o555
    assert target.exists() is there


@pytest.mark.parametrize("there", [True, False])
def test_a_folder_appears_whole_or_not_at_all(tmp_path, there):
    target = tmp_path / "a/b"
    if there:
        target.mkdir(parents=True)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(KeyboardInterrupt), placing.whole(target) as place:
        (place / "half.yaml").write_text("half")
        raise KeyboardInterrupt
    assert sorted(tmp_path.rglob("*")) == before
    with placing.whole(target) as place:
        (place / "whole.yaml").write_text("whole")
    assert [one.name for one in target.iterdir()] == ["whole.yaml"]
    assert [one.name for one in tmp_path.iterdir()] == ["a"]


def test_what_is_no_file_among_the_files_is_reported_as_not_read(shop):
    (shop.path / "prompts/greeting/v2.yaml").mkdir()
    os.mkfifo(shop.path / "prompts/greeting/v3.yaml")
    shop.write("prompts/greeting/notes.txt", "mine")
    unread = read_folder(shop.path).unread
    assert unread["prompts/greeting/v2.yaml"] == "a folder, expected a file"
    assert unread["prompts/greeting/v3.yaml"] == "neither a file nor a folder, expected a file"
    assert unread["prompts/greeting/notes.txt"].startswith("expected v1.yaml")


def test_an_empty_name_is_no_folder():
    with pytest.raises(Invalid, match="an empty name"):
        read_folder("")


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ('{\n "maximum": 1e400\n}', "the number 1e400 is too large"),
        ('{\n "maximum": ' + "9" * 5000 + "\n}", "is beyond 2^53 - 1"),
        ('{\n "maximum": NaN\n}', "NaN is no JSON number"),
    ],
)
def test_a_number_that_is_too_large_is_said_with_its_line(shop, schema, words):
    shop.write("schemas/greeting.json", schema)
    with pytest.raises(Invalid) as refused:
        read_folder(shop.path)
    (first, *_) = refused.value.details["problems"]
    assert (first["file"], first["line"]) == (str(shop.path / "schemas/greeting.json"), 2)
    assert words in first["message"]


@pytest.mark.parametrize(
    ("file", "old", "new", "hint"),
    [
        ("suites/greeting.yaml", "severity: blocker", "severity: bloker", "did you mean blocker?"),
        ("suites/greeting.yaml", "severity: blocker", "severity: bloker", "allowed: blocker, major, minor"),
        ("workflow.yaml", "person: mei.tanaka", "person: Mei Tanaka", "lower-case letters, digits, . _ -"),
        ("workflow.yaml", "tier: low", "tier: 3", "allowed: low"),
        ("workflow.yaml", "title: Shop", "title: 3", "write text"),
    ],
)
def test_a_value_that_does_not_fit_is_answered_with_one_that_does(shop, file, old, new, hint):
    shop.edit(file, old, new)
    with pytest.raises(Invalid) as refused:
        read_folder(shop.path)
    assert hint in refused.value.details["problems"][0]["hint"]
