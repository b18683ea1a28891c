"""What is recorded of a call and how it reaches the server: policy, buffering, a full queue, poison, fork and exit."""

import json
import os
import subprocess
import sys
import textwrap
import threading
import time

import pytest

from cuelight import Action, Client
from cuelight.contract.canonical import digest, digest_bytes
from cuelight.contract.content import parse
from cuelight.contract.rendering import render
from cuelight.tracing import CallLog, output_id
from cuelight.transport import MemoryTransport

LEAD = {"lead": "Acme \U0001f600"}
SECRET = "Bo Secret"


def memory_client(tools, document=None, **settings):
    transport = MemoryTransport(document or tools.document())
    return transport, Client(transport=transport, cache_dir="", refresh_seconds=0.05, **settings)


def recorded(tools, document=None, values=LEAD, **finish):
    """The one call that the server got."""
    transport, client = memory_client(tools, document)
    with client:
        client.prompt(tools.PROMPT, key="user-7").render(**values).finish(finish.pop("output", '{"fit": 1}'), **finish)
    (call,) = transport.calls
    return call


def test_a_call_is_tied_to_its_version_and_can_be_rebuilt_to_the_byte(tools):
    call = recorded(tools, model="example-1-0101", input_tokens=7, output_tokens=3, latency_ms=12.5)
    content = tools.prompt_content()
    assert (call["prompt"], call["version"], call["digest"]) == (tools.PROMPT, "v1", content.digest)
    assert (call["reason"], call["source"], call["release"], call["snapshot_version"]) == ("stable", "live", "rel_1", 1)
    assert (call["model"], call["response_model"], call["latency_ms"]) == ("example-1", "example-1-0101", 12.5)
    assert call["usage"] == {"input_tokens": 7, "output_tokens": 3}
    assert call["key_digest"] == digest_bytes(b"user-7")
    assert (call["values"], call["output"], call["ok"]) == (LEAD, '{"fit": 1}', True)
    assert render(parse(content.to_json()), call["values"]).digest == call["rendered_digest"]


@pytest.mark.parametrize("trace", [{"content": "hash_only"}, {"content": "redacted"}, {}])
def test_without_the_policy_full_only_hashes_leave_the_app(tools, trace):
    output = json.dumps({"fit": SECRET})
    values = {"lead": SECRET}
    call = recorded(
        tools, tools.document(trace=trace), values, output=output, actions=[Action("crm.update", {"note": SECRET})]
    )
    assert SECRET not in json.dumps(call)
    assert (call["values_digest"], call["output_digest"]) == (digest(values), digest_bytes(output.encode()))
    assert [one["code"] for one in call["findings"]] == ["schema:type"]
    assert "values" not in call
    assert "output" not in call


def test_a_provider_error_is_recorded_in_words_only_where_policy_keeps_them(tools):
    for content, words in (("full", f"TimeoutError: no answer for {SECRET}"), ("hash_only", "TimeoutError")):
        transport, client = memory_client(tools, tools.document(trace={"content": content}))
        with client:
            client.prompt(tools.PROMPT).render(lead="x").failed(TimeoutError(f"no answer for {SECRET}"), latency_ms=1.0)
        (call,) = transport.calls
        assert call["error"] == words
        assert "ok" not in call


def test_an_output_larger_than_the_server_takes_is_kept_as_hashes(tools):
    call = recorded(tools, output=json.dumps({"fit": 1, "x": "a" * 300_000}))
    assert call["ok"] is True
    assert "output" not in call
    assert call["output_digest"].startswith("sha256:")


def test_what_no_json_can_hold_does_not_break_the_app(tools):
    document = tools.document()
    made = tools.prompt_content(
        "x", variables=[{"name": "turns", "type": "messages"}], messages=[{"placeholder": "turns"}]
    )
    document["versions"][tools.PROMPT]["v1"] = {"digest": made.digest, "content": made.to_json()}
    turns = [{"role": "user", "content": "hi", "raw": object()}]
    call = recorded(tools, document, {"turns": turns}, output="\ud83d", latency_ms=1.0)
    assert call["ok"] is False
    assert call["values_digest"] is None


def test_a_value_that_the_app_changes_later_is_recorded_as_it_was(tools):
    document = tools.document()
    made = tools.prompt_content("{{facts}}", variables=[{"name": "facts", "type": "json"}])
    document["versions"][tools.PROMPT]["v1"] = {"digest": made.digest, "content": made.to_json()}
    transport, client = memory_client(tools, document)
    facts = {"n": 1}
    with client:
        client.prompt(tools.PROMPT).render(facts=facts).finish('{"fit": 1}')
        facts["n"] = 2
    assert transport.calls[0]["values"] == {"facts": {"n": 1}}


def test_calls_are_buffered_while_the_server_is_away_and_sent_in_order_later(server, open_client, tools):
    client = open_client()
    client.prompt(tools.PROMPT)
    server.stop()
    ids = [client.prompt(tools.PROMPT).render(**LEAD).finish('{"fit": 1}').id for _ in range(1200)]
    assert client.status()["calls_waiting"] == 1200
    server.start()
    tools.until(lambda: len(server.calls) == 1200)
    assert [one["id"] for one in server.calls] == ids
    assert client.dropped == 0


def test_a_full_queue_counts_what_it_drops(tools, caplog):
    transport, client = memory_client(tools, queue_size=10)
    with client:
        client.prompt(tools.PROMPT)
        transport.down = True
        for _ in range(25):
            client.prompt(tools.PROMPT).render(**LEAD).finish('{"fit": 1}')
        assert (client.dropped, client.status()["calls_waiting"], client.status()["calls_dropped"]) == (15, 10, 15)
        transport.down = False
    assert len(transport.calls) == 10
    assert [one.levelname for one in caplog.records if "queue" in one.message] == ["WARNING"]


def test_a_call_that_the_server_never_takes_does_not_hold_up_the_others(server, open_client, tools):
    client = open_client()
    client.prompt(tools.PROMPT)
    server.status = 503
    for number in range(20):
        client._keep(json.dumps({"id": f"out_{number}", "prompt": "poison" if number in (3, 11) else "fine"}))
    server.status = None
    tools.until(lambda: client.status()["calls_waiting"] == 0)
    assert [one["id"] for one in server.calls] == [f"out_{number}" for number in range(20) if number not in (3, 11)]
    assert client.dropped == 2


def test_the_queue_is_bounded_in_bytes_too():
    log = CallLog(MemoryTransport(), lambda: 0.5)
    for _ in range(20):
        log.add("x" * 8_000_000)
    assert (log.waiting, log.dropped) == (8, 12)


def test_many_threads_lose_no_call(tools):
    transport, client = memory_client(tools)

    def work():
        for _ in range(100):
            client.prompt(tools.PROMPT, key="k").render(**LEAD).finish('{"fit": 1}')

    with client:
        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len({call["id"] for call in transport.calls}) == 800


def test_output_ids_sort_by_time_and_are_never_the_same():
    ids = [output_id(1_700_000_000 + at / 1000, os.urandom(10)) for at in range(500)]
    assert ids == sorted(ids)
    assert len({*ids, *(output_id(1.0, os.urandom(10)) for _ in range(500))}) == 1000
    assert all(len(one) == 30 and one.startswith("out_") for one in ids)


def test_the_first_output_has_the_id_of_the_call_and_a_retry_its_own(tools):
    transport, client = memory_client(tools)
    with client:
        call = client.prompt(tools.PROMPT).render(**LEAD)
        first, second = call.finish("no"), call.finish('{"fit": 1}')
    assert first.id == call.id != second.id
    assert [(one["id"], one["attempts"]) for one in transport.calls] == [(first.id, 1), (second.id, 2)]
    assert second.step is None


def test_limits_count_over_the_attempts_of_a_task(tools):
    _, client = memory_client(tools)
    with client:
        call = client.prompt(tools.PROMPT).render(**LEAD)
        twice = [Action("crm.update"), Action("crm.update")]
        assert [one.allowed for one in call.finish('{"fit": 1}', actions=twice).decisions] == [True, False]
        assert not call.finish('{"fit": 1}', actions=twice[:1]).allowed("crm.update")
        fresh = client.prompt(tools.PROMPT).render(**LEAD)
        assert not fresh.finish('{"fit": 1}', actions=[Action("crm.update", done=1)]).allowed("crm.update")


def test_a_tool_call_is_held_to_the_tools_of_the_prompt(tools):
    _, client = memory_client(tools)
    with client:
        call = client.prompt(tools.PROMPT).render(**LEAD)
        result = call.finish('{"fit": 1}', tool_calls=[Action("crm.update"), Action("email.draft")])
    assert (result.allowed("crm.update"), result.allowed("email.draft")) == (True, False)


def test_context_rules_are_dated_and_the_date_is_recorded(tools):
    document = tools.document()
    rule = {"id": "few", "rule": "max_items", "variable": "facts", "n": 1}
    made = tools.prompt_content("{{facts}}", variables=[{"name": "facts", "type": "json"}], context=[rule])
    document["versions"][tools.PROMPT]["v1"] = {"digest": made.digest, "content": made.to_json()}
    call = recorded(tools, document, {"facts": [1, 2]})
    assert call["today"] == call["at"][:10]
    assert call["values"] == {"facts": [1]}


def test_rendering_and_finishing_touch_neither_network_nor_disk(tools):
    class Stuck(MemoryTransport):
        def record(self, calls):
            time.sleep(5)
            super().record(calls)

    with Client(transport=Stuck(tools.document()), cache_dir="", refresh_seconds=0.05) as client:
        client.prompt(tools.PROMPT)
        begun = time.perf_counter()
        for _ in range(100):
            client.prompt(tools.PROMPT).render(**LEAD).finish('{"fit": 1}')
        assert time.perf_counter() - begun < 1.0
        client.close(0.1)


def run(code, tools, server):
    head = "import os, time\nfrom cuelight import Client\n"
    head += f"client = Client({server.url!r}, {tools.KEY!r}, cache_dir='', refresh_seconds=0.05)\n"
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", head + textwrap.dedent(code)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    ).stdout


def test_a_process_that_ends_without_close_sends_its_last_calls(server, tools):
    run(f"client.prompt({tools.PROMPT!r}).render(lead='x').finish('{{\"fit\": 1}}')", tools, server)
    assert len(server.calls) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_goes_on_with_threads_of_its_own(server, tools):
    code = f"""
        prompt = client.prompt({tools.PROMPT!r})
        child = os.fork()
        call = client.prompt({tools.PROMPT!r}).render(lead=str(child))
        call.finish('{{"fit": 1}}')
        client.close()
        print(client.status()["client"], client.status()["calls_waiting"], flush=True)
        if child:
            os.waitpid(child, 0)
        else:
            os._exit(0)
    """
    names = {line.split()[0] for line in run(code, tools, server).splitlines()}
    assert len(names) == 2
    assert len({call["id"] for call in server.calls}) == len(server.calls) == 2


def test_importing_the_client_loads_neither_http_nor_the_schema_engine():
    code = "import cuelight, sys; print([name for name in ('httpx2', 'jsonschema_rs', 'ssl', 'asyncio') if name in sys.modules])"
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
