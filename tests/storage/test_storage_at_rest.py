"""Nothing that says who a person is or what they wrote stands in the database in clear."""

from __future__ import annotations

import base64
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import Connection, func, select, text
from storage_examples import NIK, NOW, PHONE, Desk, arrival, member, rendered, sign_up

from flows.model import (
    AddToTicket,
    ChangeOwner,
    OpenTicket,
    RecordIdentityTry,
    Session,
    Task,
    Text,
    Trace,
)
from storage import (
    deliveries,
    erase,
    events,
    forms,
    media,
    members,
    outbox,
    pacing,
    senders,
    staff,
    tables,
    web_tokens,
)
from storage.keyring import KeyringError
from storage.tables import metadata

pytestmark = pytest.mark.asyncio

SECRETS = (
    NIK,
    "Siti Rahayu",
    PHONE,
    "12345679001",
    "saya jatuh di proyek kemarin sore",
    "petugas akan menelepon",
    "kata rahasia catatan",
    "visitor-address-secret",
    "wamid.HBgNNjI4MTIzNDUwOTAwMQ",
    "1990-09-12",
    "cookie-token-secret",
    "form-token-secret",
    "Rina Petugas",
    "bytes-of-a-photo",
    "trace-value-secret",
    "alasan-rahasia",
    "987654321",
    "ID.90000000000000777",
    "6281200009777",
    "wamid.HBgNNjI4MTIwMDAwOTc3NxUCABIY",
)


def spellings(secret: str) -> set[bytes]:
    """A secret as it might lie there: plain, grouped, without its country code, in base64, in hex."""
    spelled = {secret, secret.lower(), secret.upper()}
    digits = secret.lstrip("+")
    if digits.isdigit():
        spelled |= {digits, digits[2:] if secret.startswith("+62") else digits}
        for separator in (" ", "-", "."):
            for size in (2, 3, 4):
                spelled.add(separator.join(digits[n : n + size] for n in range(0, len(digits), size)))
    found = {one.encode() for one in spelled} | {one.encode("utf-16-le") for one in spelled}
    for one in (secret, digits):
        found.add(one.encode().hex().encode())
        for shift in range(3):  # base64 of a text depends on where in the whole it stands
            encoded = base64.b64encode(b"\0" * shift + one.encode())
            found.add(encoded[(0, 2, 3)[shift] : len(encoded) // 4 * 4 - 4])
    return found


async def fill(desk: Desk) -> str:
    """One of everything, with the secrets in it."""
    message = arrival(
        "wamid.HBgNNjI4MTIzNDUwOTAwMQ",
        address="visitor-address-secret",
        content=Text(f"saya jatuh di proyek kemarin sore, NIK {NIK}"),
        phone=PHONE,
    )
    accepted = await desk.accept(message)
    slots = {"person_name": "Siti Rahayu", "nik": NIK, "income": 987_654_321}
    row_ids = await desk.finish(
        accepted,
        OpenTicket(
            "RK-1",
            "complaint",
            "saya jatuh di proyek kemarin sore",
            name="Siti Rahayu",
            details={"phone": PHONE, "kpj": "12345679001"},
        ),
        AddToTicket("RK-1", "kata rahasia catatan"),
        sign_up("RK-2"),
        RecordIdentityTry(NIK, False),
        ChangeOwner("s1", "alasan-rahasia"),
        session=Session(tasks=(Task("enroll", slots),)),
        replies=rendered(f"Bu Siti Rahayu, petugas akan menelepon {PHONE}"),
    )

    def more(conn: Connection) -> None:
        keys = desk.keys
        members.add(conn, keys, member(jht_balance=987_654_321), member="member-1", now=NOW)
        staff.add(conn, keys, staff_id="s1", name="Rina Petugas", role="agent", now=NOW)
        media.save(conn, keys, "media-1", accepted.conversation, "image/jpeg", b"bytes-of-a-photo", now=NOW)
        web_tokens.add(conn, keys, "cookie-token-secret", "visitor-address-secret", now=NOW)
        forms.create(conn, keys, accepted.conversation, "nik", 3, NOW, token="form-token-secret")
        names = (("bsuid", "ID.90000000000000777"), ("wa_id", "6281200009777"))
        on_whatsapp = senders.Sender("whatsapp", names[0][1], "+6281200009777", also=names)
        senders.conversation_of(conn, keys, on_whatsapp, ids=desk.ids, now=NOW)
        pacing.take(conn, keys, (pacing.Pace("whatsapp|1|6281200009777", timedelta(seconds=6)),), NOW)
        sent_as = deliveries.platform_name(keys, "web", "wamid.HBgNNjI4MTIwMDAwOTc3NxUCABIY")
        outbox.mark_sent(conn, row_ids, now=NOW, names=dict.fromkeys(row_ids, sent_as))
        events.add(
            conn,
            keys,
            conversation=accepted.conversation,
            inbox_id=accepted.inbox_id,
            kind="note",
            record=events.TurnRecord(traces=(Trace("slot_set", "name", "trace-value-secret"),)),
            now=NOW,
        )

    await desk.database.transaction(more)
    return accepted.conversation


async def everything(desk: Desk) -> bytes:
    """All bytes of the database: the files of SQLite with their log, or every value of PostgreSQL."""
    if desk.database.dialect == "sqlite":
        path = Path(desk.database.url.removeprefix("sqlite:///"))
        files = [path, *path.parent.glob(path.name + "-*")]
        assert any(file.name.endswith("-wal") and file.stat().st_size for file in files)
        return b"".join(file.read_bytes() for file in files)
    connection = await asyncpg.connect(desk.database.url)
    found = []
    for table in metadata.sorted_tables:
        for row in await connection.fetch(str(table.select())):
            found += [value if isinstance(value, bytes) else str(value).encode() for value in row.values()]
    await connection.close()
    return b"\0".join(found)


async def test_nothing_secret_lies_in_clear(desk: Desk) -> None:
    """After one of everything was stored, none of the planted words or numbers is found in any spelling."""
    await fill(desk)
    stored = await everything(desk)
    assert b"contribution" in stored or b"complaint" in stored  # what is meant to be in clear is found
    leaked = {secret for secret in SECRETS for spelled in spellings(secret) if spelled in stored}
    assert leaked == set()


async def test_the_search_would_find_a_leak() -> None:
    """The spellings do find a number that is grouped, encoded or in the middle of something."""
    for planted in (
        "NIK: 3174 0512 0990 9001.",
        "3174-0512-0990-9001",
        "nik3174051209909001nik",
        *(base64.b64encode(b"x" * n + b'{"nik":"' + NIK.encode() + b'"}').decode() for n in range(3)),
        NIK.encode().hex(),
    ):
        assert any(spelled in planted.encode() for spelled in spellings(NIK)), planted
    assert any(spelled in b"call 0812 3450 9001 or 81234509001" for spelled in spellings(PHONE))


async def test_a_session_moved_to_another_row_does_not_open(desk: Desk) -> None:
    """Whoever can write to the database cannot give one person's session to another."""
    first = await desk.turn("m1", session=Session(greeted=True))
    second = await desk.turn("m2", address="visitor-2")
    swap = text("UPDATE conversations SET session = (SELECT session FROM conversations WHERE id = :a) WHERE id = :b")
    await desk.database.transaction(
        lambda conn: conn.execute(swap, {"a": first.conversation, "b": second.conversation}).close()
    )
    with pytest.raises(KeyringError):
        await desk.peek(second.conversation)


async def test_forgetting_leaves_no_content(desk: Desk) -> None:
    """After a conversation is forgotten none of its sealed contents is left, and the web token leads nowhere."""
    conversation = await fill(desk)

    columns = (tables.inbox.c.content, tables.outbox.c.body, tables.events.c.record, tables.media.c.content)

    def contents(conn: Connection) -> list[int]:
        queries = (select(func.count(column)).where(column.table.c.conversation == conversation) for column in columns)
        return [conn.execute(query).scalar_one() for query in queries]

    assert 0 not in await desk.database.read(contents)
    for _ in range(2):
        await desk.database.transaction(lambda conn: erase.forget_conversation(conn, desk.keys, conversation, now=NOW))
    assert await desk.database.read(contents) == [0, 0, 0, 0]
    held = await desk.peek(conversation)
    assert (held.session, held.owner) == (Session(), "bot")
