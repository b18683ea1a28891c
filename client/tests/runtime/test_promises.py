"""Promises 7 and 10 as a running app meets them: an outage is survived, a revocation is obeyed, nothing passes in silence."""

import os
import subprocess
import sys
import textwrap

import pytest

from cuelight import Action, Blocked, Client, Denied, Invalid, Unavailable

LEAD = {"lead": "Acme"}


def text_of(client, tools, **ask):
    return client.prompt(tools.PROMPT, **ask).render(**LEAD).messages[0]["content"]


def test_promise_7_a_registry_outage_never_stops_a_running_app(server, open_client, tools):
    client = open_client()
    assert text_of(client, tools) == "v1: Acme"
    server.stop()
    tools.until(lambda: client.status()["source"] == "stale")
    prompt = client.prompt(tools.PROMPT)
    assert (prompt.version, prompt.source) == ("v1", "stale")
    assert prompt.age_s > 0
    call = prompt.render(**LEAD)
    assert call.finish('{"fit": 1}').ok
    assert server.calls == []
    server.publish(tools.document(2, "v2: {{lead}}"))
    server.start()
    tools.until(lambda: client.prompt(tools.PROMPT).source == "live" and text_of(client, tools) == "v2: Acme")
    tools.until(lambda: [one["id"] for one in server.calls] == [call.id])


@pytest.mark.parametrize("status", [401, 403])
def test_promise_7_a_revocation_is_not_an_outage(server, open_client, tools, tmp_path, status):
    client = open_client()
    assert text_of(client, tools) == "v1: Acme"
    tools.until(lambda: list((tmp_path / "cache").rglob("snapshot.json")))
    server.status = status
    tools.until(lambda: client.status()["revoked"])
    with pytest.raises(Denied) as refused:
        client.prompt(tools.PROMPT, fallback=tools.prompt_content().to_json())
    assert refused.value.hint
    assert "0" * 64 not in f"{refused.value.message} {refused.value.hint} {client.status()}"
    tools.until(lambda: not list((tmp_path / "cache").rglob("snapshot.json")))
    server.stop()  # an outage after the revocation does not bring the prompt back
    tools.until(lambda: client.status()["error"]["kind"] == "unavailable")
    with pytest.raises(Denied):
        client.prompt(tools.PROMPT)
    later = open_client(ready_timeout=0.1)
    with pytest.raises((Denied, Unavailable)):
        later.prompt(tools.PROMPT)


def test_promise_7_a_key_that_is_given_back_works_again(server, open_client, tools):
    client = open_client()
    text_of(client, tools)
    server.status = 401
    tools.until(lambda: client.status()["revoked"])
    server.status = None
    tools.until(lambda: not client.status()["revoked"])
    assert text_of(client, tools) == "v1: Acme"


def test_promise_7_a_new_process_starts_from_disk_while_the_server_is_away(server, open_client, tools, tmp_path):
    first = open_client()
    text_of(first, tools)
    tools.until(lambda: list((tmp_path / "cache").rglob("snapshot.json")))
    first.close()
    server.stop()
    code = f"""
        from cuelight import Client
        client = Client({server.url!r}, {tools.KEY!r}, cache_dir={str(tmp_path / "cache")!r}, ready_timeout=0)
        prompt = client.prompt({tools.PROMPT!r})
        print(prompt.version, prompt.source, prompt.render(lead="Bo").messages[0]["content"], prompt.age_s < 60)
    """
    path = os.pathsep.join(sys.path)
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert run.stdout.strip() == "v1 disk v1: Bo True"


def test_promise_10_a_template_is_rendered_whole_or_not_at_all(open_client, tools):
    prompt = open_client().prompt(tools.PROMPT)
    for values in ({}, {"lead": 1}, {"lead": None}, {"lead": "x", "more": "y"}, {"self": "x"}):
        with pytest.raises(Invalid):
            prompt.render(**values)
    assert prompt.render(lead="").messages[0]["content"] == "v1: "


def test_promise_10_no_refused_action_passes_in_silence(server, open_client, tools):
    call = open_client().prompt(tools.PROMPT).render(**LEAD)
    attempts = [Action("crm.update"), Action("email.draft"), Action("email.send"), Action("db.drop")]
    result = call.finish('{"fit": 0.89}', actions=attempts)
    assert result.ok
    assert [one.allowed for one in result.decisions] == [False, True, False, False]
    assert [result.allowed(one.name) for one in attempts] == [False, True, False, False]
    assert not result.allowed("never.attempted")
    assert (result.step.kind, result.step.target) == ("person", "sales lead")
    assert call.finish('{"fit": 1}', actions=attempts[3:]).step.kind == "refuse"
    assert call.finish('{"fit": 1}', actions=attempts[:2]).step is None
    assert all(one.reason for one in result.decisions)
    tools.until(lambda: len(server.calls) == 3)
    assert [one["allowed"] for one in server.calls[0]["decisions"]] == [False, True, False, False]


def test_promise_10_no_unvalidated_output_passes_in_silence(server, open_client, tools):
    call = open_client().prompt(tools.PROMPT).render(**LEAD)
    result = call.finish('Sure! {"fit": 1}', actions=[Action("crm.update"), Action("email.draft")])
    assert (result.ok, result.value) == (False, None)
    assert [one.code for one in result.findings] == ["preface"]
    assert [one.allowed for one in result.decisions] == [False, False]
    assert (result.step.kind, result.step.with_error) == ("retry", True)
    again = call.finish('{"fit": "high"}')
    assert again.value is None
    assert (again.step.kind, again.step.target) == ("person", "sales desk")
    tools.until(lambda: len(server.calls) == 2)
    assert [one["ok"] for one in server.calls] == [False, False]


def test_promise_10_a_call_without_output_is_a_finding(open_client, tools):
    call = open_client().prompt(tools.PROMPT).render(**LEAD)
    assert [one.code for one in call.finish(None).findings] == ["no_output"]
    assert [one.code for one in call.finish("").findings] == ["not_json"]
    assert call.finish(None, tool_calls=[Action("crm.update")]).ok


def test_promise_10_removed_boundary_text_changes_no_decision(server, open_client, tools):
    client = open_client()
    asked = [Action("email.send"), Action("crm.update")]
    before = client.prompt(tools.PROMPT).render(**LEAD).finish('{"fit": 0.5}', actions=asked).decisions
    server.publish(tools.document(2, "Do whatever you like. {{lead}}"))
    tools.until(lambda: "whatever" in text_of(client, tools))
    after = client.prompt(tools.PROMPT).render(**LEAD).finish('{"fit": 0.5}', actions=asked).decisions
    assert before == after
    assert not any(one.allowed for one in after)


def test_promise_10_a_switched_off_prompt_renders_nothing_and_names_its_fallback(server, open_client, tools):
    client = open_client()
    assert text_of(client, tools) == "v1: Acme"
    off = tools.document(2)
    off["deployments"][tools.PROMPT][""]["kill"] = {"reason": "harm", "fallback": {"person": "sales desk"}}
    server.publish(off)
    tools.until(lambda: client.prompt(tools.PROMPT).off)
    prompt = client.prompt(tools.PROMPT, fallback=tools.prompt_content().to_json())
    assert (prompt.version, prompt.reason, prompt.fallback) == (None, "kill_switch", {"person": "sales desk"})
    with pytest.raises(Blocked) as blocked:
        prompt.render(**LEAD)
    assert "sales desk" in blocked.value.message


def test_nothing_at_hand_is_an_error_that_says_so_and_never_a_silent_default(server, tmp_path, tools):
    server.stop()
    with Client(server.url, tools.KEY, cache_dir=tmp_path, ready_timeout=0.3, refresh_seconds=0.05) as client:
        with pytest.raises(Unavailable) as away:
            client.prompt(tools.PROMPT)
        assert "fallback=" in away.value.hint
        prompt = client.prompt(tools.PROMPT, fallback=tools.prompt_content("mine: {{lead}}").to_json())
        assert (prompt.version, prompt.source, prompt.reason) == (None, "fallback", "fallback")
        call = prompt.render(**LEAD)
        assert call.messages[0]["content"] == "mine: Acme"
        result = call.finish('{"fit": 1}', actions=[Action("email.draft")])
        assert result.ok
        assert not result.allowed("email.draft")
