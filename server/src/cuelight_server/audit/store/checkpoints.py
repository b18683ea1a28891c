"""What was signed: the keys, the checkpoints, and how far each sink has come."""

from dataclasses import asdict

from sqlalchemy import Connection, insert, or_, select, update

from cuelight_server.audit.model import Issued, SigningKey, SinkState
from cuelight_server.db.schema import checkpoint, checkpoint_sink, signing_key
from cuelight_server.db.upserting import upsert
from cuelight_server.kernel.page import MAX_SIZE


def keys(sql: Connection) -> list[SigningKey]:
    """Every key that ever signed here, oldest first."""
    return [SigningKey(**row._mapping) for row in sql.execute(select(signing_key).order_by(signing_key.c.seq))]  # noqa: SLF001  SQLAlchemy's public name


def save_key(sql: Connection, key: SigningKey) -> None:
    """Store a key; its line is written in the same transaction."""
    sql.execute(insert(signing_key).values(asdict(key)))


def issue(sql: Connection, issued: Issued) -> None:
    """Store a checkpoint that was signed; Conflict where this size was signed already."""
    sql.execute(insert(checkpoint).values(asdict(issued)))


def newest(sql: Connection) -> Issued | None:
    """The newest checkpoint, or None."""
    row = sql.execute(select(checkpoint).order_by(checkpoint.c.size.desc()).limit(1)).one_or_none()
    return None if row is None else Issued(**row._mapping)  # noqa: SLF001  SQLAlchemy's public name


def issued_after(sql: Connection, size: int, most: int = MAX_SIZE) -> list[Issued]:
    """The checkpoints above `size`, oldest first, at most so many."""
    query = select(checkpoint).where(checkpoint.c.size > size).order_by(checkpoint.c.size).limit(most)
    return [Issued(**row._mapping) for row in sql.execute(query)]  # noqa: SLF001  SQLAlchemy's public name


def sinks(sql: Connection) -> dict[str, SinkState]:
    """Name -> how far the sink has come, of all that ever took or refused one."""
    return {row.name: SinkState(**row._mapping) for row in sql.execute(select(checkpoint_sink))}  # noqa: SLF001  SQLAlchemy's public name


def claim(sql: Connection, name: str, now: str, until: str) -> bool:
    """Take the turn to deliver to this sink until then; False while another holds it, or it is not due yet."""
    fresh = SinkState(name=name, tried_at=now, next_at="")
    sql.execute(upsert(sql, checkpoint_sink).values(asdict(fresh)).on_conflict_do_nothing())
    free = or_(checkpoint_sink.c.next_at == "", checkpoint_sink.c.next_at <= now)
    turn = update(checkpoint_sink).where(checkpoint_sink.c.name == name, free)
    return sql.execute(turn.values(next_at=until)).rowcount == 1


def mark(sql: Connection, state: SinkState) -> None:
    """Write down how far a sink has come; this ends the turn."""
    values = asdict(state)
    del values["name"]
    sql.execute(update(checkpoint_sink).where(checkpoint_sink.c.name == state.name).values(values))
