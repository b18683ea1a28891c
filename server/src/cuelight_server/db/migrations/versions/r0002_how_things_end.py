"""0002, how things end: models that are no longer offered, and what a request was answered."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the two tables, in the registry only."""
    if op.get_context().opts["store"] != "registry":
        return
    op.create_table(
        "retired_model",
        sa.Column("model", _word(160), nullable=False),
        sa.Column("actor", _word(80), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("created_at", _word(32), nullable=False),
        sa.PrimaryKeyConstraint("model"),
    )
    op.create_table(
        "idempotency_key",
        sa.Column("actor", _word(80), nullable=False),
        sa.Column("key", _word(80), nullable=False),
        sa.Column("request", _word(71), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("created_at", _word(32), nullable=False),
        sa.PrimaryKeyConstraint("actor", "key"),
    )


def _word(length: int) -> TypeEngine[str]:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")
