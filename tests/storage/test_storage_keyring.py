"""Sealing and look-up."""

from __future__ import annotations

import pytest

from storage.keyring import Keyring, KeyringError

ONE, TWO, LOOKUP = b"\x01" * 32, b"\x02" * 32, b"\x03" * 32


def test_opens_what_it_sealed(keys: Keyring) -> None:
    """A value comes back as it was, from its own place."""
    sealed = keys.seal("members", "nik", "m1", b"3174051209909001")
    assert keys.open("members", "nik", "m1", sealed) == b"3174051209909001"


@pytest.mark.parametrize("place", [("people", "nik", "m1"), ("members", "kpj", "m1"), ("members", "nik", "m2")])
def test_refuses_a_value_from_another_place(keys: Keyring, place: tuple[str, str, str]) -> None:
    """A sealed value moved to another table, column or row does not open."""
    sealed = keys.seal("members", "nik", "m1", b"secret")
    with pytest.raises(KeyringError):
        keys.open(*place, sealed)


@pytest.mark.parametrize("position", [0, 1, 5, -1])
def test_refuses_changed_bytes(keys: Keyring, position: int) -> None:
    """One changed byte, wherever it stands, is noticed."""
    sealed = bytearray(keys.seal("t", "c", "r", b"secret"))
    sealed[position] ^= 1
    with pytest.raises(KeyringError):
        keys.open("t", "c", "r", bytes(sealed))


@pytest.mark.parametrize("sealed", [b"", b"\x02k", b"\x02k1", b"\x02k1abc"])
def test_refuses_what_is_cut_short(keys: Keyring, sealed: bytes) -> None:
    """Bytes that are too few are refused, not misread."""
    with pytest.raises(KeyringError):
        keys.open("t", "c", "r", sealed)


def test_refuses_another_key_of_the_same_name(keys: Keyring) -> None:
    """The key decides, not its name."""
    other = Keyring.from_keys({"k1": TWO}, "k1", LOOKUP)
    with pytest.raises(KeyringError):
        other.open("t", "c", "r", keys.seal("t", "c", "r", b"secret"))


def test_old_values_open_after_a_new_key_came() -> None:
    """Keys are changed by adding one; new values use it and old ones still open."""
    before = Keyring.from_keys({"a": ONE}, "a", LOOKUP)
    after = Keyring.from_keys({"a": ONE, "b": TWO}, "b", LOOKUP)
    assert after.open("t", "c", "r", before.seal("t", "c", "r", b"old")) == b"old"
    with pytest.raises(KeyringError):
        before.open("t", "c", "r", after.seal("t", "c", "r", b"new"))


def test_equal_values_are_sealed_differently(keys: Keyring) -> None:
    """Two people of one name cannot be told from the stored bytes."""
    assert keys.seal("t", "c", "r", b"Siti") != keys.seal("t", "c", "r", b"Siti")


def test_looks_up_by_kind_and_key(keys: Keyring) -> None:
    """A look-up is the same for the same value, and another for another kind, value or key."""
    other = Keyring.from_keys({"k1": ONE}, "k1", LOOKUP)
    first = keys.lookup("nik", "1")
    assert len(first) == 32
    assert first == keys.lookup("nik", "1")
    assert len({first, keys.lookup("kpj", "1"), keys.lookup("nik", "2"), other.lookup("nik", "1")}) == 4


@pytest.mark.parametrize(
    ("encryption", "current", "lookup"),
    [
        ({"a": ONE}, "b", LOOKUP),
        ({"a": b"short"}, "a", LOOKUP),
        ({"a": ONE}, "a", b"short"),
        ({"": ONE}, "", LOOKUP),
        ({"a" * 33: ONE}, "a" * 33, LOOKUP),
        ({"a": ONE}, "a", ONE),
    ],
)
def test_refuses_unusable_keys(encryption: dict[str, bytes], current: str, lookup: bytes) -> None:
    """Missing, short, unnamed or shared keys are refused at once."""
    with pytest.raises(ValueError, match="key"):
        Keyring.from_keys(encryption, current, lookup)
