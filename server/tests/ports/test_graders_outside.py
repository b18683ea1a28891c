"""Whoever answers a grader from outside, over real sockets and in real processes: good days, bad days and nonsense."""

import json
import socket
import sys
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from cuelight_server.control.judging import Asked
from cuelight_server.evaluation.graders import grade, prepare, read
from cuelight_server.evaluation.graders.outside import Outside
from cuelight_server.kernel.errors import Invalid, NotFound
from cuelight_server.kernel.signed import signature
from cuelight_server.providers import openai
from cuelight_server.providers.embeddings import Embeddings, packaged
from cuelight_server.providers.remote import Remote
from cuelight_server.sandboxes.command import Commands, commands
from cuelight_server.sandboxes.limits import Limits
from cuelight_server.sandboxes.webhook import Webhooks, check_peer, origins

SECRET = "shared-with-the-webhook"
AT = datetime(2026, 1, 5, 9, tzinfo=UTC)
GOOD = b'{"pass": true, "score": 0.9, "reason": "fine"}'


@contextmanager
def answering(say):
    """A server that hands each connection, its request read, to `say`; yields (url, requests)."""
    door, asked = socket.create_server(("127.0.0.1", 0)), []

    def serve():
        while True:
            try:
                line, _ = door.accept()
            except OSError:
                return
            threading.Thread(target=one, args=(line,), daemon=True).start()

    def one(line):
        with line:
            try:
                asked.append(request(line))
                say(line)
            except OSError:
                pass

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{door.getsockname()[1]}", asked
    finally:
        door.close()


def request(line):
    got = b""
    while b"\r\n\r\n" not in got:
        got += line.recv(65536)
    head, _, body = got.partition(b"\r\n\r\n")
    headers = dict(row.split(": ", 1) for row in head.decode().split("\r\n")[1:])
    headers = {name.lower(): value for name, value in headers.items()}
    while len(body) < int(headers.get("content-length", 0)):
        body += line.recv(65536)
    return headers, body


def saying(body, status=200, more=""):
    head = f"HTTP/1.1 {status} x\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{more}\r\n"
    return lambda line: line.sendall(head.encode() + body)


def drip(line):
    line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(10):
        line.sendall(b" ")
        time.sleep(0.1)


def flood(line):
    line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 52428800\r\n\r\n")
    for _ in range(800):
        line.sendall(b"x" * 65536)


def half(line):
    line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")


def hang(_line):
    time.sleep(1)


def hooked(url, **how):
    return Webhooks(origins(url), SECRET, lambda: AT, most_s=0.3, **how)


def word(url, rule=None, webhook=None):
    made = {"type": "webhook", "severity": "major", "value": f"{url}/grade", **(rule or {})}
    grader = prepare(made, None, Outside(webhook=webhook or hooked(url)))
    (one,) = grade((grader,), read("an output", input={"name": "Ada"}))
    return one


def test_a_webhook_gets_a_signed_post_and_its_word_counts():
    with answering(saying(GOOD)) as (url, asked):
        one = word(url, {"config": {"least": 3}})
    assert (one.passed, one.score, one.not_run) == (True, 0.9, "")
    headers, body = asked[0]
    assert headers["cuelight-signature"] == signature(SECRET, headers["cuelight-timestamp"], body)
    assert headers["cuelight-timestamp"] == str(int(AT.timestamp()))
    sent = json.loads(body)
    assert (sent["output"], sent["context"], sent["config"]) == ("an output", {"vars": {"name": "Ada"}}, {"least": 3})


@pytest.mark.parametrize(
    ("say", "why"),
    [
        (saying(b'{"pass": true, "score": NaN}'), "a score that is no number"),
        (saying(b'{"pass": true, "score": -Infinity}'), "a score that is no number"),
        (saying(b'{"pass": true, "score": 1e999}'), "a score that is no number"),
        (saying(b'{"pass": true, "score": "1"}'), "a score that is no number"),
        (saying(b'{"pass": true, "score": 85}'), "which is not from 0 to 1"),
        (saying(b'{"score": 1}'), "did not say pass"),
        (saying(b'{"pass": 1}'), "did not say pass"),
        (saying(b'{"error": "down"}'), "did not say pass"),
        (saying(b"[" * 100_000), "no JSON"),
        (saying(b"<html>"), "no JSON"),
        (saying(b""), "no JSON"),
        (saying(GOOD, 500), "answered 500"),
        (saying(b"", 302, "Location: http://169.254.169.254/\r\n"), "answered 302"),
        (drip, "does not answer"),
        (hang, "does not answer"),
        (half, "does not answer"),
        (flood, "more than 256 kB"),
        (lambda line: line.close(), "does not answer"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_a_webhook_that_gives_no_clear_word_has_not_run(say, why):
    with answering(say) as (url, _):
        began = time.monotonic()
        one = word(url)
        assert time.monotonic() - began < 2.5
    assert (one.passed, why in one.not_run) == (False, True), one.not_run
    with answering(say) as (url, _):
        turned = word(url, {"type": "not-webhook"})
    assert (turned.passed, bool(turned.not_run)) == (False, True)


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest",
        "http://127.0.0.1:1/",
        "https://graders.example.org.evil.test/",
        "https://graders.example.org@evil.test/",
        "https://graders.example.org:8443/",
        "http://graders.example.org/",
        "file:///etc/passwd",
        "https://[broken",
        "",
    ],
)
def test_nothing_is_posted_to_an_address_that_nobody_allowed(url):
    hook = Webhooks(origins("https://graders.example.org"), SECRET, lambda: AT)
    with pytest.raises(Invalid, match="posts nothing to"):
        hook(url, {})
    assert SECRET not in repr(hook)


@pytest.mark.parametrize("peer", ["169.254.169.254", "fe80::1%eth0", "0.0.0.0", "224.0.0.1"])
def test_a_name_that_leads_to_the_machines_own_addresses_is_not_asked(peer):
    with pytest.raises(Invalid, match="belongs to the machine"):
        check_peer(peer)


@pytest.mark.parametrize("text", ["graders.example.org", "http://graders.example.org", "https://a/b", "https://u:p@a"])
def test_an_origin_is_https_and_nothing_more(text):
    with pytest.raises(Invalid, match="CUELIGHT_GRADER_WEBHOOKS"):
        origins(text)


def program(code):
    return Commands({"check": (sys.executable, "-I", "-c", code)}, Limits(seconds=2.0, output=65536))


def spoken(code):
    made = {"type": "command", "severity": "major", "value": "check"}
    (one,) = grade((prepare(made, None, Outside(command=program(code))),), read("an output", input={"n": 1}))
    return one


def test_a_command_reads_a_document_and_its_word_counts():
    one = spoken("import json,sys; d=json.load(sys.stdin); print(json.dumps({'pass': d['output']=='an output'}))")
    assert (one.passed, one.score) == (True, 1.0)


def test_a_command_has_an_empty_environment_and_an_empty_folder():
    code = "import json,os; print(json.dumps({'pass': False, 'reason': repr((sorted(os.environ), os.listdir('.')))}))"
    assert "([" in spoken(code).message
    assert "PATH" not in spoken(code).message
    assert "CUELIGHT" not in spoken(code).message
    assert spoken(code).message.endswith(", [])")


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("import time; time.sleep(30)", "took longer than 2 s"),
        ("print('x' * 1000000)", "printed more than 65536 bytes"),
        ("bytearray(3 * 1024**3)", "failed (exit 1): "),
        ("raise SystemExit('no dictionary')", "failed (exit 1): no dictionary"),
        ("import os; os.kill(os.getpid(), 9)", "failed (signal 9)"),
        ("print('nan')", "printed no JSON"),
        ('print(\'{"pass": true, "score": NaN}\')', "a score that is no number"),
        ("print('[]')", "did not say pass"),
        ("", "printed no JSON"),
    ],
)
def test_a_command_that_gives_no_clear_word_has_not_run(code, why):
    one = spoken(code)
    assert (one.passed, why in one.not_run) == (False, True), one.not_run


def test_what_a_command_started_ends_with_it(tmp_path):
    left = tmp_path / "left"
    child = f"import time,pathlib; time.sleep(1); pathlib.Path({str(left)!r}).write_text('x')"
    code = f"import subprocess,sys; subprocess.Popen([sys.executable,'-c',{child!r}]); print('{{\"pass\": true}}')"
    assert spoken(code).passed
    time.sleep(1.3)
    assert not left.exists()


def test_a_suite_names_a_command_and_never_says_what_is_run():
    with pytest.raises(NotFound, match="allows no command '/bin/sh'"):
        program("")("/bin/sh", {})


@pytest.mark.parametrize("text", ["x", "[]", '{"a": "b"}', '{"a": []}', '{"a": ["relative"]}', '{"a": ["/x", 3]}'])
def test_allowed_commands_are_whole_paths_with_words(text):
    with pytest.raises(Invalid, match="CUELIGHT_GRADER_COMMANDS"):
        commands(text)


def vectors(*rows):
    return saying(json.dumps({"data": [{"index": at, "embedding": row} for at, row in enumerate(rows)]}).encode())


def similar(embed, **rule):
    made = {"type": "similar", "severity": "major", "value": "a wish", **rule}
    (one,) = grade((prepare(made, None, Outside(embed=embed)),), read("an output", input={}))
    return one


def test_vectors_of_an_endpoint_say_how_near_two_texts_are():
    with answering(vectors([1.0, 0.0], [0.8, 0.6])) as (url, asked):
        embed = Embeddings(url, "sk-secret", "m-embed")
        assert (similar(embed).passed, round(similar(embed).score, 2)) == (True, 0.8)
        assert similar(embed, threshold=0.81).message == "similarity 0.80, wanted at least 0.81"
        assert not similar(embed, type="not-similar").passed
        assert round(similar(embed, type="similar:euclidean").score, 2) == 0.61
    headers, body = asked[0]
    assert (headers["authorization"], json.loads(body)["input"]) == ("Bearer sk-secret", ["an output", "a wish"])
    assert "sk-secret" not in repr(embed)


@pytest.mark.parametrize(
    "say",
    [
        vectors([1.0, 0.0]),
        vectors([1.0, 0.0], [float("nan"), 1.0]),
        vectors([1.0, 0.0], [0.0, 0.0]),
        vectors([1.0, 0.0], [1.0]),
        vectors([1.0, 0.0], []),
        vectors([1.0, 0.0], ["x", 1]),
        saying(b'{"data": [{"index": 9, "embedding": [1]}, {"index": 8, "embedding": [1]}]}'),
        saying(b'{"error": {"message": "no"}}'),
        saying(b"what", 200),
        saying(b"", 429),
        half,
        flood,
        lambda line: line.close(),
    ],
)
def test_strange_vectors_are_no_word(say):
    with answering(say) as (url, _):
        for kind in ("similar", "not-similar"):
            one = similar(Embeddings(url, None, "m", timeout_s=0.3), type=kind)
            assert (one.passed, bool(one.not_run)) == (False, True)


def test_without_any_embedding_similar_has_not_run():
    assert "CUELIGHT_EMBEDDING_MODEL" in similar(None).not_run


@pytest.mark.skipif(packaged() is None, reason="the extra `similar` has no wheel for this machine")
def test_the_packaged_model_knows_what_means_the_same():
    embed = packaged()
    texts = [
        "The cat sat on the mat.",
        "A cat is sitting on a rug.",
        "Quarterly revenue fell by ten percent.",
        "Der Umsatz sank um zehn Prozent.",
    ]
    cat, rug, revenue, umsatz = embed(texts)
    near = [sum(a * b for a, b in zip(one, other, strict=True)) for one, other in ((cat, rug), (revenue, umsatz))]
    far = sum(a * b for a, b in zip(cat, revenue, strict=True))
    assert min(near) > 0.45
    assert far < 0.2
    assert embed(texts[:1]) == [cat]


CHAT = {"model": "m-judge", "choices": [{"message": {"content": '{"reason": "r", "pass": true, "score": 1}'}}]}


def asked_over_the_wire(url):
    judge = {"provider": "openai", "model": "m-judge"}
    rule = {"type": "llm-rubric", "severity": "major", "value": "kind?", "judge": judge}
    provider = Remote(openai.FAMILY, url, None, timeout_s=0.3, sleep=lambda _: None)
    (one,) = grade((prepare(rule, None, Outside(judge=Asked({"openai": provider}, None))),), read("x", input={}))
    provider.close()
    return one


def test_a_judge_over_the_wire_says_its_word():
    with answering(saying(json.dumps(CHAT).encode())) as (url, asked):
        assert asked_over_the_wire(url).passed
    assert json.loads(asked[0][1])["temperature"] == 0


@pytest.mark.parametrize(
    ("say", "why"),
    [
        (hang, "could not be asked"),
        (half, "could not be asked"),
        (lambda line: line.close(), "could not be asked"),
        (saying(b"", 401), "could not be asked"),
        (saying(b"", 503), "could not be asked"),
        (saying(b'{"error": {"message": "overloaded"}}'), "could not be asked"),
        (saying(b"<html>"), "could not be asked"),
        (saying(json.dumps(CHAT).replace("true", "NaN").encode()), "nonsense"),
        (saying(json.dumps(CHAT).replace("1}", "1e999}").encode()), "nonsense"),
        (saying(json.dumps({**CHAT, "model": "m-other"}).encode()), "answered by m-other"),
        (saying(json.dumps({**CHAT, "choices": [{"message": {"content": None}}]}).encode()), "nonsense"),
    ],
)
def test_a_judge_that_fails_over_the_wire_has_not_run(say, why):
    with answering(say) as (url, _):
        one = asked_over_the_wire(url)
    assert (one.passed, why in one.not_run) == (False, True), one.not_run
