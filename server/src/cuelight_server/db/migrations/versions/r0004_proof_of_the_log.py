"""0004, the log can be searched, signed and partly erased: columns to search by, personal texts, keys, checkpoints."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_AT_ONCE = 1000
_COLUMNS = {"at": 32, "actor": 80, "verb": 40, "subject": 240}


def _word(length: int) -> sa.types.TypeEngine[str]:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    """Columns, rows for what is there, and the tables."""
    if op.get_context().opts["store"] != "registry":
        return
    for name, length in _COLUMNS.items():
        op.add_column("audit_event", sa.Column(name, _word(length), nullable=False, server_default=""))
    _fill()
    op.create_index("audit_event_at", "audit_event", ["at"])
    for name in ("actor", "verb", "subject"):
        op.create_index(f"audit_event_{name}", "audit_event", [name, "seq"])
    op.create_table(
        "personal",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("field", _word(40), nullable=False),
        sa.Column("person", _word(80), nullable=False),
        sa.Column("salt", _word(64), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", "field"),
    )
    op.create_index("personal_person", "personal", ["person"])
    op.create_table(
        "signing_key",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", _word(8), nullable=False),
        sa.Column("verifier", sa.Text(), nullable=False),
        sa.Column("endorsement", sa.Text()),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_table(
        "checkpoint",
        sa.Column("size", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("key", _word(8), nullable=False),
        sa.Column("snapshot_version", sa.Integer(), nullable=False),
        sa.Column("issued_at", _word(32), nullable=False),
        sa.PrimaryKeyConstraint("size"),
    )
    op.create_table(
        "checkpoint_sink",
        sa.Column("name", _word(40), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("tried_at", _word(32), nullable=False),
        sa.Column("next_at", _word(32), nullable=False),
        sa.Column("delivered_at", _word(32)),
        sa.PrimaryKeyConstraint("name"),
    )


def _fill() -> None:
    """The columns of the lines that are there, from their bodies; a body that cannot be read keeps them empty."""
    event = sa.table("audit_event", sa.column("seq"), sa.column("body"), *map(sa.column, _COLUMNS))
    sql, last = op.get_bind(), 0
    while rows := sql.execute(
        sa.select(event.c.seq, event.c.body).where(event.c.seq > last).order_by(event.c.seq).limit(_AT_ONCE)
    ).all():
        for seq, body in rows:
            sql.execute(sa.update(event).where(event.c.seq == seq).values(_told(body)))
        last = rows[-1].seq


def _told(body: str) -> dict[str, str]:
    try:
        line = json.loads(body)
        return {name: str(line[name]).replace("\0", "\ufffd")[:length] for name, length in _COLUMNS.items()}
    except (ValueError, LookupError, TypeError, RecursionError):
        return dict.fromkeys(_COLUMNS, "")
