"""What should not lie around in a chat: which messages hold an identity number or a code, and taking them out again.

A message that holds one is offered for deletion where the platform lets a bot delete (core.telegram.org/bots/api
#deletemessage: within 48 hours), and is remembered for as long, so that it can also be asked for in words.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from flows.meaning import back_to_question
from flows.model import Content, DeleteMessage, Edited, Media, PrivateMessage, Text
from flows.wording import plain
from flows.work import Work

DELETABLE_FOR: Final = timedelta(hours=47)
"""A bot may delete for 48 hours; what we ask for is a while on its way."""

_DELETES: Final = re.compile(r"del:([0-9]{1,20})@([0-9]{1,11})")
_LENGTHS: Final = range(13, 20)
"""How many digits make an identity number: 16, one too few or too many, and the longer ones of banks."""
_LEAST_DIGITS: Final = 10
_PHONE_LENGTHS: Final = range(8, 16)
_PHONE: Final = re.compile(r"(?:62|0062|0)8")
_NUMBER: Final = re.compile(r"(?<![0-9A-Za-z])[0-9OoIl]+(?![0-9A-Za-z])")
_IN_GROUPS: Final = re.compile(r"(?<![0-9])[0-9]{2,6}(?:([ .\-])[0-9]{2,6})(?:\1[0-9]{2,6})+(?![0-9])")
_CARD: Final = re.compile(r"\b(e ?ktp|ktp|kk|kartu keluarga|nik|kartu tanda penduduk)(nya|ku)?\b")
_CODE: Final = re.compile(r"\b(otp|pin|kode verifikasi|kata sandi|password)\w*\b.{0,20}?\b[0-9]{4,8}\b")
_ASKS: Final = re.compile(
    r"^(?:(?:tolong|tlg|mohon|minta|bisa|boleh|mau|saya|aku|min|kak|pak|bu|eh|coba|langsung|bot)\s+)*"
    r"(?:hapus|apus|hps|delete)(?:kan|in|lah)?\b"
)
_A_MESSAGE: Final = re.compile(r"\b(pesan|chat|chatting|msg)(nya|ku|an)?\b")
_A_SECRET: Final = re.compile(r"\b(nik|e ?ktp|ktp|kk|otp|pin)(nya|ku)?\b")
_MORE_THAN_A_MESSAGE: Final = re.compile(r"\b(data|akun|sistem|laporan|isian|semua|pendaftaran|permohonan)(nya|ku)?\b")
_ASKING_WORDS: Final = 12


def holds_private_number(text: str) -> bool:
    """Whether the words hold what looks like a NIK, KK or account number, also mistyped, or a one-time code or PIN."""
    numbers = [found[0] for found in _NUMBER.finditer(text)]
    numbers += [re.sub(r"[^0-9]", "", found[0]) for found in _IN_GROUPS.finditer(text)]
    return any(_is_identity(number) for number in numbers) or bool(_CODE.search(plain(text)))


def _is_identity(number: str) -> bool:
    is_phone = len(number) in _PHONE_LENGTHS and _PHONE.match(number)
    return len(number) in _LENGTHS and sum(map(str.isdigit, number)) >= _LEAST_DIGITS and not is_phone


def remember_private(work: Work) -> None:
    """Keeps in mind which message of the person last held something private, where the platform names its messages."""
    content = work.turn.content
    ref = private_ref(content)
    if isinstance(content, Text) and not ref and _read_as_nik(work):
        ref = content.ref
    if ref:
        work.private = PrivateMessage(ref, work.turn.now)


def _read_as_nik(work: Work) -> bool:
    """Whether these words were read as an identity number, however they were written."""
    return any(trace.what == "slot_set" and trace.name == "nik" and trace.value for trace in work.trace)


def private_ref(content: Content) -> str:
    """The platform's name of a message that holds something private; '' for any other, and where it has no name."""
    match content:
        case Text(text=words, ref=ref) | Edited(text=words, ref=ref):
            return ref if holds_private_number(words) else ""
        case Media(kind="voice"):
            return ""
        case Media(caption=words, ref=ref):
            return ref if holds_private_number(words) or _CARD.search(plain(words)) else ""
        case _:
            return ""


def deletion_of(ref: str, now: datetime) -> str:
    """What a button carries that deletes a message of the person, by the platform's name of it; offered `now`."""
    return f"del:{ref}@{int(now.timestamp())}"


def is_deletion(payload: str) -> bool:
    """Whether a pressed button carries that. Somebody else's software may send anything."""
    return _DELETES.fullmatch(payload) is not None


def delete_pressed(work: Work, payload: str) -> None:
    """The person wants a message of theirs out of the chat.

    Done also while staff hold the conversation; only then nothing is said.
    """
    found = _DELETES.fullmatch(payload)
    assert found, "is_deletion was asked"
    _delete(work, PrivateMessage(found[1], datetime.fromtimestamp(int(found[2]), UTC)))


def deleted_as_asked(work: Work, text: str) -> bool:
    """Whether the words ask for a message to be taken out of the chat; it is done, or said how the person does it."""
    words = plain(text)
    asks = len(words.split()) <= _ASKING_WORDS and _ASKS.match(words) and not _MORE_THAN_A_MESSAGE.search(words)
    if not asks:
        return False
    if work.private and (_A_MESSAGE.search(words) or _A_SECRET.search(words)):
        _delete(work, work.private)
    elif _A_MESSAGE.search(words):
        work.say("engine/delete_yourself")
    else:
        return False
    return True


def _delete(work: Work, message: PrivateMessage) -> None:
    in_time = work.turn.now < message.at + DELETABLE_FOR
    if in_time:
        work.add([DeleteMessage(message.ref)])
    if work.private and work.private.ref == message.ref:
        work.private = None
    if work.turn.owner == "bot":
        work.say("engine/deleted" if in_time else "engine/too_late_to_delete")
        if work.tasks:
            back_to_question(work)
