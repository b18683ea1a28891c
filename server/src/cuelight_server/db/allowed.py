"""The operational writes: what may be written without an audit line, table by table and column by column."""

from types import MappingProxyType

INSERT, UPDATE, DELETE = "insert", "update", "delete"

# (what, table) -> the columns it may touch; None = all of them.
ALLOWED: MappingProxyType[tuple[str, str], frozenset[str] | None] = MappingProxyType(
    {
        (UPDATE, "token"): frozenset({"last_used_at"}),
        (DELETE, "idempotency_key"): None,  # an answer that nobody asks for again
        (INSERT, "session"): None,  # who is signed in with a browser
        (UPDATE, "session"): frozenset({"last_seen_at"}),
        (DELETE, "session"): None,  # signed out, or run out
        (INSERT, "sign_in_tries"): None,
        (UPDATE, "sign_in_tries"): None,
        (DELETE, "sign_in_tries"): None,  # a success forgives
        (INSERT, "sign_in_flow"): None,  # on the way to an OpenID provider and back
        (DELETE, "sign_in_flow"): None,  # used, or run out
        (INSERT, "workload_token"): None,  # a pipeline's token that was used
        (DELETE, "workload_token"): None,  # one that ran out
        (INSERT, "client_seen"): None,
        (UPDATE, "client_seen"): None,
        (DELETE, "client_seen"): None,  # a lease that ran out
        (UPDATE, "evaluation"): frozenset(  # progress and the lease; its outcome goes through the door
            {"state", "done", "total", "attempts", "worker", "heartbeat_at", "spend"}
        ),
        (INSERT, "evaluation_result"): None,
        (UPDATE, "evaluation_result"): None,  # a resumed run writes a case again; a trigger ends that at the finish
        (INSERT, "review_answer"): None,  # on the way; what counts is what is signed
        (UPDATE, "review_answer"): frozenset({"better", "live", "note", "answered_at"}),
        (INSERT, "answer_cache"): None,  # what a model was paid for once
        (UPDATE, "answer_cache"): None,
        (DELETE, "answer_cache"): None,  # too old, or too many
        (
            INSERT,
            "checkpoint",
        ): None,  # signed, and held against the log by verify; a line about each would need the next
        (INSERT, "checkpoint_sink"): None,
        (UPDATE, "checkpoint_sink"): None,
        (INSERT, "call"): None,
        (UPDATE, "call"): None,
    }
)
