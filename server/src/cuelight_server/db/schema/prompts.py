"""Workflows, their prompts, and all that belongs to a prompt before it is released."""

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text

from cuelight_server.db.schema.columns import TIME, registry, word

workflow = Table(
    "workflow",
    registry,
    Column("name", word(80), primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("created_at", TIME, nullable=False),
)

workflow_revision = Table(
    "workflow_revision",
    registry,
    Column("workflow", word(80), ForeignKey("workflow.name"), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("digest", word(71), nullable=False),  # of (document, authority): what an approval is bound to
    Column("document", Text, nullable=False),
    Column("authority", Text, nullable=False),
    Column("actor", word(80), nullable=False),
    Column("created_at", TIME, nullable=False),
)

prompt = Table(
    "prompt",
    registry,
    Column("name", word(161), primary_key=True),  # sales.lead_qualification
    Column("workflow", word(80), ForeignKey("workflow.name"), nullable=False),
    Column("created_at", TIME, nullable=False),
    Column("retired_at", TIME),
)

version = Table(
    "version",
    registry,
    Column("prompt", word(161), ForeignKey("prompt.name"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("digest", word(71), nullable=False),
    Column("content", Text, nullable=False),
    Column("author", word(80), nullable=False),
    Column("release_note", Text, nullable=False),
    Column("created_at", TIME, nullable=False),
    Index("version_digest", "digest"),
)

draft = Table(
    "draft",
    registry,
    Column("prompt", word(161), ForeignKey("prompt.name"), primary_key=True),
    Column("label", word(40), primary_key=True),
    Column("digest", word(71), nullable=False),
    Column("content", Text, nullable=False),
    Column("author", word(80), nullable=False),
    Column("updated_at", TIME, nullable=False),
)

contribution = Table(  # who wrote what, also under a draft's label: none of them approves the version it became
    "contribution",
    registry,
    Column("prompt", word(161), ForeignKey("prompt.name"), primary_key=True),
    Column("digest", word(71), primary_key=True),
    Column("actor", word(80), primary_key=True),
    Column("label", word(40), primary_key=True),
    Column("at", TIME, nullable=False),
)

suite = Table(
    "suite",
    registry,
    Column("workflow", word(80), ForeignKey("workflow.name"), primary_key=True),
    Column("name", word(80), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("digest", word(71), nullable=False),
    Column("document", Text, nullable=False),
    Column("actor", word(80), nullable=False),
    Column("created_at", TIME, nullable=False),
)

knowledge = Table(
    "knowledge",
    registry,
    Column("workflow", word(80), ForeignKey("workflow.name"), primary_key=True),
    Column("name", word(80), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("digest", word(71), nullable=False),
    Column("document", Text, nullable=False),
    Column("actor", word(80), nullable=False),
    Column("created_at", TIME, nullable=False),
)

prices = Table(
    "prices",
    registry,
    Column("workflow", word(80), ForeignKey("workflow.name"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("digest", word(71), nullable=False),
    Column("document", Text, nullable=False),
    Column("actor", word(80), nullable=False),
    Column("created_at", TIME, nullable=False),
)

recording = Table(  # labelled outputs that stand in for a model; replaced by a later push, each push an audit line
    "recording",
    registry,
    Column("content_digest", word(71), primary_key=True),
    Column("case_id", word(80), primary_key=True),
    Column("sample", Integer, primary_key=True),
    Column("workflow", word(80), ForeignKey("workflow.name"), primary_key=True),  # two may hold equal contents
    Column("document", Text, nullable=False),
)

retired_model = Table(  # a model that is no longer offered: nothing new is minted on it
    "retired_model",
    registry,
    Column("model", word(160), primary_key=True),
    Column("actor", word(80), nullable=False),
    Column("why", Text, nullable=False),
    Column("created_at", TIME, nullable=False),
)
