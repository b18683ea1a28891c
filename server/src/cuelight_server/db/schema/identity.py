"""Who somebody is elsewhere: accounts of an OpenID provider, sign-ins on their way, and pipelines that are trusted."""

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text

from cuelight_server.db.schema.columns import TIME, registry, word

identity = Table(
    "identity",
    registry,
    Column("issuer", word(255), primary_key=True),
    Column("subject", word(255), primary_key=True),
    Column("actor", word(80), ForeignKey("actor.id"), nullable=False),
    Column("salt", word(64), nullable=False),  # the log knows the digest of salt, issuer and subject
    Column("linked_at", TIME, nullable=False),
    Column("gave", Text, nullable=False),  # a JSON list: what the provider's groups gave the account, such as admin
    Index("identity_actor", "actor"),
)

trust = Table(
    "trust",
    registry,
    Column("id", word(24), primary_key=True),
    Column("actor", word(80), ForeignKey("actor.id"), nullable=False),
    Column("issuer", word(255), nullable=False),
    Column("audience", word(255), nullable=False),
    Column("conditions", Text, nullable=False),  # a JSON object: claim -> the value, or its beginning and *
    Column("scopes", Text, nullable=False),  # a JSON list
    Column("environment", word(20)),
    Column("minutes", Integer, nullable=False),  # how long a key lasts
    Column("created_at", TIME, nullable=False),
    Column("ended_at", TIME),
    Column("last_used_at", TIME),
    Index("trust_issuer", "issuer"),
)

# Sign-ins on their way to a provider and back, and tokens of pipelines that were used: operational, gone when it is over.
sign_in_flow = Table(
    "sign_in_flow",
    registry,
    Column("hash", word(64), primary_key=True),  # of the cookie's secret, from which state, nonce and verifier follow
    Column("actor", word(80), ForeignKey("actor.id")),  # set where somebody who is signed in connects their account
    Column("source", word(64), nullable=False),
    Column("created_at", TIME, nullable=False),
    Column("expires_at", TIME, nullable=False),
    Index("sign_in_flow_source", "source", "created_at"),
)

workload_token = Table(
    "workload_token",
    registry,
    Column("hash", word(64), primary_key=True),  # of issuer and jti, or of the whole token where it has none
    Column("expires_at", TIME, nullable=False),
    Index("workload_token_expires", "expires_at"),
)
