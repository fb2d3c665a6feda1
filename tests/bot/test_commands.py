"""The command line as operators and testers use it: on the demo's own database, with the real engine."""

from __future__ import annotations

import asyncio
import io
import json
import os
import re
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import date
from pathlib import Path

import httpx
import msgspec
import pytest
from PIL import Image
from sqlalchemy import Connection

from bot import demo
from bot.__main__ import main
from bot.app import open_program
from bot.attachments import Attachment
from bot.config import ConfigError, load_config
from flows.model import Known, Media, OpenTicket, Session, Text
from nlu.values import Reading, read
from storage import conversations, inbox, members, tickets
from storage.inbox import Arrival

CODE = re.compile(r"RK-[0-9A-Z]{4}-[0-9A-Z]{4}")

Rangkul = Callable[..., tuple[int, str, str]]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A demo of its own: database and keys in a fresh folder."""
    for name in [name for name in os.environ if name.startswith("RANGKUL_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("RANGKUL_DATABASE__DEMO_DIR", str(tmp_path / "demo"))
    monkeypatch.setenv("RANGKUL_KEYS__DEMO_FILE", str(tmp_path / "keys" / "demo.json"))
    return tmp_path


@pytest.fixture
def rangkul(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Rangkul:
    """Runs a command and gives its exit code, standard output and standard error."""

    def run(*arguments: str, typed: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        code = main(arguments)
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_piped_lines_are_a_conversation(rangkul: Rangkul) -> None:
    """One message a line, replies with numbered options on standard output, then the end."""
    code, out, _ = rangkul("chat", "--persona", "wati", typed="halo\n\n1\n")
    assert code == 0
    assert "1. Daftar" in out.splitlines()
    assert "Setuju?" in out


def test_piped_input_starts_afresh_each_time(rangkul: Rangkul) -> None:
    """The second run does not stand in the middle of the first one's form."""
    _, first, _ = rangkul("chat", "--persona", "wati", typed="halo\nmau daftar\n")
    _, second, _ = rangkul("chat", "--persona", "wati", typed="halo\nmau daftar\n")
    assert first == second


def test_buttons_photos_places_and_stickers_can_be_sent(rangkul: Rangkul, home: Path) -> None:
    """The terminal's own commands reach the conversation; one that cannot be followed says why."""
    Image.new("RGB", (40, 40), "red").save(home / "bukti.jpg")
    typed = (
        f"halo\n/tombol 1\n/tombol 9\n/foto {home}/bukti.jpg ini\n/foto tidak-ada.jpg\n/lokasi -6.2,106.8\n/stiker\n"
    )
    code, out, _ = rangkul("chat", typed=typed)
    assert code == 0
    assert "Setuju?" in out
    assert "/tombol: 1 sampai 2" in out
    assert "/foto: berkas tidak bisa dibaca: tidak-ada.jpg" in out


def test_personas_are_of_the_demo_alone(rangkul: Rangkul, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With keys and a database configured there is nobody invented to speak as."""
    key = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVoxMjM0NTY="
    other = "MTIzNDU2Nzg5MEFCQ0RFRkdISUpLTE1OT1BRUlNUVVY="
    monkeypatch.setenv("RANGKUL_ENCRYPTION_KEYS", f"a:{key}")
    monkeypatch.setenv("RANGKUL_LOOKUP_KEY", other)
    monkeypatch.setenv("RANGKUL_DATABASE_URL", f"sqlite:///{home}/real.db")
    code, _, err = rangkul("chat", "--persona", "wati", typed="halo\n")
    assert (code, "demo: true" in err) == (2, True)


def test_the_service_refuses_to_start_without_keys(rangkul: Rangkul) -> None:
    """Every missing secret is named, and nothing is started."""
    code, _, err = rangkul("run")
    assert code == 2
    assert "database.url" in err
    assert "RANGKUL_ENCRYPTION_KEYS" in err
    assert "RANGKUL_LOOKUP_KEY" in err


def test_the_demo_s_keys_are_made_once_and_kept_from_others(home: Path) -> None:
    """Made at first use with no rights for anybody else, outside the data folder, and the same ever after."""
    config, first = demo.configured(load_config(overrides={"demo": True}))
    path = config.keys.demo_file
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not path.is_relative_to(config.database.demo_dir)
    _, second = demo.configured(load_config(overrides={"demo": True}))
    assert second.open("t", "c", "r", first.seal("t", "c", "r", b"x")) == b"x"
    path.write_text("{}")
    with pytest.raises(ConfigError):
        demo.configured(load_config(overrides={"demo": True}))


def test_a_demo_refuses_a_database_with_other_data(rangkul: Rangkul, home: Path) -> None:
    """Invented people are never put beside others."""
    assert rangkul("chat", typed="halo\n")[0] == 0
    config, keys = demo.configured(load_config(overrides={"demo": True}))

    async def forget_the_mark() -> None:
        async with open_program(config, keys=keys) as program:
            await program.db.transaction(lambda conn: conn.exec_driver_sql("DELETE FROM audit"))

    asyncio.run(forget_the_mark())
    code, _, err = rangkul("chat", typed="halo\n")
    assert (code, "holds data that is not the demo's" in err) == (2, True)


def test_staff_work_on_the_command_line(rangkul: Rangkul) -> None:
    """A ticket is listed, taken, answered and resolved by name; the words reach the person's conversation."""
    _, out, _ = rangkul("chat", "--persona", "wati", typed="mau bicara sama petugas\nada yang mau saya tanyakan\n")
    match = CODE.search(out)
    assert match, out
    code = match[0]
    _, listed, _ = rangkul("tickets")
    assert code in listed
    assert rangkul("ticket", code, "take")[0] == 1
    assert rangkul("ticket", code, "take", "--staff", "nobody")[0] == 1
    assert rangkul("ticket", code.lower(), "take", "--staff", "rina")[1].startswith(f"{code}: take\n{code}  handover")
    assert "Rina" in rangkul("tickets")[1]
    assert rangkul("ticket", code, "reply", "sudah", "kami", "cek", "--staff", "Rina")[0] == 0
    assert rangkul("ticket", code, "reply", "--staff", "Rina", "kami kabari besok")[0] == 0
    assert rangkul("ticket", code, "resolve", "--staff", "Rina")[0] == 0
    assert code not in rangkul("tickets")[1]
    assert code in rangkul("tickets", "--all")[1]
    shown = rangkul("ticket", code, "show", "--staff", "Rina")[1]
    assert "Rina: sudah kami cek" in shown
    assert "Rina: kami kabari besok" in shown
    told = rangkul("explain", code)[1]
    assert "said: staff/reply" in told
    assert "owner: bot →" in told


def handed_over(rangkul: Rangkul, *typed: str, persona: str = "wati") -> str:
    """A talk that ends with a call for staff; gives the ticket's code."""
    lines = ("mau bicara sama petugas", *typed)
    out = rangkul("chat", "--persona", persona, typed="".join(f"{line}\n" for line in lines))[1]
    return CODE.search(out)[0]  # type: ignore[index]


def audited(home: Path, action: str) -> list[tuple[str, bool]]:
    """The lines of the audit: subject, and whether a name stands there."""
    with closing(sqlite3.connect(home / "demo" / "rangkul.db")) as database:
        rows = database.execute("SELECT subject, staff <> '' FROM audit WHERE action = ?", (action,))
        return [(subject, bool(named)) for subject, named in rows]


def test_a_ticket_shows_what_staff_need(rangkul: Rangkul, home: Path) -> None:
    """Who it is, masked; what was promised, in the office's time; both sides' last words; each view in the audit."""
    code = handed_over(rangkul, "kartu saya hilang", "NIK saya 3275015505819003")
    shown = rangkul("ticket", code, "show", "--staff", "Rina")[1]
    lines = shown.splitlines()
    assert lines[0].startswith(f"{code}  handover  open")
    for name in ("opened", "promised"):
        (line,) = [line for line in lines if line.startswith(f"{name}: ")]
        assert re.fullmatch(rf"{name}: \d{{4}}-\d\d-\d\d \d\d:\d\d WIB", line)
    assert any(re.fullmatch(r"due: \d{4}-\d\d-\d\d", line) for line in lines)
    assert {"owner: -", "conversation held by: bot", "person: no name given"} <= set(lines)
    assert "reached by: terminal, 0812•••••001" in lines
    talk = shown.partition("conversation, last ")[2]
    assert talk.index("WIB person: mau bicara sama petugas") < talk.index("bot: ⏳ Petugas") < talk.index("kartu saya")
    assert "3275••••••••9003" in talk
    assert "3275015505819003" not in shown and "081200000001" not in shown
    assert audited(home, "ticket_shown") == [(code, True)]
    assert "UTC" not in rangkul("tickets")[1] + rangkul("explain", code)[1]
    assert rangkul("ticket", code, "take", "--staff", "Rina")[0] == 0
    assert audited(home, "ticket_shown") == [(code, True)] * 2


def test_only_the_last_twenty_messages_are_shown(rangkul: Rangkul) -> None:
    """A long talk is shown by its end."""
    code = handed_over(rangkul, *(f"pesan nomor {n}" for n in range(15)))
    shown = rangkul("ticket", code, "show", "--staff", "Rina")[1]
    talk = shown.partition("conversation, last 20 messages:\n")[2]
    assert len(re.findall(r"^  \d{4}-", talk, re.MULTILINE)) == 20
    assert "pesan nomor 14" in talk and "pesan nomor 0\n" not in talk


def test_a_name_from_the_talk_is_shown_and_a_ticket_that_cannot_be_opened_too(rangkul: Rangkul, home: Path) -> None:
    """Who gave a name earlier is shown by it; with address and session damaged, the rest is still shown."""
    code = handed_over(rangkul)
    config, keys = demo.configured(load_config(overrides={"demo": True}))

    async def name_them() -> None:
        async with open_program(config, keys=keys) as program:
            named = msgspec.json.encode(Session(known=Known(name="Wati Kurniasih")))

            def change(conn: Connection) -> None:
                ticket = tickets.by_code(conn, keys, code)
                assert ticket
                where = str(ticket.conversation)
                sealed = keys.seal("conversations", "session", where, named)
                conn.exec_driver_sql("UPDATE conversations SET session = ? WHERE id = ?", (sealed, where))

            await program.db.transaction(change)

    asyncio.run(name_them())
    assert "person: Wati Kurniasih" in rangkul("ticket", code, "show", "--staff", "Rina")[1]
    # The newest of several conversations: the others still prove that the keys fit.
    handed_over(rangkul, persona="budi")
    with closing(sqlite3.connect(home / "demo" / "rangkul.db")) as database:
        where = database.execute("SELECT conversation FROM tickets WHERE code = ?", (code,)).fetchone()
        database.execute("UPDATE conversations SET session = x'00' WHERE id = ?", where)
        database.execute("UPDATE addresses SET address = x'00' WHERE conversation = ?", where)
        database.commit()
    status, shown, _ = rangkul("ticket", code, "show", "--staff", "Rina")
    assert (status, "person: no name given" in shown, "owner: -" in shown) == (0, True, True)


def test_a_photo_to_staff_is_named_and_can_be_saved(rangkul: Rangkul, home: Path) -> None:
    """Its id and size stand in the history and the talk; saved it is the picture, private, in the audit, once."""
    Image.new("RGB", (40, 40), "red").save(home / "struk.jpg")
    code = handed_over(rangkul)
    rangkul("ticket", code, "take", "--staff", "Rina")
    config, keys = demo.configured(load_config(overrides={"demo": True}))

    async def send_photo() -> None:
        async with open_program(config, keys=keys) as program:
            ticket = await program.db.read(lambda conn: tickets.by_code(conn, keys, code))
            assert ticket and ticket.conversation
            where = await program.db.read(lambda conn: conversations.peek(conn, keys, str(ticket.conversation)))
            file = Attachment("struk-1", "image/jpeg", (home / "struk.jpg").read_bytes())
            content = Media("photo", file.id, caption="ini struknya")
            await program.receive(
                Arrival(where.channel, where.address, "photo-1", content, where.phone, program.clock.now()),
                files=(file,),
            )
            await program.settle()

    asyncio.run(send_photo())
    shown = rangkul("ticket", code, "show", "--staff", "Rina")[1]
    assert shown.count("person: foto (struk-1, 1 kB) ini struknya") == 2  # in the history and in the talk
    saved = home / "saved.jpg"
    assert rangkul("ticket", code, "photo", "other", str(saved), "--staff", "Rina")[0] == 1
    assert rangkul("ticket", code, "photo", "--staff", "Rina", "struk-1", str(saved))[0] == 0
    assert saved.read_bytes() == (home / "struk.jpg").read_bytes()
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600
    assert audited(home, "photo_saved") == [(f"{code}/struk-1", True)]
    assert rangkul("ticket", code, "photo", "struk-1", str(saved), "--staff", "Rina")[0] == 1
    other = handed_over(rangkul, persona="siti")
    assert rangkul("ticket", other, "photo", "struk-1", str(home / "x.jpg"), "--staff", "Rina")[0] == 1
    assert not (home / "x.jpg").exists()


def test_an_anonymous_ticket_shows_nobody(rangkul: Rangkul) -> None:
    """Neither phone nor name nor the talk, which may hold both; that a reply arrives is told."""
    config, keys = demo.configured(load_config(overrides={"demo": True}))

    async def file_one() -> None:
        async with open_program(config, keys=keys) as program:
            arrival = Arrival("terminal", "x", "m1", Text("nama saya Ujang"), "+6281200000077", program.clock.now())
            accepted = await program.receive(arrival)
            await program.settle()
            ticket = OpenTicket("RK-2222-3333", "complaint", "Pungutan di kantor", name="Ujang", anonymous=True)
            await program.db.transaction(
                lambda conn: tickets.open_ticket(
                    conn, keys, ticket, person="p", conversation=accepted.conversation, now=program.clock.now()
                )
            )

    asyncio.run(file_one())
    shown = rangkul("ticket", "RK-2222-3333", "show", "--staff", "Rina")[1]
    assert "text: Pungutan di kantor" in shown and "filed anonymously" in shown
    assert "Ujang" not in shown and "0812" not in shown and "terminal" not in shown


def test_a_colleague_s_conversation_is_not_spoken_in_by_mistake(rangkul: Rangkul) -> None:
    """Only with --anyway; whoever holds it is named; what nobody holds cannot be returned."""
    code = handed_over(rangkul)
    code_of, _, why = rangkul("ticket", code, "return", "--staff", "Rina")
    assert (code_of, "nobody holds" in why) == (1, True)
    assert rangkul("ticket", code, "take", "--staff", "Rina")[0] == 0
    for verb in ("reply", "ask"):
        refused, _, why = rangkul("ticket", code, verb, "halo", "--staff", "Agus")
        assert (refused, "Rina holds this conversation" in why) == (1, True)
    assert "Agus: halo" not in rangkul("ticket", code, "show", "--staff", "Agus")[1]
    assert rangkul("ticket", code, "reply", "halo juga", "--anyway", "--staff", "Agus")[0] == 0
    assert "Agus: halo juga" in rangkul("ticket", code, "show", "--staff", "Agus")[1]
    assert rangkul("ticket", code, "reply", "halo", "--staff", "Rina")[0] == 0
    assert rangkul("ticket", code, "return", "--staff", "Rina")[0] == 0
    assert rangkul("ticket", code, "return", "--staff", "Rina")[0] == 1


def test_explain_tells_one_message_as_json(rangkul: Rangkul) -> None:
    """Intent, confidence, effects and what was said, for the number in the logs; an unknown number is told."""
    rangkul("chat", typed="halo\n")
    code, out, _ = rangkul("explain", "1", "--json")
    told = json.loads(out)
    assert (code, told["record"]["intent"], told["said"][0]["key"]) == (0, "greet", "engine/greet")
    assert rangkul("explain", "99")[0] == 1


def test_explain_shows_no_answers(rangkul: Rangkul) -> None:
    """That a NIK was given is told, the NIK itself is not, in lines or as JSON; a yes is shown."""
    rangkul("chat", typed="mau daftar\nya\n3174051209909001\n")
    for how in ((), ("--json",)):
        told = "".join(rangkul("explain", number, *how)[1] for number in "123")
        assert "3174051209909001" not in told
        assert "nik" in told
        assert "••••" in told
    assert "consent = True" in rangkul("explain", "2")[1]


def test_lists_of_people_are_recorded(rangkul: Rangkul, home: Path) -> None:
    """Whoever lists members or sign-ups leaves a line in the audit, under their name when they give it."""
    assert rangkul("members", "list", "--staff", "Rina")[0] == 0
    assert rangkul("applications", "list")[0] == 0
    assert rangkul("members", "list", "--staff", "nobody")[0] == 1
    with closing(sqlite3.connect(home / "demo" / "rangkul.db")) as database:
        lines = database.execute("SELECT action, staff <> '' FROM audit WHERE action <> ?", (demo.MARK,)).fetchall()
    assert lines == [("members_listed", 1), ("applications_listed", 0)]


def test_keys_that_do_not_fit_the_database_are_refused(
    rangkul: Rangkul, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With other keys nothing could be opened and every waiting message would be given up: nothing is started."""
    assert rangkul("chat", typed="halo\n")[0] == 0
    monkeypatch.setenv("RANGKUL_KEYS__DEMO_FILE", str(home / "keys" / "other.json"))
    for command in (("run",), ("chat",), ("tickets",)):
        code, _, err = rangkul(*command, *(("--demo",) if command == ("run",) else ()), typed="halo\n")
        assert (code, "keys" in err) == (2, True)


def test_staff_are_added_once(rangkul: Rangkul) -> None:
    """A name that is taken is refused, whatever its case."""
    assert rangkul("staff", "add", "Dewi", "--role", "supervisor")[0] == 0
    assert rangkul("staff", "add", "dewi")[0] == 1
    assert "supervisor" in rangkul("staff", "list")[1]


def test_an_import_tells_every_bad_row_and_changes_nothing(rangkul: Rangkul, home: Path) -> None:
    """Three bad rows, three lines told, nobody imported; mended, all are; twice, none."""
    head = "name,nik,kpj,phone,paid_until\n"
    good = "Rahmat Hidayat,3275011708909003,17000000903,081200000009,2026-11\n"
    path = home / "members.csv"
    path.write_text(
        head
        + good
        + ",3275011708909004,17000000904,,\nAni,123,17000000905,,\nJoko,3275011708909006,17000000906,x,2026-13\n"
    )
    code, _, err = rangkul("members", "import", str(path))
    assert code == 1
    assert [line.split(":")[0] for line in err.splitlines()] == [
        "line 3",
        "line 4",
        "line 5",
        "line 5",
        "nothing was imported",
    ]
    assert "Rahmat" not in rangkul("members", "list")[1]
    path.write_text(head + good)
    assert rangkul("members", "import", str(path))[0] == 0
    listed = rangkul("members", "list")[1]
    assert "Rahmat Hidayat" in listed
    assert "3275011708909003" not in listed
    assert rangkul("members", "import", str(path))[0] == 1


def test_a_backup_brings_everything_back(rangkul: Rangkul, home: Path) -> None:
    """What was there at the copy is there after the restore, what came later only in the file that was kept."""
    rangkul("staff", "add", "Dewi")
    database, copy = home / "demo" / "rangkul.db", home / "copy.db"
    assert rangkul("backup", str(copy))[0] == 0
    assert rangkul("backup", str(copy))[0] == 1
    rangkul("staff", "add", "Eko")
    assert rangkul("restore", str(copy))[0] == 0
    listed = rangkul("staff", "list")[1]
    assert "Dewi" in listed
    assert "Eko" not in listed
    assert rangkul("restore", str(copy))[0] == 1  # the kept file is not written over
    kept = database.with_name("rangkul.db.before-restore").rename(home / "kept.db")
    assert rangkul("restore", str(kept))[0] == 0
    assert "Eko" in rangkul("staff", "list")[1]


def test_a_backup_that_is_none_changes_nothing(rangkul: Rangkul, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A strange file, a missing one, one of other keys, and a copy that the keys in force do not open are refused."""
    rangkul("chat", typed="halo\n")
    database, copy = home / "demo" / "rangkul.db", home / "copy.db"
    assert rangkul("backup", str(copy))[0] == 0
    (home / "strange.db").write_text("no database")
    before = database.read_bytes()
    assert rangkul("restore", str(home / "strange.db"))[0] == 1
    assert rangkul("restore", str(home / "none.db"))[0] == 1
    monkeypatch.setenv("RANGKUL_KEYS__DEMO_FILE", str(home / "keys" / "other.json"))
    for command, file in (("restore", copy), ("backup", home / "second.db")):
        code, _, err = rangkul(command, str(file))
        assert (code, "keys in force" in err) == (1, True)
    assert not (home / "second.db").exists()
    assert database.read_bytes() == before
    assert not database.with_name("rangkul.db.before-restore").exists()


def test_a_database_in_use_is_not_replaced(rangkul: Rangkul, home: Path) -> None:
    """While any process has it open, restore changes nothing and says what to do."""
    rangkul("staff", "add", "Dewi")
    copy = home / "copy.db"
    assert rangkul("backup", str(copy))[0] == 0
    config, keys = demo.configured(load_config(overrides={"demo": True}))

    async def while_open() -> tuple[int, str, str]:
        async with open_program(config, keys=keys):
            return await asyncio.to_thread(rangkul, "restore", str(copy))

    code, _, err = asyncio.run(while_open())
    assert (code, "in use" in err) == (1, True)
    assert not (home / "demo" / "rangkul.db.before-restore").exists()
    assert rangkul("restore", str(copy))[0] == 0


def test_check_finds_nothing_wrong_and_tells_what_is(
    rangkul: Rangkul, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What we ship is sound; a wrong setting and a wrong script are both told in one run."""
    assert rangkul("check")[1] == ""
    script = home / "wrong.yaml"
    script.write_text(
        "test_cases:\n  - test_case: x\n    steps:\n      - {user: halo, assertions: [{flow_started: nope}]}\n"
    )
    monkeypatch.setenv("RANGKUL_WEB__PORT", "x")
    code, out, _ = rangkul("check", str(script))
    assert code == 1
    assert "settings: web.port" in out
    assert f"{script}:4" in out


def test_an_unknown_command_is_refused(rangkul: Rangkul) -> None:
    """Exit code 2, as for every wrong use."""
    with pytest.raises(SystemExit) as ended:
        rangkul("dance")
    assert ended.value.code == 2


def test_the_service_serves_and_stops_in_good_order(home: Path) -> None:
    """A real process: it says where the page is, the page is there, and SIGTERM ends it with exit code 0."""
    with subprocess.Popen(
        [sys.executable, "-m", "bot", "run", "--demo"],
        env={**os.environ, "RANGKUL_PORT": "0"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as service:
        assert service.stdout is not None
        match = re.search(r"http://\S+", service.stdout.readline())
        assert match
        assert httpx.get(match[0]).status_code == 200
        service.send_signal(signal.SIGTERM)
        assert service.wait(timeout=15) == 0


def test_a_killed_process_loses_no_message(home: Path) -> None:
    """SIGKILL in the second turn, before its commit: the next program answers that message, once."""
    killed = subprocess.run(
        [sys.executable, "-m", "bot", "chat", "--persona", "budi"],
        env={**os.environ, "RANGKUL_FAULT": "before_commit:2", "RANGKUL_TURN__LEASE_S": "0"},
        input="halo\nmau daftar\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert "Daftar" in killed.stdout
    config, keys = demo.configured(load_config(overrides={"demo": True}))

    async def recover() -> list[str]:
        async with open_program(config, keys=keys) as program:
            assert (await program.db.read(inbox.waiting))[0] == 1
            await program.settle()
            row = await program.db.read(lambda conn: inbox.load(conn, keys, 2))
            found = await program.db.read(lambda conn: inbox.of_conversation(conn, keys, row.conversation))
            return [one.status for one in found]

    assert asyncio.run(recover()) == ["done", "done"]


def test_personas_have_valid_invented_records(home: Path) -> None:
    """Their numbers pass our own readers, their NIK serials are of the invented kind, and they are in the demo."""
    config, keys = demo.configured(load_config(overrides={"demo": True}))

    async def listed() -> list[members.Member]:
        async with open_program(config, keys=keys) as program:
            return await program.db.read(lambda conn: members.list_members(conn, keys))

    found = asyncio.run(listed())
    assert {(member.row.name, member.row.status) for member in found} == {
        ("Budi Santoso", "active"),
        ("Siti Aminah", "inactive"),
    }
    for row in (member.row for member in found):
        assert row.nik[-4] == "9"
        for kind, value in (("nik", row.nik), ("kpj", row.kpj), ("phone", row.phone or "")):
            result = read(kind, value, today=date(2026, 11, 23))
            assert isinstance(result, Reading)
            assert result.value == value
    assert {persona.phone for persona in demo.PERSONAS.values()} >= {member.row.phone for member in found}
