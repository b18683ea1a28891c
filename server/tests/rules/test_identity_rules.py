"""The pure rules of coming in: names, waiting, what a key is for, what a password may be, who may be reached."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuelight_server.access.exposure import reasons_against
from cuelight_server.access.passwords import LEAST, MOST_BYTES, NOBODY, Argon2, check_password, common
from cuelight_server.access.throttle import ACCOUNT, SOURCE, counted, key_of, wait
from cuelight_server.audit.scopes import GROUPS, check_scopes, covers, within
from cuelight_server.audit.verbs import Verb
from cuelight_server.kernel.errors import Invalid
from cuelight_server.kernel.names import display_name, looks

NOW = datetime(2026, 1, 5, tzinfo=UTC)


@given(st.text(max_size=200))
def test_any_text_is_a_name_or_is_refused_and_a_name_stays_one(text):
    try:
        name = display_name(text)
    except Invalid:
        return
    assert display_name(name) == name
    assert name.isprintable()
    assert looks(name) == looks(name.upper()) or any(ord(one) > 127 for one in name)


def test_names_in_many_scripts_are_names():
    for name in ("Zoë Åkesson", "王小明", "Мария Иванова", "محمد علي", "दीपा मेहता", "O'Neil-Smith", "Bo 2"):
        assert display_name(name) == name


@pytest.mark.parametrize(
    ("one", "other"),
    [("modern", "rnodem"), ("Paul", "PauI"), ("paypal", "p\u0430yp\u0430l"), ("O0", "0O"), ("vvendy", "wendy")],
)
def test_two_that_read_the_same_look_the_same(one, other):
    assert looks(one) == looks(other)


@pytest.mark.parametrize("one", [("Mei", "Mai"), ("Ana Lopez", "Ana Lopes"), ("bob", "rob")])
def test_two_that_read_differently_do_not(one):
    assert looks(one[0]) != looks(one[1])


@pytest.mark.parametrize("limit", [ACCOUNT, SOURCE])
def test_the_wait_is_nothing_then_doubles_then_stays(limit):
    waits = [wait(limit, failures).total_seconds() for failures in range(limit.free + 30)]
    assert waits[: limit.free + 1] == [0] * (limit.free + 1)
    assert waits[limit.free + 1 : limit.free + 5] == [1, 2, 4, 8]
    assert waits == sorted(waits)
    assert max(waits) == limit.most.total_seconds()
    assert wait(limit, 10**9) == limit.most


def test_what_is_long_ago_is_forgiven():
    assert counted(ACCOUNT, 7, NOW - timedelta(hours=11), NOW) == 8
    assert counted(ACCOUNT, 7, NOW - timedelta(hours=13), NOW) == 1
    assert counted(ACCOUNT, 0, None, NOW) == 1


def test_accounts_and_sources_are_kept_apart_and_as_hashes():
    assert key_of("account", "mei") != key_of("source", "mei")
    assert "mei" not in key_of("account", "mei")
    assert len(key_of("account", "\ud800" * 10_000)) == 64


@pytest.mark.parametrize("verb", Verb)
def test_a_scope_covers_its_verb_its_noun_and_its_group_and_nothing_else(verb):
    noun = verb.value.partition(".")[0]
    assert covers(None, verb)
    assert covers({verb.value}, verb)
    assert covers({f"{noun}.*"}, verb)
    assert not covers(set(), verb)
    assert not covers({other.value for other in Verb if other is not verb}, verb)
    assert [group for group in GROUPS if covers({group}, verb)] == [
        name for name, them in GROUPS.items() if verb in them
    ]


def test_groups_hold_no_yes_and_no_release():
    assert not any(covers(set(GROUPS), verb) for verb in (Verb.RELEASE_APPROVE, Verb.RELEASE_OPEN, Verb.TOKEN_ISSUE))


def test_scopes_are_kept_in_order_and_bounded():
    assert check_scopes(["read", "push", "read"]) == ("push", "read")
    assert check_scopes([]) == ()
    with pytest.raises(Invalid):
        check_scopes([verb.value for verb in Verb] * 1 + [f"x{at}" for at in range(50)])


def test_a_key_within_another_may_no_more():
    assert within({"read"}, None)
    assert within({"release.open"}, {"release.*"})
    assert not within(None, {"read"})
    assert not within({"release.*"}, {"release.open"})


def test_the_list_of_common_passwords_is_small_lower_case_and_of_the_length_that_counts():
    assert 100 < len(common()) < 2000
    assert all(one == one.casefold() and len(one) >= LEAST for one in common())


@pytest.mark.parametrize(
    "password", ["a long enough one", "ü" * 10 + "ö1", "x" * (MOST_BYTES - 2) + "yz", " twelve chars "]
)
def test_a_long_uncommon_password_is_taken_as_it_is(password):
    assert check_password(password, "mei.tanaka") == password


def test_argon2_takes_the_right_password_only_and_salts_each():
    argon2 = Argon2()
    stored = argon2.hash("four words in a row")
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert stored != argon2.hash("four words in a row")
    assert argon2.verify(stored, "four words in a row")
    assert not argon2.verify(stored, "four words in a rov")
    assert not argon2.verify(None, "nobody")
    assert not argon2.verify("no hash at all", "four words in a row")


def test_what_an_unknown_person_is_compared_with_costs_what_a_known_one_does():
    of = [text.split("$")[1:4] for text in (NOBODY, Argon2().hash("four words in a row"))]
    assert of[0] == of[1]


HTTPS = "https://desk.example.org"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_at_home_nothing_is_asked_for(host):
    assert reasons_against(host, "", demo=True, owned=False) == []


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "desk.example.org", "localhost.example.org", ""])
def test_other_machines_come_in_only_by_https_to_an_owned_desk_that_is_no_demo(host):
    assert reasons_against(host, HTTPS, demo=False, owned=True) == []
    assert len(reasons_against(host, HTTPS, demo=True, owned=True)) == 1
    assert len(reasons_against(host, "http://desk.example.org", demo=False, owned=True)) == 1
    assert len(reasons_against(host, "", demo=True, owned=False)) == 3
    assert all(one.message and one.hint for one in reasons_against(host, "", demo=True, owned=False))
