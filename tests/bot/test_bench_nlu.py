"""The benchmark of the engines: figures that come from the messages it was given."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from bot.__main__ import main
from bot.bench import engines
from bot.bench.engine_alone import Engine, memory_mb


def written(folder: Path, text: str) -> str:
    path = folder / "messages.tsv"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_measures_the_embedded_engine_on_the_messages_given(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of what is asked is labelled wrongly on purpose, and half comes out right; no Rasa, no row for it."""
    monkeypatch.setenv("RANGKUL_NLU__RASA_URL", f"http://127.0.0.1:{free_port()}")
    path = written(tmp_path, "text\tintent\nhalo\tgreet\ncek saldo jht\tgoodbye\n")
    assert main(["bench", "nlu", path, "--json"]) == 0
    (figures,) = json.loads(capsys.readouterr().out)
    assert (figures["name"], figures["rows"], figures["accuracy"]) == ("embedded", 2, 0.5)
    assert 0 < figures["median_ms"] < 100
    assert figures["memory_mb"] > 20


def test_other_columns_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of values has no intents to be right about; it is said, not measured."""
    assert main(["bench", "nlu", written(tmp_path, "kind\ttext\texpected\nmoney\t5rb\t5000\n")]) == 1
    assert "text and intent" in capsys.readouterr().err


def test_memory_is_that_of_whoever_listens() -> None:
    """The process behind a port is found by its socket; a port where nobody listens has none."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        found = engines._memory_of_listener(listening.getsockname()[1])
    ours = memory_mb("self")()
    assert found is not None and ours is not None and found == pytest.approx(ours, rel=0.2)
    assert engines._memory_of_listener(free_port()) is None


def test_table_sets_both_engines_side_by_side() -> None:
    """One line an engine: right, median, memory."""
    shown = engines.table([Engine("embedded", 784, 0.95, 0.31, 60.0), Engine("rasa", 784, 0.9, 12.0, None)])
    assert [line.split()[0] for line in shown.splitlines()] == ["engine", "embedded", "rasa"]
    assert "95.0%" in shown and "12.00 ms" in shown and "60 MB" in shown


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port
