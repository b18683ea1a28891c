"""The OpenAI-compatible provider against a real server on a socket: good days, bad days and nonsense."""

from contextlib import contextmanager

import pytest

from cuelight_server.kernel.errors import Invalid, Unavailable
from cuelight_server.providers.openai import FAMILY, payload, wire_names
from cuelight_server.providers.pacing import Pace, Rates
from cuelight_server.providers.port import CompletionRequest
from cuelight_server.providers.remote import LONGEST_WAIT_S, Remote, spread
from server.tests.faulty import GOOD, line

KEY = "sk-very-secret"
TOOLS = (
    {"name": "crm.read", "description": "Read.", "parameters": {"type": "object"}, "mode": "may_execute"},
    {"name": "crm_read", "description": "Other.", "parameters": {"type": "object"}, "mode": "may_execute"},
    {"name": "crm.drop", "description": "Never.", "parameters": {"type": "object"}, "mode": "never"},
)


@contextmanager
def provider(made, **how):
    waits, now = [], [0.0]

    def sleep(seconds):
        waits.append(seconds)
        now[0] += seconds

    pace = Pace(Rates(), seconds=lambda: now[0], sleep=sleep)
    one = Remote(FAMILY, made.url, KEY, sleep=sleep, pace=pace, **how)
    try:
        yield one, waits
    finally:
        one.close()


def request(**about):
    given = {
        "content_digest": "sha256:a",
        "case": "C1",
        "sample": 1,
        "messages": ({"role": "user", "content": "hi"},),
        "settings": {"model": "m-1"},
    }
    return CompletionRequest(**{**given, **about})


def test_a_good_answer_has_text_tokens_time_and_where_it_came_from():
    with line((200, GOOD)) as made, provider(made) as (one, waits):
        answer = one.complete(request())
    assert (answer.text, answer.input_tokens, answer.output_tokens) == ("hello", 12, 3)
    assert (answer.model, answer.finish_reason) == ("m-1-2026", "stop")
    assert answer.latency_ms > 0
    assert "127.0.0.1" in answer.provenance
    assert made.asked == [
        ("/v1/chat/completions", f"Bearer {KEY}", {"model": "m-1", "messages": [{"role": "user", "content": "hi"}]})
    ]
    assert waits == []


def test_a_429_is_tried_again_and_then_answered():
    with line((429, {}), (200, GOOD)) as made, provider(made) as (one, waits):
        assert one.complete(request()).text == "hello"
    assert len(made.asked) == 2
    assert len(waits) == 1
    assert 0 <= waits[0] <= 0.5


def test_the_server_may_ask_for_a_longer_wait_within_reason():
    with (
        line((429, {}, {"Retry-After": "3"}), (503, {}, {"Retry-After": "9999"}), (200, GOOD)) as made,
        provider(made) as (one, waits),
    ):
        one.complete(request())
    assert waits == [3.0, LONGEST_WAIT_S]


def test_waits_double_and_are_spread_by_the_given_jitter():
    with (
        line((500, {}), (502, {}), (503, {}), (200, GOOD)) as made,
        provider(made, jitter=lambda *_: 1.0) as (one, waits),
    ):
        one.complete(request())
    assert waits == [0.5, 1.0, 2.0]


def test_500s_that_do_not_end_are_unavailable():
    with (
        line((500, {"error": "x"})) as made,
        provider(made) as (one, waits),
        pytest.raises(Unavailable, match="failed 4 times; the last time: status 500"),
    ):
        one.complete(request())
    assert len(made.asked) == 4
    assert len(waits) == 3


@pytest.mark.parametrize("status", ["silence", "hang up"])
def test_no_answer_in_time_or_a_broken_line_is_unavailable(status):
    with (
        line((status, b"")) as made,
        provider(made, timeout_s=0.1) as (one, _),
        pytest.raises(Unavailable, match="no answer in time" if status == "silence" else "no connection"),
    ):
        one.complete(request())


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b"",
        b"[]",
        b"{}",
        b'{"choices": []}',
        b'{"choices": [{}]}',
        b'{"choices": [{"message": "x"}]}',
        b"\xff\xfe",
    ],
)
def test_an_answer_that_is_no_completion_is_unavailable_and_not_an_empty_text(body):
    with line((200, body)) as made, provider(made) as (one, _), pytest.raises(Unavailable, match="no chat completion"):
        one.complete(request())


@pytest.mark.parametrize(
    "usage",
    [
        None,
        {},
        "many",
        {"prompt_tokens": "7"},
        {"prompt_tokens": True, "completion_tokens": -1},
        {"completion_tokens": 1.5},
    ],
)
def test_usage_that_is_missing_or_odd_is_unknown_and_not_zero(usage):
    with line((200, {**GOOD, "usage": usage})) as made, provider(made) as (one, _):
        answer = one.complete(request())
    assert (answer.input_tokens, answer.output_tokens) == (None, None)


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_says_which_setting_and_never_the_key(status):
    with (
        line((status, {"error": {"message": f"bad key {KEY}"}})) as made,
        provider(made) as (one, _),
        pytest.raises(Unavailable, match="refused the key") as bad,
    ):
        one.complete(request())
    assert "CUELIGHT_OPENAI_KEY" in bad.value.hint
    assert KEY not in str(bad.value.to_json())


def test_a_request_that_can_never_work_is_invalid_and_not_tried_again():
    with (
        line((400, {"error": {"message": f"no such model; you sent {KEY}"}})) as made,
        provider(made) as (one, _),
        pytest.raises(Invalid, match="no such model") as bad,
    ):
        one.complete(request())
    assert len(made.asked) == 1
    assert KEY not in str(bad.value.to_json())
    assert KEY not in repr(one)


def test_an_error_page_that_is_no_json_is_quoted_in_part():
    with line((404, b"nothing here " * 100)) as made, provider(made) as (one, _), pytest.raises(Invalid) as bad:
        one.complete(request())
    assert len(bad.value.message) < 400


def test_a_redirect_is_not_followed_with_the_key():
    with (
        line((307, b"", {"Location": "http://127.0.0.1:9/steal"})) as made,
        provider(made) as (one, _),
        pytest.raises(Invalid, match="307"),
    ):
        one.complete(request())
    assert len(made.asked) == 1


def test_without_a_key_no_key_is_sent():
    with line((200, GOOD)) as made:
        one = Remote(FAMILY, made.url, None)
        one.complete(request())
        one.close()
    assert made.asked[0][1] is None


def test_tool_calls_come_back_under_their_own_names():
    calls = [
        {"function": {"name": "crm_read", "arguments": '{"id": 1}'}},
        {"function": {"name": "crm_read_2", "arguments": "not json"}},
        {"function": {"name": "made_up", "arguments": "[1]"}},
        {"function": {"name": None}},
        "nonsense",
    ]
    body = {**GOOD, "choices": [{"message": {"content": None, "tool_calls": calls}}]}
    with line((200, body)) as made, provider(made) as (one, _):
        answer = one.complete(request(tools=TOOLS))
    assert answer.text == ""
    assert answer.tool_calls == (
        {"name": "crm.read", "arguments": {"id": 1}},
        {"name": "crm_read", "arguments": {}},
        {"name": "made_up", "arguments": {}},
        {"name": "unreadable tool call", "arguments": {}},
        {"name": "unreadable tool call", "arguments": {}},
    )
    sent = made.asked[0][2]["tools"]
    assert [tool["function"]["name"] for tool in sent] == ["crm_read", "crm_read_2"]


def test_settings_are_sent_under_the_names_of_the_wire():
    settings = {
        "model": "m-1",
        "provider": "any",
        "temperature": 0,
        "top_p": 1,
        "seed": 7,
        "stop": ["x"],
        "max_output_tokens": 50,
        "structured_output": "json_schema",
        "extra": {"reasoning_effort": "low"},
    }
    schema = {"type": "object"}
    body = payload(request(settings=settings, output={"schema": schema}), {}, "http://localhost/v1")
    assert {
        name: body[name] for name in ("temperature", "top_p", "seed", "stop", "max_tokens", "reasoning_effort")
    } == {
        "temperature": 0,
        "top_p": 1,
        "seed": 7,
        "stop": ["x"],
        "max_tokens": 50,
        "reasoning_effort": "low",
    }
    assert body["response_format"]["json_schema"]["schema"] == schema
    assert not {"provider", "extra", "structured_output", "tools"} & body.keys()


def test_openai_itself_gets_the_new_name_of_the_limit():
    asked = request(settings={"model": "m", "max_output_tokens": 5, "structured_output": "json_object"})
    body = payload(asked, {}, "https://api.openai.com/v1")
    assert (body["max_completion_tokens"], body["response_format"]) == (5, {"type": "json_object"})
    assert payload(request(settings={"model": "m", "structured_output": "json_schema"}), {}, "x") == {
        "model": "m",
        "messages": [{"role": "user", "content": "hi"}],
    }


def test_images_are_sent_and_what_cannot_be_sent_is_refused():
    parts = [{"type": "text", "text": "look"}, {"type": "image", "url": "https://x/y.png"}]
    body = payload(request(messages=({"role": "user", "content": parts},)), {}, "x")
    assert body["messages"][0]["content"][1] == {"type": "image_url", "image_url": {"url": "https://x/y.png"}}
    with pytest.raises(Invalid, match="takes no audio"):
        payload(request(messages=({"role": "user", "content": [{"type": "audio", "url": "x"}]},)), {}, "x")


def test_names_for_the_wire_are_plain_and_unique():
    names = wire_names(tuple({"name": name} for name in ("a.b", "a_b", "a b", "ü" * 70)))
    assert list(names.values()) == ["a_b", "a_b_2", "a_b_3", "_" * 60]


def test_jitter_is_spread_and_the_same_each_time():
    shares = [spread(f"case {n}", 1) for n in range(200)]
    assert shares == [spread(f"case {n}", 1) for n in range(200)]
    assert all(0 <= share < 1 for share in shares)
    assert 0.4 < sum(shares) / 200 < 0.6
    assert len(set(shares)) == 200
