"""0008, when a pipeline last came in by each trust, and a way to the keys that have not ended."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the column, fill it from the log, and make the index."""
    if op.get_context().opts["store"] != "registry":
        return
    last_used = sa.String(32).with_variant(sa.String(32, collation="C"), "postgresql")
    op.add_column("trust", sa.Column("last_used_at", last_used))
    op.create_index("token_expires", "token", ["expires_at"])
    sql = op.get_bind()
    lines = sql.execute(sa.text("SELECT at, body FROM audit_event WHERE verb = 'token.exchange' ORDER BY seq"))
    last = {json.loads(one.body)["facts"]["trust"]: one.at for one in lines}
    for trust, at in last.items():
        sql.execute(sa.text("UPDATE trust SET last_used_at = :at WHERE id = :trust"), {"at": at, "trust": trust})
