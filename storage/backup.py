"""Backups of a SQLite database while it runs, and the proof that one can be read. PostgreSQL has `pg_dump`."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from storage.keyring import Keyring

KEPT_AS = ".before-restore"
"""Behind the name of the database that a restored one has replaced."""


class BackupError(Exception):
    """The backup is not whole, or is of another kind. Trying the same file again is no use."""


class InUse(Exception):
    """Some process has the database open; nothing was changed."""


@dataclass(frozen=True, slots=True)
class BackupCheck:
    """What was found in a backup that is whole: its schema revision and how much it holds."""

    revision: str
    conversations: int
    tickets: int


def back_up(source: Path, target: Path, keys: Keyring) -> BackupCheck:
    """Copy the database as it is at this moment, writers undisturbed. It stays sealed; the keys are not in it.

    The target appears only when it has passed `check`. Raises FileNotFoundError, FileExistsError, BackupError,
    KeyringError.
    """
    if not source.exists():
        raise FileNotFoundError(source)
    if target.exists():
        raise FileExistsError(target)
    partial = target.with_name(target.name + ".part")
    try:
        _copy(source, partial)
        found = check(partial, keys)
        partial.rename(target)
    finally:
        partial.unlink(missing_ok=True)
    _to_disk(target.parent)
    return found


def check(backup: Path, keys: Keyring) -> BackupCheck:
    """Read a backup through and open what was sealed first and last in it. Raises BackupError, KeyringError."""
    if not backup.exists():
        raise FileNotFoundError(backup)
    try:
        with closing(sqlite3.connect(f"{backup.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            answer = connection.execute("PRAGMA integrity_check").fetchone()[0]
            if answer != "ok" or connection.execute("PRAGMA foreign_key_check").fetchone():
                raise BackupError(f"{backup} is damaged: {answer}")
            revision = connection.execute("SELECT version_num FROM alembic_version").fetchone()[0]
            conversations = connection.execute("SELECT count(*) FROM conversations").fetchone()[0]
            tickets = connection.execute("SELECT count(*) FROM tickets").fetchone()[0]
            # First and last, because the key may have been changed in between.
            samples = connection.execute(
                "SELECT id, session FROM conversations WHERE rowid IN"
                " ((SELECT min(rowid) FROM conversations), (SELECT max(rowid) FROM conversations))"
            ).fetchall()
    except sqlite3.DatabaseError as error:
        raise BackupError(f"{backup} cannot be read: {error}") from error
    for conversation, session in samples:
        keys.open("conversations", "session", conversation, session)
    return BackupCheck(revision, conversations, tickets)


def restore(backup: Path, target: Path, keys: Keyring) -> BackupCheck:
    """Check a backup and put a copy in the place of a database, which stays beside it with `KEPT_AS` behind its name.

    Raises InUse, BackupError, KeyringError, and FileExistsError when an earlier replaced database is still there;
    then nothing has changed.
    """
    found = check(backup, keys)
    kept = target.with_name(target.name + KEPT_AS)
    if kept.exists():
        raise FileExistsError(kept)
    if target.exists():
        _fold_log_in(target)
    partial = target.with_name(target.name + ".part")
    try:
        _copy(backup, partial)
        if target.exists():
            os.link(target, kept)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    _to_disk(target.parent)
    return found


def _copy(source: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    target.touch(mode=0o600)
    with closing(sqlite3.connect(source)) as reader, closing(sqlite3.connect(target)) as writer:
        reader.backup(writer)  # in one step: one view of the data, and WAL lets the writers go on
        writer.execute("PRAGMA journal_mode=DELETE")  # one file, nothing beside it
    _to_disk(target)


def _fold_log_in(database: Path) -> None:
    """Makes a database one file: a log left beside it would be played into the one that takes its place.

    SQLite refuses this while any other connection is open, which is how use is noticed. Raises InUse.
    """
    with closing(sqlite3.connect(database, timeout=0)) as connection:
        try:
            mode = connection.execute("PRAGMA journal_mode=DELETE").fetchone()[0]
        except sqlite3.OperationalError as error:
            raise InUse(database) from error
        except sqlite3.DatabaseError:
            return  # what is no database any more has no log; a restore is what it needs
        if mode != "delete":
            raise InUse(database)


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
