"""Who approved what, and what went live."""

from sqlalchemy import Column, ForeignKey, Integer, Table, Text, UniqueConstraint

from cuelight_server.db.schema.columns import TIME, registry, word

approval = Table(
    "approval",
    registry,
    Column("id", word(32), primary_key=True),
    Column("prompt", word(161), ForeignKey("prompt.name"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("environment", word(20), nullable=False),
    Column("binding", word(71), nullable=False),
    Column("role", word(20), nullable=False),
    Column("person", word(80), nullable=False),
    Column("note", Text, nullable=False),
    Column("created_at", TIME, nullable=False),
    UniqueConstraint("prompt", "number", "environment", "binding", "role", "person"),
)

release = Table(
    "release",
    registry,
    Column("id", word(32), primary_key=True),
    Column("prompt", word(161), ForeignKey("prompt.name"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("environment", word(20), nullable=False),
    Column("previous", Integer),
    Column("binding", word(71), nullable=False),
    Column("checklist", Text, nullable=False),
    Column("state", word(12), nullable=False),  # live, superseded, rolled_back
    Column("actor", word(80), nullable=False),
    Column("note", Text, nullable=False),
    Column("created_at", TIME, nullable=False),
    Column("ended_at", TIME),
    Column("ended_why", Text),
)
