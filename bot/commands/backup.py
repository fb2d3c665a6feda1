"""`rangkul backup FILE`: a copy of the database as it stands, while the service runs.

What is personal in it is sealed: without the keys, which are kept elsewhere, the copy says nothing about anybody.
"""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from bot.commands.opening import command_parser, settings_of
from bot.config import ConfigError


def main(arguments: Sequence[str]) -> int:
    """Copies and checks the copy. 0 done, 1 the copy is not whole or the file exists."""
    parser = command_parser("backup", __doc__ or "")
    parser.add_argument("file", type=Path)
    given = parser.parse_args(arguments)
    config, _ = settings_of(given)
    source = sqlite_file(config.database.url, "pg_dump --format=custom")
    if given.file.exists():
        print(f"{given.file}: is there already", file=sys.stderr)
        return 1
    if not source.exists():
        print(f"{source}: no database yet", file=sys.stderr)
        return 1
    if not copy_database(source, given.file):
        print(f"{given.file}: the copy is not whole", file=sys.stderr)
        return 1
    print(f"{given.file}: {given.file.stat().st_size} bytes")
    return 0


def sqlite_file(url: str, instead: str) -> Path:
    """The file of a SQLite URL. Raises ConfigError, naming what does this on PostgreSQL."""
    if not url.startswith("sqlite:///"):
        raise ConfigError([f"database.url: a PostgreSQL database is copied by its own tools: {instead}"])
    return Path(url.removeprefix("sqlite:///"))


def copy_database(source: Path, target: Path) -> bool:
    """Copies by SQLite's own backup, so that what is being written meanwhile does no harm; False when not whole."""
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT, 0o600))
    with (
        closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as old,
        closing(sqlite3.connect(target)) as new,
    ):
        old.backup(new)
        whole: bool = new.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return whole
