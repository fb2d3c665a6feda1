"""Webhooks of the Cloud API, hand-written to Meta's published shapes, and the events they become."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.channels.links import Links
from bot.channels.whatsapp.payloads import WINDOW, Reader
from flows.model import (
    Choice,
    Command,
    Contact,
    Content,
    Edited,
    Location,
    Media,
    Sticker,
    Text,
    Unknown,
)
from storage.inbox import Arrival, Event, Renamed, Report
from storage.keyring import Keyring

FILES = Path(__file__).parent / "payloads" / "whatsapp"
NUMBER = "106540352242922"
NOW = datetime.fromtimestamp(1795400000, UTC)
"""Some minutes after the messages in the files were sent."""

LINKS = Links(Keyring.from_keys({"a": bytes([1]) * 32}, "a", bytes([2]) * 32), ("enroll",))
SITI = (("bsuid", "ID.90000000000000001"), ("wa_id", "6281200009001"))


def reader(number: str = NUMBER) -> Reader:
    numbers = count(1)
    return Reader(number, LINKS, lambda: f"m{next(numbers)}")


def events(payload: object) -> tuple[Event, ...]:
    return reader().events_of(payload, NOW)


def payload_in(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((FILES / f"{name}.json").read_text("utf-8"))
    return loaded


def value_of(**value: Any) -> dict[str, Any]:
    """A webhook about our number."""
    whole = {"messaging_product": "whatsapp", "metadata": {"phone_number_id": NUMBER}, **value}
    return {
        "object": "whatsapp_business_account",
        "entry": [{"id": "102290129340398", "changes": [{"field": "messages", "value": whole}]}],
    }


def arrival_of(message: dict[str, Any], **value: Any) -> Arrival:
    """The one message, sent by Siti unless it says otherwise."""
    whole = {"id": "wamid.1", "from": "6281200009001", **message}
    (event,) = events(value_of(messages=[whole], **value))
    assert isinstance(event, Arrival)
    return event


def content_of(kind: str, part: object, **more: Any) -> Content:
    return arrival_of({"type": kind, kind: part, **more}).content


# ── the files: every kind of message ─────────────────────────────────────────────────────────────

HASH = "kQ0yYxV1mJ3vO2u8d7sH0lZb5cXn4gTfWqRrE6iPaUs="
MESSAGES: dict[str, Content] = {
    "audio": Media("voice", "m1", source=f"1480000000000104|{HASH}"),
    "button": Choice("BAYAR", "Bayar sekarang"),
    "contacts": Contact("+6281200009002"),
    "document": Media("document", "m1", "KK saya", source=f"1480000000000107|{HASH}"),
    "image": Media("photo", "m1", "struk bayar", source=f"1480000000000101|{HASH}"),
    "image_with_url": Media("photo", "m1", source=f"1480000000000102|{HASH}"),
    "interactive_button_reply": Choice("7:answer:1", "Ya"),
    "interactive_list_reply": Choice("7:menu:saldo", "Cek saldo"),
    "interactive_nfm_reply": Unknown("nfm_reply"),
    "location": Location(-6.2297465, 106.829518),
    "location_named": Location(-6.1862, 106.8063),
    "order": Unknown("order"),
    "sender_phone_only": Text("halo"),
    "sender_username_only": Text("bisa lewat sini?"),
    "sender_without_contacts": Text("halo lagi"),
    "sticker": Sticker(),
    "text": Text("min saya udah bayar kok iuran belum masuk 🙏"),
    "text_answering": Text("ya"),
    "text_forwarded": Text("INFO: bantuan iuran dibuka"),
    "text_from_ad": Text("Halo, saya mau daftar"),
    "unknown_type": Unknown("hologram"),
    "unsupported": Unknown("unsupported"),
    "video": Media("document", "", "kecelakaan tadi pagi", problem="unsupported"),
    "voice": Media("voice", "m1", source=f"1480000000000103|{HASH}"),
}
REPORTS = {
    "status_sent": "sent",
    "status_delivered": "delivered",
    "status_read": "read",
    "status_played": "read",
    "status_failed": "failed",
    "status_failed_bare_contact": "failed",
    "status_username_only": "delivered",
}
NOTHING = ("account_error", "reaction", "reaction_removed", "template_status_update")
OTHERS = ("batch", "system_user_changed_number")


def test_every_file_is_read_by_a_test() -> None:
    """A payload that is added later is not forgotten here."""
    known = {*MESSAGES, *REPORTS, *NOTHING, *OTHERS}
    assert {path.stem for path in FILES.glob("*.json")} == known


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_of_every_kind(name: str) -> None:
    """One arrival, with its content, its wamid and until when it lets us write."""
    (event,) = events(payload_in(name))
    message = payload_in(name)["entry"][0]["changes"][0]["value"]["messages"][0]
    assert isinstance(event, Arrival)
    assert event.content == MESSAGES[name]
    assert event.external_id == message["id"]
    assert event.received_at == NOW
    assert event.window_until == datetime.fromtimestamp(int(message["timestamp"]), UTC) + WINDOW


@pytest.mark.parametrize("name", REPORTS)
def test_a_status_of_every_kind(name: str) -> None:
    """One report under the name Meta has for the message; trackers that are none of ours name no row."""
    (event,) = events(payload_in(name))
    status = payload_in(name)["entry"][0]["changes"][0]["value"]["statuses"][0]
    assert isinstance(event, Report)
    assert (event.platform_id, event.status, event.outbox_id) == (status["id"], REPORTS[name], 0)


@pytest.mark.parametrize("name", NOTHING)
def test_what_says_nothing_to_us(name: str) -> None:
    """A reaction, given or taken back, an error of the account, news of a template: no event."""
    assert events(payload_in(name)) == ()


def test_a_batch_gives_up_everything_in_its_order() -> None:
    """Three changes with two people: five events, each with the right sender."""
    found = events(payload_in("batch"))
    assert [type(event).__name__ for event in found] == ["Arrival", "Arrival", "Report", "Report", "Arrival"]
    names = [event.also for event in found if isinstance(event, Arrival)]
    assert names == [SITI, (("bsuid", "ID.90000000000000002"), ("wa_id", "6281200009002")), SITI]


def test_a_new_number_renames_the_sender() -> None:
    """The old number is not theirs any more."""
    assert events(payload_in("system_user_changed_number")) == (
        Renamed(
            "whatsapp",
            ("wa_id", "6281200009001"),
            ("wa_id", "6281200009009"),
            "+6281200009009",
            datetime.fromtimestamp(1795399601, UTC) + WINDOW,
        ),
    )


# ── who writes ───────────────────────────────────────────────────────────────────────────────────


def test_the_business_scoped_id_is_the_address_and_the_number_is_vouched_for() -> None:
    """Numbers pass to others; ids do not. The number that WhatsApp shows is the sender's own."""
    (event,) = events(payload_in("text"))
    assert isinstance(event, Arrival)
    assert (event.address, event.also, event.phone) == ("ID.90000000000000001", SITI, "+6281200009001")


@pytest.mark.parametrize(
    ("name", "names", "phone"),
    [
        ("sender_phone_only", ("wa_id",), True),
        ("sender_username_only", ("bsuid",), False),
        ("sender_without_contacts", ("bsuid", "wa_id"), True),
    ],
)
def test_a_sender_may_lack_any_of_their_names(name: str, names: tuple[str, ...], phone: bool) -> None:
    """The address is the surest of those that are there."""
    (event,) = events(payload_in(name))
    assert isinstance(event, Arrival)
    assert tuple(kind for kind, _ in event.also) == names
    assert event.address == event.also[0][1]
    assert (event.phone is not None) == phone


def test_a_contact_fills_in_what_the_message_lacks() -> None:
    """By either name, and by standing alone beside a message without any."""
    siti = {"wa_id": "6281200009001", "user_id": "ID.90000000000000001"}
    made = {"wa_id": "6281200009002", "user_id": "ID.90000000000000002"}
    hello = {"type": "text", "text": {"body": "halo"}}
    assert arrival_of(hello, contacts=[made, siti]).also == SITI
    assert arrival_of({**hello, "from": None, "from_user_id": SITI[0][1]}, contacts=[made, siti]).also == SITI
    assert arrival_of({**hello, "from": None}, contacts=[siti]).also == SITI
    assert events(value_of(messages=[{"id": "wamid.1", **hello}], contacts=[made, siti])) == ()


def test_a_contact_of_somebody_else_lends_no_name() -> None:
    """The number in the message decides."""
    made = {"wa_id": "6281200009002", "user_id": "ID.90000000000000002"}
    assert arrival_of({"type": "text", "text": {"body": "halo"}}, contacts=[made]).also == SITI[1:]


@pytest.mark.parametrize("wa_id", ["12", "0812000090011", "62812000090011234", "628x", "٦٢٨١٢٠٠٠٠٩٠٠١"])
def test_a_name_that_is_no_number_gives_no_phone(wa_id: str) -> None:
    """It still is a name that one can answer to."""
    arrival = arrival_of({"type": "text", "text": {"body": "halo"}, "from": wa_id})
    assert (arrival.address, arrival.phone) == (wa_id, None)


def test_what_nobody_sent_is_nothing() -> None:
    """Without a sender or an id there is nobody to answer and nothing to tell twice deliveries by."""
    text = {"type": "text", "text": {"body": "halo"}}
    assert events(value_of(messages=[{"id": "wamid.1", **text}, {"from": "6281200009001", **text}])) == ()


# ── what they send ───────────────────────────────────────────────────────────────────────────────


def test_only_the_window_of_the_message_itself_is_opened() -> None:
    """A message that comes days late, one from the future and one without a time."""
    hello = {"type": "text", "text": {"body": "halo"}}
    late = int(NOW.timestamp()) - 100_000
    assert arrival_of({**hello, "timestamp": str(late)}).window_until == NOW - timedelta(seconds=100_000) + WINDOW
    for timestamp in (str(int(NOW.timestamp()) + 99), None, "soon", "9" * 15, -1, "99999999999"):
        assert arrival_of({**hello, "timestamp": timestamp}).window_until == NOW + WINDOW


def test_a_link_opens_its_task_and_an_unknown_one_none() -> None:
    """The code in the text that a wa.me link brings is looked up; one of no link is words like others."""
    code = LINKS.payload_of("enroll")
    assert content_of("text", {"body": f"Saya mau daftar [kode {code}]"}) == Command("start", "enroll")
    for words in ("[Kode ABCDEFGHIJKLMNOP]", "Alamat saya Jl. Mawar [kode pos] 40111, kartunya belum datang"):
        assert content_of("text", {"body": words}) == Text(words)
    assert content_of("text", {"body": "kode ABCDEFGHIJKLMNOP"}) == Text("kode ABCDEFGHIJKLMNOP")


@pytest.mark.parametrize(
    ("kind", "part", "content"),
    [
        ("text", {}, Unknown("text")),
        ("image", {"caption": "ktp"}, Media("photo", "", "ktp", problem="unreadable")),
        ("image", {"id": "7"}, Media("photo", "m1", source="7")),
        ("location", {"latitude": "-6.2", "longitude": "106.8"}, Location(-6.2, 106.8)),
        ("location", {"latitude": 91, "longitude": 0}, Unknown("location")),
        ("location", {"latitude": float("nan"), "longitude": 0}, Unknown("location")),
        ("location", {"latitude": True, "longitude": 0}, Unknown("location")),
        ("contacts", [], Unknown("contacts")),
        ("contacts", [{"phones": [{"phone": "halo"}, {"phone": "+62 812-0000-9003"}]}], Contact("+6281200009003")),
        ("contacts", [{"phones": [{"wa_id": "6281200009001"}]}], Contact("+6281200009001", own=True)),
        ("interactive", {"type": "button_reply", "button_reply": {"title": "Ya"}}, Unknown("button_reply")),
        ("interactive", {"type": "call_permission_reply"}, Unknown("call_permission_reply")),
        ("button", {"text": "Ya"}, Choice("Ya", "Ya")),
        ("edit", {"message": {"type": "text", "text": {"body": "Sleman"}}}, Edited("Sleman")),
        ("edit", {"message": {"type": "image", "image": {"id": "1", "caption": "struk"}}}, Edited("struk")),
        ("edit", {}, Unknown("edit")),
        ("x" * 500, {}, Unknown("x" * 64)),
    ],
)
def test_odd_parts(kind: str, part: object, content: Content) -> None:
    """What is there is read, what is missing is named."""
    assert content_of(kind, part) == content


def test_a_message_without_a_type_is_unknown_and_a_deleted_one_is_nothing() -> None:
    """Nobody waits for an answer to a message they have taken back."""
    assert arrival_of({}).content == Unknown("unknown")
    deleted = {"id": "wamid.2", "from": "6281200009001", "type": "revoke", "revoke": {"original_message_id": "x"}}
    assert events(value_of(messages=[deleted])) == ()


def test_half_a_surrogate_pair_does_not_poison_the_store() -> None:
    """JSON may escape what UTF-8 cannot hold; such a text must still be stored, and its batch with it."""
    body = json.loads('"salah \\ud83d ketik"')
    content = content_of("text", {"body": body})
    assert content == Text("salah ? ketik")
    msgspec.json.encode(content)


@pytest.mark.parametrize(
    ("system", "sender", "renamed"),
    [
        (
            {"type": "user_changed_number", "wa_id": "6281200009009", "user_id": "ID.9"},
            {"from": "6281200009001", "from_user_id": "ID.1"},
            [(("wa_id", "6281200009001"), ("wa_id", "6281200009009")), (("bsuid", "ID.1"), ("bsuid", "ID.9"))],
        ),
        (
            {"type": "user_changed_number", "wa_id": "6281200009009", "user_id": "ID.9"},
            {"from": "6281200009001"},
            [(("wa_id", "6281200009001"), ("wa_id", "6281200009009")), (("wa_id", "6281200009009"), ("bsuid", "ID.9"))],
        ),
        (
            {"type": "user_changed_number", "wa_id": "6281200009009"},
            {"from_user_id": "ID.1"},
            [(("bsuid", "ID.1"), ("wa_id", "6281200009009"))],
        ),
        (
            {"type": "customer_changed_number", "new_wa_id": "6281200009009", "customer": "6281200009001"},
            {},
            [(("wa_id", "6281200009001"), ("wa_id", "6281200009009"))],
        ),
        (
            {"type": "user_changed_user_id", "previous_user_id": "ID.1", "user_id": "ID.9"},
            {},
            [(("bsuid", "ID.1"), ("bsuid", "ID.9"))],
        ),
        (
            {"type": "user_changed_user_id", "user_id": "ID.9"},
            {"from": "6281200009001"},
            [(("wa_id", "6281200009001"), ("bsuid", "ID.9"))],
        ),
        ({"type": "user_changed_user_id", "user_id": "ID.9"}, {}, []),
        ({"type": "user_changed_number", "wa_id": "6281200009001"}, {"from": "6281200009001"}, []),
        ({"type": "customer_identity_changed", "wa_id": "6281200009009"}, {"from": "6281200009001"}, []),
    ],
    ids=["both", "id unknown", "number to an id", "older form", "id", "id by number", "whose", "same", "hash"],
)
def test_names_change_in_several_ways(
    system: dict[str, str], sender: dict[str, str], renamed: list[tuple[tuple[str, str], tuple[str, str]]]
) -> None:
    """A new number and a new id come together or alone, and in forms of several years."""
    found = events(value_of(messages=[{"id": "wamid.1", "type": "system", "system": system, **sender}]))
    assert [(event.old, event.new) for event in found if isinstance(event, Renamed)] == renamed
    assert len(found) == len(renamed)


# ── statuses ─────────────────────────────────────────────────────────────────────────────────────


def report_of(**status: Any) -> Report:
    (event,) = events(value_of(statuses=[{"id": "wamid.9", **status}]))
    assert isinstance(event, Report)
    return event


@pytest.mark.parametrize(
    ("tracker", "outbox_id"),
    [("41", 41), ("invite:41", 0), ("0041", 0), ("٤١", 0), ("9" * 19, 0), (41, 0), (None, 0)],
)
def test_only_our_own_name_of_a_message_is_taken(tracker: object, outbox_id: int) -> None:
    """An invitation names the row that waits, and must not count as its delivery."""
    assert report_of(status="delivered", biz_opaque_callback_data=tracker).outbox_id == outbox_id


@pytest.mark.parametrize(
    ("errors", "word", "then"),
    [
        ([{"code": 131047}], "window_closed", "wait_for_person"),
        ([{"code": 131026}], "undeliverable", "give_up"),
        ([{"code": 130429}], "throttled", "again"),
        ([{"code": "131016"}], "service", "again"),
        ([{"code": 131050}, {"code": 131016}], "opted_out", "give_up"),
        ([{"code": 777777}], "code_777777", "again"),
        ([{}], "unknown", "again"),
        ([], "unknown", "again"),
        (None, "unknown", "again"),
    ],
)
def test_a_failure_says_why_and_what_helps(errors: object, word: str, then: str) -> None:
    """By the same table as an answer with an error; a failure without a code is no bad token."""
    report = report_of(status="failed", errors=errors)
    assert (report.word, report.then) == (word, then)


def test_statuses_that_change_nothing_are_left_out() -> None:
    """Words of Meta's that are new to us, and statuses about nothing."""
    odd = [{"id": "wamid.9", "status": "deleted"}, {"status": "read"}, {"id": "wamid.9"}, 7, None]
    assert events(value_of(statuses=odd)) == ()


# ── what is not for us, and what is no webhook ───────────────────────────────────────────────────


def test_other_numbers_objects_and_subjects_are_counted_and_left_alone() -> None:
    """One app may serve several numbers; their people are not ours."""
    text, news = payload_in("text"), payload_in("template_status_update")
    ours, other = reader(), reader("999")
    assert (len(ours.events_of(text, NOW)), ours.foreign_in(text)) == (1, 0)
    assert (len(other.events_of(text, NOW)), other.foreign_in(text)) == (0, 1)
    assert (len(ours.events_of(news, NOW)), ours.foreign_in(news)) == (0, 1)
    page = {**text, "object": "page"}
    assert (len(ours.events_of(page, NOW)), ours.foreign_in(page)) == (0, 1)


def test_errors_of_the_whole_account_are_told_by_code() -> None:
    """They belong to no message."""
    assert reader().troubles_in(payload_in("account_error")) == (130429,)
    assert reader().troubles_in(payload_in("text")) == ()


def test_a_thousand_messages_in_one_body() -> None:
    """Nothing is left out, and nothing told twice."""
    messages = [
        {"id": f"wamid.{n}", "from": f"62812{n:07d}", "type": "text", "text": {"body": str(n)}} for n in range(1000)
    ]
    found = events(value_of(messages=messages))
    assert [event.content for event in found if isinstance(event, Arrival)] == [Text(str(n)) for n in range(1000)]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["41", "ID.1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KINDS = (
    "text", "image", "audio", "document", "video", "sticker", "reaction", "location", "contacts", "interactive",
    "button", "edit", "revoke", "system", "order", "unsupported", "hologram",
)  # fmt: skip
KEYS = (
    "id", "from", "from_user_id", "user_id", "wa_id", "timestamp", "body", "sha256", "caption", "emoji", "latitude",
    "longitude", "phones", "phone", "type", "button_reply", "title", "payload", "message", "previous_user_id",
    "new_wa_id", "customer", "errors", "code", "status", "biz_opaque_callback_data", *KINDS,
)  # fmt: skip
PART = st.recursive(
    JSON | st.sampled_from(["user_changed_number", "user_changed_user_id", "failed", "read", "button_reply"]),
    lambda inner: st.dictionaries(st.sampled_from(KEYS), inner, max_size=4) | st.lists(inner, max_size=2),
    max_leaves=12,
)
MESSAGE = st.sampled_from(KINDS).flatmap(
    lambda kind: st.fixed_dictionaries(
        {"id": st.just("wamid.1") | JSON, "from": st.just("6281200009001") | JSON, "type": st.just(kind), kind: PART},
        optional={"from_user_id": JSON, "timestamp": JSON, "errors": PART},
    )
)
STATUS = st.fixed_dictionaries({"id": st.just("wamid.1") | JSON, "status": st.sampled_from(["failed", "read"]) | JSON})


@settings(max_examples=400, deadline=None)
@given(
    st.one_of(
        JSON,
        st.builds(
            value_of,
            messages=st.lists(MESSAGE | PART, max_size=3) | JSON,
            statuses=st.lists(STATUS | PART, max_size=2) | JSON,
            contacts=st.lists(PART, max_size=2) | JSON,
        ),
    )
)
def test_no_json_is_too_strange(payload: object) -> None:
    """Whatever is sent, nothing is raised, and what comes out can be stored."""
    for event in events(payload):
        if isinstance(event, Arrival):
            msgspec.json.encode(event.content)
            assert event.external_id and event.address and event.also
            "".join((event.external_id, event.address)).encode()
    reader().foreign_in(payload)
    reader().troubles_in(payload)
