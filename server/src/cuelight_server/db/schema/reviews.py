"""Blind reviews by people: what was asked, what a reviewer answers on the way, and what was signed for good."""

from sqlalchemy import Column, ForeignKey, Index, Table, Text

from cuelight_server.db.schema.columns import TIME, registry, word

review = Table(
    "review",
    registry,
    Column("id", word(32), primary_key=True),
    Column("evaluation", word(32), ForeignKey("evaluation.id"), nullable=False),
    Column("prompt", word(161), ForeignKey("prompt.name"), nullable=False),
    Column("label", word(40), nullable=False),
    Column("content_digest", word(71), nullable=False),
    Column("baseline_digest", word(71)),  # none: there was nothing to hold it against
    Column("suite_digest", word(71), nullable=False),
    Column("evidence_digest", word(71), nullable=False),
    Column("role", word(20), nullable=False),
    Column("question", Text, nullable=False),
    Column("cases", Text, nullable=False),  # JSON list of {case, sample, why}
    Column("seed", word(64), nullable=False),  # from it follows who sees what as A; the log has its digest only
    Column("actor", word(80), nullable=False),
    Column("created_at", TIME, nullable=False),
    Index("review_prompt", "prompt", "created_at"),
)

review_answer = Table(
    "review_answer",
    registry,
    Column("review", word(32), ForeignKey("review.id"), primary_key=True),
    Column("person", word(80), primary_key=True),
    Column("case_id", word(80), primary_key=True),
    Column("opened_at", TIME, nullable=False),
    Column("better", word(8)),
    Column("live", word(8)),
    Column("note", Text, nullable=False),
    Column("answered_at", TIME),
)

review_signature = Table(
    "review_signature",
    registry,
    Column("review", word(32), ForeignKey("review.id"), primary_key=True),
    Column("person", word(80), primary_key=True),
    Column("document", Text, nullable=False),  # canonical JSON of every answer, and of what was A
    Column("signed_at", TIME, nullable=False),
)
