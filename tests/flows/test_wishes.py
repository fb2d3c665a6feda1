"""What no guess may miss: a victim of fraud, a wish to have all data erased, a human, and misfortune in English."""

from __future__ import annotations

import pytest

from flows.wishes import wish_in


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("udah saya kirim kodenya tadi gimana dong", "file_complaint"),
        ("otp nya terlanjur saya kasih ke orangnya", "file_complaint"),
        ("tadi aku sebutin pin atm ke dia", "file_complaint"),
        ("kode laporan sudah saya kirim", ""),
        ("kode bayar udah saya kirim ke istri", ""),
        ("kode otp belum saya kasih", ""),
        ("otpnya berapa lama berlaku", ""),
        ("hapus data saya semua", "privacy_request"),
        ("tolong hapus semua data saya dari sistem ya", "privacy_request"),
        ("hapus data istri saya dari kartu keluarga", ""),
        ("can i talk to a human", "talk_to_staff"),
        ("I want to speak with a real person please", "talk_to_staff"),
        ("my friend had an accident at work", "report_accident"),
        ("My brother fell from the roof", "report_accident"),
        ("what if i had an accident at work", ""),
        ("my friend died at work yesterday", "report_death"),
        ("can my family claim if I died?", ""),
        ("udah saya kirim fotonya tadi", ""),
    ],
)
def test_wishes_are_told_from_what_sounds_like_them(text: str, wish: str) -> None:
    """A code that was given to a stranger is not the code of a report; whose data shall go is the sender's."""
    assert wish_in(text) == wish
