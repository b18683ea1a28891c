"""A program as a provider: what it is given, what it may not have, and how it is ended."""

import json
import sys
import time
from pathlib import Path

import pytest

from cuelight_server.kernel.errors import Unavailable
from cuelight_server.providers import BadSetting, Command, CompletionRequest

ASK = CompletionRequest(
    content_digest="d",
    case="C1",
    sample=2,
    messages=({"role": "user", "content": "hällo"},),
    settings={"model": "m-1"},
)


def program(code, **how):
    return Command([sys.executable, "-I", "-c", code], **how)


def test_it_gets_the_request_as_json_and_answers_in_json():
    code = """
import json, sys
asked = json.load(sys.stdin)
said = f"{asked['case']}/{asked['sample']} {asked['messages'][0]['content']}"
print(json.dumps({"output": said, "input_tokens": 5, "tool_calls": [{"name": "t"}], "model": "m-2"}))
"""
    read = program(code).complete(ASK)
    assert (read.text, read.input_tokens, read.output_tokens, read.model) == ("C1/2 hällo", 5, None, "m-2")
    assert read.tool_calls == ({"name": "t"},)
    assert read.latency_ms > 0


def test_plain_text_is_the_output_and_tokens_are_unknown():
    read = program("print('hello')").complete(ASK)
    assert (read.text, read.input_tokens, read.model) == ("hello", None, "m-1")


def test_it_sees_none_of_our_environment_and_none_of_our_folder(monkeypatch):
    monkeypatch.setenv("CUELIGHT_OPENAI_KEY", "sk-secret")
    code = "import json, os; print(json.dumps({'output': json.dumps([dict(os.environ), os.getcwd()])}))"
    environment, folder = json.loads(program(code).complete(ASK).text)
    assert set(environment) <= {"PATH", "HOME", "LANG", "LC_CTYPE"}
    assert folder != str(Path.cwd())


def test_words_are_words_and_no_shell_reads_them(tmp_path):
    there = tmp_path / "made"
    assert Command(["/bin/echo", f"; touch {there}"]).complete(ASK).text == f"; touch {there}"
    assert not there.exists()


def test_one_that_hangs_is_ended_with_its_children():
    code = "import subprocess, sys; subprocess.Popen(['sleep', '60']); sys.stdout.flush(); import time; time.sleep(60)"
    begun = time.monotonic()
    with pytest.raises(Unavailable, match=r"did not answer in time \(0.5 s\)"):
        program(code, timeout_s=0.5).complete(ASK)
    assert time.monotonic() - begun < 5


def test_one_that_says_too_much_is_ended():
    with pytest.raises(Unavailable, match="said more than 8192 kB"):
        program("while True: print('x' * 100000)").complete(ASK)


def test_one_that_fails_is_quoted_in_its_last_words():
    with pytest.raises(Unavailable, match="ended with 3: no credit"):
        program("import sys; print('no credit', file=sys.stderr); sys.exit(3)").complete(ASK)


def test_one_that_is_not_there_ends_the_run():
    with pytest.raises(BadSetting, match="does not start"):
        Command(["/no/such/program"]).complete(ASK)
