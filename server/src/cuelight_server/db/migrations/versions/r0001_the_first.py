"""0001, the first: the tables of a desk as they were when revisions began."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables of the store that is being migrated."""
    if op.get_context().opts["store"] == "registry":
        _registry()
    else:
        _calls()


def _word(length: int) -> TypeEngine[str]:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def _registry() -> None:
    # long because: one statement a table, in the order in which they need each other
    op.create_table(
        "actor",
        sa.Column("id", _word(80), nullable=False),
        sa.Column("name", _word(120), nullable=False),
        sa.Column("kind", _word(10), nullable=False),
        sa.Column("admin", sa.Boolean(), nullable=False),
        sa.Column("created_at", _word(32), nullable=False),
        sa.Column("disabled_at", _word(32), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "audit_event",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("leaf", _word(64), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_table(
        "audit_head",
        sa.Column("size", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("root", _word(64), nullable=False),
        sa.Column("frontier", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("size"),
    )
    op.create_table(
        "client_seen",
        sa.Column("app", _word(80), nullable=False),
        sa.Column("client", _word(80), nullable=False),
        sa.Column("environment", _word(20), nullable=False),
        sa.Column("snapshot_version", sa.Integer(), nullable=False),
        sa.Column("epoch", _word(32), nullable=False),
        sa.Column("seen_at", _word(32), nullable=False),
        sa.PrimaryKeyConstraint("app", "client", "environment"),
    )
    op.create_table(
        "desk",
        sa.Column("key", _word(40), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_table(
        "environment",
        sa.Column("name", _word(20), nullable=False),
        sa.Column("snapshot_version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "workflow",
        sa.Column("name", _word(80), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", _word(32), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "knowledge",
        sa.Column("workflow", _word(80), nullable=False),
        sa.Column("name", _word(80), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("digest", _word(71), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("actor", _word(80), nullable=False),
        sa.Column("created_at", _word(32), nullable=False),
        sa.ForeignKeyConstraint(
            ["workflow"],
            ["workflow.name"],
        ),
        sa.PrimaryKeyConstraint("workflow", "name", "number"),
    )
    op.create_table(
        "prices",
        sa.Column("workflow", _word(80), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("digest", _word(71), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("actor", _word(80), nullable=False),
        sa.Column("created_at", _word(32), nullable=False),
        sa.ForeignKeyConstraint(
            ["workflow"],
            ["workflow.name"],
        ),
        sa.PrimaryKeyConstraint("workflow", "number"),
    )
    op.create_table(
        "prompt",
        sa.Column("name", _word(161), nullable=False),
        sa.Column("workflow", _word(80), nullable=False),
        sa.Column("created_at", _word(32), nullable=False),
        sa.Column("retired_at", _word(32), nullable=True),
        sa.ForeignKeyConstraint(
            ["workflow"],
            ["workflow.name"],
        ),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "recording",
        sa.Column("content_digest", _word(71), nullable=False),
        sa.Column("case_id", _word(80), nullable=False),
        sa.Column("sample", sa.Integer(), nullable=False),
        sa.Column("workflow", _word(80), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workflow"],
            ["workflow.name"],
        ),
        sa.PrimaryKeyConstraint("content_digest", "case_id", "sample", "workflow"),
    )
    op.create_table(
        "snapshot",
        sa.Column("environment", _word(20), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("digest", _word(71), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", _word(32), nullable=False),
        sa.ForeignKeyConstraint(
            ["environment"],
            ["environment.name"],
        ),
        sa.PrimaryKeyConstraint("environment", "version"),
    )
    op.create_table(
        "suite",
        sa.Column("workflow", _word(80), nullable=False),
        sa.Column("name", _word(80), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("digest", _word(71), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("actor", _word(80), nullable=False),
        sa.Column("created_at", _word(32), nullable=False),
        sa.ForeignKeyConstraint(
            ["workflow"],
            ["workflow.name"],
        ),
        sa.PrimaryKeyConstraint("workflow", "name", "number"),
    )
    op.create_table(
        "token",
        sa.Column("id", _word(24), nullable=False),
        sa.Column("actor", _word(80), nullable=False),
        sa.Column("secret_hash", _word(64), nullable=False),
        sa.Column("environment", _word(20), nullable=True),
        sa.Column("created_at", _word(32), nullable=False),
        sa.Column("revoked_at", _word(32), nullable=True),
        sa.Column("last_used_at", _word(32), nullable=True),
        sa.ForeignKeyConstraint(
            ["actor"],
            ["actor.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "workflow_revision",
        sa.Column("workflow", _word(80), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("digest", _word(71), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("authority", sa.Text(), nullable=False),
        sa.Column("actor", _word(80), nullable=False),
        sa.Column("created_at", _word(32), nullable=False),
        sa.ForeignKeyConstraint(
            ["workflow"],
            ["workflow.name"],
        ),
        sa.PrimaryKeyConstraint("workflow", "revision"),
    )
    op.create_table(
        "approval",
        sa.Column("id", _word(32), nullable=False),
        sa.Column("prompt", _word(161), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("environment", _word(20), nullable=False),
        sa.Column("binding", _word(71), nullable=False),
        sa.Column("role", _word(20), nullable=False),
        sa.Column("person", _word(80), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("created_at", _word(32), nullable=False),
        sa.ForeignKeyConstraint(
            ["prompt"],
            ["prompt.name"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("prompt", "number", "environment", "binding", "role", "person"),
    )
    op.create_table(
        "deployment",
        sa.Column("prompt", _word(161), nullable=False),
        sa.Column("environment", _word(20), nullable=False),
        sa.Column("tenant", _word(80), nullable=False),
        sa.Column("weights", sa.Text(), nullable=False),
        sa.Column("rollback_target", sa.Integer(), nullable=True),
        sa.Column("kill", sa.Text(), nullable=True),
        sa.Column("release", _word(32), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("since", _word(32), nullable=False),
        sa.ForeignKeyConstraint(
            ["environment"],
            ["environment.name"],
        ),
        sa.ForeignKeyConstraint(
            ["prompt"],
            ["prompt.name"],
        ),
        sa.PrimaryKeyConstraint("prompt", "environment", "tenant"),
    )
    op.create_table(
        "contribution",
        sa.Column("prompt", _word(161), nullable=False),
        sa.Column("digest", _word(71), nullable=False),
        sa.Column("actor", _word(80), nullable=False),
        sa.Column("label", _word(40), nullable=False),
        sa.Column("at", _word(32), nullable=False),
        sa.ForeignKeyConstraint(
            ["prompt"],
            ["prompt.name"],
        ),
        sa.PrimaryKeyConstraint("prompt", "digest", "actor", "label"),
    )
    op.create_table(
        "draft",
        sa.Column("prompt", _word(161), nullable=False),
        sa.Column("label", _word(40), nullable=False),
        sa.Column("digest", _word(71), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("author", _word(80), nullable=False),
        sa.Column("updated_at", _word(32), nullable=False),
        sa.ForeignKeyConstraint(
            ["prompt"],
            ["prompt.name"],
        ),
        sa.PrimaryKeyConstraint("prompt", "label"),
    )
    op.create_table(
        "evaluation",
        sa.Column("id", _word(32), nullable=False),
        sa.Column("prompt", _word(161), nullable=False),
        sa.Column("label", _word(40), nullable=False),
        sa.Column("content_digest", _word(71), nullable=False),
        sa.Column("baseline_label", _word(40), nullable=True),
        sa.Column("baseline_digest", _word(71), nullable=True),
        sa.Column("suite_digest", _word(71), nullable=False),
        sa.Column("provider", _word(40), nullable=False),
        sa.Column("state", _word(10), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("verdict", _word(12), nullable=True),
        sa.Column("evidence_digest", _word(71), nullable=True),
        sa.Column("report", sa.Text(), nullable=True),
        sa.Column("actor", _word(80), nullable=False),
        sa.Column("created_at", _word(32), nullable=False),
        sa.Column("finished_at", _word(32), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("worker", _word(32), nullable=True),
        sa.Column("heartbeat_at", _word(32), nullable=True),
        sa.ForeignKeyConstraint(
            ["prompt"],
            ["prompt.name"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("evaluation_prompt", "evaluation", ["prompt", "created_at"], unique=False)
    op.create_table(
        "release",
        sa.Column("id", _word(32), nullable=False),
        sa.Column("prompt", _word(161), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("environment", _word(20), nullable=False),
        sa.Column("previous", sa.Integer(), nullable=True),
        sa.Column("binding", _word(71), nullable=False),
        sa.Column("checklist", sa.Text(), nullable=False),
        sa.Column("state", _word(12), nullable=False),
        sa.Column("actor", _word(80), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("created_at", _word(32), nullable=False),
        sa.Column("ended_at", _word(32), nullable=True),
        sa.Column("ended_why", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["prompt"],
            ["prompt.name"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "version",
        sa.Column("prompt", _word(161), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("digest", _word(71), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("author", _word(80), nullable=False),
        sa.Column("release_note", sa.Text(), nullable=False),
        sa.Column("created_at", _word(32), nullable=False),
        sa.ForeignKeyConstraint(
            ["prompt"],
            ["prompt.name"],
        ),
        sa.PrimaryKeyConstraint("prompt", "number"),
    )
    op.create_index("version_digest", "version", ["digest"], unique=False)
    op.create_table(
        "evaluation_result",
        sa.Column("evaluation", _word(32), nullable=False),
        sa.Column("arm", _word(10), nullable=False),
        sa.Column("case_id", _word(80), nullable=False),
        sa.Column("sample", sa.Integer(), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["evaluation"],
            ["evaluation.id"],
        ),
        sa.PrimaryKeyConstraint("evaluation", "arm", "case_id", "sample"),
    )


def _calls() -> None:
    op.create_table(
        "call",
        sa.Column("environment", _word(20), nullable=False),
        sa.Column("id", _word(32), nullable=False),
        sa.Column("at", _word(32), nullable=False),
        sa.Column("prompt", _word(161), nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("digest", _word(71), nullable=True),
        sa.Column("reason", _word(20), nullable=False),
        sa.Column("ok", sa.Boolean(), nullable=True),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("environment", "id"),
    )
    op.create_index("call_prompt", "call", ["environment", "prompt", "at"], unique=False)
