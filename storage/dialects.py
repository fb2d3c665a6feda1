"""One statement in the words of each database, for what SQLAlchemy has no common words."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from sqlalchemy import Connection, Executable, Table
from sqlalchemy.dialects import postgresql, sqlite

Insert: TypeAlias = sqlite.Insert | postgresql.Insert


class PerDialect:
    """The same statement, built once for each database."""

    def __init__(self, table: Table, build: Callable[[Insert], Executable]) -> None:
        self._statements = {
            "sqlite": build(sqlite.insert(table)),
            "postgresql": build(postgresql.insert(table)),
        }

    def on(self, conn: Connection) -> Executable:
        """The one for this connection."""
        return self._statements[conn.dialect.name]
