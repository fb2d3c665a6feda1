"""Every kind of expectation holds when it should and fails when it should.

All cases are played in one go; each test looks at one of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from bot.config import Config
from bot.replay import expectations
from bot.replay.company import Order, play
from bot.replay.outcome import CaseOutcome
from bot.replay.reading import read_script
from bot.replay.vocabulary import vocabulary_of
from flows.catalogue import load_flows
from flows.settings import Settings

STAFF = "- petugas_rina:\n      - staff: {name: Rina}"
BUDI = (
    '- budi:\n      - member: {name: Budi Santoso, nik: "3275011708909001", phone: "+6281200000001", '
    "paid_until: 2026-11, jht_balance: 1250000, sector: transport}"
)

# name: steps before it, the expectation that holds, the one that must fail
ASSERTIONS: Mapping[str, tuple[str, str, str]] = {
    "intent": ("- user: petugas", "intent: talk_to_staff", "intent: enroll"),
    "intent_not": ("- user: petugas", "intent_not: enroll", "intent_not: talk_to_staff"),
    "flow_started": ("- user: petugas", "flow_started: talk_to_staff", "flow_started: enroll"),
    "flow_started as Rasa writes it": (
        "- user: petugas",
        "flow_started: {flow_id: talk_to_staff}",
        "flow_started: {flow_id: enroll}",
    ),
    "flow_completed": ("- user: petugas", "flow_completed: talk_to_staff", "flow_completed: enroll"),
    "flow_cancelled": (
        '- user: menu\n- user: {choice: "Hitung iuran"}\n- user: batal',
        "flow_cancelled: calculate_contribution",
        "flow_cancelled: enroll",
    ),
    "slot_was_set": (
        '- user: menu\n- user: {choice: "Hitung iuran"}\n- user: "2 juta"',
        "slot_was_set: [{name: money, value: 2000000}]",
        "slot_was_set: [{name: money, value: 2000001}]",
    ),
    "slot_was_set without a value": (
        '- user: menu\n- user: {choice: "Hitung iuran"}\n- user: "2 juta"',
        "slot_was_set: [money]",
        "slot_was_set: [occupation]",
    ),
    "slot_was_not_set": (
        '- user: menu\n- user: {choice: "Hitung iuran"}\n- user: "2 juta"',
        "slot_was_not_set: [{name: money, value: 3000000}, {name: nik}]",
        "slot_was_not_set: [{name: money}]",
    ),
    "action_executed": ("- user: petugas", "action_executed: OpenTicket", "action_executed: Apply"),
    "action_executed by its tag": ("- user: petugas", "action_executed: open_ticket", "action_executed: apply"),
    "utter_name": (
        "- user: menu",
        "bot_uttered: {utter_name: engine/menu}",
        "bot_uttered: {utter_name: engine/greet}",
    ),
    "text_matches": (
        "- user: petugas",
        'bot_uttered: {text_matches: "RK-[2-9A-Z]{4}-"}',
        'bot_uttered: {text_matches: "^RK-"}',
    ),
    "buttons": (
        "- user: menu",
        "bot_uttered: {buttons: [{title: Daftar}, Hitung iuran]}",
        "bot_uttered: {buttons: [{title: Daftar}, {title: Terbang}]}",
    ),
    "all keys of one message": (
        "- user: menu",
        'bot_uttered: {utter_name: engine/menu, text_matches: "Pilih", buttons: [{title: Daftar}]}',
        'bot_uttered: {utter_name: engine/menu, text_matches: "petugas", buttons: [{title: Daftar}]}',
    ),
    "bot_did_not_utter": (
        "- user: menu",
        "bot_did_not_utter: {utter_name: engine/greet}",
        "bot_did_not_utter: {utter_name: engine/menu}",
    ),
    "silence": (
        "- user: petugas\n- staff: petugas_rina\n  does: {take: latest_ticket}\n- user: baik saya tunggu ya bu",
        "silence",
        'bot_uttered: {text_matches: "."}',
    ),
    "silence that is broken": ("- user: menu", 'bot_uttered: {text_matches: "."}', "silence"),
}

STEPS: Mapping[str, tuple[str, str, str]] = {
    "bot": (
        "- user: batal",
        '- bot: "Tidak ada yang sedang diisi, jadi aman.\\nKetik \\"menu\\" kalau mau lihat pilihan."',
        '- bot: "Tidak ada yang sedang diisi"',
    ),
    "bot after staff": (
        "- user: petugas\n- staff: petugas_rina\n  does: {take: latest_ticket}\n"
        "- staff: petugas_rina\n  does: {reply: Sudah kami cek ya Pak}",
        "- bot: Sudah kami cek ya Pak",
        "- bot: Sudah kami cek",
    ),
    "bot to one of two people": (
        "- user: menu\n  as: siti\n- user: batal\n  as: joko",
        "- utter: engine/nothing_to_cancel\n  as: joko",
        "- utter: engine/nothing_to_cancel\n  as: siti",
    ),
    "utter": ("- user: menu", "- utter: engine/menu", "- utter: engine/greet"),
    "choice": ("- user: menu", '- user: {choice: "hitung iuran"}', '- user: {choice: "Terbang"}'),
    "form": (
        '- user: menu\n  as: budi\n- user: {choice: "Cek saldo JHT"}\n  as: budi',
        '- user: {form: {nik: "3275011708909001"}}\n  as: budi',
        '- user: {form: {person_name: "Budi"}}\n  as: budi',
    ),
    "crash": ("- user: menu", "- user: menu\n  crash: after_send", "- wait: 1s\n  crash: after_send"),
    "staff": (
        "- user: petugas",
        "- staff: petugas_rina\n  does: {take: latest_ticket}",
        "- staff: petugas_rina\n  does: {take: RK-2222-2222}",
    ),
}

FINAL: Mapping[str, tuple[str, str, str]] = {
    "tickets": (
        "- user: petugas",
        'tickets: [{kind: handover, status: open, owner: "", priority: normal, text_matches: "."}]',
        "tickets: [{kind: handover, status: closed}]",
    ),
    "tickets, one too many": ("- user: petugas", "tickets: {count: 1}", "tickets: []"),
    "tickets, one too few": ("- user: petugas", "tickets: [{kind: handover}]", "tickets: [{}, {}]"),
    "tickets, another text": (
        "- user: petugas",
        'tickets: [{text_matches: "petugas"}]',
        'tickets: [{text_matches: "uang"}]',
    ),
    "members": (
        "- user: menu",
        'members: [{name: Budi Santoso, nik: "3275011708909001", paid_until: 2026-11, jht_balance: 1250000}]',
        "members: [{name: Budi Santoso, paid_until: 2026-10}]",
    ),
    "members counted": ("- user: menu", "members: {count: 1}", "members: {count: 2}"),
    "applications": ("- user: menu", "applications: []", "applications: [{status: submitted}]"),
    "bills": ("- user: menu", "bills: []", "bills: [{amount: 16800}]"),
    "payments": ("- user: menu", "payments: {count: 0}", "payments: {count: 1}"),
    "pledges": ("- user: menu", "pledges: {count: 0}", "pledges: [{workers: 10}]"),
    "assistance_requests": ("- user: menu", "assistance_requests: []", "assistance_requests: {count: 1}"),
    "outbox": (
        "- user: menu",
        "outbox: [{key: engine/menu, status: sent, channel: terminal, author: bot}]",
        "outbox: [{key: engine/menu, status: new}]",
    ),
    "audit": ("- user: menu", "audit: []", "audit: [{action: read}]"),
    "sent": ("- user: menu", "sent: {count: 1, max_chars: 4096}", "sent: {count: 2}"),
    "sent, too long": ("- user: menu", "sent: {max_chars: 4096}", "sent: {max_chars: 10}"),
}


def _indented(text: str, by: int) -> str:
    return "\n".join(" " * by + line for line in text.splitlines())


def _case(name: str, steps: str, final: str = "") -> str:
    ending = f"\n    finally:\n      - {final}" if final else ""
    return f"  - test_case: {name}\n    fixtures: [petugas_rina, budi]\n    steps:\n{_indented(steps, 6)}{ending}\n"


def _whole_script() -> str:
    text = f"fixtures:\n  {STAFF}\n  {BUDI}\ntest_cases:\n"
    for name, (before, holds, fails) in ASSERTIONS.items():
        for verdict, assertion in (("holds", holds), ("fails", fails)):
            text += _case(f"{name} {verdict}", f"{before}\n  assertions:\n    - {assertion}")
    for name, (before, holds, fails) in STEPS.items():
        for verdict, step in (("holds", holds), ("fails", fails)):
            text += _case(f"step {name} {verdict}", f"{before}\n{step}")
    for name, (before, holds, fails) in FINAL.items():
        for verdict, final in (("holds", holds), ("fails", fails)):
            text += _case(f"finally {name} {verdict}", before, final)
    return text


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, tuple[CaseOutcome, int]]:
    """Every case by its name: how it went, and the line its last expectation stands on."""
    path = tmp_path_factory.mktemp("replay") / "assertions.yaml"
    text = _whole_script()
    path.write_text(text, "utf-8")
    read = read_script(path, vocabulary_of(load_flows(Settings())))
    assert not read.problems, "\n".join(map(str, read.problems))
    assert read.script is not None
    outcomes = play([read.script], Order(Config())).outcomes
    return {outcome.name: (outcome, _last_line(text, outcome.line)) for outcome in outcomes}


def _last_line(text: str, line: int) -> int:
    """The last line of the case that begins on `line`."""
    lines = text.splitlines()
    ends = (number for number in range(line, len(lines)) if lines[number].startswith("  - test_case"))
    return next(ends, len(lines))


_NAMES = [*ASSERTIONS, *(f"step {name}" for name in STEPS), *(f"finally {name}" for name in FINAL)]


@pytest.mark.parametrize("name", _NAMES)
def test_holds_when_it_should(name: str, played: Mapping[str, tuple[CaseOutcome, int]]) -> None:
    """What is true of the conversation passes."""
    outcome, _ = played[f"{name} holds"]
    assert outcome.failures == ()


@pytest.mark.parametrize("name", _NAMES)
def test_fails_when_it_should(name: str, played: Mapping[str, tuple[CaseOutcome, int]]) -> None:
    """What is not true fails the case, on its own line, and says what there was instead."""
    outcome, last = played[f"{name} fails"]
    assert len(outcome.failures) == 1
    assert last - 1 <= outcome.failures[0].line <= last
    assert outcome.failures[0].expected and outcome.failures[0].got
    assert outcome.stood


def test_cases_do_not_see_each_other(played: Mapping[str, tuple[CaseOutcome, int]]) -> None:
    """Every case starts with empty records, whatever the one before it left."""
    assert played["finally bills holds"][0].passed
    assert played["finally tickets holds"][0].passed


def test_every_assertion_of_the_language_is_tried() -> None:
    """An assertion that is added to the language must be added here."""
    tried = " ".join(assertion for _, holds, fails in ASSERTIONS.values() for assertion in (holds, fails))
    assert [name for name in expectations.ASSERTIONS if name not in tried] == []
    ended = " ".join(final for _, holds, fails in FINAL.values() for final in (holds, fails))
    assert [kind for kind in expectations.FIELDS if kind not in ended] == []


def test_a_path_is_only_read(tmp_path: Path) -> None:
    """Playing writes nothing beside the script."""
    path = tmp_path / "one.yaml"
    path.write_text("test_cases:\n  - test_case: satu\n    steps:\n      - user: {photo: bukti.jpg}\n", "utf-8")
    read = read_script(path, vocabulary_of(load_flows(Settings())))
    assert read.script is not None
    play([read.script], Order(Config()))
    assert [one.name for one in tmp_path.iterdir()] == ["one.yaml"]
