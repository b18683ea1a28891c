"""The log, what in it can be erased, and what was signed: the log itself is one row an event and its state after it."""

from sqlalchemy import Column, Index, Integer, Table, Text

from cuelight_server.db.schema.columns import TIME, registry, word

audit_event = Table(
    "audit_event",
    registry,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("body", Text, nullable=False),  # canonical JSON {seq, at, actor, verb, subject, facts}
    Column("leaf", word(64), nullable=False),  # RFC 6962 leaf hash of body
    Column("at", TIME, nullable=False, server_default=""),  # these four repeat the body, to search by
    Column("actor", word(80), nullable=False, server_default=""),
    Column("verb", word(40), nullable=False, server_default=""),
    Column("subject", word(240), nullable=False, server_default=""),
    Index("audit_event_at", "at"),
    Index("audit_event_actor", "actor", "seq"),
    Index("audit_event_verb", "verb", "seq"),
    Index("audit_event_subject", "subject", "seq"),
)

audit_head = Table(
    "audit_head",
    registry,
    Column("size", Integer, primary_key=True, autoincrement=False),
    Column("root", word(64), nullable=False),
    Column("frontier", Text, nullable=False),
)

personal = Table(  # what lines say of people, in the clear: the lines hold salted digests, so a row can be erased
    "personal",
    registry,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("field", word(40), primary_key=True),
    Column("person", word(80), nullable=False),  # whom it is about; "-" for a stranger
    Column("salt", word(64), nullable=False),
    Column("value", Text, nullable=False),
    Index("personal_person", "person"),
)

signing_key = Table(  # the public halves, oldest first by line; the private one is never in the database
    "signing_key",
    registry,
    Column("seq", Integer, primary_key=True, autoincrement=False),  # the line that announced it
    Column("id", word(8), nullable=False),
    Column("verifier", Text, nullable=False),
    Column("endorsement", Text),  # the note in which the key before says yes; null for the first, or after a loss
)

checkpoint = Table(  # issued: operational, for a line about each would ask for the next
    "checkpoint",
    registry,
    Column("size", Integer, primary_key=True, autoincrement=False),
    Column("note", Text, nullable=False),
    Column("key", word(8), nullable=False),
    Column("snapshot_version", Integer, nullable=False),  # of production: what it covers
    Column("issued_at", TIME, nullable=False),
)

checkpoint_sink = Table(  # operational: how far each sink has come
    "checkpoint_sink",
    registry,
    Column("name", word(40), primary_key=True),
    Column("size", Integer, nullable=False),  # of the newest checkpoint that it took; 0 = none
    Column("attempts", Integer, nullable=False),  # failures in a row
    Column("error", Text, nullable=False),
    Column("tried_at", TIME, nullable=False),
    Column("next_at", TIME, nullable=False),  # not before; a lease while somebody delivers
    Column("delivered_at", TIME),
)
