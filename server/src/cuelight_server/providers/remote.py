"""A model at an address: one blocking call, at the provider's pace, retried with patience, and every trouble named."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from cuelight_server.kernel.errors import CuelightError, Invalid, Unavailable
from cuelight_server.outbound import Answer, Calls, Trouble
from cuelight_server.providers.pacing import Pace, Rates
from cuelight_server.providers.port import BadKey, BadSetting, Completion, CompletionRequest, Json

ATTEMPTS = 4
FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 20.0
TIMEOUT_S = 120.0
_RETRIED = frozenset({408, 409, 429, 500, 502, 503, 504, 529})
_PAUSES = frozenset({429, 503, 529})  # with Retry-After: a word to everybody, not to one request
_NO_SUCH_MODEL = frozenset({"model_not_found", "invalid_model", "not_found_error"})
_CHARS_A_TOKEN = 4

Jitter = Callable[[str, int], float]  # (what is asked, attempt) -> a share from 0 to 1


def spread(asked: str, attempt: int) -> float:
    """A share from 0 to 1 that differs from request to request and is the same each time: no dice needed."""
    return int.from_bytes(sha256(f"{asked}#{attempt}".encode()).digest()[:4]) / 2**32


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """How one kind of endpoint is spoken to. `version` changes whenever the same request becomes other words.

    `encode` is given the base URL, too; `decode` raises Unavailable for what is no answer of this family.
    """

    name: str
    version: int
    path: str
    headers: Callable[[str | None], Mapping[str, str]]
    encode: Callable[[CompletionRequest, str], Json]
    decode: Callable[[Json, CompletionRequest], Completion]


class Remote:
    """A provider that speaks to one endpoint. The key is in no error, no repr and no log."""

    recorded = False

    def __init__(
        self,
        family: Family,
        base_url: str,
        key: str | None,
        *,
        timeout_s: float = TIMEOUT_S,
        jitter: Jitter = spread,
        sleep: Callable[[float], None] = time.sleep,
        pace: Pace | None = None,
        calls: Calls | None = None,
    ) -> None:
        """Make it; `timeout_s` is how long one answer may take in all."""
        self._pace = pace or Pace(Rates())
        self.name, self.concurrency = family.name, self._pace.at_once
        self.adapter = f"{family.name}/{family.version} at {base_url.rstrip('/')}"
        self._family, self._base_url, self._key = family, base_url.rstrip("/"), key
        self._timeout_s, self._jitter, self._sleep = timeout_s, jitter, sleep
        self._calls = calls or Calls()

    def __repr__(self) -> str:
        return f"Remote({self.name!r}, {self._base_url!r})"

    def close(self) -> None:
        """Close every connection."""
        self._calls.close()

    def complete(self, request: CompletionRequest) -> Completion:
        """One answer. Invalid where the endpoint refuses the request, Unavailable after four tries or a bad answer."""
        body = json.dumps(self._family.encode(request, self._base_url), ensure_ascii=False).encode(errors="replace")
        guess = len(body) // _CHARS_A_TOKEN + int(request.settings.get("max_output_tokens", 0))
        with self._pace.turn():
            answer, document, tries = self._answered(request, body, guess)
        made = self._family.decode(document, request)
        used = (made.input_tokens or 0) + (made.output_tokens or 0)
        self._pace.settle(guess, used or guess)
        host = urlsplit(self._base_url).hostname
        return replace(made, latency_ms=answer.ms, tries=tries, provenance=f"{self.name} endpoint {host}")

    def _answered(self, request: CompletionRequest, body: bytes, guess: int) -> tuple[Answer, Json, int]:
        asked, trouble = f"{request.content_digest}/{request.case}/{request.sample}", ""
        attempt = 0
        while True:
            attempt += 1
            self._pace.wait(guess)
            told = 0.0
            try:
                answer = self._post(request, body)
            except Trouble as bad:
                trouble = bad.message
            else:
                status, document = self._read(answer)
                if status == 0:
                    return answer, document, attempt
                trouble, told = f"status {status}", _retry_after_s(answer)
                if status in _PAUSES and told:
                    self._pace.pause(told)
            if attempt >= ATTEMPTS or not request.again():
                times = f"{attempt} times; the last time" if attempt > 1 else "once"
                words = f"the model's endpoint failed {times}: {trouble}"
                raise Unavailable(words, "try again later", attempts=attempt)
            self._sleep(max(told, _wait_s(attempt, self._jitter(asked, attempt))))

    def _post(self, request: CompletionRequest, body: bytes) -> Answer:
        most_s = self._timeout_s if request.most_s is None else max(0.05, min(self._timeout_s, request.most_s))
        return self._calls.post(f"{self._base_url}{self._family.path}", body, self._family.headers(self._key), most_s)

    def _read(self, answer: Answer) -> tuple[int, Json]:
        """(0, the document) of an answer, or (a status that is tried again, nothing); an error for anything else."""
        if answer.good:
            document = _document(answer)
            trouble = document.get("error")
            if not trouble:
                return 0, document
            status = trouble.get("code") if isinstance(trouble, dict) else None
            if status in _RETRIED:
                return int(status), {}
            raise Unavailable(
                f"the model's endpoint answered {answer.status} with an error: {self._said(trouble)}",
                "look at what the provider says of it",
            )
        if answer.status in _RETRIED:
            return answer.status, {}
        raise self._refused(answer)

    def _refused(self, answer: Answer) -> CuelightError:
        try:
            told = json.loads(answer.body)["error"]
        except (ValueError, LookupError, TypeError, RecursionError):
            told = answer.body.decode(errors="replace")
        said = self._said(told)
        if answer.status in (401, 403):
            hint = f"cuelight providers set {self.name}; or CUELIGHT_OPENAI_KEY, for the server's own"
            return BadKey(f"the model's endpoint refused the key ({answer.status})", hint)
        words = f"the model's endpoint refused the request ({answer.status}): {said}"
        codes = {str(told.get("code")), str(told.get("type"))} if isinstance(told, dict) else set()
        if answer.status < 400 or answer.status == 404 or codes & _NO_SUCH_MODEL:
            return BadSetting(words, "look at the model's name in the settings, and at the provider's address")
        return Invalid(words, "compare the prompt's settings with what the model takes")

    def _said(self, told: Any) -> str:
        said = str(told.get("message", told) if isinstance(told, dict) else told)
        return (said.replace(self._key, "***") if self._key else said)[:300]


def _document(answer: Answer) -> Json:
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError):
        found = None
    if isinstance(found, dict):
        return found
    raise no_answer("chat completion")


def no_answer(what: str) -> Unavailable:
    """The error for an answer that is not what was asked for."""
    return Unavailable(f"the model's endpoint answered with something that is no {what}", "check the base URL")


def count(value: Any) -> int | None:
    """A number of tokens, or None for what is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _wait_s(attempt: int, share: float) -> float:
    """Full jitter: anything up to a limit that doubles each time."""
    return float(min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** (attempt - 1)) * share)


def _retry_after_s(answer: Answer) -> float:
    text = answer.headers.get("retry-after", "")
    return min(LONGEST_WAIT_S, float(text)) if text.isascii() and text.replace(".", "", 1).isdigit() else 0.0
