"""The desk itself, and who may come in."""

from sqlalchemy import Boolean, Column, ForeignKey, Table, Text

from cuelight_server.db.schema.columns import TIME, registry, word

desk = Table(
    "desk",
    registry,
    Column("key", word(40), primary_key=True),
    Column("value", Text, nullable=False),
)

actor = Table(
    "actor",
    registry,
    Column("id", word(80), primary_key=True),  # mei.tanaka, or app:<name>
    Column("name", word(120), nullable=False),
    Column("kind", word(10), nullable=False),  # person, app or system
    Column("admin", Boolean, nullable=False),
    Column("created_at", TIME, nullable=False),
    Column("disabled_at", TIME),
)

token = Table(
    "token",
    registry,
    Column("id", word(24), primary_key=True),
    Column("actor", word(80), ForeignKey("actor.id"), nullable=False),
    Column("secret_hash", word(64), nullable=False),
    Column("environment", word(20)),  # set on an app key: it can reach this environment and nothing else
    Column("created_at", TIME, nullable=False),
    Column("revoked_at", TIME),
    Column("last_used_at", TIME),
)

idempotency_key = Table(  # what a request was answered, kept in its transaction: asked again, it is not done again
    "idempotency_key",
    registry,
    Column("actor", word(80), primary_key=True),
    Column("key", word(80), primary_key=True),
    Column("request", word(71), nullable=False),  # digest of what was asked
    Column("answer", Text, nullable=False),
    Column("created_at", TIME, nullable=False),
)
