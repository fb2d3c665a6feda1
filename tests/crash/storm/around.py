"""What every storm needs around itself: a database of its own on a server, and telling what came of it."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from storm.checks import SHOWN, Verdict


@asynccontextmanager
async def own_database(server: str, prefix: str) -> AsyncIterator[str]:
    """The URL of a new database on this PostgreSQL server (postgresql://user@host:port), dropped in the end."""
    server = server.rstrip("/")
    name = f"{prefix}_{secrets.token_hex(6)}"
    await _on_server(server, f"CREATE DATABASE {name}")
    try:
        yield f"{server}/{name}"
    finally:
        await _on_server(server, f"DROP DATABASE {name} WITH (FORCE)")


async def _on_server(server: str, statement: str) -> None:
    connection = await asyncpg.connect(f"{server}/postgres")
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def tell(verdict: Verdict, *, twice: str, heading: str) -> None:
    """Prints the figures. `twice` is the column of the stretches that counts repeats, `heading` what it is called."""
    width = len(heading) + 2
    print(f"{'killed at':<15}{'kills':>7}{'restart (median s)':>20}{heading:>{width}}")
    for row in verdict.stretches:
        print(f"{row['where']:<15}{row['kills']:>7}{row['restart_median_s']:>20}{row[twice]:>{width}}")
    print()
    for name, figure in verdict.figures.items():
        print(f"{name:<34}{figure:>8}")
    print()
    for violation in verdict.violations[:SHOWN]:
        print(f"VIOLATION: {violation}")
    print(f"{len(verdict.violations)} violations")
