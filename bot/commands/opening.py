"""What the commands open: settings, keys, the records, and the whole program."""

from __future__ import annotations

import argparse
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bot import demo, faults
from bot.app import require_fitting_keys
from bot.clock import Clock, Ids, SystemClock, SystemIds
from bot.config import Config, ConfigError, has_secrets, load_config, require_secrets
from bot.logs import set_up_logs
from storage.database import Database, open_database, upgrade
from storage.keyring import Keyring


@dataclass(frozen=True, slots=True)
class Records:
    """The records of one service, with what is needed to read and change them."""

    config: Config
    db: Database
    keys: Keyring
    clock: Clock
    ids: Ids


def command_parser(name: str, description: str) -> argparse.ArgumentParser:
    """A parser with what every command takes."""
    parser = argparse.ArgumentParser(prog=f"rangkul {name}", description=description)
    parser.add_argument("--config", type=Path, help="another file of settings than config.yaml")
    return parser


def settings_of(
    given: argparse.Namespace, *, quiet: bool = True, demo_when_bare: bool = True
) -> tuple[Config, Keyring]:
    """Settings and keys for a command; the demo's when no key is configured. Logs are set up on the way.

    `quiet` keeps everything below warnings out of the operator's terminal. Raises ConfigError.
    """
    overrides: dict[str, object] = {}
    if getattr(given, "database", None):
        overrides["database.url"] = given.database
    if getattr(given, "demo", False):
        overrides["demo"] = True
    config = load_config(given.config, overrides=overrides)
    if not config.demo and demo_when_bare and not has_secrets(config):
        config = config.model_copy(update={"demo": True})
    logs = config.logs.model_copy(update={"level": "warning"}) if quiet else config.logs
    set_up_logs(logs)
    if config.demo:
        return demo.configured(config)
    return config, require_secrets(config)


def arm_faults() -> None:
    """Takes the order for a crash from `RANGKUL_FAULT`. Raises ConfigError for one that names no place."""
    try:
        faults.arm_from_environment()
    except ValueError as error:
        raise ConfigError([str(error)]) from error


@asynccontextmanager
async def open_records(config: Config, keys: Keyring) -> AsyncIterator[Records]:
    """The database, its schema up to date, closed in the end; for a demo with its personas in it."""
    db = open_database(config.database.url)
    try:
        await upgrade(db)
        await require_fitting_keys(db, keys)
        records = Records(config, db, keys, SystemClock(), SystemIds())
        if config.demo:
            await demo.prepare(db, keys, records.ids, records.clock.now())
        yield records
    finally:
        await db.close()
