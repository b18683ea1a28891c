"""Assertions on SQL, read by `sqlglot`: the output is a statement of a dialect, on tables and columns that are allowed."""

import re
from collections.abc import Iterator
from typing import Any

from cuelight_server.evaluation.graders.asked import Asked, Assertion, said, with_output
from cuelight_server.evaluation.graders.outcome import Outcome, not_run
from cuelight_server.evaluation.graders.sample import Rule
from cuelight_server.kernel import ecmascript
from cuelight_server.kernel.assertions import dialect_of

_STATEMENTS = frozenset({
    "Select", "Union", "Except", "Intersect", "Subquery", "Insert", "Update", "Delete", "Merge", "Create", "Drop",
    "Alter", "TruncateTable", "Show", "Set", "Use", "Describe", "Transaction", "Commit", "Rollback", "Values",
    "Grant",
})  # fmt: skip
_FENCED = re.compile(r"```(?:sql)?[ \t]*\n(.*?)```", re.IGNORECASE | re.DOTALL)
_LONGEST = 50_000
_MISSING = "no reader of SQL is installed: pip install 'cuelight-server[sql]'"


def _is_sql(asked: Asked) -> Outcome:
    try:
        import sqlglot  # noqa: PLC0415  an extra, and 150 ms to load
    except ImportError:
        return not_run(_MISSING)
    dialect, tables, columns = asked.ready
    wanted = f"be SQL of {dialect}"
    if len(asked.text) > _LONGEST:
        return said(asked, held=False, wanted=f"{wanted} of at most {_LONGEST} characters")
    try:
        statements = [one for one in sqlglot.parse(asked.text, dialect=dialect) if one is not None]
    except (sqlglot.errors.SqlglotError, RecursionError, ValueError):
        return said(asked, held=False, wanted=wanted)
    if not statements or not all(type(one).__name__ in _STATEMENTS for one in statements):
        return said(asked, held=False, wanted=wanted)
    strange = [*_strange(statements, "table", tables), *_strange(statements, "column", columns)]
    return said(asked, not strange, f"{wanted} that touches only what is allowed, not {', '.join(strange[:5])}")


def _contains_sql(asked: Asked) -> Outcome:
    fenced = _FENCED.search(asked.text)
    return _is_sql(with_output(asked, fenced[1].strip()) if fenced else asked)


def _strange(statements: list[Any], what: str, allowed: Any) -> Iterator[str]:
    """What statements touch and no pattern allows, as `select::schema::table` or `select::table::column`."""
    if allowed is None:
        return
    for name in sorted({name for one in statements for name in _touched(one, what)}):
        if not any(pattern(name) for pattern in allowed):
            yield name


def _touched(statement: Any, what: str) -> Iterator[str]:
    from sqlglot import exp  # noqa: PLC0415  an extra

    act = type(statement).__name__.lower()
    act = act if act in ("insert", "update", "delete") else "select"
    if what == "table":
        own = {cte.alias for cte in statement.find_all(exp.CTE)}
        for table in statement.find_all(exp.Table):
            if table.name not in own:
                yield f"{act}::{table.db or 'null'}::{table.name}"
    else:
        for column in statement.find_all(exp.Column, exp.Star):
            table = column.table if isinstance(column, exp.Column) else ""
            yield f"{act}::{table or 'null'}::{column.name if isinstance(column, exp.Column) else '(.*)'}"


def _ready(_rule: Rule, value: Any) -> tuple[str, Any, Any]:
    given = value if isinstance(value, dict) else {}
    return dialect_of(value), _patterns(given.get("allowedTables")), _patterns(given.get("allowedColumns"))


def _patterns(listed: Any) -> Any:
    if listed is None:
        return None
    return [ecmascript.compiled(f"^(?:{one})$") for one in ([listed] if isinstance(listed, str) else listed)]


TABLE = {
    "is-sql": Assertion(check=_is_sql, ready=_ready),
    "contains-sql": Assertion(check=_contains_sql, ready=_ready),
}
