"""Normalising: many spellings, one text for the classifier."""

import csv

import pytest

from nlu.normalise import SLANG_FILE, normalise, slang


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("tolooong cek saldooo", "tolong lihat saldo"),
        ("gmn cara dftr bpjs tk min?", "gimana cara daftar bpjstk kak ?"),
        ("sy blm byr", "saya belum bayar"),
        ("kulo badhe mbayar", "saya mau bayar"),
        ("abdi hoyong daptar", "saya mau daftar"),
        ("pelan2 aja", "pelan pelan saja"),
        ("ora sido", "tidak jadi"),
        ("BPJS   Ketenagakerjaan", "bpjstk"),
        ("ho’oh", "ya"),
    ],
)
def test_resolves_how_people_type(typed: str, read: str) -> None:
    """Held-down letters, shorthand, regional words, doubled words, glued and split words become one spelling."""
    assert normalise(typed) == read


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("3275011708909001", "niktoken"),
        ("3275 0117 0890 9001", "niktoken"),
        ("0812-3456-9001", "hptoken"),
        ("+62 812 3456 9001", "hptoken"),
        ("17/8/1990", "tgltoken"),
        ("Rp 16.800", "uangtoken"),
        ("50rb", "uangtoken"),
        ("1,5 juta", "uangtoken"),
        ("5 orang", "angkatoken orang"),
        ("RK-7K3Q-9XTM", "kodetoken"),
        ("klik bit.ly/hadiah", "klik urltoken"),
    ],
)
def test_numbers_become_their_kind(typed: str, read: str) -> None:
    """What matters to the classifier is that there is an amount, not which."""
    assert normalise(typed) == read


@pytest.mark.parametrize("typed", ["", "  ", "...", "😂😂", "\ud800"])
def test_signs_leave_nothing(typed: str) -> None:
    """A text without words is empty once normalised."""
    assert normalise(typed).strip("?! ") == ""


def test_a_question_mark_is_kept() -> None:
    """Whether a sentence asks is told by it."""
    assert normalise("saldo?") == "saldo ?"


def test_the_list_is_settled_in_one_pass() -> None:
    """No meaning is itself a typed form: else the outcome would hang on how often the list is applied."""
    known = slang()
    assert [pair for pair in known.items() if any(word in known for word in pair[1].split())] == []


def test_the_list_can_be_met() -> None:
    """Every typed form is written as texts are when the list is consulted: small letters, three words at most, once."""
    with SLANG_FILE.open(encoding="utf-8", newline="") as lines:
        typed = [row["typed"] for row in csv.DictReader(lines)]
    assert len(typed) >= 500
    assert len(typed) == len(set(typed))
    assert [form for form in typed if form != form.lower() or not 1 <= len(form.split()) <= 3] == []
    assert [form for form in typed if not form.replace(" ", "").isalnum()] == []
