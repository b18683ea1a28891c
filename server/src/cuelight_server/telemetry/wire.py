"""The calls as apps send them: their shape and limits, checked before anything is kept."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from cuelight.contract.canonical import canonical
from cuelight_server.kernel.clock import parse, rfc3339
from cuelight_server.kernel.errors import Invalid
from cuelight_server.telemetry.model import Call

MOST_CALLS, MOST_BYTES = 500, 256 * 1024
HINT = (
    f"send at most {MOST_CALLS} calls of at most {MOST_BYTES // 1024} KB each, in the shape of POST /runtime/v1/calls"
)

_Short = Annotated[str, Meta(min_length=1, max_length=80)]
_Name = Annotated[str, Meta(min_length=1, max_length=161)]
_Digest = Annotated[str, Meta(pattern=r"^sha256:[0-9a-f]{64}$")]
_Text = Annotated[str, Meta(max_length=200_000)]
_Count = Annotated[int, Meta(ge=0, le=2**53 - 1)]


class Finding(Struct, frozen=True, forbid_unknown_fields=True):
    """One way in which the output broke its contract."""

    code: _Short
    message: Annotated[str, Meta(max_length=2000)]
    path: Annotated[str, Meta(max_length=500)] = ""


class Decision(Struct, frozen=True, forbid_unknown_fields=True):
    """One authority check of an attempted action."""

    action: Annotated[str, Meta(max_length=160)]
    mode: _Short
    allowed: bool
    reason: Annotated[str, Meta(max_length=2000)] = ""
    approver: Annotated[str, Meta(max_length=200)] = ""


class Usage(Struct, frozen=True, forbid_unknown_fields=True):
    """Tokens of the call, as the model reported them."""

    input_tokens: _Count | None = None
    output_tokens: _Count | None = None


class UsedItem(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One piece of a value: its digest, and the ref of the item that it is, or that it claims to be."""

    known: bool
    digest: _Digest | None = None
    ref: Annotated[str, Meta(max_length=200)] | None = None


class KnowledgeUsed(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where the value of one variable came from; without `release` the app knew no release of it."""

    variable: _Short
    name: _Short
    number: _Count | None = None
    release: _Digest | None = None
    items: Annotated[list[UsedItem], Meta(max_length=200)] = []
    left_out: _Count = 0


class SentCall(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One call on the wire; `id` is the id of its output, `at` RFC 3339 with a zone."""

    id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.-]{1,32}$")]
    at: Annotated[str, Meta(max_length=40)]
    prompt: _Name
    reason: Annotated[str, Meta(min_length=1, max_length=20)]
    version: Annotated[str, Meta(pattern=r"^v[1-9][0-9]{0,8}$")] | None = None
    digest: _Digest | None = None
    release: Annotated[str, Meta(max_length=32)] | None = None
    source: _Short | None = None
    tenant: Annotated[str, Meta(max_length=80)] | None = None
    snapshot_version: _Count | None = None
    age_s: float | None = None
    ok: bool | None = None
    model: Annotated[str, Meta(max_length=200)] | None = None
    response_model: Annotated[str, Meta(max_length=200)] | None = None
    settings: dict[str, Any] | None = None
    today: Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")] | None = None
    values: dict[str, Any] | None = None
    values_digest: _Digest | None = None
    rendered_digest: _Digest | None = None
    output: _Text | None = None
    output_digest: _Digest | None = None
    findings: Annotated[list[Finding], Meta(max_length=100)] = []
    decisions: Annotated[list[Decision], Meta(max_length=100)] = []
    usage: Usage | None = None
    latency_ms: float | None = None
    error: Annotated[str, Meta(max_length=2000)] | None = None
    attempts: _Count | None = None
    knowledge: Annotated[list[KnowledgeUsed], Meta(max_length=200)] = []
    task: Annotated[str, Meta(max_length=160)] | None = None
    key_digest: _Digest | None = None
    facts: dict[str, Any] | None = None


class Sent(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of POST /runtime/v1/calls."""

    calls: Annotated[list[SentCall], Meta(max_length=MOST_CALLS)]


_DECODER = msgspec.json.Decoder(Sent)


def read_calls(body: bytes, environment: str) -> list[Call]:
    """The calls in a request body, all of them in `environment`; Invalid, naming the place, when one does not fit."""
    try:
        sent = _DECODER.decode(body)
    except (msgspec.DecodeError, msgspec.ValidationError, RecursionError) as bad:
        raise Invalid(f"the calls do not fit: {bad}", HINT) from bad
    return [_call(one, environment) for one in sent.calls]


def _call(one: SentCall, environment: str) -> Call:
    try:
        document: Mapping[str, Any] = {**msgspec.to_builtins(one), "environment": environment}
        size = len(canonical(document))
    except RecursionError as bad:
        raise Invalid(f"the call {one.id} is nested too deeply", HINT) from bad
    if size > MOST_BYTES:
        raise Invalid(f"the call {one.id} is larger than {MOST_BYTES // 1024} KB", HINT)
    return Call(
        id=one.id,
        at=rfc3339(parse(one.at)),
        environment=environment,
        prompt=one.prompt,
        number=int(one.version[1:]) if one.version else None,
        digest=one.digest,
        reason=one.reason,
        ok=one.ok,
        document=document,
    )
