"""Whose turn it is, among all servers of one desk; it lasts as long as a transaction, so that no crash leaves it taken."""

from sqlalchemy import Connection, func, literal, select


def takes_turn(sql: Connection, what: str) -> bool:
    """Whether nobody else does this now in the same schema of PostgreSQL.

    Files are served by one process, which has locks of its own.
    """
    if sql.dialect.name != "postgresql":
        return True
    name = func.concat(func.current_schema(), literal(f" {what}"))
    return bool(sql.scalar(select(func.pg_try_advisory_xact_lock(func.hashtextextended(name, 0)))))
