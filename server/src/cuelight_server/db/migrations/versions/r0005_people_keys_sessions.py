"""0005, people: passwords, invitations, e-mail, sessions; keys with scopes, a label and an end."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the tables, and the columns of keys and accounts."""
    if op.get_context().opts["store"] != "registry":
        return
    op.add_column("actor", sa.Column("person", _word(80)))
    op.add_column("token", sa.Column("scopes", sa.Text()))
    op.add_column("token", sa.Column("label", _word(80), nullable=False, server_default=""))
    op.add_column("token", sa.Column("expires_at", _word(32)))
    _people()
    _sessions()


def _word(length: int) -> TypeEngine[str]:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def _people() -> None:
    op.create_table(
        "password",
        sa.Column("actor", _word(80), sa.ForeignKey("actor.id"), primary_key=True),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("changed_at", _word(32), nullable=False),
    )
    op.create_table(
        "email",
        sa.Column("actor", _word(80), sa.ForeignKey("actor.id"), primary_key=True),
        sa.Column("address", _word(254), nullable=False),
        sa.Column("salt", _word(64), nullable=False),
        sa.Column("verified_at", _word(32), nullable=False),
    )
    op.create_index("email_address", "email", ["address"])
    op.create_table(
        "invitation",
        sa.Column("id", _word(24), primary_key=True),
        sa.Column("purpose", _word(10), nullable=False),
        sa.Column("actor", _word(80), sa.ForeignKey("actor.id")),
        sa.Column("secret_hash", _word(64), nullable=False),
        sa.Column("created_at", _word(32), nullable=False),
        sa.Column("expires_at", _word(32), nullable=False),
        sa.Column("ended_at", _word(32)),
    )


def _sessions() -> None:
    op.create_table(
        "session",
        sa.Column("hash", _word(64), primary_key=True),
        sa.Column("id", _word(24), nullable=False),
        sa.Column("actor", _word(80), sa.ForeignKey("actor.id"), nullable=False),
        sa.Column("method", _word(20), nullable=False),
        sa.Column("source", _word(64), nullable=False),
        sa.Column("browser", _word(200), nullable=False),
        sa.Column("created_at", _word(32), nullable=False),
        sa.Column("last_seen_at", _word(32), nullable=False),
        sa.Column("expires_at", _word(32), nullable=False),
    )
    op.create_index("session_actor", "session", ["actor", "created_at"])
    op.create_table(
        "sign_in_tries",
        sa.Column("key", _word(64), primary_key=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_at", _word(32), nullable=False),
        sa.Column("until", _word(32), nullable=False),
    )
