"""`rangkul nlu review`: what was not understood is found without names and numbers, labelled, and learnt from."""

from __future__ import annotations

import io
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.__main__ import main
from bot.commands.nlu_review import masked, reason
from flows.model import Trace
from nlu.adding import CannotAdd, add_row
from nlu.training_data import DATA_DIR, read_training_data
from storage.events import TurnRecord

Rangkul = Callable[..., tuple[int, str, str]]

ODD = "zxqv blorp telpon 0812 3456 7890 snarf"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The training files, to be written into."""
    return Path(shutil.copytree(DATA_DIR, tmp_path / "data"))


@pytest.fixture
def rangkul(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Rangkul:
    """Runs a command on a demo of its own; gives exit code, standard output and standard error."""
    for name in [name for name in os.environ if name.startswith("RANGKUL_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("RANGKUL_DATABASE__DEMO_DIR", str(tmp_path / "demo"))
    monkeypatch.setenv("RANGKUL_KEYS__DEMO_FILE", str(tmp_path / "keys.json"))

    def run(*arguments: str, typed: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        code = main(arguments)
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def labelled(folder: Path) -> set[tuple[str, str]]:
    content = read_training_data(folder)
    return {(row.text, row.label) for row in (*content.intents, *content.complaints)}


def test_lists_what_was_not_understood_and_nothing_else(rangkul: Rangkul, data: Path) -> None:
    """A message the bot could not read is listed without its number; one it understood is not."""
    rangkul("chat", typed=f"halo\n{ODD}\n")
    code, out, _ = rangkul("nlu", "review", "--list", "--data", str(data))
    header, *rows = out.splitlines()
    assert (code, header) == (0, "text\tlabel\twhy")
    assert [row.split("\t")[0] for row in rows] == ["zxqv blorp telpon 081200000000 snarf"]


def test_a_label_typed_by_hand_goes_into_the_data(rangkul: Rangkul, data: Path) -> None:
    """The person rewrites a message and names its intent; it is then a training row, and not asked again."""
    rangkul("chat", typed=f"{ODD}\n")
    code, out, _ = rangkul("nlu", "review", "--data", str(data), typed="no_such_intent\ngreet\n")
    assert code == 0
    assert "no label" in out and "nlu_control.yml: greet" in out
    assert ("zxqv blorp telpon 081200000000 snarf", "greet") in labelled(data)
    assert rangkul("nlu", "review", "--list", "--data", str(data))[1].splitlines()[1:] == []


def test_a_message_can_be_rewritten_before_it_is_labelled(rangkul: Rangkul, data: Path) -> None:
    """What still tells who wrote it is taken out by hand; only the new words are stored."""
    rangkul("chat", typed=f"{ODD}\n")
    rangkul("nlu", "review", "--data", str(data), typed="e mau ngadu soal blorp\nfile_complaint\n")
    assert ("mau ngadu soal blorp", "file_complaint") in labelled(data)
    assert not any("zxqv" in text for text, _ in labelled(data))


def test_a_file_of_labels_is_added_row_by_row(rangkul: Rangkul, data: Path, tmp_path: Path) -> None:
    """Good rows are added where they belong, each bad one is said, rows without a label are left alone."""
    path = tmp_path / "labels.tsv"
    path.write_text(
        "text\tlabel\twhy\n"
        "kepengin nyicil gerobak bakso\tout_of_scope\tunsure\n"
        "struk lunas: kok masih nunggak?\tcomplaint:contribution_not_recorded\tmissed\n"
        "entahlah\t\tmissed\n"
        "apa saja\tno_such_intent\tmissed\n",
        encoding="utf-8",
    )
    before = labelled(data)
    code, out, err = rangkul("nlu", "review", "--label", str(path), "--data", str(data))
    assert (code, out.split(";")[0]) == (1, "2 of 3 labelled rows added")
    assert "no_such_intent" in err
    assert labelled(data) - before == {
        ("kepengin nyicil gerobak bakso", "out_of_scope"),
        ("struk lunas: kok masih nunggak?", "contribution_not_recorded"),
    }


@pytest.mark.parametrize(
    ("text", "label"),
    [("  ", "greet"), ("halo", "greet"), ("HALO!", "goodbye"), ("a [b](money)", "greet"), ("x", "complaint:greet")],
)
def test_what_teaches_nothing_or_the_wrong_thing_is_refused(text: str, label: str, data: Path) -> None:
    """Empty texts, known ones, brackets and unknown labels change nothing."""
    before = labelled(data)
    with pytest.raises(CannotAdd):
        add_row(text, label, data)
    assert labelled(data) == before


def test_names_numbers_and_addresses_get_stand_ins() -> None:
    """No NIK, phone, code, known name, mail address or other long number is shown."""
    told = masked(
        "nama saya Budi Santoso nik 3275011708909001 wa 081234567890 budi@surat.id kode RK-7K3Q-9XTM rek 88123456"
    )
    for secret in ("Budi", "3275", "0812345", "surat.id", "7K3Q", "88123456"):
        assert secret not in told


def test_reasons_to_be_listed() -> None:
    """Asked back, missed, or unsure; an answer that filled a slot was understood, however unsure its intent."""
    assert reason(TurnRecord("enroll", 0.5, "embedded", traces=(Trace("note", "clarify"),)), 0.6) == "clarify"
    assert reason(TurnRecord("inform", 0.9, "embedded", traces=(Trace("missed", "nik"),)), 0.6) == "missed"
    assert reason(TurnRecord("inform", 0.2, "embedded"), 0.6) == "unsure"
    assert reason(TurnRecord("inform", 0.2, "embedded", traces=(Trace("slot_set", "person_name"),)), 0.6) is None
    assert reason(TurnRecord("greet", 0.9, "embedded"), 0.6) is None
    assert reason(TurnRecord(), 0.6) is None
