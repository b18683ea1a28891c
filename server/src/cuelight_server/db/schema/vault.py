"""How the desk reaches its model providers."""

from sqlalchemy import Column, Table, Text

from cuelight_server.db.schema.columns import TIME, registry, word

provider_connection = Table(
    "provider_connection",
    registry,
    Column("provider", word(40), primary_key=True),
    Column("base_url", Text, nullable=False),
    Column("sealed", Text),  # the key, sealed under a key that is not in the database; null = it needs none
    Column("actor", word(80), nullable=False),
    Column("updated_at", TIME, nullable=False),
    Column("options", Text),  # limits of its pace, and how an HTTP endpoint is spoken to; null = none
)
