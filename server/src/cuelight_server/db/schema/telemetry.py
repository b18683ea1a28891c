"""Calls, in a store of their own."""

from sqlalchemy import Boolean, Column, Index, Integer, Table, Text

from cuelight_server.db.schema.columns import TIME, calls, word

call = Table(
    "call",
    calls,
    Column("environment", word(20), primary_key=True),  # of the key: what another environment sends takes no id here
    Column("id", word(32), primary_key=True),
    Column("at", TIME, nullable=False),
    Column("prompt", word(161), nullable=False),
    Column("number", Integer),
    Column("digest", word(71)),
    Column("reason", word(20), nullable=False),
    Column("ok", Boolean),
    Column("document", Text, nullable=False),
    Index("call_prompt", "environment", "prompt", "at"),
)
