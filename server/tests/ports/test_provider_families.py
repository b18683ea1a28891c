"""What each family says on the wire and reads from it: settings, tools, forms, and tokens of every kind."""

import pytest

from cuelight_server.kernel.errors import Invalid, Unavailable
from cuelight_server.providers import CompletionRequest, Remote, anthropic, openai, responses
from cuelight_server.providers import endpoint as http
from server.tests.faulty import GOOD, MESSAGE, RESPONSE, line

TOOLS = (
    {"name": "crm.read", "description": "Read.", "parameters": {"type": "object"}, "mode": "may_execute"},
    {"name": "crm.drop", "description": "Never.", "parameters": {"type": "object"}, "mode": "never"},
)
MESSAGES = (
    {"role": "system", "content": "Be brief."},
    {
        "role": "user",
        "content": [{"type": "text", "text": "look"}, {"type": "image", "url": "data:image/png;base64,AA"}],
    },
    {"role": "assistant", "content": [{"type": "text", "text": "ok"}]},
)
SETTINGS = {"model": "m-1", "temperature": 0, "max_output_tokens": 50, "structured_output": "json_schema"}
SCHEMA = {"type": "object"}
KEY = "sk-1"


def ask(**more):
    given = {"content_digest": "d", "case": "c", "sample": 1, "messages": MESSAGES, "settings": SETTINGS}
    return CompletionRequest(**{**given, "tools": TOOLS, "output": {"schema": SCHEMA}, **more})


def said(family, answer, request=None, key=KEY):
    """(the answer as read, the body that was sent, its headers, its path)."""
    with line((200, answer)) as made:
        one = Remote(family, made.url, key)
        read = one.complete(request or ask())
        one.close()
    path, _, body = made.asked[0]
    return read, body, {name.lower(): value for name, value in made.heads[0].items()}, path


def test_responses_on_the_wire():
    usage = {
        "input_tokens": 100,
        "output_tokens": 30,
        "input_tokens_details": {"cached_tokens": 80},
        "output_tokens_details": {"reasoning_tokens": 20},
    }
    call = {"type": "function_call", "name": "crm_read", "arguments": '{"id": 1}'}
    read, body, heads, path = said(
        responses.FAMILY, {**RESPONSE, "usage": usage, "output": [*RESPONSE["output"], call]}
    )
    assert (path, heads["authorization"]) == ("/v1/responses", "Bearer sk-1")
    assert body == {
        "model": "m-1",
        "store": False,
        "temperature": 0,
        "max_output_tokens": 50,
        "input": [
            {"role": "system", "content": "Be brief."},
            {
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "look"},
                    {"type": "input_image", "image_url": "data:image/png;base64,AA"},
                ],
            },
            {"role": "assistant", "content": [{"type": "output_text", "text": "ok"}]},
        ],
        "tools": [
            {
                "type": "function",
                "name": "crm_read",
                "description": "Read.",
                "parameters": {"type": "object"},
                "strict": False,
            }
        ],
        "text": {"format": {"type": "json_schema", "name": "output", "strict": True, "schema": SCHEMA}},
    }
    assert (read.text, read.finish_reason) == ("hello", "tool_calls")
    assert read.tool_calls == ({"name": "crm.read", "arguments": {"id": 1}},)
    assert (read.input_tokens, read.cached_input_tokens, read.cache_write_tokens) == (100, 80, None)
    assert (read.output_tokens, read.reasoning_tokens) == (30, 20)


def test_a_response_that_was_cut_says_so_in_the_words_of_reports():
    cut = {**RESPONSE, "status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
    assert said(responses.FAMILY, cut)[0].finish_reason == "length"


def test_anthropic_on_the_wire():
    usage = {
        "input_tokens": 10,
        "cache_read_input_tokens": 80,
        "cache_creation_input_tokens": 5,
        "output_tokens": 30,
    }
    call = {"type": "tool_use", "name": "crm_read", "input": {"id": 1}}
    read, body, heads, path = said(
        anthropic.FAMILY,
        {**MESSAGE, "usage": usage, "content": [*MESSAGE["content"], call]},
        ask(settings={**SETTINGS, "stop": "END"}),
    )
    assert (path, heads["x-api-key"], heads["anthropic-version"]) == ("/v1/messages", "sk-1", "2023-06-01")
    assert "authorization" not in heads
    assert body == {
        "model": "m-1",
        "max_tokens": 50,
        "temperature": 0,
        "stop_sequences": ["END"],
        "system": "Be brief.",
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "look"},
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA"}},
                ],
            },
            {"role": "assistant", "content": [{"type": "text", "text": "ok"}]},
        ],
        "tools": [{"name": "crm_read", "description": "Read.", "input_schema": {"type": "object"}}],
        "output_config": {"format": {"type": "json_schema", "schema": SCHEMA}},
    }
    assert (read.text, read.finish_reason) == ("hello", "stop")
    assert read.tool_calls == ({"name": "crm.read", "arguments": {"id": 1}},)
    assert (read.input_tokens, read.cached_input_tokens, read.cache_write_tokens) == (95, 80, 5)
    assert read.reasoning_tokens is None


def test_openai_counts_cached_and_reasoning_tokens_where_it_says_them():
    usage = {
        "prompt_tokens": 100,
        "completion_tokens": 30,
        "prompt_tokens_details": {"cached_tokens": 64},
        "completion_tokens_details": {"reasoning_tokens": 16},
    }
    read = said(openai.FAMILY, {**GOOD, "usage": usage})[0]
    assert (read.cached_input_tokens, read.reasoning_tokens) == (64, 16)
    plain = said(openai.FAMILY, GOOD)[0]
    assert (plain.cached_input_tokens, plain.cache_write_tokens, plain.reasoning_tokens) == (None, None, None)


@pytest.mark.parametrize(
    ("family", "settings"),
    [
        (responses.FAMILY, {"seed": 1}),
        (responses.FAMILY, {"stop": "x"}),
        (anthropic.FAMILY, {"seed": 1}),
        (anthropic.FAMILY, {"structured_output": "json_object"}),
    ],
)
def test_a_setting_that_a_family_does_not_have_is_refused_and_not_dropped(family, settings):
    with line((200, GOOD)) as made, pytest.raises(Invalid):
        Remote(family, made.url, KEY).complete(ask(settings={"model": "m-1", **settings}))
    assert made.asked == []


def test_an_endpoint_of_ones_own_is_spoken_to_by_template_and_path():
    template = {"question": "{{prompt}}", "all": "{{messages}}", "as": "model {{ model }}", "n": 3}
    shape = http.read_shape(
        {"template": template, "answer": "out.0.text", "input_tokens": "used.in", "key_header": "X-Key"}
    )
    words = ({"role": "user", "content": 'say "hi" {{messages}}'},)
    with line((200, {"out": [{"text": {"a": 1}}], "used": {"in": 7}})) as made:
        read = Remote(http.family(shape), made.url, KEY).complete(ask(messages=words))
    path, _, body = made.asked[0]
    assert (path, made.heads[0]["X-Key"]) == ("/v1", "sk-1")
    assert body == {"question": 'say "hi" {{messages}}', "all": list(words), "as": "model m-1", "n": 3}
    assert (read.text, read.input_tokens, read.output_tokens) == ('{"a": 1}', 7, None)


def test_an_answer_that_does_not_stand_at_the_path_is_unavailable():
    shape = http.read_shape({"template": {}, "answer": "out.5.text"})
    with line((200, {"out": []})) as made, pytest.raises(Unavailable, match=r"has nothing at out\.5\.text"):
        Remote(http.family(shape), made.url, None).complete(ask())


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"template": {}},
        {"template": "{{secret}}", "answer": "a"},
        {"template": "x" * 30_000, "answer": "a"},
        {"template": {}, "answer": "a", "key_header": "x: y"},
    ],
)
def test_a_shape_that_cannot_be_is_refused(options):
    with pytest.raises(Invalid):
        http.read_shape(options)
