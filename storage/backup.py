"""Backups of a SQLite database while it runs, and the proof that one can be read. PostgreSQL has `pg_dump`."""

from __future__ import annotations

import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from storage.keyring import Keyring


class BackupError(Exception):
    """The backup is not whole, or is of another kind. Trying the same file again is no use."""


@dataclass(frozen=True, slots=True)
class BackupCheck:
    """What was found in a backup that is whole: its schema revision and how much it holds."""

    revision: str
    conversations: int
    tickets: int


def back_up(source: Path, target: Path) -> None:
    """Copy the database as it is at this moment, writers undisturbed. It stays sealed; the keys are not in it.

    The target appears only when it is whole. Raises FileNotFoundError, FileExistsError.
    """
    if not source.exists():
        raise FileNotFoundError(source)
    if target.exists():
        raise FileExistsError(target)
    partial = target.with_name(target.name + ".part")
    partial.unlink(missing_ok=True)
    partial.touch(mode=0o600)
    reader = sqlite3.connect(source)
    writer = sqlite3.connect(partial)
    try:
        reader.backup(writer)  # in one step: one view of the data, and WAL lets the writers go on
        writer.execute("PRAGMA journal_mode=DELETE")  # one file, nothing beside it
    finally:
        writer.close()
        reader.close()
    _to_disk(partial)
    partial.rename(target)
    _to_disk(target.parent)


def check(backup: Path, keys: Keyring | None = None) -> BackupCheck:
    """Read a backup through, and with `keys` open a session of it. Raises BackupError, KeyringError."""
    if not backup.exists():
        raise FileNotFoundError(backup)
    connection = sqlite3.connect(f"{backup.resolve().as_uri()}?mode=ro", uri=True)
    try:
        answer = connection.execute("PRAGMA integrity_check").fetchone()[0]
        if answer != "ok" or connection.execute("PRAGMA foreign_key_check").fetchone():
            raise BackupError(f"{backup} is damaged: {answer}")
        revision = connection.execute("SELECT version_num FROM alembic_version").fetchone()[0]
        conversations = connection.execute("SELECT count(*) FROM conversations").fetchone()[0]
        tickets = connection.execute("SELECT count(*) FROM tickets").fetchone()[0]
        sample = connection.execute("SELECT id, session FROM conversations LIMIT 1").fetchone()
    except sqlite3.DatabaseError as error:
        raise BackupError(f"{backup} cannot be read: {error}") from error
    finally:
        connection.close()
    if keys is not None and sample is not None:
        keys.open("conversations", "session", sample[0], sample[1])
    return BackupCheck(revision, conversations, tickets)


def restore(backup: Path, target: Path, keys: Keyring | None = None) -> BackupCheck:
    """Check a backup and put a copy where a database is to be; never over one that is there.

    Raises FileExistsError, BackupError, KeyringError.
    """
    for taken in (target, target.with_name(target.name + "-wal")):
        if taken.exists():
            raise FileExistsError(taken)
    found = check(backup, keys)
    back_up(backup, target)
    return found


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
