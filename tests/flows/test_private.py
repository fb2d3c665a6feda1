"""Messages that should not lie around in a chat: which they are, and how they are taken out of it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from flows.model import Choice, Content, DeleteMessage, Edited, InGroup, Media, OpenTicket, PrivateMessage, Text
from flows.private import deletion_of, holds_private_number, private_ref
from tests.flows.conftest import Chat


@pytest.mark.parametrize(
    "text",
    [
        "3275011708909001",
        "nik saya 3275 0117 0890 9001 ya min",
        "327501-170890-9001",
        "327501170890900",
        "32750117089090011",
        "3275O11708909OOl",
        "kk nya 3275011708909001, atas nama budi",
        "otpnya 928371",
        "PIN saya 1234",
    ],
)
def test_identity_numbers_and_codes_are_private(text: str) -> None:
    """Also mistyped by one digit, in groups, or with letters for digits."""
    assert holds_private_number(text)


@pytest.mark.parametrize(
    "text",
    [
        "081234567890",
        "+62 812 3456 7890",
        "0062812345678",
        "081234567890 atau 081298765432",
        "081234567890 081298765432",
        "dari 17-08-1990 sampai 18-08-1990",
        "kpj 19041234821",
        "Rp1.250.000",
        "ada yang minta otp ke saya",
        "4821",
        "Oooooooooooooo",
    ],
)
def test_phones_dates_and_money_are_not(text: str) -> None:
    """What is asked for in nearly every talk must not bring the offer up."""
    assert not holds_private_number(text)


@pytest.mark.parametrize(
    ("content", "ref"),
    [
        (Text("3275011708909001", ref="7"), "7"),
        (Text("3275011708909001"), ""),
        (Edited("3275011708909001", ref="7"), "7"),
        (Media("photo", "m1", caption="ini ktp saya", ref="7"), "7"),
        (Media("photo", "m1", caption="nik 3275011708909001", ref="7"), "7"),
        (Media("photo", "m1", caption="struknya", ref="7"), ""),
        (Media("voice", "m1", caption="nik 3275011708909001", ref="7"), ""),
    ],
)
def test_what_may_be_deleted_has_a_name_of_the_platform(content: Content, ref: str) -> None:
    """A photo of a card is known by its caption."""
    assert private_ref(content) == ref


@pytest.mark.parametrize("text", ["hapus pesan yang ada NIK", "tolong hapus pesan saya yang tadi", "hapusin nik saya"])
def test_the_last_such_message_is_deleted_when_asked_for_in_words(chat: Chat, text: str) -> None:
    """No menu, no request to staff: the message goes, and the open question is asked again."""
    chat.user("mau daftar", "enroll")
    chat.user(Edited("3275011708909001", ref="815"))
    assert chat.session.private == PrivateMessage("815", chat.now)
    assert chat.user(text, "privacy_request") == ["engine/deleted", "enroll/ask_consent"]
    assert chat.did(DeleteMessage) == [DeleteMessage("815")]
    assert chat.did(OpenTicket) == []
    assert chat.session.private is None


def test_after_two_days_the_person_is_told_how_to_delete_it(chat: Chat) -> None:
    """The platform would refuse, and nothing is promised."""
    chat.user(Edited("3275011708909001", ref="815"))
    chat.now += timedelta(hours=47)
    assert chat.user("hapus pesan yang ada NIK", "privacy_request")[-1] == "engine/too_late_to_delete"
    assert chat.did(DeleteMessage) == []


def test_where_nothing_is_remembered_the_person_is_told_how(chat: Chat) -> None:
    """On a channel that names no messages the bot cannot delete any."""
    assert chat.user("hapus pesan saya tadi dong", "privacy_request") == ["engine/delete_yourself"]


def test_a_wish_to_erase_data_is_not_about_a_message(chat: Chat) -> None:
    """That is a request under the law on personal data."""
    chat.user(Edited("3275011708909001", ref="815"))
    assert "privacy_request/filed" in chat.user("tolong hapus data nik saya semua dari sistem", "privacy_request")
    assert chat.did(DeleteMessage) == []


def test_after_a_deletion_the_open_question_is_asked_again(chat: Chat) -> None:
    """Somebody who pressed the button must not wonder what comes next."""
    chat.user("mau daftar", "enroll")
    assert chat.user(Choice(deletion_of("815", chat.now), "")) == ["engine/deleted", "enroll/ask_consent"]


def test_a_group_is_told_once_in_a_while_and_at_once_when_somebody_is_hurt(chat: Chat) -> None:
    """Calls in between do not put the next word off."""
    assert chat.user(InGroup()) == ["engine/in_group"]
    chat.now += timedelta(minutes=40)
    assert chat.user(InGroup()) == []
    chat.now += timedelta(minutes=30)
    assert chat.user(InGroup()) == ["engine/in_group"]
    assert chat.user(InGroup(urgent=True)) == ["engine/in_group_urgent"]
