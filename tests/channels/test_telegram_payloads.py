"""Updates of the Bot API, hand-written to the shapes of core.telegram.org/bots/api, and the events they become."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import count
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.channels.links import Links
from bot.channels.telegram.payloads import MAX_FILE_BYTES, Reader, callback_id_of, update_id_of
from flows.model import (
    Choice,
    Command,
    Contact,
    Content,
    Edited,
    InGroup,
    Location,
    Media,
    Sticker,
    Text,
    Unknown,
)
from storage.inbox import Arrival, Blocked, Event, Renamed
from storage.keyring import Keyring

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
SITI = {"id": 5551, "is_bot": False, "first_name": "Siti", "language_code": "id"}
CHAT = {"id": 5551, "first_name": "Siti", "type": "private"}
GROUP = {"id": -1001234, "title": "Paguyuban Ojek", "type": "supergroup"}
BOT = {"id": 77, "is_bot": True, "first_name": "Rangkul", "username": "RangkulBot"}
LINKS = Links(Keyring.from_keys({"a": bytes([1]) * 32}, "a", bytes([2]) * 32), ("enroll",))


def _reader(username: str = "RangkulBot") -> Reader:
    numbers = count(1)
    return Reader(77, username, LINKS, lambda: f"m{next(numbers)}")


def _message(chat: dict[str, Any] = CHAT, **fields: Any) -> dict[str, Any]:
    return {"message_id": 42, "from": SITI, "chat": chat, "date": 1795316400, **fields}


def _events(kind: str, value: dict[str, Any], reader: Reader | None = None) -> tuple[Event, ...]:
    return (reader or _reader()).events_of({"update_id": 900, kind: value}, NOW)


def _content(**fields: Any) -> Content:
    (event,) = _events("message", _message(**fields))
    assert isinstance(event, Arrival)
    return event.content


def test_a_text_comes_from_its_chat_under_the_number_of_its_update() -> None:
    """With the number of the message, so that the bot may delete it."""
    assert _events("message", _message(text="mau daftar")) == (
        Arrival("telegram", "5551", "77:900", Text("mau daftar", ref="42"), None, NOW),
    )


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ("/start", Command("start")),
        (f"/start {LINKS.payload_of('enroll')}", Command("start", "enroll")),
        ("/start enroll", Command("start")),
        ("/batal@RangkulBot", Command("batal")),
        ("/Petugas@rangkulbot tolong", Command("petugas", "tolong")),
        ("/menu\n", Command("menu")),
        ("/batal@OtherBot", Text("/batal@OtherBot", ref="42")),
        ("/3", Text("/3", ref="42")),
        ("1/2", Text("1/2", ref="42")),
    ],
)
def test_commands_are_read_with_and_without_the_name_of_the_bot(text: str, content: Content) -> None:
    """What a link carries is looked up; a made-up payload, or the plain name of a task, opens nothing."""
    assert _content(text=text) == content


def test_a_number_is_theirs_only_if_the_card_is() -> None:
    """Anybody can send anybody's card."""
    card = {"phone_number": "62 812-3456-7890", "first_name": "Siti", "user_id": 5551}
    (own,) = _events("message", _message(contact=card))
    (other,) = _events("message", _message(contact={**card, "user_id": 5552}))
    (unnamed,) = _events("message", _message(contact={"phone_number": "+6281234567890", "first_name": "Siti"}))
    assert isinstance(own, Arrival)
    assert isinstance(other, Arrival)
    assert isinstance(unnamed, Arrival)
    assert (own.content, own.phone) == (Contact("+6281234567890", own=True), "+6281234567890")
    assert (other.content, other.phone) == (Contact("+6281234567890"), None)
    assert (unnamed.content, unnamed.phone) == (Contact("+6281234567890"), None)


@pytest.mark.parametrize("number", ["0812345678", "12", "", "tidak ada", "1" * 16])
def test_a_number_without_its_country_is_vouched_for_by_nobody(number: str) -> None:
    """It cannot be told apart from another country's."""
    (event,) = _events("message", _message(contact={"phone_number": number, "user_id": 5551}))
    assert isinstance(event, Arrival)
    assert event.phone is None
    assert isinstance(event.content, Contact)
    assert not event.content.own


def test_places_are_degrees() -> None:
    """A venue carries its place as well; what is on no map is none."""
    assert _content(location={"latitude": -6.9, "longitude": 107.6}) == Location(-6.9, 107.6)
    assert _content(venue={"title": "Pasar"}, location={"latitude": -7, "longitude": 110}) == Location(-7.0, 110.0)
    for latitude in (91, float("nan"), float("inf"), "6", True, None):
        assert _content(location={"latitude": latitude, "longitude": 107.6}) == Unknown("location")


def _size(side: int, file_size: int | None) -> dict[str, Any]:
    size = {"file_id": f"p{side}", "file_unique_id": f"u{side}", "width": side, "height": side}
    return size if file_size is None else {**size, "file_size": file_size}


def test_of_a_photo_the_largest_size_that_can_be_fetched_is_taken() -> None:
    """Sizes may come in any order and without their bytes counted."""
    assert _content(photo=[_size(90, 1200), _size(1280, 90_000), _size(320, 9000)], caption="kuitansi") == Media(
        "photo", "m1", caption="kuitansi", source="p1280", ref="42"
    )
    assert _content(photo=[_size(90, None), _size(1280, MAX_FILE_BYTES + 1)]) == Media(
        "photo", "m1", source="p90", ref="42"
    )
    assert _content(photo=[_size(1280, MAX_FILE_BYTES + 1)]) == Media("photo", "", problem="too_big", ref="42")


def test_pictures_sent_together_carry_the_name_of_their_album() -> None:
    """They come as messages of their own."""
    content = _content(photo=[_size(90, 1200)], media_group_id="13579")
    assert content == Media("photo", "m1", source="p90", album="13579", ref="42")


@pytest.mark.parametrize(
    ("fields", "content"),
    [
        ({"voice": {"file_id": "v", "duration": 4, "file_size": 9000}}, Media("voice", "m1", source="v", ref="42")),
        (
            {"audio": {"file_id": "a", "duration": 4}, "caption": "dengar"},
            Media("voice", "m1", "dengar", source="a", ref="42"),
        ),
        ({"document": {"file_id": "d", "mime_type": "application/pdf"}}, Media("document", "m1", source="d", ref="42")),
        ({"document": {"file_id": "d", "file_size": 1 << 30}}, Media("document", "", problem="too_big", ref="42")),
        ({"document": {"file_name": "x.pdf"}}, Media("document", "", problem="unreadable", ref="42")),
        (
            {"video": {"file_id": "w"}, "caption": "lihat"},
            Media("document", "", "lihat", problem="unsupported", ref="42"),
        ),
        ({"video_note": {"file_id": "w"}}, Media("document", "", problem="unsupported", ref="42")),
        (
            {"animation": {"file_id": "g"}, "document": {"file_id": "g"}},
            Media("document", "", problem="unsupported", ref="42"),
        ),
        ({"sticker": {"file_id": "s", "emoji": "👍"}}, Sticker("👍")),
        ({"dice": {"emoji": "🎲", "value": 3}}, Unknown("dice")),
        ({"checklist": {"title": "belanja"}}, Unknown("checklist")),
        ({"Kirim Aku": 1}, Unknown("unknown")),
        ({}, Unknown("message")),
        ({"text": 5}, Unknown("text")),
        ({"photo": "no"}, Unknown("photo")),
    ],
)
def test_every_other_kind_of_message(fields: dict[str, Any], content: Content) -> None:
    """Files keep what Telegram gives them out for; what we do not know is kept by Telegram's word for it."""
    assert _content(**fields) == content


def test_what_telegram_itself_writes_into_a_chat_is_answered_by_nobody() -> None:
    """Such as that a message was pinned."""
    assert _events("message", _message(pinned_message={"message_id": 3, "date": 0, "chat": CHAT})) == ()
    assert _events("message", _message(write_access_allowed={})) == ()


def test_changed_words_are_an_edit_and_a_moving_place_is_not() -> None:
    """A live location is edited every few seconds."""
    (event,) = _events("edited_message", _message(text="Siti Aminah", edit_date=1795316500))
    assert isinstance(event, Arrival)
    assert (event.content, event.external_id) == (Edited("Siti Aminah", ref="42"), "77:900")
    assert _events("edited_message", _message(location={"latitude": 1.0, "longitude": 2.0})) == ()


def _callback(**fields: Any) -> dict[str, Any]:
    return {"id": "4382bfdwdsb323b2d9", "from": SITI, "chat_instance": "-3", "data": "7.1", **fields}


def test_a_pressed_button_tells_what_stood_on_it() -> None:
    """And the query it must be answered by."""
    keyboard = [[{"text": "Daftar", "callback_data": "7.0"}], [{"text": "Bayar", "callback_data": "7.1"}]]
    pressed = _callback(message=_message(text="Pilih", reply_markup={"inline_keyboard": keyboard}))
    (event,) = _events("callback_query", pressed)
    assert isinstance(event, Arrival)
    assert (event.address, event.content) == ("5551", Choice("7.1", "Bayar"))
    assert callback_id_of({"update_id": 1, "callback_query": pressed}) == "4382bfdwdsb323b2d9"
    assert callback_id_of({"update_id": 1, "message": _message(text="hai")}) == ""


def test_a_button_of_a_message_too_old_to_be_shown_still_counts() -> None:
    """The message is inaccessible (date 0) or left out."""
    old = {"chat": CHAT, "message_id": 3, "date": 0}
    for fields in ({"message": old}, {}):
        (event,) = _events("callback_query", _callback(**fields))
        assert isinstance(event, Arrival)
        assert (event.address, event.content) == ("5551", Choice("7.1"))


def test_a_button_in_a_group_or_with_more_than_a_button_holds_does_nothing() -> None:
    """We put none into groups; Telegram allows 64 bytes."""
    assert _events("callback_query", _callback(message=_message(GROUP))) == ()
    (event,) = _events("callback_query", _callback(data="x" * 65))
    assert isinstance(event, Arrival)
    assert event.content == Unknown("callback_query")


@pytest.mark.parametrize(("status", "blocked"), [("kicked", True), ("member", False)])
def test_shutting_the_bot_out_and_letting_it_in_again_are_told(status: str, blocked: bool) -> None:
    """In a private chat; being put out of a group is not about a person."""
    change = {"chat": CHAT, "from": SITI, "date": 1, "new_chat_member": {"user": BOT, "status": status}}
    assert _events("my_chat_member", change) == (Blocked("telegram", "5551", blocked),)
    assert _events("my_chat_member", {**change, "chat": GROUP}) == ()


@pytest.mark.parametrize(
    ("fields", "called"),
    [
        ({"text": "halo semua"}, False),
        ({"text": "NIK saya 3201234567890001"}, False),
        ({"text": "halo @RangkulBot, tolong"}, True),
        ({"text": "halo @RangkulBotak"}, False),
        ({"text": "surel a@RangkulBot"}, False),
        ({"caption": "@rangkulbot ini", "photo": [_size(90, 1)]}, True),
        ({"text": "/start"}, True),
        ({"text": "/start@RangkulBot"}, True),
        ({"text": "/start@LainBot"}, False),
        ({"text": "/kuis"}, False),
        ({"text": "ya", "reply_to_message": {"message_id": 1, "from": BOT, "chat": GROUP, "date": 1}}, True),
        ({"text": "ya", "reply_to_message": {"message_id": 1, "from": SITI, "chat": GROUP, "date": 1}}, False),
        ({"new_chat_members": [BOT]}, False),
    ],
)
def test_in_a_group_only_who_calls_the_bot_is_heard_and_no_word_is_kept(fields: dict[str, Any], called: bool) -> None:
    """By a command, its name, or a reply to it."""
    events = _events("message", _message(GROUP, **fields))
    assert events == ((Arrival("telegram", "-1001234", "77:900", InGroup(), None, NOW),) if called else ())


def test_before_its_name_is_known_a_group_reaches_the_bot_by_a_reply() -> None:
    """The name comes with the first answer of the platform."""
    reply = {"message_id": 1, "from": BOT, "chat": GROUP, "date": 1}
    assert _events("message", _message(GROUP, text="@RangkulBot"), _reader("")) == ()
    assert len(_events("message", _message(GROUP, text="ya", reply_to_message=reply), _reader(""))) == 1


def test_a_group_that_becomes_a_supergroup_goes_by_another_number() -> None:
    """Telegram tells it in the old group."""
    group = {"id": -77, "title": "Paguyuban", "type": "group"}
    assert _events("message", _message(group, migrate_to_chat_id=-100999)) == (
        Renamed("telegram", ("chat", "-77"), ("chat", "-100999"), None),
    )


def test_bots_and_channels_are_not_heard() -> None:
    """Two bots would talk to each other for ever."""
    assert _events("message", {**_message(text="halo"), "from": BOT}) == ()
    assert _events("message", {**_message(GROUP, text="@RangkulBot"), "from": BOT}) == ()
    post = {"message_id": 1, "chat": {"id": -100, "title": "Kabar", "type": "channel"}, "date": 1, "text": "halo"}
    assert _events("channel_post", post) == ()
    assert _events("message", post) == ()


def test_a_kind_of_update_that_nobody_knows_is_kept_where_somebody_waits() -> None:
    """By its kind, when it comes from a private chat."""
    (event,) = _events("hologram", _message(text="?"))
    assert isinstance(event, Arrival)
    assert event.content == Unknown("hologram")
    assert _events("hologram", {"from": SITI}) == ()
    assert _events("poll_answer", {"poll_id": "1", "user": SITI, "option_ids": [0]}) == ()


def test_half_a_sign_can_be_stored() -> None:
    """JSON can carry half a surrogate pair; UTF-8 cannot."""
    update = json.loads('{"update_id": 1, "message": {"message_id": 2, "chat": {"id": 3}, "text": "a\\ud83d b"}}')
    (event,) = _reader().events_of(update, NOW)
    assert isinstance(event, Arrival)
    assert event.content == Text("a\N{REPLACEMENT CHARACTER} b", ref="2")


def test_another_bot_counts_its_updates_for_itself() -> None:
    """An operator may change bots: the numbers begin anew, and no message is taken for a repeat."""
    update = {"update_id": 900, "message": _message(text="halo")}
    keys = {
        event.external_id
        for bot in (77, 78)
        for event in Reader(bot, "", LINKS, str).events_of(update, NOW)
        if isinstance(event, Arrival)
    }
    assert keys == {"77:900", "78:900"}


def test_what_cannot_be_stored_leaves_at_least_that_it_came() -> None:
    """Without a word of it, and only for somebody who waits for an answer."""
    (event,) = _reader().fallback_of({"update_id": 900, "message": _message(text="racun")}, NOW)
    assert event == Arrival("telegram", "5551", "77:900", Unknown("message"), None, NOW)
    (pressed,) = _reader().fallback_of({"update_id": 901, "callback_query": _callback()}, NOW)
    assert pressed == Arrival("telegram", "5551", "77:901", Unknown("callback_query"), None, NOW)
    assert _reader().fallback_of({"update_id": 900, "my_chat_member": _message()}, NOW) == ()
    assert _reader().fallback_of("racun", NOW) == ()
    group = {"chat": {"id": -100, "type": "supergroup"}}
    assert _reader().fallback_of({"update_id": 900, "message": _message(text="racun", **group)}, NOW) == ()


_KEYS = st.sampled_from(
    [
        "update_id", "message", "edited_message", "callback_query", "my_chat_member", "channel_post", "hologram",
        "chat", "from", "id", "type", "text", "caption", "photo", "file_id", "file_size", "width", "contact",
        "phone_number", "user_id", "location", "latitude", "longitude", "voice", "document", "sticker", "emoji",
        "data", "reply_markup", "inline_keyboard", "callback_data", "new_chat_member", "status", "is_bot",
        "reply_to_message", "migrate_to_chat_id", "media_group_id", "message_id",
    ]
)  # fmt: skip
_LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["private", "group", "channel", "/start", "@RangkulBot", "kicked", "\ud83d"])
)
_JSON = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=8), max_leaves=40
)
_FIELDS = st.dictionaries(_KEYS, _JSON, max_size=6)
_UPDATES = st.fixed_dictionaries(
    {"update_id": st.integers()},
    optional={
        kind: st.builds(
            lambda chat, kind_of_chat, fields: {**fields, "chat": {"id": chat, "type": kind_of_chat}},
            st.integers() | _JSON,
            st.sampled_from(["private", "supergroup"]) | _LEAVES,
            _FIELDS,
        )
        for kind in ("message", "edited_message", "callback_query", "my_chat_member", "hologram")
    },
)


@settings(max_examples=200, deadline=None)
@given(_JSON | _UPDATES)
def test_no_json_whatever_makes_the_parser_raise(update: Any) -> None:
    """It gives an event that can be stored, or none."""
    reader = _reader()
    for event in (*reader.events_of(update, NOW), *reader.fallback_of(update, NOW)):
        assert event.channel == "telegram"
        if isinstance(event, Arrival):
            assert event.external_id == f"77:{update_id_of(update)}"
            assert event.address.lstrip("-").isdigit()
            assert msgspec.json.decode(msgspec.json.encode(event.content), type=Content) == event.content
    callback_id_of(update)


@pytest.mark.parametrize(
    ("text", "urgent"),
    [
        ("@RangkulBot tolong ada yang kecelakaan", True),
        ("@RangkulBot suami saya jatuh dari atap", True),
        ("@RangkulBot kecelakaan dapat apa?", False),
        ("@RangkulBot halo", False),
    ],
)
def test_of_words_in_a_group_only_their_urgency_is_kept(text: str, urgent: bool) -> None:
    """Somebody who calls for help must not read about data first."""
    (event,) = _events("message", _message(GROUP, text=text))
    assert isinstance(event, Arrival)
    assert event.content == InGroup(urgent=urgent)
