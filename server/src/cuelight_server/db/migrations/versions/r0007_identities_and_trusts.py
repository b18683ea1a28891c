"""0007, who somebody is elsewhere: identities of a provider, sign-ins on their way, trusted pipelines."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the tables."""
    if op.get_context().opts["store"] != "registry":
        return
    _governed()
    _operational()


def _word(length: int) -> TypeEngine[str]:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def _governed() -> None:
    op.create_table(
        "identity",
        sa.Column("issuer", _word(255), primary_key=True),
        sa.Column("subject", _word(255), primary_key=True),
        sa.Column("actor", _word(80), sa.ForeignKey("actor.id"), nullable=False),
        sa.Column("salt", _word(64), nullable=False),
        sa.Column("linked_at", _word(32), nullable=False),
        sa.Column("gave", sa.Text(), nullable=False),
    )
    op.create_index("identity_actor", "identity", ["actor"])
    op.create_table(
        "trust",
        sa.Column("id", _word(24), primary_key=True),
        sa.Column("actor", _word(80), sa.ForeignKey("actor.id"), nullable=False),
        sa.Column("issuer", _word(255), nullable=False),
        sa.Column("audience", _word(255), nullable=False),
        sa.Column("conditions", sa.Text(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("environment", _word(20)),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("created_at", _word(32), nullable=False),
        sa.Column("ended_at", _word(32)),
    )
    op.create_index("trust_issuer", "trust", ["issuer"])


def _operational() -> None:
    op.create_table(
        "sign_in_flow",
        sa.Column("hash", _word(64), primary_key=True),
        sa.Column("actor", _word(80), sa.ForeignKey("actor.id")),
        sa.Column("source", _word(64), nullable=False),
        sa.Column("created_at", _word(32), nullable=False),
        sa.Column("expires_at", _word(32), nullable=False),
    )
    op.create_index("sign_in_flow_source", "sign_in_flow", ["source", "created_at"])
    op.create_table(
        "workload_token",
        sa.Column("hash", _word(64), primary_key=True),
        sa.Column("expires_at", _word(32), nullable=False),
    )
    op.create_index("workload_token_expires", "workload_token", ["expires_at"])
