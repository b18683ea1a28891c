"""The triggers on PostgreSQL: what is written once stays, and what is governed is written through the door only."""

from sqlalchemy import Connection, MetaData, Table, text

from cuelight_server.db import schema
from cuelight_server.db.allowed import ALLOWED, DELETE, INSERT, UPDATE
from cuelight_server.db.words import GOVERNED, NEVER_CHANGES

REFUSED, DENIED = "CU001", "CU002"  # our own SQLSTATEs: what never changes, and what only the door writes

# The first says no; the second locks the evaluation, so that no result slips in while it is being finished.
FUNCTIONS = (
    """
    CREATE OR REPLACE FUNCTION cuelight_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION USING MESSAGE = TG_ARGV[0], ERRCODE = TG_ARGV[1];
    END $$
    """,
    """
    CREATE OR REPLACE FUNCTION cuelight_refuse_finished() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        finished text;
        place text := CASE WHEN TG_OP = 'INSERT' THEN NEW.evaluation ELSE OLD.evaluation END;
    BEGIN
        SELECT finished_at INTO finished FROM evaluation WHERE id = place FOR NO KEY UPDATE;
        IF finished IS NOT NULL THEN
            RAISE EXCEPTION USING MESSAGE = TG_ARGV[0], ERRCODE = TG_ARGV[1];
        END IF;
        IF TG_OP = 'DELETE' THEN
            RETURN OLD;
        END IF;
        RETURN NEW;
    END $$
    """,
)


def triggers(tables: MetaData) -> dict[str, str]:
    """Trigger name -> CREATE TRIGGER statement, for every table of the store."""
    made: dict[str, str] = {}
    for table in tables.sorted_tables:
        made |= _guard(table)
        if table in schema.IMMUTABLE:
            made |= _immutable(table)
    if schema.evaluation.metadata is tables:
        made |= _finished_evaluation() | _desk_facts()
    return made


def drop_all(sql: Connection, tables: MetaData) -> None:
    """Take every trigger of ours off the tables of the store, for a migration, which puts today's on again."""
    ours = text(
        "SELECT t.tgname, c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
        "JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = current_schema() AND p.proname LIKE 'cuelight_%' AND c.relname = ANY(:tables)"
    )
    for name, table in sql.execute(ours, {"tables": list(tables.tables)}).all():
        sql.exec_driver_sql(f'DROP TRIGGER "{name}" ON "{table}"')


def _guard(table: Table) -> dict[str, str]:
    """Refuse what the allow-list does not have, unless the transaction is a governed one."""
    moments = [what.upper() for what in (INSERT, DELETE) if (what, table.name) not in ALLOWED]
    touched = ALLOWED.get((UPDATE, table.name), frozenset())
    if touched is not None:
        others = ", ".join(f'"{column.name}"' for column in table.columns if column.name not in touched)
        moments.append(f"UPDATE OF {others}")
    when = "WHEN (current_setting('cuelight.writes', true) IS DISTINCT FROM 'governed')"
    name = f"{table.name}_guard"
    moment = " OR ".join([*moments, "TRUNCATE"])
    return {name: _trigger(name, moment, table.name, f"FOR EACH STATEMENT {when}", GOVERNED, DENIED)}


def _immutable(table: Table) -> dict[str, str]:
    return _kept(table.name, f"a stored {table.name} {NEVER_CHANGES}", {"update": "", "delete": ""})


def _finished_evaluation() -> dict[str, str]:
    """An evaluation and its results are open until it is finished, and evidence from then on."""
    words = f"a finished evaluation {NEVER_CHANGES}"
    done = "WHEN (OLD.finished_at IS NOT NULL)"
    made = _kept("evaluation", words, {"update": done, "delete": done})
    for what in ("insert", "update", "delete"):
        name = f"evaluation_result_no_{what}"
        moment, act = what.upper(), "cuelight_refuse_finished"
        made[name] = _trigger(name, moment, "evaluation_result", "FOR EACH ROW", words, REFUSED, act)
    return made


def _desk_facts() -> dict[str, str]:
    """A desk stays what it was made as (demo or not); only its epoch changes, when a backup is restored."""
    other = "WHEN (OLD.key <> 'epoch' OR NEW.key <> OLD.key)"
    return _kept("desk", f"what a desk was made as {NEVER_CHANGES}", {"update": other, "delete": ""})


def _kept(table: str, words: str, moments: dict[str, str]) -> dict[str, str]:
    """The triggers of a table whose rows stay; emptied at once it would lose them without a row trigger."""
    made = {
        f"{table}_no_{what}": _trigger(
            f"{table}_no_{what}", what.upper(), table, f"FOR EACH ROW {when}", words, REFUSED
        )
        for what, when in moments.items()
    }
    name = f"{table}_no_truncate"
    return made | {name: _trigger(name, "TRUNCATE", table, "FOR EACH STATEMENT", words, REFUSED)}


def _trigger(
    name: str, moment: str, table: str, when: str, words: str, state: str, act: str = "cuelight_refuse"
) -> str:
    return f"CREATE OR REPLACE TRIGGER {name} BEFORE {moment} ON {table} {when} EXECUTE FUNCTION {act}('{words}', '{state}')"
