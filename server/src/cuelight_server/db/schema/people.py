"""The desk itself, and who may come in."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, Table, Text

from cuelight_server.db.schema.columns import TIME, registry, word

desk = Table(
    "desk",
    registry,
    Column("key", word(40), primary_key=True),
    Column("value", Text, nullable=False),
)

actor = Table(
    "actor",
    registry,
    Column("id", word(80), primary_key=True),  # mei.tanaka, app:<name>, service:<name> or agent:<name>
    Column("name", word(120), nullable=False),
    Column("kind", word(10), nullable=False),  # person, app, service or agent
    Column("admin", Boolean, nullable=False),
    Column("created_at", TIME, nullable=False),
    Column("disabled_at", TIME),
    Column("person", word(80)),  # set where the account belongs to a person who has another one
)

token = Table(
    "token",
    registry,
    Column("id", word(24), primary_key=True),
    Column("actor", word(80), ForeignKey("actor.id"), nullable=False),
    Column("secret_hash", word(64), nullable=False),
    Column("environment", word(20)),  # set on every key of an app: it reaches this environment and nothing else
    Column("created_at", TIME, nullable=False),
    Column("scopes", Text),  # a JSON list; NULL = everything that its holder may
    Column("label", word(80), nullable=False, server_default=""),
    Column("expires_at", TIME),
    Column("revoked_at", TIME),
    Column("last_used_at", TIME),
    Index("token_expires", "expires_at"),
)

idempotency_key = Table(  # what a request was answered, kept in its transaction: asked again, it is not done again
    "idempotency_key",
    registry,
    Column("actor", word(80), primary_key=True),
    Column("key", word(80), primary_key=True),
    Column("request", word(71), nullable=False),  # digest of what was asked
    Column("answer", Text, nullable=False),
    Column("created_at", TIME, nullable=False),
)

password = Table(
    "password",
    registry,
    Column("actor", word(80), ForeignKey("actor.id"), primary_key=True),
    Column("hash", Text, nullable=False),  # argon2id in PHC format, with its salt and parameters
    Column("changed_at", TIME, nullable=False),
)

email = Table(
    "email",
    registry,
    Column("actor", word(80), ForeignKey("actor.id"), primary_key=True),
    Column("address", word(254), nullable=False),
    Column("salt", word(64), nullable=False),  # the log knows the digest of salt and address
    Column("verified_at", TIME, nullable=False),
    Index("email_address", "address"),
)

invitation = Table(
    "invitation",
    registry,
    Column("id", word(24), primary_key=True),
    Column("purpose", word(10), nullable=False),  # owner, invite or reset
    Column("actor", word(80), ForeignKey("actor.id")),  # NULL for the owner of a new desk
    Column("secret_hash", word(64), nullable=False),
    Column("created_at", TIME, nullable=False),
    Column("expires_at", TIME, nullable=False),
    Column("ended_at", TIME),  # used, or a later one took its place
)

# Who is signed in, and who tried to: operational, gone when it is over.
session = Table(
    "session",
    registry,
    Column("hash", word(64), primary_key=True),  # of the cookie's secret
    Column("id", word(24), nullable=False),
    Column("actor", word(80), ForeignKey("actor.id"), nullable=False),
    Column("method", word(20), nullable=False),
    Column("source", word(64), nullable=False),
    Column("browser", word(200), nullable=False),
    Column("created_at", TIME, nullable=False),
    Column("last_seen_at", TIME, nullable=False),
    Column("expires_at", TIME, nullable=False),
    Index("session_actor", "actor", "created_at"),
)

sign_in_tries = Table(
    "sign_in_tries",
    registry,
    Column("key", word(64), primary_key=True),  # a hash of the account or the source
    Column("failures", Integer, nullable=False),
    Column("last_at", TIME, nullable=False),
    Column("until", TIME, nullable=False),
)
