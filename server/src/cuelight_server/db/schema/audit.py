"""The log: one row an event, and what the log was after it."""

from sqlalchemy import Column, Integer, Table, Text

from cuelight_server.db.schema.columns import registry, word

audit_event = Table(
    "audit_event",
    registry,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("body", Text, nullable=False),  # canonical JSON {seq, at, actor, verb, subject, facts}
    Column("leaf", word(64), nullable=False),  # RFC 6962 leaf hash of body
)

audit_head = Table(
    "audit_head",
    registry,
    Column("size", Integer, primary_key=True, autoincrement=False),
    Column("root", word(64), nullable=False),
    Column("frontier", Text, nullable=False),
)
