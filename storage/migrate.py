"""Alembic, driven by a connection instead of a command line: works from an installed package."""

from __future__ import annotations

import tempfile
from functools import lru_cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from storage.sqlite import make_engine

SCRIPTS = Path(__file__).with_name("migrations")
ADVISORY_LOCK = 0x52414E47  # any fixed number: those who migrate wait for each other


def upgrade(conn: Connection, revision: str = "head") -> None:
    """Bring the schema up to `revision` within the caller's transaction."""
    command.upgrade(_config(conn), revision)


def downgrade(conn: Connection, revision: str) -> None:
    """Bring the schema back to `revision` within the caller's transaction."""
    command.downgrade(_config(conn), revision)


@lru_cache(maxsize=1)
def template() -> bytes:
    """The bytes of a SQLite database with the newest schema and nothing in it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "template.db")
        engine = make_engine(path, begin="BEGIN IMMEDIATE", read_only=False)
        with engine.begin() as conn:
            upgrade(conn)
        engine.dispose()
        return path.read_bytes()  # the last connection has closed, so the log is in the file


def _config(conn: Connection) -> Config:
    if conn.dialect.name == "postgresql":
        conn.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": ADVISORY_LOCK})
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = conn
    return config
