"""The providers without a network: recorded outputs and the echo."""

import pytest

from cuelight_server.kernel.errors import Invalid
from cuelight_server.providers import LIVE, NAMES, CompletionRequest, Echo, Recorded, build, connect

SHAPE = {"template": {"q": "{{prompt}}"}, "answer": "a"}

RECORDING = {"output": "hello", "input_tokens": 7, "tool_calls": [{"name": "crm.read"}], "provenance": "by hand"}
LOOKUP = {("sha256:a", "C1", 1): RECORDING, ("sha256:a", "C1", 2): RECORDING, ("sha256:a", "C1", 4): RECORDING}


def request(digest="sha256:a", case="C1", sample=1, messages=()):
    return CompletionRequest(
        content_digest=digest, case=case, sample=sample, messages=messages, settings={"model": "m-1"}
    )


def test_a_recording_is_answered_with_what_it_knows_and_nothing_it_does_not():
    answer = Recorded(LOOKUP).complete(request())
    assert (answer.text, answer.input_tokens, answer.output_tokens, answer.latency_ms) == ("hello", 7, None, None)
    assert (answer.model, answer.tool_calls, answer.provenance) == ("m-1", ({"name": "crm.read"},), "by hand")


@pytest.mark.parametrize("asked", [request("sha256:b"), request(case="C2"), request(sample=3)])
def test_what_was_not_recorded_for_this_very_content_case_and_sample_is_an_error(asked):
    with pytest.raises(Invalid, match=rf"case {asked.case} \(sample {asked.sample}\).*{asked.content_digest}") as bad:
        Recorded(LOOKUP).complete(asked)
    assert "push recordings" in bad.value.hint


def test_samples_are_counted_up_to_the_first_gap():
    assert Recorded(LOOKUP).samples_of("sha256:a", ("C1",)) == {"C1": 2}
    with pytest.raises(Invalid, match=r"case C2 \(sample 1\) and one more case of"):
        Recorded(LOOKUP).samples_of("sha256:a", ("C1", "C2", "C3"))


def test_the_echo_says_the_last_message_again_or_what_it_is_told():
    parts = [{"type": "text", "text": "a"}, {"type": "image", "url": "x"}, {"type": "text", "text": "b"}]
    messages = ({"role": "system", "content": "be kind"}, {"role": "user", "content": "good evening"})
    said = Echo().complete(request(messages=messages))
    assert (said.text, said.input_tokens, said.output_tokens, said.latency_ms) == ("good evening", 4, 3, 0.0)
    assert Echo().complete(request(messages=({"role": "user", "content": parts},))).text == "ab"
    assert Echo().complete(request()).text == ""
    assert Echo(answer=lambda one: one.case).complete(request()).text == "C1"


def test_every_name_has_a_provider_and_all_but_the_stand_ins_ask_a_model():
    made = build(openai_base_url="http://127.0.0.1:9/v1", openai_key=None, command=["/bin/true"])
    made |= {name: connect(name, "https://example.org", None, SHAPE) for name in ("anthropic", "http")}
    assert {"recorded", *made} == set(NAMES)
    assert {name for name, one in made.items() if not one.recorded} == set(LIVE)
    assert all(bool(one.adapter) is not one.recorded for one in made.values())
    assert all(one.name == name for name, one in made.items())
