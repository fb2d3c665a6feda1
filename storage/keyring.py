"""Keys for what must not stand in the database in clear: sealing, opening, and look-up by equality."""

from __future__ import annotations

import hmac
import os
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
NONCE_BYTES = 12
MAX_KEY_ID_BYTES = 32


class KeyringError(Exception):
    """A sealed value cannot be opened: another key, another place, or changed bytes. Trying again is no use."""


class Keyring:
    """AES-256-GCM under named keys, and HMAC-SHA256 under a second key for look-up columns.

    A sealed value is: length of the key id (1 byte), key id, nonce (12 bytes), ciphertext with its tag.
    New values are sealed with the current key; old ones open as long as their key is here.
    """

    def __init__(self, ciphers: Mapping[bytes, AESGCM], current: bytes, lookup: bytes) -> None:
        self._ciphers = dict(ciphers)
        self._cipher = self._ciphers[current]
        self._head = bytes([len(current)]) + current
        self._lookup = lookup

    @classmethod
    def from_keys(cls, encryption: Mapping[str, bytes], current: str, lookup: bytes) -> Keyring:
        """Build from raw keys of 32 bytes each, `encryption` by key id.

        Raises ValueError when a key is too short, an id too long, or `current` is not among them.
        """
        if current not in encryption:
            raise ValueError(f"no encryption key named {current!r}")
        if len(lookup) < KEY_BYTES:
            raise ValueError(f"the look-up key must have at least {KEY_BYTES} bytes")
        ciphers: dict[bytes, AESGCM] = {}
        for key_id, key in encryption.items():
            name = key_id.encode("ascii")
            if not 1 <= len(name) <= MAX_KEY_ID_BYTES:
                raise ValueError(f"a key id has 1 to {MAX_KEY_ID_BYTES} characters: {key_id!r}")
            if len(key) != KEY_BYTES:
                raise ValueError(f"encryption key {key_id!r} must have {KEY_BYTES} bytes")
            if key == lookup:
                raise ValueError("the look-up key must not be an encryption key")
            ciphers[name] = AESGCM(key)
        return cls(ciphers, current.encode("ascii"), lookup)

    def seal(self, table: str, column: str, row: str, plain: bytes) -> bytes:
        """Encrypt `plain` so that it opens only in this table, column and row."""
        nonce = os.urandom(NONCE_BYTES)
        return self._head + nonce + self._cipher.encrypt(nonce, plain, f"{table}|{column}|{row}".encode())

    def open(self, table: str, column: str, row: str, sealed: bytes) -> bytes:
        """What was sealed for this very place. Raises KeyringError when it cannot be opened."""
        start = 1 + sealed[0] if sealed else 0
        cipher = self._ciphers.get(sealed[1:start])
        if cipher is None:
            raise KeyringError(f"no key for {table}.{column} of {row}")
        nonce = sealed[start : start + NONCE_BYTES]
        try:
            return cipher.decrypt(nonce, sealed[start + NONCE_BYTES :], f"{table}|{column}|{row}".encode())
        except (InvalidTag, ValueError) as error:
            raise KeyringError(f"cannot open {table}.{column} of {row}") from error

    def seal_text(self, table: str, column: str, row: str, text: str) -> bytes:
        """`seal` for text."""
        return self.seal(table, column, row, text.encode())

    def open_text(self, table: str, column: str, row: str, sealed: bytes) -> str:
        """`open` for text."""
        return self.open(table, column, row, sealed).decode()

    def lookup(self, kind: str, value: str) -> bytes:
        """32 bytes that are equal for equal values of one kind, and tell nothing without the key."""
        return hmac.digest(self._lookup, f"{kind}\0{value}".encode(), "sha256")
