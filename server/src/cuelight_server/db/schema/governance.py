"""Changes of what governs a workflow, and who belongs to it without owning it."""

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint

from cuelight_server.db.schema.columns import TIME, registry, word

proposal = Table(
    "proposal",
    registry,
    Column("id", word(32), primary_key=True),
    Column("workflow", word(80), ForeignKey("workflow.name"), nullable=False),
    Column("kind", word(12), nullable=False),  # change, handover, undo
    Column("base", word(71), nullable=False),  # digest of what governed when it was made
    Column("base_revision", Integer, nullable=False),
    Column("binding", word(71), nullable=False),  # what each yes is bound to
    Column("document", Text, nullable=False),  # canonical JSON {governed, people, authority}
    Column("author", word(80), nullable=False),
    Column("note", Text, nullable=False),
    Column("receiver", word(80)),  # who accepts, where a role is handed over
    Column("state", word(12), nullable=False),  # open, in_force, withdrawn, declined, replaced
    Column("created_at", TIME, nullable=False),
    Column("ended_at", TIME),
    Column("ended_by", word(80)),
    Column("ended_why", Text),
    Index("proposal_workflow", "workflow", "created_at"),
)

consent = Table(
    "consent",
    registry,
    Column("id", word(32), primary_key=True),
    Column("proposal", word(32), ForeignKey("proposal.id"), nullable=False),
    Column("role", word(20), nullable=False),  # an owner's role, administrator, receiver
    Column("person", word(80), nullable=False),
    Column("note", Text, nullable=False),
    Column("created_at", TIME, nullable=False),
    UniqueConstraint("proposal", "role", "person"),
)

membership = Table(
    "membership",
    registry,
    Column("workflow", word(80), primary_key=True),  # * = every workflow, for an auditor
    Column("account", word(80), ForeignKey("actor.id"), primary_key=True),
    Column("role", word(20), primary_key=True),  # reader, member, auditor; a machine may hold an owner's role
    Column("granted_by", word(80), nullable=False),
    Column("granted_at", TIME, nullable=False),
)
