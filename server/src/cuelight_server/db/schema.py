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
from sqlalchemy.types import TypeEngine

registry = MetaData()
calls = MetaData()


def _word(length: int) -> TypeEngine[str]:
    """A name, key or time of at most so many characters, in the order of its code points on either database."""
    return String(length).with_variant(String(length, collation="C"), "postgresql")


# Times are RFC 3339 text in UTC with microseconds; documents are canonical JSON text.
TIME = _word(32)

desk = Table(
    "desk",
    registry,
    Column("key", _word(40), primary_key=True),
    Column("value", Text, nullable=False),
)

actor = Table(
    "actor",
    registry,
    Column("id", _word(80), primary_key=True),  # mei.tanaka, or app:<name>
    Column("name", _word(120), nullable=False),
    Column("kind", _word(10), nullable=False),  # person, app or system
    Column("admin", Boolean, nullable=False),
    Column("created_at", TIME, nullable=False),
    Column("disabled_at", TIME),
)

token = Table(
    "token",
    registry,
    Column("id", _word(24), primary_key=True),
    Column("actor", _word(80), ForeignKey("actor.id"), nullable=False),
    Column("secret_hash", _word(64), nullable=False),
    Column("environment", _word(20)),  # set on an app key: it can reach this environment and nothing else
    Column("created_at", TIME, nullable=False),
    Column("revoked_at", TIME),
    Column("last_used_at", TIME),
)

workflow = Table(
    "workflow",
    registry,
    Column("name", _word(80), primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("created_at", TIME, nullable=False),
)

workflow_revision = Table(
    "workflow_revision",
    registry,
    Column("workflow", _word(80), ForeignKey("workflow.name"), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("digest", _word(71), nullable=False),  # of (document, authority): what an approval is bound to
    Column("document", Text, nullable=False),
    Column("authority", Text, nullable=False),
    Column("actor", _word(80), nullable=False),
    Column("created_at", TIME, nullable=False),
)

prompt = Table(
    "prompt",
    registry,
    Column("name", _word(161), primary_key=True),  # sales.lead_qualification
    Column("workflow", _word(80), ForeignKey("workflow.name"), nullable=False),
    Column("created_at", TIME, nullable=False),
    Column("retired_at", TIME),
)

version = Table(
    "version",
    registry,
    Column("prompt", _word(161), ForeignKey("prompt.name"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("digest", _word(71), nullable=False),
    Column("content", Text, nullable=False),
    Column("author", _word(80), nullable=False),
    Column("release_note", Text, nullable=False),
    Column("created_at", TIME, nullable=False),
    Index("version_digest", "digest"),
)

draft = Table(
    "draft",
    registry,
    Column("prompt", _word(161), ForeignKey("prompt.name"), primary_key=True),
    Column("label", _word(40), primary_key=True),
    Column("digest", _word(71), nullable=False),
    Column("content", Text, nullable=False),
    Column("author", _word(80), nullable=False),
    Column("updated_at", TIME, nullable=False),
)

contribution = Table(  # who wrote what, also under a draft's label: none of them approves the version it became
    "contribution",
    registry,
    Column("prompt", _word(161), ForeignKey("prompt.name"), primary_key=True),
    Column("digest", _word(71), primary_key=True),
    Column("actor", _word(80), primary_key=True),
    Column("label", _word(40), primary_key=True),
    Column("at", TIME, nullable=False),
)

suite = Table(
    "suite",
    registry,
    Column("workflow", _word(80), ForeignKey("workflow.name"), primary_key=True),
    Column("name", _word(80), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("digest", _word(71), nullable=False),
    Column("document", Text, nullable=False),
    Column("actor", _word(80), nullable=False),
    Column("created_at", TIME, nullable=False),
)

knowledge = Table(
    "knowledge",
    registry,
    Column("workflow", _word(80), ForeignKey("workflow.name"), primary_key=True),
    Column("name", _word(80), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("digest", _word(71), nullable=False),
    Column("document", Text, nullable=False),
    Column("actor", _word(80), nullable=False),
    Column("created_at", TIME, nullable=False),
)

prices = Table(
    "prices",
    registry,
    Column("workflow", _word(80), ForeignKey("workflow.name"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("digest", _word(71), nullable=False),
    Column("document", Text, nullable=False),
    Column("actor", _word(80), nullable=False),
    Column("created_at", TIME, nullable=False),
)

recording = Table(  # labelled outputs that stand in for a model; replaced by a later push, each push an audit line
    "recording",
    registry,
    Column("content_digest", _word(71), primary_key=True),
    Column("case_id", _word(80), primary_key=True),
    Column("sample", Integer, primary_key=True),
    Column("workflow", _word(80), ForeignKey("workflow.name"), primary_key=True),  # two may hold equal contents
    Column("document", Text, nullable=False),
)

environment = Table(
    "environment",
    registry,
    Column("name", _word(20), primary_key=True),
    Column("snapshot_version", Integer, nullable=False),
)

deployment = Table(
    "deployment",
    registry,
    Column("prompt", _word(161), ForeignKey("prompt.name"), primary_key=True),
    Column("environment", _word(20), ForeignKey("environment.name"), primary_key=True),
    Column("tenant", _word(80), primary_key=True),  # "" = everyone
    Column("weights", Text, nullable=False),  # JSON [[version number, weight of 100000]], candidate first; [] = off
    Column("rollback_target", Integer),  # version number; null = switch off
    Column("kill", Text),  # JSON {reason, by, at} while the kill switch is on
    Column("release", _word(32)),
    Column("revision", Integer, nullable=False),
    Column("since", TIME, nullable=False),
)

snapshot = Table(
    "snapshot",
    registry,
    Column("environment", _word(20), ForeignKey("environment.name"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("digest", _word(71), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("created_at", TIME, nullable=False),
)

evaluation = Table(
    "evaluation",
    registry,
    Column("id", _word(32), primary_key=True),
    Column("prompt", _word(161), ForeignKey("prompt.name"), nullable=False),
    Column("label", _word(40), nullable=False),  # v2, or a draft's label
    Column("content_digest", _word(71), nullable=False),
    Column("baseline_label", _word(40)),
    Column("baseline_digest", _word(71)),
    Column("suite_digest", _word(71), nullable=False),
    Column("provider", _word(40), nullable=False),
    Column("state", _word(10), nullable=False),  # queued, running, done, error
    Column("done", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    Column("verdict", _word(12)),
    Column("evidence_digest", _word(71)),  # of the report without times and ids
    Column("report", Text),
    Column("actor", _word(80), nullable=False),
    Column("created_at", TIME, nullable=False),
    Column("finished_at", TIME),
    Column("attempts", Integer, nullable=False, server_default="0"),  # starts without an end
    Column("worker", _word(32)),  # whose lease it is while it runs
    Column("heartbeat_at", TIME),  # when the lease was renewed
    Index("evaluation_prompt", "prompt", "created_at"),
)

evaluation_result = Table(
    "evaluation_result",
    registry,
    Column("evaluation", _word(32), ForeignKey("evaluation.id"), primary_key=True),
    Column("arm", _word(10), primary_key=True),  # candidate or baseline
    Column("case_id", _word(80), primary_key=True),
    Column("sample", Integer, primary_key=True),
    Column("passed", Boolean, nullable=False),
    Column("document", Text, nullable=False),
)

approval = Table(
    "approval",
    registry,
    Column("id", _word(32), primary_key=True),
    Column("prompt", _word(161), ForeignKey("prompt.name"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("environment", _word(20), nullable=False),
    Column("binding", _word(71), nullable=False),
    Column("role", _word(20), nullable=False),
    Column("person", _word(80), nullable=False),
    Column("note", Text, nullable=False),
    Column("created_at", TIME, nullable=False),
    UniqueConstraint("prompt", "number", "environment", "binding", "role", "person"),
)

release = Table(
    "release",
    registry,
    Column("id", _word(32), primary_key=True),
    Column("prompt", _word(161), ForeignKey("prompt.name"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("environment", _word(20), nullable=False),
    Column("previous", Integer),
    Column("binding", _word(71), nullable=False),
    Column("checklist", Text, nullable=False),
    Column("state", _word(12), nullable=False),  # live, superseded, rolled_back
    Column("actor", _word(80), nullable=False),
    Column("note", Text, nullable=False),
    Column("created_at", TIME, nullable=False),
    Column("ended_at", TIME),
    Column("ended_why", Text),
)

audit_event = Table(
    "audit_event",
    registry,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("body", Text, nullable=False),  # canonical JSON {seq, at, actor, verb, subject, facts}
    Column("leaf", _word(64), nullable=False),  # RFC 6962 leaf hash of body
)

audit_head = Table(
    "audit_head",
    registry,
    Column("size", Integer, primary_key=True, autoincrement=False),
    Column("root", _word(64), nullable=False),
    Column("frontier", Text, nullable=False),
)

client_seen = Table(  # operational: an acknowledgement is a lease
    "client_seen",
    registry,
    Column("app", _word(80), primary_key=True),  # whose key it was: no other app can speak for this client
    Column("client", _word(80), primary_key=True),
    Column("environment", _word(20), primary_key=True),
    Column("snapshot_version", Integer, nullable=False),
    Column("epoch", _word(32), nullable=False),
    Column("seen_at", TIME, nullable=False),
)

call = Table(
    "call",
    calls,
    Column("environment", _word(20), primary_key=True),  # of the key: what another environment sends takes no id here
    Column("id", _word(32), primary_key=True),
    Column("at", TIME, nullable=False),
    Column("prompt", _word(161), nullable=False),
    Column("number", Integer),
    Column("digest", _word(71)),
    Column("reason", _word(20), nullable=False),
    Column("ok", Boolean),
    Column("document", Text, nullable=False),
    Index("call_prompt", "environment", "prompt", "at"),
)

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
