"""0009, what people said of outputs: blind reviews with their answers and signatures, and what was tried by hand."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Make the tables."""
    if op.get_context().opts["store"] != "registry":
        return
    _reviews()
    _tries()


def _word(length: int) -> TypeEngine[str]:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def _reviews() -> None:
    op.create_table(
        "review",
        sa.Column("id", _word(32), primary_key=True),
        sa.Column("evaluation", _word(32), sa.ForeignKey("evaluation.id"), nullable=False),
        sa.Column("prompt", _word(161), sa.ForeignKey("prompt.name"), nullable=False),
        sa.Column("label", _word(40), nullable=False),
        sa.Column("content_digest", _word(71), nullable=False),
        sa.Column("baseline_digest", _word(71)),
        sa.Column("suite_digest", _word(71), nullable=False),
        sa.Column("evidence_digest", _word(71), nullable=False),
        sa.Column("role", _word(20), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("cases", sa.Text(), nullable=False),
        sa.Column("seed", _word(64), nullable=False),
        sa.Column("actor", _word(80), nullable=False),
        sa.Column("created_at", _word(32), nullable=False),
    )
    op.create_index("review_prompt", "review", ["prompt", "created_at"])
    op.create_table(
        "review_answer",
        sa.Column("review", _word(32), sa.ForeignKey("review.id"), primary_key=True),
        sa.Column("person", _word(80), primary_key=True),
        sa.Column("case_id", _word(80), primary_key=True),
        sa.Column("opened_at", _word(32), nullable=False),
        sa.Column("better", _word(8)),
        sa.Column("live", _word(8)),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("answered_at", _word(32)),
    )
    op.create_table(
        "review_signature",
        sa.Column("review", _word(32), sa.ForeignKey("review.id"), primary_key=True),
        sa.Column("person", _word(80), primary_key=True),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("signed_at", _word(32), nullable=False),
    )


def _tries() -> None:
    op.create_table(
        "tried",
        sa.Column("id", _word(32), primary_key=True),
        sa.Column("prompt", _word(161), sa.ForeignKey("prompt.name"), nullable=False),
        sa.Column("label", _word(40), nullable=False),
        sa.Column("content_digest", _word(71), nullable=False),
        sa.Column("provider", _word(40), nullable=False),
        sa.Column("recorded", sa.Boolean(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("actor", _word(80), nullable=False),
        sa.Column("created_at", _word(32), nullable=False),
    )
    op.create_index("tried_content", "tried", ["prompt", "content_digest"])
