"""What each environment serves, and who was seen to have it."""

from sqlalchemy import Column, ForeignKey, Integer, LargeBinary, Table, Text

from cuelight_server.db.schema.columns import TIME, registry, word

environment = Table(
    "environment",
    registry,
    Column("name", word(20), primary_key=True),
    Column("snapshot_version", Integer, nullable=False),
)

deployment = Table(
    "deployment",
    registry,
    Column("prompt", word(161), ForeignKey("prompt.name"), primary_key=True),
    Column("environment", word(20), ForeignKey("environment.name"), primary_key=True),
    Column("tenant", word(80), primary_key=True),  # "" = everyone
    Column("weights", Text, nullable=False),  # JSON [[version number, weight of 100000]], candidate first; [] = off
    Column("rollback_target", Integer),  # version number; null = switch off
    Column("kill", Text),  # JSON {reason, by, at} while the kill switch is on
    Column("release", word(32)),
    Column("revision", Integer, nullable=False),
    Column("since", TIME, nullable=False),
)

snapshot = Table(
    "snapshot",
    registry,
    Column("environment", word(20), ForeignKey("environment.name"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("digest", word(71), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("created_at", TIME, nullable=False),
)

client_seen = Table(  # operational: an acknowledgement is a lease
    "client_seen",
    registry,
    Column("app", word(80), primary_key=True),  # whose key it was: no other app can speak for this client
    Column("client", word(80), primary_key=True),
    Column("environment", word(20), primary_key=True),
    Column("snapshot_version", Integer, nullable=False),
    Column("epoch", word(32), nullable=False),
    Column("seen_at", TIME, nullable=False),
)
