"""Every table of the desk, a file a noun: what is governed is never updated or deleted unless said so."""

from cuelight_server.db.schema.audit import audit_event, audit_head
from cuelight_server.db.schema.columns import calls, registry
from cuelight_server.db.schema.evaluation import evaluation, evaluation_result
from cuelight_server.db.schema.governance import consent, membership, proposal
from cuelight_server.db.schema.people import actor, desk, token
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
    "consent",
    "contribution",
    "deployment",
    "desk",
    "draft",
    "environment",
    "evaluation",
    "evaluation_result",
    "knowledge",
    "membership",
    "prices",
    "prompt",
    "proposal",
    "recording",
    "registry",
    "release",
    "snapshot",
    "suite",
    "token",
    "version",
    "workflow",
    "workflow_revision",
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
    audit_event,
    audit_head,
)
