"""Sealing: what goes in comes out in the same place under the same key, and in no other way."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuelight_server.kernel.errors import CuelightError, Invalid, Unavailable
from cuelight_server.vault.keyfile import load, load_or_make, put_in_front
from cuelight_server.vault.sealing import is_current, key_text, read_keys, seal, unseal

OLD, NEW = bytes(range(32)), bytes(range(1, 33))
KEYS = read_keys(key_text(OLD))
NONCE = b"0123456789ab"


@given(st.text(max_size=200), st.binary(min_size=12, max_size=12))
def test_a_secret_comes_out_as_it_went_in_and_is_not_seen_in_between(secret, nonce):
    sealed = seal(KEYS, "provider openai", secret, nonce)
    assert unseal(KEYS, "provider openai", sealed) == secret
    raw = base64.b64decode(sealed.split(".")[2])
    assert len(raw) == 12 + len(secret.encode()) + 16
    assert len(secret.encode()) < 4 or secret.encode() not in raw


def test_it_opens_in_no_other_place():
    sealed = seal(KEYS, "provider openai", "sk-1", NONCE)
    with pytest.raises(Unavailable, match="is not what was sealed"):
        unseal(KEYS, "provider other", sealed)


@given(st.data())
def test_whatever_one_changes_in_it_it_does_not_open_and_never_shows_the_secret(data):
    sealed = seal(KEYS, "provider openai", "sk-very-secret", NONCE)
    at = data.draw(st.integers(0, len(sealed) - 1))
    other = data.draw(st.characters(codec="utf-8").filter(lambda one: one != sealed[at]))
    with pytest.raises(CuelightError) as refused:
        unseal(KEYS, "provider openai", sealed[:at] + other + sealed[at + 1 :])
    assert "sk-very" not in str(refused.value) + repr(refused.value.details)


def test_an_older_key_opens_and_only_the_current_one_seals():
    both = read_keys(f"{key_text(NEW)}\n{key_text(OLD)}")
    before = seal(KEYS, "p", "sk-1", NONCE)
    assert unseal(both, "p", before) == "sk-1"
    assert not is_current(both, before)
    after = seal(both, "p", "sk-1", NONCE)
    assert is_current(both, after)
    with pytest.raises(Unavailable, match="under a sealing key that is not here"):
        unseal(KEYS, "p", after)


@pytest.mark.parametrize("text", ["", "abc", "AAAA", key_text(OLD)[:-4], "ä" * 44, " ".join([key_text(OLD), "x"])])
def test_what_is_no_key_is_refused_without_showing_it(text):
    with pytest.raises(Invalid) as refused:
        read_keys(text)
    assert key_text(OLD) not in str(refused.value)
    assert "1" * 8 not in repr(read_keys(key_text(OLD)))
    assert key_text(OLD)[:8] not in repr(read_keys(key_text(OLD)))


def test_the_file_is_made_once_for_its_owner_only_and_a_new_key_goes_in_front(tmp_path):
    file = tmp_path / "sealing.key"
    made = load_or_make(file, OLD)
    assert file.stat().st_mode & 0o777 == 0o600
    assert load_or_make(file, NEW) == made, "it is there already"
    both = put_in_front(file, NEW)
    assert list(both.keys.values()) == [NEW, OLD]
    assert file.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["sealing.key"]


def test_a_file_that_others_may_read_is_refused(tmp_path):
    file = tmp_path / "sealing.key"
    load_or_make(file, OLD)
    file.chmod(0o640)
    with pytest.raises(Invalid, match="others may read"):
        load(file)
