"""`rangkul restore FILE`: brings a copy made by `rangkul backup` back. Stop the service first.

The copy is checked before anything is touched; the database that it replaces stays beside it as `.before-restore`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bot.commands.backup import refuse, sqlite_file
from bot.commands.opening import command_parser, settings_of
from storage import backup
from storage.backup import BackupError, InUse
from storage.keyring import KeyringError


def main(arguments: Sequence[str]) -> int:
    """Puts the copy in the place of the database. 0 done, 1 not possible and nothing changed."""
    parser = command_parser("restore", __doc__ or "")
    parser.add_argument("file", type=Path)
    given = parser.parse_args(arguments)
    config, keys = settings_of(given)
    target = sqlite_file(config.database.url, "pg_restore")
    try:
        found = backup.restore(given.file, target, keys)
    except FileNotFoundError as error:
        return refuse(f"{error.args[0] if len(error.args) == 1 else error.filename}: is not there")
    except FileExistsError as error:
        return refuse(f"{error.args[0]}: is there from an earlier restore; move it away first")
    except InUse:
        return refuse(f"{target}: is in use; stop the service and every other command first")
    except BackupError as error:
        return refuse(str(error))
    except KeyringError as error:
        return refuse(f"{given.file}: the keys in force do not open it ({error})")
    print(f"{target}: restored, {found.conversations} conversations; `rangkul run` brings an older schema up to date")
    return 0
