"""Everything that an endpoint can do wrong, in every family, over real sockets: each trouble has a name and an end."""

import time

import pytest

from cuelight_server.kernel.errors import CuelightError, Invalid, Unavailable
from cuelight_server.outbound import Calls, Forbidden
from cuelight_server.providers import BadKey, BadSetting, CompletionRequest, Pace, Rates, Remote, anthropic, openai
from cuelight_server.providers import endpoint as http
from cuelight_server.providers import responses as openai_responses
from server.tests.faulty import GOOD, MESSAGE, RESPONSE, line

HTTP = http.family(http.read_shape({"template": {"q": "{{prompt}}"}, "answer": "choices.0.message.content"}))
FAMILIES = {
    "openai": (openai.FAMILY, GOOD),
    "responses": (openai_responses.FAMILY, RESPONSE),
    "anthropic": (anthropic.FAMILY, MESSAGE),
    "http": (HTTP, GOOD),
}
EACH = pytest.mark.parametrize("family", list(FAMILIES))
ASK = CompletionRequest(
    content_digest="d", case="c", sample=1, messages=({"role": "user", "content": "x"},), settings={"model": "m-1"}
)


def remote(made, family="openai", timeout_s=2.0, waits=None):
    now = [0.0]

    def sleep(seconds):
        now[0] += seconds
        if waits is not None:
            waits.append(seconds)

    pace = Pace(Rates(), seconds=lambda: now[0], sleep=sleep)
    return Remote(FAMILIES[family][0], made.url, "sk-secret", timeout_s=timeout_s, sleep=sleep, pace=pace)


@EACH
def test_every_family_answers(family):
    with line((200, FAMILIES[family][1])) as made:
        one = remote(made, family)
        answer = one.complete(ASK)
        one.close()
    assert (answer.text, answer.tries) == ("hello", 1)
    assert answer.latency_ms > 0


@EACH
@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        ("silence", "failed 4 times; the last time: no answer in time"),
        ("hang up", "no connection, or it broke off before the end"),
        ("drop", "no connection, or it broke off before the end"),
        ("drip", "no answer in time"),
        ("drip heads", "no answer in time"),
        ("flood", "the answer is larger than 8192 kB"),
    ],
)
def test_a_line_that_hangs_breaks_or_floods_has_an_end_and_a_name(family, trouble, words):
    with line((trouble, b"")) as made:
        one, begun = remote(made, family, timeout_s=2.0 if trouble == "flood" else 0.1), time.monotonic()
        with pytest.raises(Unavailable, match=words) as bad:
            one.complete(ASK)
        one.close()
    assert time.monotonic() - begun < 5
    assert "sk-secret" not in str(bad.value.to_json())
    assert len(made.asked) == 4


@EACH
@pytest.mark.parametrize("body", [b"<html>", b"", b"[]", b"{}", b"\xff\xfe", b'{"a":' * 100_000, b"null"])
def test_garbage_is_unavailable_and_never_an_empty_answer(family, body):
    with line((200, body)) as made, pytest.raises(Unavailable, match=r"no (chat|response|message)|has nothing at"):
        remote(made, family).complete(ASK)
    assert len(made.asked) == 1


@EACH
def test_a_200_with_an_error_is_told_with_its_words_and_without_the_key(family):
    told = {"error": {"message": "out of credit for sk-secret", "code": "insufficient_quota"}}
    with line((200, told)) as made, pytest.raises(Unavailable, match="answered 200 with an error: out of cred") as bad:
        remote(made, family).complete(ASK)
    assert "sk-secret" not in str(bad.value.to_json())


def test_a_200_that_says_429_inside_is_tried_again():
    with line((200, {"error": {"code": 429, "message": "slow down"}}), (200, GOOD)) as made:
        answer = remote(made).complete(ASK)
    assert (answer.text, answer.tries, len(made.asked)) == ("hello", 2, 2)


@EACH
@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, {}, BadKey),
        (403, {}, BadKey),
        (404, {}, BadSetting),
        (302, {}, BadSetting),
        (400, {"error": {"code": "model_not_found", "message": "no"}}, BadSetting),
        (400, {"error": {"message": "too long"}}, Invalid),
        (413, b"too large", Invalid),
    ],
)
def test_what_no_case_could_mend_is_told_apart_from_what_one_case_met(family, status, body, kind):
    with line((status, body)) as made, pytest.raises(CuelightError) as bad:
        remote(made, family).complete(ASK)
    assert type(bad.value) is kind
    assert len(made.asked) == 1


def test_who_may_not_be_asked_again_is_asked_once():
    ask = CompletionRequest(**{**{name: getattr(ASK, name) for name in ASK.__slots__}, "again": lambda: False})
    with line((500, {})) as made, pytest.raises(Unavailable, match="failed once: status 500"):
        remote(made).complete(ask)
    assert len(made.asked) == 1


def test_a_request_with_little_time_left_does_not_take_the_providers_whole_patience():
    ask = CompletionRequest(**{**{name: getattr(ASK, name) for name in ASK.__slots__}, "most_s": 0.1})
    begun = time.monotonic()
    with line(("silence", b"")) as made, pytest.raises(Unavailable):
        remote(made, timeout_s=60).complete(ask)
    assert time.monotonic() - begun < 3


def test_a_name_that_leads_to_this_machine_is_not_asked_unless_it_says_so_itself():
    with line((200, GOOD)) as made:
        there = made.url.replace("127.0.0.1", "127.1")  # no address to our eyes, and one to the resolver
        with pytest.raises(Forbidden, match="leads to an address inside"):
            Calls().post(there, b"{}", {}, 2.0)
        assert made.asked == []
        assert Calls().post(made.url.replace("127.0.0.1", "localhost"), b"{}", {}, 2.0).good


def test_a_connection_is_used_again():
    with line((200, GOOD)) as made:
        one = remote(made)
        for _ in range(5):
            one.complete(ASK)
        assert len(one._calls._free) == 1
        one.close()
        assert one._calls._free == []
