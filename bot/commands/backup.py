"""`rangkul backup FILE`: a copy of the database as it stands, while the service runs, checked before it is kept.

What is personal in it is sealed: without the keys, which are kept elsewhere, the copy says nothing about anybody.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from bot.commands.opening import command_parser, settings_of
from bot.config import ConfigError
from storage import backup
from storage.backup import BackupError
from storage.keyring import KeyringError


def main(arguments: Sequence[str]) -> int:
    """Copies and checks the copy. 0 done, 1 not possible and nothing was kept."""
    parser = command_parser("backup", __doc__ or "")
    parser.add_argument("file", type=Path)
    given = parser.parse_args(arguments)
    config, keys = settings_of(given)
    source = sqlite_file(config.database.url, "pg_dump --format=custom")
    try:
        found = backup.back_up(source, given.file, keys)
    except FileExistsError:
        return refuse(f"{given.file}: is there already")
    except FileNotFoundError:
        return refuse(f"{source}: no database yet, or no folder for the copy")
    except BackupError as error:
        return refuse(f"{error}; nothing was kept")
    except KeyringError as error:
        return refuse(f"{source}: the keys in force do not open it ({error}); nothing was kept")
    print(f"{given.file}: {given.file.stat().st_size} bytes, {found.conversations} conversations, checked")
    return 0


def sqlite_file(url: str, instead: str) -> Path:
    """The file of a SQLite URL. Raises ConfigError, naming what does this on PostgreSQL."""
    if not url.startswith("sqlite:///"):
        raise ConfigError([f"database.url: a PostgreSQL database is copied by its own tools: {instead}"])
    return Path(url.removeprefix("sqlite:///"))


def refuse(why: str) -> int:
    """Says why not; the exit code."""
    print(why, file=sys.stderr)
    return 1
