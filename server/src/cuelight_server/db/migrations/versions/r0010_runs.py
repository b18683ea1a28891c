"""0010, runs: what a run may cost and what it did, who cancelled it, answers paid once, and options of providers."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Make the columns and the table, in the registry only."""
    if op.get_context().opts["store"] != "registry":
        return
    for name, kind in (
        ("plan", sa.Text()),
        ("spend", sa.Text()),
        ("cancelled_by", _word(80)),
        ("cancelled_at", _word(32)),
    ):
        op.add_column("evaluation", sa.Column(name, kind))
    op.add_column("provider_connection", sa.Column("options", sa.Text()))
    op.create_table(
        "answer_cache",
        sa.Column("key", _word(71), primary_key=True),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("made_at", _word(32), nullable=False),
    )
    op.create_index("answer_cache_made_at", "answer_cache", ["made_at"])


def _word(length: int) -> TypeEngine[str]:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")
