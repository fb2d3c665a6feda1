"""`rangkul keys new`: prints fresh keys, ready for the environment.

Keep them apart from the data: a lost key is lost data.
"""

from __future__ import annotations

import argparse
import base64
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime

from storage.keyring import KEY_BYTES


def main(arguments: Sequence[str]) -> int:
    """Prints one encryption key, named after today, and one look-up key; stores nothing."""
    parser = argparse.ArgumentParser(prog="rangkul keys", description=__doc__)
    parser.add_argument("verb", choices=("new",))
    parser.parse_args(arguments)
    name = f"k{datetime.now(UTC):%Y%m%d}"
    print(f"RANGKUL_ENCRYPTION_KEYS={name}:{_fresh()}")
    print(f"RANGKUL_LOOKUP_KEY={_fresh()}")
    return 0


def _fresh() -> str:
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()
