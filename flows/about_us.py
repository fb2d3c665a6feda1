"""What is said about the service itself: who this is, and whether the person wants to hear from us."""

from __future__ import annotations

import re
from typing import Final

from flows.menu import introduction
from flows.model import OptIn
from flows.wording import plain
from flows.work import Work

_MOST_WORDS: Final = 9
_WHO: Final = (
    re.compile(
        r"^(apa |apakah |emang |memang )?(ini|kamu|situ|anda|rangkul)\b.{0,20}"
        r"\b(resmi|beneran|bener|asli|penipu\w*|tipu\w*|nipu|bohong\w*|pemerintah|bodong)\b"
    ),
    re.compile(r"\b(ini|kamu|rangkul) (beneran |bener |memang |emang )?(dari )?bpjs( tk)? (bukan|kan|apa)\b"),
    re.compile(r"^penipu\w* (ya|kan|bukan|nih|ini)\b"),
    re.compile(r"^siapa (yang|yg) (bikin|buat|punya|jalanin|jalankan)( ini)?$"),
)
"""Doubts whether this service is honest; not those about a letter or a call that somebody got."""
_OF_OTHERS: Final = re.compile(
    r"\b(sms|telepon|telpon|telp|nelpon|email|hadiah|undian|menang|link|calo|katanya|ngaku|ngaku2|orang|dapat|dapet|"
    r"ada (yang|yg|wa)|wa masuk)\b"
)
_WANTS_AGAIN: Final = re.compile(
    r"((saya|sy|aku|tolong|min|kak|boleh|mau|pengen|ingin|minta|bisa) )*"
    r"((terima|nerima|dapat|dapet|dikirimi|dikirim|kirim|kirimi|kirimin|aktifkan|aktifin|nyalakan|nyalain|hidupkan|"
    r"dikabari|kabari|kabarin|dikabarin|langganan|berlangganan|di) ?)"
    r"((kabar|kabarnya|pesan|pesannya|notif\w*|pengingat\w*|langganan|info|saya|sy) )*(lagi|lg|kembali)"
    r"( (ya|dong|min|kak|pak|bu|saya|sy))*"
)


def asks_who_we_are(text: str) -> bool:
    """Whether few words doubt that this is what it says it is."""
    words = plain(text)
    if len(words.split()) > _MOST_WORDS or _OF_OTHERS.search(words):
        return False
    return any(pattern.search(words) for pattern in _WHO)


def tell_who_we_are(work: Work) -> None:
    work.say("engine/who_we_are", who=introduction(work))


def wants_news_again(text: str) -> bool:
    """Whether somebody who wanted no messages of our own accord wants them again."""
    return _WANTS_AGAIN.fullmatch(plain(text)) is not None


def send_news_again(work: Work) -> None:
    work.add([OptIn()])
    work.say("engine/opted_in")
