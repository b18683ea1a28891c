"""0003, providers: where each of them answers, and its key, sealed."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the table, in the registry only."""
    if op.get_context().opts["store"] != "registry":
        return
    op.create_table(
        "provider_connection",
        sa.Column("provider", _word(40), nullable=False),
        sa.Column("base_url", sa.Text(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=True),
        sa.Column("actor", _word(80), nullable=False),
        sa.Column("updated_at", _word(32), nullable=False),
        sa.PrimaryKeyConstraint("provider"),
    )


def _word(length: int) -> TypeEngine[str]:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")
