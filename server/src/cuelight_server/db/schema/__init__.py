"""Every table of the desk, a file a noun: what is governed is never updated or deleted unless said so."""

from cuelight_server.db.schema.audit import (
    audit_event,
    audit_head,
    checkpoint,
    checkpoint_sink,
    personal,
    signing_key,
)
from cuelight_server.db.schema.columns import calls, registry
from cuelight_server.db.schema.evaluation import answer_cache, evaluation, evaluation_result
from cuelight_server.db.schema.governance import consent, membership, proposal
from cuelight_server.db.schema.identity import identity, sign_in_flow, trust, workload_token
from cuelight_server.db.schema.people import (
    actor,
    desk,
    email,
    idempotency_key,
    invitation,
    password,
    session,
    sign_in_tries,
    token,
)
from cuelight_server.db.schema.prompts import (
    contribution,
    draft,
    knowledge,
    prices,
    prompt,
    recording,
    retired_model,
    suite,
    version,
    workflow,
    workflow_revision,
)
from cuelight_server.db.schema.releases import approval, release
from cuelight_server.db.schema.reviews import review, review_answer, review_signature
from cuelight_server.db.schema.routing import client_seen, deployment, environment, snapshot
from cuelight_server.db.schema.telemetry import call
from cuelight_server.db.schema.tries import tried
from cuelight_server.db.schema.vault import provider_connection

__all__ = [
    "IMMUTABLE",
    "actor",
    "answer_cache",
    "approval",
    "audit_event",
    "audit_head",
    "call",
    "calls",
    "checkpoint",
    "checkpoint_sink",
    "client_seen",
    "consent",
    "contribution",
    "deployment",
    "desk",
    "draft",
    "email",
    "environment",
    "evaluation",
    "evaluation_result",
    "idempotency_key",
    "identity",
    "invitation",
    "knowledge",
    "membership",
    "password",
    "personal",
    "prices",
    "prompt",
    "proposal",
    "provider_connection",
    "recording",
    "registry",
    "release",
    "retired_model",
    "review",
    "review_answer",
    "review_signature",
    "session",
    "sign_in_flow",
    "sign_in_tries",
    "signing_key",
    "snapshot",
    "suite",
    "token",
    "tried",
    "trust",
    "version",
    "workflow",
    "workflow_revision",
    "workload_token",
]

# Rows of these tables are written once: triggers refuse UPDATE and DELETE whoever asks.
IMMUTABLE = (
    workflow_revision,
    version,
    contribution,
    suite,
    knowledge,
    prices,
    snapshot,
    approval,
    consent,
    review,
    review_signature,
    tried,
    audit_event,
    audit_head,
    signing_key,
    checkpoint,
)
