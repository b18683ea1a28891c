"""What a key looks like, and that a secret is never shown or half accepted."""

from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuelight_server.access.keys import Key, matches, parse, secret_hash
from cuelight_server.kernel import ids
from cuelight_server.kernel.terms import Environment

KEY = Key(None, "0123456789abcdef", "ab" * 32)


@pytest.mark.parametrize("environment", [None, *Environment])
def test_a_key_is_read_as_it_was_made(environment):
    key = Key(environment, ids.token_id(), ids.token_secret())
    assert parse(key.text) == key
    plain = f"cue_{environment or 'all'}_{key.id}_{key.secret}"
    assert key.text == f"{plain}_{crc32(plain.encode()):08x}"


@given(st.integers(0, len(KEY.text) - 1), st.sampled_from("0123456789abcdefghijklmnopqrstuvwxyz_"))
def test_one_wrong_character_makes_it_no_key(at, character):
    text = KEY.text[:at] + character + KEY.text[at + 1 :]
    assert (parse(text) is None) is (text != KEY.text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "cue",
        KEY.text[:-1],
        KEY.text + "0",
        KEY.text + "\n",
        " " + KEY.text,
        KEY.text.upper(),
        KEY.text.replace("all", "system"),
        KEY.text.replace("all", "production"),
        KEY.text.rpartition("_")[0],
        KEY.text.replace("cue_", "sk_"),
    ],
)
def test_a_text_that_is_not_exactly_a_token_is_none(text):
    assert parse(text) is None


@given(st.text())
def test_any_text_at_all_is_read_without_an_error(text):
    assert parse(text) is None


def test_only_the_right_secret_matches():
    assert matches(secret_hash(KEY.secret), KEY.secret)
    assert not matches(secret_hash(KEY.secret), "cd" * 32)
    assert not matches(secret_hash(KEY.secret), "")


@pytest.mark.parametrize("secret", ["", "nobody", "ab" * 32])
def test_where_no_hash_is_stored_no_secret_matches(secret):
    assert not matches(None, secret)


def test_a_key_that_is_printed_keeps_its_secret():
    assert KEY.secret not in repr(KEY)
    assert KEY.secret not in str([KEY])
