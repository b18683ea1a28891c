"""0006, governance and members: proposals to change what governs, the yes to them, places in a workflow."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the three tables of the registry; the store of the calls stays as it is."""
    if op.get_context().opts["store"] != "registry":
        return
    op.create_table(
        "proposal",
        sa.Column("id", _word(32), nullable=False),
        sa.Column("workflow", _word(80), nullable=False),
        sa.Column("kind", _word(12), nullable=False),
        sa.Column("base", _word(71), nullable=False),
        sa.Column("base_revision", sa.Integer(), nullable=False),
        sa.Column("binding", _word(71), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("author", _word(80), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("receiver", _word(80), nullable=True),
        sa.Column("state", _word(12), nullable=False),
        sa.Column("created_at", _word(32), nullable=False),
        sa.Column("ended_at", _word(32), nullable=True),
        sa.Column("ended_by", _word(80), nullable=True),
        sa.Column("ended_why", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["workflow"], ["workflow.name"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("proposal_workflow", "proposal", ["workflow", "created_at"])
    op.create_table(
        "consent",
        sa.Column("id", _word(32), nullable=False),
        sa.Column("proposal", _word(32), nullable=False),
        sa.Column("role", _word(20), nullable=False),
        sa.Column("person", _word(80), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("created_at", _word(32), nullable=False),
        sa.ForeignKeyConstraint(["proposal"], ["proposal.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("proposal", "role", "person"),
    )
    op.create_table(
        "membership",
        sa.Column("workflow", _word(80), nullable=False),
        sa.Column("account", _word(80), nullable=False),
        sa.Column("role", _word(20), nullable=False),
        sa.Column("granted_by", _word(80), nullable=False),
        sa.Column("granted_at", _word(32), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["actor.id"]),
        sa.PrimaryKeyConstraint("workflow", "account", "role"),
    )


def _word(length: int) -> TypeEngine[str]:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")
