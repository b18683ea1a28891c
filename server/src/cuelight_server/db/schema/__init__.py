"""Every table of the desk, a file a noun: what is governed is never updated or deleted unless said so."""

from cuelight_server.db.schema.audit import audit_event, audit_head
from cuelight_server.db.schema.columns import calls, registry
from cuelight_server.db.schema.evaluation import evaluation, evaluation_result
from cuelight_server.db.schema.identity import identity, sign_in_flow, trust, workload_token
from cuelight_server.db.schema.people import actor, desk, email, invitation, password, session, sign_in_tries, token
from cuelight_server.db.schema.prompts import (
    contribution,
    draft,
    knowledge,
    prices,
    prompt,
    recording,
    suite,
    version,
    workflow,
    workflow_revision,
)
from cuelight_server.db.schema.releases import approval, release
from cuelight_server.db.schema.routing import client_seen, deployment, environment, snapshot
from cuelight_server.db.schema.telemetry import call

__all__ = [
    "IMMUTABLE",
    "actor",
    "approval",
    "audit_event",
    "audit_head",
    "call",
    "calls",
    "client_seen",
    "contribution",
    "deployment",
    "desk",
    "draft",
    "email",
    "environment",
    "evaluation",
    "evaluation_result",
    "identity",
    "invitation",
    "knowledge",
    "password",
    "prices",
    "prompt",
    "recording",
    "registry",
    "release",
    "session",
    "sign_in_flow",
    "sign_in_tries",
    "snapshot",
    "suite",
    "token",
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
    audit_event,
    audit_head,
)
