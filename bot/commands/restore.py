"""`rangkul restore FILE`: brings a copy made by `rangkul backup` back. Stop the service first."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from bot.commands.backup import copy_database, sqlite_file
from bot.commands.opening import command_parser, settings_of


def main(arguments: Sequence[str]) -> int:
    """Puts the copy in the place of the database. 0 done, 1 not possible and nothing changed."""
    parser = command_parser("restore", __doc__ or "")
    parser.add_argument("file", type=Path)
    parser.add_argument("--replace", action="store_true", help="in the place of the database that is there")
    given = parser.parse_args(arguments)
    config, _ = settings_of(given)
    target = sqlite_file(config.database.url, "pg_restore")
    if not is_ours(given.file):
        print(f"{given.file}: is no copy of a Rangkul database", file=sys.stderr)
        return 1
    if target.exists() and not given.replace:
        print(f"{target}: is there; --replace puts the copy in its place", file=sys.stderr)
        return 1
    fresh = target.with_name(f"{target.name}.restoring")
    fresh.unlink(missing_ok=True)
    if not copy_database(given.file, fresh):
        fresh.unlink()
        print(f"{given.file}: the copy is not whole", file=sys.stderr)
        return 1
    # The log of the old file must not be played into the new one.
    for suffix in ("-wal", "-shm"):
        target.with_name(f"{target.name}{suffix}").unlink(missing_ok=True)
    fresh.replace(target)
    print(f"{target}: restored; run `rangkul db upgrade` if the copy is from an older version")
    return 0


def is_ours(path: Path) -> bool:
    """Whether this is a whole SQLite database with our tables."""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as conn:
            names = {name for (name,) in conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            return {"conversations", "inbox", "outbox"} <= names
    except sqlite3.Error:
        return False
