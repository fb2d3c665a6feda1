"""The Rasa engine as the service asks it: joined rankings, connections, time limits, and the understudy's entrance."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter

import pytest
import structlog
from fake_rasa import LONG_S, TODAY, FakeRasa, answer_like_rasa
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.app import open_program
from bot.breaker import FAILURES_TO_OPEN, PAUSE
from bot.channels.base import Channel
from bot.clock import CountedIds, ManualClock
from bot.commands import nlu as command
from bot.config import Config, ConfigError, NluSection, TurnSection, load_config
from bot.loopback import Loopback, NoAnswer
from bot.rasa import Rasa, RasaWithUnderstudy
from bot.replay import main as replay
from bot.replay.company import Order, flows_of, play
from bot.replay.reading import read_script
from bot.replay.vocabulary import vocabulary_of
from bot.understanding import open_engine
from flows.catalogue import load_flows
from flows.model import Text
from flows.settings import Settings
from nlu.rasa_answer import BadAnswer, joined_ranking
from nlu.understand import Embedded
from nlu.understanding import Ranked
from storage.database import create_from_template
from storage.inbox import Arrival
from storage.keyring import Keyring
from storage.outbox import Outgoing

START = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
WITHIN_S = 0.25
PATIENT_S = 10.0


@pytest.fixture
def fake(engine: Embedded) -> Iterator[FakeRasa]:
    """A server in good health; whatever a test did to it, it is gone afterwards."""
    server = FakeRasa(engine)
    yield server
    server.mood = "well"
    server.die()


def engine_at(fake: FakeRasa, clock: ManualClock | None = None, *, within_s: float = PATIENT_S) -> RasaWithUnderstudy:
    rasa = Rasa(Loopback(fake.url), fake.embedded, within_s)
    return RasaWithUnderstudy(rasa, clock or ManualClock(START))


async def let_go(engine: RasaWithUnderstudy) -> None:
    engine.close()
    await asyncio.sleep(0)


# ── one ranking of two ────────────────────────────────────────────────────────────────────────────────────────────


def test_topics_share_the_confidence_of_their_intent() -> None:
    """A topic's confidence is that of `faq` times its own; everything stands in one order."""
    answer = {
        "text": "boleh tanya",
        "intent_ranking": [{"name": "faq", "confidence": 0.6}, {"name": "help", "confidence": 0.4}],
        "response_selector": {
            "all_retrieval_intents": ["faq"],
            "faq": {
                "ranking": [
                    {"intent_response_key": "faq/requirements", "confidence": 0.5},
                    {"intent_response_key": "faq/age_limit", "confidence": 0.3},
                    {"intent_response_key": "faq/card_lost", "confidence": 0.2},
                ]
            },
        },
    }
    names = {"help", "faq/requirements", "faq/age_limit", "faq/card_lost"}
    assert joined_ranking(json.dumps(answer).encode(), names) == (
        Ranked("help", 0.4),
        Ranked("faq/requirements", 0.3),
        Ranked("faq/age_limit", 0.18),
        Ranked("faq/card_lost", 0.12),
    )


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", "shape"),
        (b"<html>Not Rasa</html>", "shape"),
        (b"\xff\xfe", "shape"),
        (b"[]", "shape"),
        (b'{"intent_ranking": null}', "shape"),
        (b'{"intent_ranking": [{"name": null, "confidence": 0.0}]}', "shape"),
        (b'{"intent_ranking": [{"name": "greet", "confidence": 1.0}]}', "no topic"),
        (b'{"intent_ranking": [], "response_selector": {"faq": {"ranking": []}}}', "no topic"),
        (json.dumps(answer_like_rasa("a", [Ranked("order_pizza", 0.9)])).encode(), "vocabulary"),
        (json.dumps(answer_like_rasa("a", [Ranked("greet", 7.0)])).encode(), "share"),
        (b'{"x":' + b"[" * 100_000, "shape"),
    ],
)
def test_other_answers_are_refused(answer: bytes, reason: str) -> None:
    """What Rasa would not say, or a Rasa trained on other data would, is no reading."""
    with pytest.raises(BadAnswer, match=reason):
        joined_ranking(answer, {"greet", "faq/what_is_bpjstk"})


@settings(deadline=None, max_examples=60)
@given(st.binary() | st.recursive(st.none() | st.floats() | st.text(), st.lists).map(lambda x: json.dumps(x).encode()))
def test_no_bytes_get_through_by_accident(answer: bytes) -> None:
    """Whatever a server sends, it is a ranking or a BadAnswer."""
    with pytest.raises(BadAnswer):
        joined_ranking(answer, {"greet"})


# ── asking ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.asyncio
async def test_reads_as_rasa_ranks(fake: FakeRasa) -> None:
    """The ranking is Rasa's; values and categories are those of our own readers."""
    engine = engine_at(fake)
    text = "gaji saya 3jt sebulan, kenapa iuran bulan lalu tidak masuk"
    understanding = await engine.understand(text, today=TODAY)
    own = fake.embedded.parse(text, today=TODAY)
    assert (understanding.engine, understanding.intent) == ("rasa", own.intent)
    assert (understanding.entities, understanding.categories) == (own.entities, own.categories)
    assert fake.heard[0] == text
    await let_go(engine)


@pytest.mark.asyncio
async def test_two_requests_are_told_apart_by_rasa(fake: FakeRasa) -> None:
    """The stretches of a message that may hold two requests are ranked by Rasa too."""
    engine = engine_at(fake)
    text = "halo, saldo saya berapa? terus kantor terdekat dimana ya"
    own = fake.embedded.parse(text, today=TODAY)
    assert len(own.parts) == 2, "a text that has two parts with the embedded engine"
    understanding = await engine.understand(text, today=TODAY)
    assert understanding.engine == "rasa"
    assert [part.intent for part in understanding.parts] == [part.intent for part in own.parts]
    assert {part.text for part in own.parts} <= set(fake.heard)
    await let_go(engine)


@pytest.mark.asyncio
async def test_what_is_sure_is_not_asked(fake: FakeRasa) -> None:
    """Signs alone or a bare value need no engine."""
    engine = engine_at(fake)
    readings = [await engine.understand(text, today=TODAY) for text in ("👍👍", "", "50 ribu")]
    assert [each.intent for each in readings] == ["out_of_scope", "out_of_scope", "inform"]
    assert fake.heard == []
    await let_go(engine)


@pytest.mark.asyncio
async def test_nobody_gives_rasa_orders(fake: FakeRasa) -> None:
    """Rasa reads "/affirm" as an order to take the message for `affirm`; the sign is not passed on."""
    engine = engine_at(fake)
    await engine.understand(' / /affirm{"nik": "x"}', today=TODAY)
    assert fake.heard[0] == 'affirm{"nik": "x"}'
    await let_go(engine)


@pytest.mark.asyncio
async def test_any_text_can_be_asked(fake: FakeRasa) -> None:
    """Half a surrogate pair, as a broken client sends it, is no reason to fail."""
    engine = engine_at(fake)
    understanding = await engine.understand("saldo \ud83d saya", today=TODAY)
    assert understanding.engine == "rasa"
    await let_go(engine)


@pytest.mark.asyncio
async def test_one_connection_serves_many_messages(fake: FakeRasa) -> None:
    """Connections are kept; a new one is made only when messages come side by side."""
    engine = engine_at(fake)
    for _ in range(5):
        await engine.understand("saldo saya berapa", today=TODAY)
    assert fake.accepted == 1
    await asyncio.gather(*(engine.understand("saldo saya berapa", today=TODAY) for _ in range(8)))
    assert (fake.accepted <= 9, engine.counts["understudy"]) == (True, 0)
    await let_go(engine)


@pytest.mark.asyncio
async def test_a_connection_closed_at_the_other_end_is_no_failure(fake: FakeRasa) -> None:
    """Servers close connections that lie idle; the next message makes a new one."""
    engine = engine_at(fake)
    fake.closes_idle = True
    for _ in range(3):
        assert (await engine.understand("saldo saya berapa", today=TODAY)).engine == "rasa"
        await asyncio.sleep(0.02)
    assert (fake.accepted, engine.counts["understudy"]) == (3, 0)
    await let_go(engine)


# ── the understudy ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("mood", "trouble"),
    [
        ("slow", "slow"),
        ("drips", "slow"),
        ("hangs up", "broken"),
        ("fails", "status"),
        ("garbled", "bad_answer"),
        ("endless", "broken"),
        ("other vocabulary", "bad_answer"),
    ],
)
async def test_every_failure_is_answered_by_the_understudy(fake: FakeRasa, mood: str, trouble: str) -> None:
    """Within the time limit the embedded engine's reading comes, and the trouble is counted."""
    fake.mood = mood  # type: ignore[assignment]
    engine = engine_at(fake, within_s=WITHIN_S)
    text = "saldo saya berapa"
    began = perf_counter()
    understanding = await engine.understand(text, today=TODAY)
    assert perf_counter() - began < LONG_S / 2
    assert understanding == fake.embedded.parse(text, today=TODAY)
    assert engine.counts == {"asked": 1, trouble: 1, "understudy": 1}
    await let_go(engine)


@pytest.mark.asyncio
async def test_who_fails_again_and_again_is_left_alone(fake: FakeRasa) -> None:
    """After some failures in a row nobody waits; after the pause one tries, and its success brings Rasa back."""
    clock = ManualClock(START)
    engine = engine_at(fake, clock)
    fake.mood = "fails"

    async def answered_by() -> str:
        return (await engine.understand("saldo saya berapa", today=TODAY)).engine

    with structlog.testing.capture_logs() as lines:
        for _ in range(FAILURES_TO_OPEN + 4):
            assert await answered_by() == "embedded"
        assert len(fake.heard) == FAILURES_TO_OPEN

        clock.advance(PAUSE)
        assert [await answered_by() for _ in range(3)] == ["embedded"] * 3
        assert len(fake.heard) == FAILURES_TO_OPEN + 1, "one tried and failed: another pause"

        clock.advance(PAUSE - timedelta(seconds=1))
        fake.mood = "well"
        assert await answered_by() == "embedded", "the pause is not over"
        clock.advance(timedelta(seconds=1))
        assert [await answered_by() for _ in range(3)] == ["rasa"] * 3
    assert [line["event"] for line in lines] == ["nlu.engine_down", "nlu.engine_back"]
    assert lines[0]["trouble"] == "status"
    await let_go(engine)


@pytest.mark.asyncio
async def test_a_failure_now_and_then_opens_nothing(fake: FakeRasa) -> None:
    """Only failures in a row count: a slow answer among good ones costs one message its Rasa reading."""
    engine = engine_at(fake)
    for _ in range(FAILURES_TO_OPEN + 2):
        fake.mood = "fails"
        assert (await engine.understand("saldo saya berapa", today=TODAY)).engine == "embedded"
        fake.mood = "well"
        assert (await engine.understand("saldo saya berapa", today=TODAY)).engine == "rasa"
    await let_go(engine)


@pytest.mark.asyncio
async def test_one_tries_while_the_others_do_not_wait(fake: FakeRasa) -> None:
    """When the pause is over and Rasa is still slow, of many messages at once a single one waits for it."""
    clock = ManualClock(START)
    engine = engine_at(fake, clock, within_s=WITHIN_S)
    fake.mood = "slow"
    await asyncio.gather(*(engine.understand("saldo saya berapa", today=TODAY) for _ in range(FAILURES_TO_OPEN)))
    clock.advance(PAUSE)
    before = engine.counts["asked"]
    await asyncio.gather(*(engine.understand("saldo saya berapa", today=TODAY) for _ in range(6)))
    assert engine.counts["asked"] - before == 1
    await let_go(engine)


# ── in a conversation ─────────────────────────────────────────────────────────────────────────────────────────────

TALK = (
    "halo kak",
    "saya mau daftar bpjs ketenagakerjaan",
    "buat saya sendiri",
    "batal",
    "syarat daftarnya apa aja",
    "min udah bayar kok iuran belum masuk",
)
DIES_AFTER = 2


class Phone(Channel):
    """The far end of a channel."""

    name = "terminal"

    def __init__(self) -> None:
        self.arrived: list[Outgoing] = []

    async def send(self, outgoing: Outgoing) -> str:
        self.arrived.append(outgoing)
        return ""


async def talked(folder: Path, engine: Embedded | RasaWithUnderstudy, fake: FakeRasa | None) -> list[tuple[str, str]]:
    """Every reply of a whole talk, as key and words. `fake` dies in the middle of it."""
    clock, phone = ManualClock(START), Phone()
    if isinstance(engine, RasaWithUnderstudy):
        engine.clock = clock
    config = Config(turn=TurnSection(lease_s=0))
    async with open_program(
        config,
        keys=Keyring.from_keys({"t": bytes(range(32))}, "t", bytes(range(32, 64))),
        database=create_from_template(folder / f"{type(engine).__name__}.db"),
        channels=[phone],
        clock=clock,
        ids=CountedIds(),
        flows=load_flows(config.flow_settings()),
        understander=engine,
    ) as program:
        for number, text in enumerate(TALK):
            if fake is not None and number == DIES_AFTER:
                fake.die()
            arrival = Arrival("terminal", "budi", f"m{number}", Text(text), None, clock.now())
            await program.receive(arrival)
            await program.settle()
            clock.advance(timedelta(seconds=5))
    await asyncio.sleep(0)
    return [(row.key, row.body.text) for row in phone.arrived]


@pytest.mark.asyncio
async def test_rasa_dies_between_two_messages_and_nobody_notices(engine: Embedded, tmp_path: Path) -> None:
    """Killed in the middle of a talk: the same replies as without it, one line in the log, and the count says so."""
    fake = FakeRasa(engine)
    listening = engine_at(fake)
    with structlog.testing.capture_logs() as lines:
        with_rasa = await talked(tmp_path, listening, fake)
    assert with_rasa == await talked(tmp_path, engine, None)
    assert len(with_rasa) >= len(TALK)
    assert fake.heard[:DIES_AFTER] == list(TALK[:DIES_AFTER]), "Rasa did answer before it died"
    assert [line["event"] for line in lines if line["event"].startswith("nlu.")] == ["nlu.engine_down"]
    assert all(line["log_level"] != "error" for line in lines)
    assert listening.counts["understudy"] == len(TALK) - DIES_AFTER


SCRIPT = """
test_cases:
  - test_case: Rasa mati di tengah jalan
    steps:
      - user: halo kak
      - user: kartu peserta saya hilang
        engine: down
        assertions:
          - bot_uttered: {utter_name: faq/card_lost}
      - user: menu
        assertions:
          - bot_uttered: {utter_name: engine/menu}
"""


def script(folder: Path, text: str) -> str:
    path = folder / "mati.yaml"
    path.write_text(text, "utf-8")
    return str(path)


def test_a_script_makes_rasa_die(
    fake: FakeRasa, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`engine: down` cuts the script's Rasa off for a step, and the talk goes on."""
    monkeypatch.setenv("RANGKUL_NLU__RASA_URL", fake.url)
    assert replay([script(tmp_path, SCRIPT), "--engine", "rasa"]) == 0
    assert "halo kak" in fake.heard
    assert "kartu peserta saya hilang" not in fake.heard
    assert "rasa: asked 2, refused 1, down 1, understudy 2" in capsys.readouterr().out


def test_no_verdict_in_the_name_of_a_rasa_that_failed(
    fake: FakeRasa, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A server that fails without the script's order makes the replay unusable, for its understudy gave the answers."""
    monkeypatch.setenv("RANGKUL_NLU__RASA_URL", fake.url)
    fake.fails_from = 2
    assert replay([script(tmp_path, SCRIPT), "--engine", "rasa"]) == 2
    assert "unanswered" in capsys.readouterr().err


GOES_DOWN = Path(__file__).resolve().parents[1] / "conversations" / "engine_goes_down.yaml"


@pytest.fixture
def process_of_its_own(model_dir: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The address and the process of a server that can be killed."""
    command = [sys.executable, str(Path(__file__).with_name("fake_rasa.py")), str(model_dir)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield server.stdout.readline().strip(), server
        server.kill()


def test_the_script_in_which_rasa_is_killed(process_of_its_own: tuple[str, subprocess.Popen[str]]) -> None:
    """The server's process dies in the middle of the script: the same talk as without it, one line, one count."""
    url, server = process_of_its_own
    script = read_script(GOES_DOWN, vocabulary_of(flows_of(Settings()))).script
    assert script is not None
    (alone,) = play([script], Order(Config())).outcomes
    played = play([script], Order(Config(nlu=NluSection(rasa_url=url)), "rasa", kill_rasa=True))
    (outcome,) = played.outcomes
    assert server.wait(5) == -signal.SIGKILL
    assert (outcome.failures, outcome.talk) == ((), alone.talk)
    assert [line.partition(" ")[0] for line in outcome.log] == ["nlu.engine_down"]
    assert played.rasa == {"asked": 3, "refused": 1, "down": 1, "understudy": 4}


def test_killing_is_for_rasa_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Asked to kill a server that is not played with, the command says so and plays nothing."""
    assert replay([script(tmp_path, SCRIPT), "--kill-rasa"]) == 2
    assert "--kill-rasa needs --engine rasa" in capsys.readouterr().err


# ── commands and settings ─────────────────────────────────────────────────────────────────────────────────────────

NOBODY = "http://127.0.0.1:9"


def test_replay_without_a_server_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2 and one plain sentence."""
    monkeypatch.setenv("RANGKUL_NLU__RASA_URL", NOBODY)
    assert replay([script(tmp_path, SCRIPT), "--engine", "rasa"]) == 2
    assert f"no Rasa server answers at {NOBODY} (refused); `make rasa` starts one" in capsys.readouterr().err


@pytest.fixture
def trained(model_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings under which the command finds the model that the tests trained; a folder to write in."""
    monkeypatch.setenv("RANGKUL_NLU__CACHE_DIR", str(model_dir.parent))
    return tmp_path


def test_both_engines_side_by_side(
    fake: FakeRasa, trained: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With two engines, every file and every message has what each of them said."""
    monkeypatch.setenv("RANGKUL_NLU__RASA_URL", fake.url)
    rows = trained / "rows.tsv"
    rows.write_text("text\tintent\nsaldo saya berapa\tcheck_balance\nhalo kak\tthank\n", "utf-8")
    wrong = trained / "wrong.tsv"
    asked = ["--engine", "embedded,rasa"]
    assert command.main(["evaluate", str(rows), "--json", "--out", str(wrong), *asked]) == 0
    measured = json.loads(capsys.readouterr().out)[str(rows)]
    assert {name: report["accuracy"] for name, report in measured.items()} == {"embedded": 0.5, "rasa": 0.5}
    assert [line.split("\t")[-1] for line in wrong.read_text("utf-8").splitlines()] == ["engine", "embedded", "rasa"]
    assert command.main(["evaluate", str(rows), *asked]) == 0
    assert "rasa      50.0% of 2 rows" in capsys.readouterr().out
    assert command.main(["parse", "saldo saya berapa", *asked]) == 0
    parsed = json.loads(capsys.readouterr().out)
    assert {name: (each["intent"], each["engine"]) for name, each in parsed.items()} == {
        "embedded": ("check_balance", "embedded"),
        "rasa": ("check_balance", "rasa"),
    }


def test_a_missing_server_is_not_measured(
    trained: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No figure of Rasa's is made of the understudy's answers: exit code 2 and one plain sentence."""
    monkeypatch.setenv("RANGKUL_NLU__RASA_URL", NOBODY)
    assert command.main(["parse", "saldo saya berapa", "--engine", "rasa"]) == 2
    assert "no Rasa server answers" in capsys.readouterr().err


def test_other_engines_are_refused(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A name of no engine is said to be one."""
    with pytest.raises(SystemExit):
        command.main(["parse", "halo", "--engine", "embedded,gpt"])
    assert "is not embedded, rasa or embedded,rasa" in capsys.readouterr().err


def test_settings_choose_the_engine(model_dir: Path) -> None:
    """`nlu.engine: rasa` opens Rasa with its understudy, without asking whether a server is there."""
    engine = open_engine(NluSection(engine="rasa", cache_dir=model_dir.parent, rasa_url=NOBODY), ManualClock(START))
    assert isinstance(engine, RasaWithUnderstudy)
    assert isinstance(open_engine(NluSection(cache_dir=model_dir.parent), ManualClock(START)), Embedded)


@pytest.mark.parametrize("url", ["http://10.0.0.5:5005", "https://127.0.0.1:5005", "http://127.0.0.1.evil.example", ""])
def test_words_do_not_leave_the_machine(url: str, tmp_path: Path) -> None:
    """A Rasa that is not on loopback is refused: what people write would go through the net in the clear."""
    with pytest.raises(ConfigError, match=r"nlu\.rasa_url"):
        load_config(tmp_path / "none.yaml", environ={}, overrides={"nlu.rasa_url": url})


@pytest.mark.asyncio
async def test_a_server_that_nobody_runs_refuses_at_once(engine: Embedded) -> None:
    """Nobody listens: that is said without waiting for the time limit, and leaves no doubt."""
    rasa = Rasa(Loopback(NOBODY), engine, PATIENT_S)
    with pytest.raises(NoAnswer) as raised:
        await rasa.understand("saldo saya berapa", today=TODAY)
    assert raised.value.trouble == "refused"
