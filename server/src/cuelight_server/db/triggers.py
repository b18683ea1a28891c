"""The triggers of a store, on whichever database it is: what should be there, and putting it there."""

from sqlalchemy import Connection, MetaData

from cuelight_server.db import triggers_postgresql, triggers_sqlite


def triggers(tables: MetaData, dialect: str) -> dict[str, str]:
    """Trigger name -> CREATE TRIGGER statement, for every table that must not change or is governed."""
    return triggers_postgresql.triggers(tables) if dialect == "postgresql" else triggers_sqlite.triggers(tables)


def table_of(trigger: str) -> str:
    """The table that a trigger guards, by the trigger's name."""
    return trigger.removesuffix("_guard").partition("_no_")[0]


def set_triggers(sql: Connection, tables: MetaData) -> None:
    """Make those that are missing; the tables are there."""
    if sql.dialect.name == "postgresql":
        for function in triggers_postgresql.FUNCTIONS:
            sql.exec_driver_sql(function)
    for statement in triggers(tables, sql.dialect.name).values():
        sql.exec_driver_sql(statement)


def drop_triggers(sql: Connection, tables: MetaData) -> None:
    """Take all of them away, in the transaction of a migration."""
    if sql.dialect.name == "postgresql":
        triggers_postgresql.drop_all(sql, tables)
    else:
        triggers_sqlite.drop_all(sql)
