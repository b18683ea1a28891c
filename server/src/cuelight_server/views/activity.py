"""When somebody last did something here: their newest line in the log, which is the same on every page and stays."""

from collections.abc import Collection

from sqlalchemy import Connection, func, select

from cuelight_server.db import schema

_AT_ONCE = 500


def last_acts(sql: Connection, ids: Collection[str]) -> dict[str, str]:
    """Account -> when its newest line in the log was written (RFC 3339), refusals included; who has none is left out."""
    line, actor, wanted = schema.audit_event.c, schema.actor.c, sorted(ids)
    # For each account one look into the index, however long the log is.
    newest = select(func.max(line.seq)).where(line.actor == actor.id).correlate(schema.actor).scalar_subquery()
    query = select(actor.id, line.at).join(schema.audit_event, line.seq == newest)
    some = (wanted[start : start + _AT_ONCE] for start in range(0, len(wanted), _AT_ONCE))
    return {row.id: row.at for part in some for row in sql.execute(query.where(actor.id.in_(part)))}
