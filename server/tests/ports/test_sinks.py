"""Where checkpoints go, on real files and real sockets: taken, refused, slow, gone, and never with a secret in the words."""

import hmac
import json
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from cuelight.contract.kept import read_kept
from cuelight.contract.log import Checkpoint
from cuelight_server.audit.signing import Signer
from cuelight_server.kernel.errors import Unavailable
from cuelight_server.sinks import File, Sent, Stdout, Webhook, build
from cuelight_server.sinks.webhook import SIGNATURE, TIMESTAMP, signature

NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)
SECRET = "hush-hush"
NOTE = str(Signer("cuelight.desk/1", b"s" * 32).checkpoint(Checkpoint(3, "ab" * 32)))
SENT = Sent(origin="cuelight.desk/1", size=3, root="ab" * 32, issued_at="2026-01-05T09:00:00Z", checkpoint=NOTE)


@contextmanager
def listening(*statuses):
    """A server that answers with these; it keeps (path, headers, body)."""
    asked, left = [], list(statuses)

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            asked.append((self.path, dict(self.headers), body))
            self.send_response(left.pop(0) if len(left) > 1 else left[0])
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/hook?token=url-secret", asked
    server.shutdown()
    server.server_close()


def test_a_file_only_grows_belongs_to_its_owner_and_is_what_verify_reads(tmp_path):
    sink = File(tmp_path / "checkpoints.jsonl")
    sink.deliver(SENT, NOW)
    first = (tmp_path / "checkpoints.jsonl").read_text()
    sink.deliver(SENT, NOW)
    both = (tmp_path / "checkpoints.jsonl").read_text()
    assert both == first * 2
    assert oct((tmp_path / "checkpoints.jsonl").stat().st_mode & 0o777) == "0o600"
    assert [one.checkpoint for one in read_kept(both, "x")] == [Checkpoint(3, "ab" * 32)] * 2


def test_a_file_that_cannot_be_written_says_so(tmp_path):
    with pytest.raises(Unavailable, match="cannot be written"):
        File(tmp_path / "nowhere" / "x").deliver(SENT, NOW)


def test_standard_output_gets_a_line_of_json(capsys):
    Stdout().deliver(SENT, NOW)
    assert json.loads(capsys.readouterr().out)["checkpoint"] == NOTE


def test_a_webhook_is_posted_with_a_signature_that_the_other_end_can_recompute():
    with listening(204) as (url, asked):
        Webhook(url, SECRET).deliver(SENT, NOW)
    (_, headers, body) = asked[0]
    stamp = headers[TIMESTAMP]
    assert stamp == str(int(NOW.timestamp()))
    assert hmac.compare_digest(headers[SIGNATURE], signature(SECRET, stamp, body))
    assert headers[SIGNATURE] != signature("other", stamp, body)
    assert json.loads(body)["size"] == 3


@pytest.mark.parametrize("status", [301, 302, 400, 401, 500, 503])
def test_a_webhook_that_does_not_take_it_is_a_failure_and_a_redirect_is_not_followed(status):
    with listening(status) as (url, asked), pytest.raises(Unavailable, match=str(status)) as refused:
        Webhook(url, SECRET).deliver(SENT, NOW)
    assert len(asked) == 1
    said = refused.value.message + refused.value.hint
    assert "url-secret" not in said
    assert SECRET not in said


def test_a_webhook_where_nobody_answers_is_a_failure_without_its_address():
    with listening(204) as (url, _):
        pass
    with pytest.raises(Unavailable, match="does not answer") as refused:
        Webhook(url, SECRET).deliver(SENT, NOW)
    assert "url-secret" not in refused.value.message


def test_only_what_was_asked_for_is_built(tmp_path):
    assert build(file=None, stdout=False, webhook=None, secret=None) == {}
    made = build(file=tmp_path / "x", stdout=True, webhook="http://127.0.0.1:1/", secret="s")
    assert list(made) == ["file", "stdout", "webhook"]
