"""Fixed words: commands, agreement, danger and corrections, as people type them."""

from __future__ import annotations

import pytest

from flows.misfortune import heed, tells
from flows.wording import agrees, asks_to_wait, asks_why, command, correction, is_danger, is_question
from nlu.understanding import Ranked, Understanding


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("BATAL!!", "cancel"),
        ("gak jadi deh kak", "cancel"),
        ("tolong petugas dong", "talk_to_staff"),
        ("yaudah menu", "help"),
        ("kembali ya", "go_back"),
        ("lewati aja min", "skip"),
        ("nanti aja", "later"),
        ("batal bayar tagihan bulan lalu gimana", ""),
        ("petugas kemarin marah marah", ""),
        ("", ""),
    ],
)
def test_command_words_are_exact(text: str, intent: str) -> None:
    """Polite filler is forgiven; a sentence that merely holds the word is no command."""
    assert command(text) == intent


@pytest.mark.parametrize(
    "text", ["ya", "Iya kirim", "udah bener kok, kirim", "👍", "oke sip pak", "nggih", "ya udah betul"]
)
def test_plain_agreement_sends(text: str) -> None:
    """A yes in the words of many people is a yes."""
    assert agrees(text)


@pytest.mark.parametrize(
    "text",
    [
        "mau yang pake jht",
        "ya tapi namanya salah",
        "bener tapi kurang",
        "semua",
        "",
        "?",
        "kirim tanpa nama",
        "iya gak",
    ],
)
def test_anything_more_does_not_send(text: str) -> None:
    """What sends a form leaves no doubt."""
    assert not agrees(text)


@pytest.mark.parametrize(
    "text", ["saya mau bunuh diri aja", "pengen mati aja rasanya", "suami sering mukulin saya", "udah gak kuat hidup"]
)
def test_danger_is_heard(text: str) -> None:
    """Self-harm and threats are heard in everyday words."""
    assert is_danger(text)


@pytest.mark.parametrize(
    "text", ["hp saya mati", "usaha saya mati suri", "listrik mati terus", "bapak saya sudah mati"]
)
def test_dead_things_are_no_danger(text: str) -> None:
    """A dead phone or a death told is no danger to the writer."""
    assert not is_danger(text)


def test_correction_is_announced_by_its_words() -> None:
    """What follows the announcement is the value; a mere sentence announces nothing."""
    mended = correction("eh salah, nama saya Budi")
    assert mended
    assert mended.rest == "nama saya Budi"
    assert mended.firm
    apology = correction("eh, nama saya Budi")
    assert apology
    assert not apology.firm
    assert correction("nama saya Budi") is None


@pytest.mark.parametrize(
    ("text", "expected"), [("kenapa perlu nik", True), ("buat apa sih", True), ("nama saya Budi", False)]
)
def test_why_is_heard(text: str, expected: bool) -> None:
    """Asking what a question is for is told from an answer."""
    assert asks_why(text) is expected


def test_a_moment_is_granted() -> None:
    """`bentar` asks for a moment; a sentence that begins with it does not."""
    assert asks_to_wait("bentar saya ambil ktp")
    assert not asks_to_wait("bentar lagi saya mau bayar iuran bulan ini lewat alfamart")


def test_question_is_heard_without_its_mark() -> None:
    """Question words are enough."""
    assert is_question("gimana cara bayarnya")
    assert not is_question("saya tukang ojek")


def read(text: str, intent: str, confidence: float = 0.6, *others: Ranked) -> Understanding:
    """An understanding with that reading on top."""
    return Understanding(text, intent, confidence, (Ranked(intent, confidence), *others), (Ranked("other", 1.0),))


def test_injury_outdoes_a_reading_that_is_no_request() -> None:
    """An accident told in plain words is an accident, whatever the engine thinks."""
    assert heed(read("kernet saya ketabrak motor", "out_of_scope")).intent == "report_accident"
    assert heed(read("ibu saya meninggal", "inform", 0.6, Ranked("report_death", 0.3))).intent == "report_death"


def test_fallen_business_is_no_accident() -> None:
    """`usaha saya jatuh` does not open an urgent ticket on a guess."""
    assert heed(read("usaha saya jatuh", "report_accident", 0.9)).confidence < 0.6
    assert heed(read("iuran saya belum masuk", "file_complaint", 0.9)).intent == "file_complaint"


def test_few_words_tell_no_misfortune_by_a_guess() -> None:
    """Without a word of misfortune the reading alone does not count."""
    assert not tells("report_accident", "bawa truk pasir")
    assert tells("report_accident", "jatuh dari motor")
    assert tells("file_complaint", "bawa truk pasir")
