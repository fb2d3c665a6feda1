"""The conversation that is measured: one person signs up on the chat page, with a question and a slip on the way."""

from __future__ import annotations

from typing import Final

RECEIPT: Final = "RK-"
"""How the code of a stored application begins; a walk that ends without one did not sign anybody up."""

_FIRST_SERIAL: Final = 9001


def messages(walk: int) -> tuple[str, ...]:
    """What the person writes in walk number `walk` (from 0): an invented NIK of their own, otherwise the same."""
    return (
        "assalamualaikum kak",
        "saya tukang ojek mau daftar bpjs ketenagakerjaan",
        "iya setuju",
        "buat saya sendiri",
        "kerja sendiri",
        f"327501{_birth(walk)}{_FIRST_SERIAL + walk % 999}",
        "ya betul",
        "Joko Susamto",
        "eh salah, nama saya Joko Susanto",
        "kab garut",
        "kalau kecelakaan pas narik ditanggung ga?",
        "ndak punya",
        "kira2 2,5 juta sebulan",
        "JKK + JKM",
        "3 bulan dulu",
        "081200000045",
        "iya betul",
        "ya kirim",
        "makasih kak",
    )


def _birth(walk: int) -> str:
    """Day, month and year of birth as a NIK holds them; another one for each thousand walks."""
    return f"{1 + walk // 999 % 28:02}0890"
