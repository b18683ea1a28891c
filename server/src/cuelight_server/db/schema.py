"""Every table of the desk in one place: what is governed is never updated or deleted unless said so."""

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

registry = MetaData()
calls = MetaData()

# Times are RFC 3339 text in UTC with microseconds; documents are canonical JSON text.
TIME = String(32)

desk = Table(
    "desk",
    registry,
    Column("key", String(40), primary_key=True),
    Column("value", Text, nullable=False),
)

actor = Table(
    "actor",
    registry,
    Column("id", String(80), primary_key=True),  # mei.tanaka, or app:<name>
    Column("name", String(120), nullable=False),
    Column("kind", String(10), nullable=False),  # person, app or system
    Column("admin", Boolean, nullable=False),
    Column("created_at", TIME, nullable=False),
    Column("disabled_at", TIME),
)

token = Table(
    "token",
    registry,
    Column("id", String(24), primary_key=True),
    Column("actor", String(80), ForeignKey("actor.id"), nullable=False),
    Column("secret_hash", String(64), nullable=False),
    Column("environment", String(20)),  # set on an app key: it can reach this environment and nothing else
    Column("created_at", TIME, nullable=False),
    Column("revoked_at", TIME),
    Column("last_used_at", TIME),
)

workflow = Table(
    "workflow",
    registry,
    Column("name", String(80), primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("created_at", TIME, nullable=False),
)

workflow_revision = Table(
    "workflow_revision",
    registry,
    Column("workflow", String(80), ForeignKey("workflow.name"), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("digest", String(71), nullable=False),  # of (document, authority): what an approval is bound to
    Column("document", Text, nullable=False),
    Column("authority", Text, nullable=False),
    Column("actor", String(80), nullable=False),
    Column("created_at", TIME, nullable=False),
)

prompt = Table(
    "prompt",
    registry,
    Column("name", String(161), primary_key=True),  # sales.lead_qualification
    Column("workflow", String(80), ForeignKey("workflow.name"), nullable=False),
    Column("created_at", TIME, nullable=False),
    Column("retired_at", TIME),
)

version = Table(
    "version",
    registry,
    Column("prompt", String(161), ForeignKey("prompt.name"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("digest", String(71), nullable=False),
    Column("content", Text, nullable=False),
    Column("author", String(80), nullable=False),
    Column("release_note", Text, nullable=False),
    Column("created_at", TIME, nullable=False),
    Index("version_digest", "digest"),
)

draft = Table(
    "draft",
    registry,
    Column("prompt", String(161), ForeignKey("prompt.name"), primary_key=True),
    Column("label", String(40), primary_key=True),
    Column("digest", String(71), nullable=False),
    Column("content", Text, nullable=False),
    Column("author", String(80), nullable=False),
    Column("updated_at", TIME, nullable=False),
)

suite = Table(
    "suite",
    registry,
    Column("workflow", String(80), ForeignKey("workflow.name"), primary_key=True),
    Column("name", String(80), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("digest", String(71), nullable=False),
    Column("document", Text, nullable=False),
    Column("actor", String(80), nullable=False),
    Column("created_at", TIME, nullable=False),
)

knowledge = Table(
    "knowledge",
    registry,
    Column("workflow", String(80), ForeignKey("workflow.name"), primary_key=True),
    Column("name", String(80), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("digest", String(71), nullable=False),
    Column("document", Text, nullable=False),
    Column("actor", String(80), nullable=False),
    Column("created_at", TIME, nullable=False),
)

prices = Table(
    "prices",
    registry,
    Column("workflow", String(80), ForeignKey("workflow.name"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("digest", String(71), nullable=False),
    Column("document", Text, nullable=False),
    Column("actor", String(80), nullable=False),
    Column("created_at", TIME, nullable=False),
)

recording = Table(  # labelled outputs that stand in for a model; replaced by a later push, each push an audit line
    "recording",
    registry,
    Column("content_digest", String(71), primary_key=True),
    Column("case_id", String(80), primary_key=True),
    Column("sample", Integer, primary_key=True),
    Column("workflow", String(80), ForeignKey("workflow.name"), primary_key=True),  # two may hold equal contents
    Column("document", Text, nullable=False),
)

retired_model = Table(  # a model that is no longer offered: nothing new is minted on it
    "retired_model",
    registry,
    Column("model", String(160), primary_key=True),
    Column("actor", String(80), nullable=False),
    Column("why", Text, nullable=False),
    Column("created_at", TIME, nullable=False),
)

environment = Table(
    "environment",
    registry,
    Column("name", String(20), primary_key=True),
    Column("snapshot_version", Integer, nullable=False),
)

deployment = Table(
    "deployment",
    registry,
    Column("prompt", String(161), ForeignKey("prompt.name"), primary_key=True),
    Column("environment", String(20), ForeignKey("environment.name"), primary_key=True),
    Column("tenant", String(80), primary_key=True),  # "" = everyone
    Column("weights", Text, nullable=False),  # JSON [[version number, weight of 100000]], candidate first; [] = off
    Column("rollback_target", Integer),  # version number; null = switch off
    Column("kill", Text),  # JSON {reason, by, at} while the kill switch is on
    Column("release", String(32)),
    Column("revision", Integer, nullable=False),
    Column("since", TIME, nullable=False),
)

snapshot = Table(
    "snapshot",
    registry,
    Column("environment", String(20), ForeignKey("environment.name"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("digest", String(71), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("created_at", TIME, nullable=False),
)

evaluation = Table(
    "evaluation",
    registry,
    Column("id", String(32), primary_key=True),
    Column("prompt", String(161), ForeignKey("prompt.name"), nullable=False),
    Column("label", String(40), nullable=False),  # v2, or a draft's label
    Column("content_digest", String(71), nullable=False),
    Column("baseline_label", String(40)),
    Column("baseline_digest", String(71)),
    Column("suite_digest", String(71), nullable=False),
    Column("provider", String(40), nullable=False),
    Column("state", String(10), nullable=False),  # queued, running, done, error
    Column("done", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    Column("verdict", String(12)),
    Column("evidence_digest", String(71)),  # of the report without times and ids
    Column("report", Text),
    Column("actor", String(80), nullable=False),
    Column("created_at", TIME, nullable=False),
    Column("finished_at", TIME),
    Index("evaluation_prompt", "prompt", "created_at"),
)

evaluation_result = Table(
    "evaluation_result",
    registry,
    Column("evaluation", String(32), ForeignKey("evaluation.id"), primary_key=True),
    Column("arm", String(10), primary_key=True),  # candidate or baseline
    Column("case_id", String(80), primary_key=True),
    Column("sample", Integer, primary_key=True),
    Column("passed", Boolean, nullable=False),
    Column("document", Text, nullable=False),
)

approval = Table(
    "approval",
    registry,
    Column("id", String(32), primary_key=True),
    Column("prompt", String(161), ForeignKey("prompt.name"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("environment", String(20), nullable=False),
    Column("binding", String(71), nullable=False),
    Column("role", String(20), nullable=False),
    Column("person", String(80), nullable=False),
    Column("note", Text, nullable=False),
    Column("created_at", TIME, nullable=False),
    UniqueConstraint("prompt", "number", "environment", "binding", "role", "person"),
)

release = Table(
    "release",
    registry,
    Column("id", String(32), primary_key=True),
    Column("prompt", String(161), ForeignKey("prompt.name"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("environment", String(20), nullable=False),
    Column("previous", Integer),
    Column("binding", String(71), nullable=False),
    Column("checklist", Text, nullable=False),
    Column("state", String(12), nullable=False),  # live, superseded, rolled_back
    Column("actor", String(80), nullable=False),
    Column("note", Text, nullable=False),
    Column("created_at", TIME, nullable=False),
    Column("ended_at", TIME),
    Column("ended_why", Text),
)

idempotency_key = Table(  # what a request was answered, kept in its transaction: asked again, it is not done again
    "idempotency_key",
    registry,
    Column("actor", String(80), primary_key=True),
    Column("key", String(80), primary_key=True),
    Column("request", String(71), nullable=False),  # digest of what was asked
    Column("answer", Text, nullable=False),
    Column("created_at", TIME, nullable=False),
)

audit_event = Table(
    "audit_event",
    registry,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("body", Text, nullable=False),  # canonical JSON {seq, at, actor, verb, subject, facts}
    Column("leaf", String(64), nullable=False),  # RFC 6962 leaf hash of body
)

audit_head = Table(
    "audit_head",
    registry,
    Column("size", Integer, primary_key=True, autoincrement=False),
    Column("root", String(64), nullable=False),
    Column("frontier", Text, nullable=False),
)

client_seen = Table(  # operational: an acknowledgement is a lease
    "client_seen",
    registry,
    Column("client", String(80), primary_key=True),
    Column("environment", String(20), primary_key=True),
    Column("snapshot_version", Integer, nullable=False),
    Column("epoch", String(32), nullable=False),
    Column("app", String(80), nullable=False),
    Column("seen_at", TIME, nullable=False),
)

call = Table(
    "call",
    calls,
    Column("id", String(32), primary_key=True),
    Column("at", TIME, nullable=False),
    Column("environment", String(20), nullable=False),
    Column("prompt", String(161), nullable=False),
    Column("number", Integer),
    Column("digest", String(71)),
    Column("reason", String(20), nullable=False),
    Column("ok", Boolean),
    Column("document", Text, nullable=False),
    Index("call_prompt", "environment", "prompt", "at"),
)

# Rows of these tables are written once: triggers refuse UPDATE and DELETE whoever asks.
IMMUTABLE = (
    workflow_revision,
    version,
    suite,
    knowledge,
    prices,
    snapshot,
    approval,
    audit_event,
    audit_head,
)
