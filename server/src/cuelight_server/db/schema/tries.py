"""What was tried by hand, and stays with the content that it was tried on."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Table, Text

from cuelight_server.db.schema.columns import TIME, registry, word

tried = Table(
    "tried",
    registry,
    Column("id", word(32), primary_key=True),
    Column("prompt", word(161), ForeignKey("prompt.name"), nullable=False),
    Column("label", word(40), nullable=False),
    Column("content_digest", word(71), nullable=False),
    Column("provider", word(40), nullable=False),
    Column("recorded", Boolean, nullable=False),
    Column("document", Text, nullable=False),  # canonical JSON: examples with their inputs, outputs and grades
    Column("actor", word(80), nullable=False),
    Column("created_at", TIME, nullable=False),
    Index("tried_content", "prompt", "content_digest"),
)
