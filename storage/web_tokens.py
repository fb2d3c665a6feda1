"""Web visitors: the token in their cookie leads to their channel address. Only its look-up is stored."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from storage.keyring import Keyring
from storage.tables import web_tokens

TOUCH_AFTER = timedelta(minutes=1)  # a visit is not a write each time

_ADD = insert(web_tokens)
_FIND = select(web_tokens.c.address, web_tokens.c.seen_at).where(web_tokens.c.lookup == bindparam("token"))
_TOUCH = update(web_tokens).where(web_tokens.c.lookup == bindparam("token")).values(seen_at=bindparam("now"))
_FORGET = delete(web_tokens).where(web_tokens.c.lookup == bindparam("token"))
_FORGET_ADDRESS = delete(web_tokens).where(web_tokens.c.address_lookup == bindparam("address"))
_FORGET_IDLE = delete(web_tokens).where(web_tokens.c.seen_at < bindparam("before"))


def add(conn: Connection, keys: Keyring, token: str, address: str, *, now: datetime) -> None:
    """Let `token` lead to the web address. Raises Conflict (through the database) when the token is known."""
    lookup = keys.lookup("web_token", token)
    conn.execute(
        _ADD,
        {
            "lookup": lookup,
            "address": keys.seal_text("web_tokens", "address", lookup.hex(), address),
            "address_lookup": _address_lookup(keys, address),
            "seen_at": now,
        },
    )


def find(conn: Connection, keys: Keyring, token: str, *, now: datetime, idle: timedelta) -> str | None:
    """The web address of a token that was seen within `idle`; None when it is unknown or has ended. Only reads."""
    lookup = keys.lookup("web_token", token)
    row = conn.execute(_FIND, {"token": lookup}).first()
    if row is None or now - row.seen_at > idle:
        return None
    return keys.open_text("web_tokens", "address", lookup.hex(), row.address)


def touch(conn: Connection, keys: Keyring, token: str, *, now: datetime) -> None:
    """The visitor is here: the idle time begins anew. Writes at most once a minute."""
    lookup = keys.lookup("web_token", token)
    row = conn.execute(_FIND, {"token": lookup}).first()
    if row is not None and now - row.seen_at >= TOUCH_AFTER:
        conn.execute(_TOUCH, {"token": lookup, "now": now})


def forget(conn: Connection, keys: Keyring, token: str) -> None:
    """The token leads nowhere any more. Safe to call twice."""
    conn.execute(_FORGET, {"token": keys.lookup("web_token", token)})


def forget_address(conn: Connection, keys: Keyring, address: str) -> None:
    """No token leads to this web address any more."""
    conn.execute(_FORGET_ADDRESS, {"address": _address_lookup(keys, address)})


def forget_idle(conn: Connection, *, before: datetime) -> int:
    """Remove tokens last seen before an instant; how many."""
    return conn.execute(_FORGET_IDLE, {"before": before}).rowcount


def _address_lookup(keys: Keyring, address: str) -> bytes:
    return keys.lookup("address", f"web|{address}")
