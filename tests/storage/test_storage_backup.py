"""Backups: taken while turns run, whole, sealed, and restorable."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import pytest_asyncio
from storage_examples import NIK, Desk, Numbered, arrival

from flows.model import OpenTicket, Session, Text
from storage import backup
from storage.backup import BackupCheck, BackupError, InUse
from storage.database import create_from_template, open_database
from storage.keyring import Keyring, KeyringError
from storage.migrations import NEWEST

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def running(tmp_path: Path, keys: Keyring, ids: Numbered) -> Desk:
    """A SQLite store in use."""
    return Desk(create_from_template(tmp_path / "store.db"), keys, ids)


def names(folder: Path) -> set[str]:
    """What lies in a folder."""
    return {path.name for path in folder.iterdir()}


async def test_backs_up_while_turns_run(running: Desk, tmp_path: Path, keys: Keyring) -> None:
    """The copy is whole, of one moment, readable by its owner alone, and opens as a database again."""
    await running.turn("m1", OpenTicket("RK-1", "complaint", NIK), session=Session(greeted=True))

    async def busy() -> None:
        for number in range(30):
            await running.turn(f"n{number}", address=f"visitor-{number}")

    turns = asyncio.create_task(busy())
    target = tmp_path / "copy.backup"
    made = await asyncio.to_thread(backup.back_up, tmp_path / "store.db", target, keys)
    await turns
    await running.database.close()
    found = backup.check(target, keys)
    assert made == found
    assert found.tickets == 1
    assert 1 <= found.conversations <= 31
    assert target.stat().st_mode & 0o077 == 0
    assert NIK.encode() not in target.read_bytes()
    restored = tmp_path / "restored.db"
    assert backup.restore(target, restored, keys) == found
    again = Desk(open_database(f"sqlite:///{restored}"), keys, Numbered(1000))
    known = await again.accept(arrival("m1", content=Text("lagi")))
    assert known.duplicate
    assert (await again.peek(known.conversation)).session == Session(greeted=True)
    await again.database.close()


async def test_never_loses_what_it_replaces(running: Desk, tmp_path: Path, keys: Keyring) -> None:
    """A backup is never written over; a database is kept beside the one that takes its place, and only once."""
    await running.turn("m1")
    source, target = tmp_path / "store.db", tmp_path / "copy.backup"
    backup.back_up(source, target, keys)
    with pytest.raises(InUse):
        backup.restore(target, source, keys)
    await running.turn("m2", address="visitor-2")
    await running.database.close()
    with pytest.raises(FileExistsError):
        backup.back_up(source, target, keys)
    with pytest.raises(FileNotFoundError):
        backup.back_up(tmp_path / "none.db", tmp_path / "none.backup", keys)
    assert backup.restore(target, source, keys) == BackupCheck(NEWEST, 1, 0)
    assert backup.check(source, keys) == BackupCheck(NEWEST, 1, 0)
    assert backup.check(tmp_path / "store.db.before-restore", keys) == BackupCheck(NEWEST, 2, 0)
    with pytest.raises(FileExistsError):
        backup.restore(target, source, keys)
    assert await asyncio.to_thread(names, tmp_path) == {"store.db", "store.db.before-restore", "copy.backup"}


async def test_notices_a_backup_that_is_not_whole(running: Desk, tmp_path: Path, keys: Keyring) -> None:
    """A damaged file, a file of another kind and another key are told before anything is restored."""
    await running.turn("m1")
    await running.database.close()
    target = tmp_path / "copy.backup"
    backup.back_up(tmp_path / "store.db", target, keys)
    other_keys = Keyring.from_keys({"k1": b"\x09" * 32}, "k1", b"\x02" * 32)
    with pytest.raises(KeyringError):
        backup.restore(target, tmp_path / "restored.db", other_keys)
    whole = target.read_bytes()
    target.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BackupError):
        backup.restore(target, tmp_path / "restored.db", keys)
    target.write_text("not a database at all, but long enough to be looked at" * 100)
    with pytest.raises(BackupError):
        backup.check(target, keys)
    assert not (tmp_path / "restored.db").exists()
