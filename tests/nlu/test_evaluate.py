"""Evaluation: files told apart by their header, figures that can be checked by hand, and the command around them."""

import io
import json
from datetime import date
from pathlib import Path

import pytest

from bot.commands import nlu as command
from nlu.evaluate import (
    EntityReport,
    EvaluationFileError,
    LabelReport,
    ValueReport,
    evaluate,
    figure_of,
    macro_f1,
    read_table,
    reliability,
)
from nlu.understanding import Entity, Ranked, Understanding

TODAY = date(2026, 11, 23)


class Rehearsed:
    """An engine that answers from a table: what a text is taken for, and how surely."""

    def __init__(self, answers: dict[str, tuple[str, float]], entities: tuple[Entity, ...] = ()) -> None:
        self._answers = answers
        self._entities = entities

    def parse(self, text: str, *, today: date) -> Understanding:
        name, confidence = self._answers.get(text, ("out_of_scope", 0.2))
        ranking = (Ranked(name, confidence),)
        return Understanding(text, name, confidence, ranking, ranking, self._entities)


def written(folder: Path, content: str, name: str = "rows.tsv") -> Path:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path


def test_intents_by_hand(tmp_path: Path) -> None:
    """Accuracy, macro-F1, styles, confusions and confident mistakes are those one counts by hand."""
    path = written(
        tmp_path,
        "text\tintent\tstyle\nhalo\tgreet\tplain\nhai\tgreet\tsms\nsaldo\tcheck_balance\tplain\ncek\tcheck_balance\tsms\n",
    )
    engine = Rehearsed(
        {
            "halo": ("greet", 0.9),
            "hai": ("greet", 0.9),
            "saldo": ("check_balance", 0.6),
            "cek": ("greet", 0.8),
        }
    )
    report, wrong = evaluate(read_table(path), engine, today=TODAY)
    assert isinstance(report, LabelReport)
    assert (report.rows, report.accuracy, report.wrong_confident) == (4, 0.75, 1)
    # greet: 2 right of 3 taken and 2 meant, F1 0.8; check_balance: 1 of 1 and 2, F1 2/3
    assert report.macro_f1 == round((0.8 + 2 / 3) / 2, 4)
    assert {style: share.accuracy for style, share in report.by_style.items()} == {"plain": 1.0, "sms": 0.5}
    assert [(each.meant, each.taken_for, each.rows) for each in report.confusions] == [("check_balance", "greet", 1)]
    assert [(row.line, row.text, row.expected, row.got) for row in wrong] == [(5, "cek", "check_balance", "greet")]


def test_an_unsure_mistake_is_not_a_confident_one(tmp_path: Path) -> None:
    """Only wrong guesses that the bot would act on count as confident."""
    path = written(tmp_path, "text\tintent\nhalo\tgreet\n")
    report, wrong = evaluate(read_table(path), Rehearsed({"halo": ("thank", 0.4)}), today=TODAY)
    assert (report.wrong_confident, len(wrong)) == (0, 1)


def test_reliability_by_hand() -> None:
    """Each tenth tells how sure and how right its guesses were; 1.0 is in the last one; empty tenths are left out."""
    bins = reliability([(0.95, True), (1.0, True), (0.91, False), (0.42, True)])
    assert [(each.above, each.below, each.rows) for each in bins] == [(0.4, 0.5, 1), (0.9, 1.0, 3)]
    assert [(each.confidence, each.accuracy) for each in bins] == [(0.42, 1.0), (0.9533, 0.6667)]


def test_calibration_and_very_confident_mistakes(tmp_path: Path) -> None:
    """Sure and wrong counts against it; the error of calibration is how far off the confidences were on average."""
    path = written(tmp_path, "text\tintent\nhalo\tgreet\ncek\tcheck_balance\npagi\tgreet\n")
    rehearsed = Rehearsed({"halo": ("greet", 0.9), "cek": ("greet", 0.9), "pagi": ("thank", 0.75)})
    report, _ = evaluate(read_table(path), rehearsed, today=TODAY)
    assert isinstance(report, LabelReport)
    assert (report.wrong_confident, report.wrong_very_confident) == (2, 1)
    # (2 * |0.5 - 0.9| + |0 - 0.75|) / 3
    assert report.calibration_error == round((2 * 0.4 + 0.75) / 3, 4)


def test_categories_are_told_by_the_header(tmp_path: Path) -> None:
    """A file of complaints is measured against categories, not intents."""
    path = written(tmp_path, "text\tcategory\naplikasi error\tapp_problem\n")
    report, _ = evaluate(read_table(path), Rehearsed({"aplikasi error": ("app_problem", 0.9)}), today=TODAY)
    assert isinstance(report, LabelReport)
    assert (report.kind, report.accuracy, report.by_style) == ("category", 1.0, {})


def test_values_by_hand(tmp_path: Path) -> None:
    """A reading counts by its value; what must be refused is right when refused."""
    path = written(
        tmp_path,
        "kind\ttext\texpected\n"
        "money\t2jt500\t2500000\n"
        "money\tbanyak\tINVALID\n"
        "money\t50rb\t51000\n"
        "date\tbesok\t2026-11-24\n"
        "count\tlima orang\t5\n"
        "affirm_deny\tiya\tyes\n"
        "choice\tOPTIONS=Transfer|Tunai ;; 2\t2\n",
    )
    report, wrong = evaluate(read_table(path), Rehearsed({}), today=TODAY)
    assert isinstance(report, ValueReport)
    assert [(row.line, row.expected, row.got) for row in wrong] == [(4, "money 51000", "50000")]
    assert (report.rows, report.accuracy, report.wrong_confident) == (7, round(6 / 7, 4), 1)
    assert report.by_kind["money"].accuracy == round(2 / 3, 4)


@pytest.mark.parametrize("column", ["entities", "expected"])
def test_entities_by_hand(tmp_path: Path, column: str) -> None:
    """Precision, recall and F1 count each entity of each sentence; lists hold several of one name."""
    path = written(tmp_path, f'text\t{column}\nkalimat\t{{"money": 50000, "count": [5, 6]}}\n')
    found = (Entity("money", 50000, "50rb", 0, 4), Entity("count", 5, "5", 5, 6), Entity("phone", "+62", "x", 7, 8))
    report, wrong = evaluate(read_table(path), Rehearsed({}, found), today=TODAY)
    assert isinstance(report, EntityReport)
    assert (report.precision, report.recall) == (round(2 / 3, 4), round(2 / 3, 4))
    assert figure_of(report) == report.f1 == round(2 / 3, 4)
    assert report.accuracy == 0.0
    assert report.by_entity["count"].recall == 0.5
    assert report.by_entity["phone"].precision == 0.0
    assert wrong[0].expected == "count=5 count=6 money=50000"


def test_macro_f1_weighs_labels_alike() -> None:
    """A label with one row counts as much as one with many."""
    assert macro_f1([("a", "a")] * 9 + [("b", "a")]) == round((18 / 19 + 0) / 2, 4)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("text\tlabel\nhalo\tgreet\n", "header"),
        ("text\tintent\n", "no rows"),
        ("text\tintent\nhalo\n", ":2: 1 cells"),
        ("text\tintent\nhalo\tgreet\tplain\tmore\n", ":2: 4 cells"),
        ("text\tentities\nhalo\tnot json\n", ":2:"),
        ("text\tentities\nhalo\t[1]\n", ":2: expected a JSON object"),
        ("kind\ttext\texpected\nshoe_size\t42\t42\n", ":2: no kind of value 'shoe_size'"),
        ("kind\ttext\texpected\nchoice\tdua\t2\n", ":2: a choice row"),
    ],
)
def test_unusable_files_name_file_and_line(tmp_path: Path, content: str, reason: str) -> None:
    """Testers are told where their file is wrong."""
    path = written(tmp_path, content)
    with pytest.raises(EvaluationFileError, match=r"rows\.tsv") as raised:
        evaluate(read_table(path), Rehearsed({}), today=TODAY)
    assert reason in str(raised.value)


def test_rows_are_split_at_tabs_alone(tmp_path: Path) -> None:
    """Quotes, commas, other line separators and Windows line ends in a text are text."""
    path = tmp_path / "rows.tsv"
    path.write_bytes('﻿text\tintent\tstyle\r\n"halo, \u2028pak"\tgreet\tplain\r\n\r\nhai\tgreet\r\n'.encode())
    table = read_table(path)
    assert [row.cells["text"] for row in table.rows] == ['"halo, \u2028pak"', "hai"]
    assert [row.line for row in table.rows] == [2, 4]
    assert table.rows[1].cells["style"] == ""


# ── the command ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def trained(model_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings under which the command finds the model that the tests trained; the folder to write in."""
    monkeypatch.setenv("RANGKUL_NLU__CACHE_DIR", str(model_dir.parent))
    return tmp_path


def test_evaluate_prints_one_object_with_a_key_per_file(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What scripts read: rows, accuracy, macro_f1 and wrong_confident under each file's name."""
    intents = written(trained, "text\tintent\nsaldo saya berapa\tcheck_balance\nhalo kak\tthank\n", "intents.tsv")
    values = written(trained, "kind\ttext\texpected\nmoney\t50rb\t50000\n", "values.tsv")
    wrong = trained / "wrong.tsv"
    code = command.main(["evaluate", str(intents), str(values), "--json", "--out", str(wrong), "--today", "2026-11-23"])
    printed = json.loads(capsys.readouterr().out)
    assert code == 0
    assert set(printed) == {str(intents), str(values)}
    assert (printed[str(intents)]["rows"], printed[str(intents)]["accuracy"]) == (2, 0.5)
    assert {"macro_f1", "wrong_confident", "by_style", "confusions"} <= set(printed[str(intents)])
    assert printed[str(values)]["accuracy"] == 1.0
    lines = wrong.read_text(encoding="utf-8").splitlines()
    assert lines[0].split("\t") == ["file", "line", "text", "expected", "got", "confidence"]
    assert lines[1].split("\t")[1:5] == ["3", "halo kak", "thank", "greet"]
    assert len(lines) == 2


@pytest.mark.parametrize(("floor", "code"), [("0.4", 0), ("0.6", 1)])
def test_a_floor_makes_it_a_check(trained: Path, floor: str, code: int) -> None:
    """With a floor, a figure below it is exit code 1."""
    path = written(trained, "text\tintent\nsaldo saya berapa\tcheck_balance\nhalo kak\tthank\n")
    assert command.main(["evaluate", str(path), "--floor", floor]) == code


def test_unusable_input_is_exit_code_two(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is not there is said so, on standard error."""
    assert command.main(["evaluate", str(trained / "none.tsv")]) == 2
    assert "none.tsv" in capsys.readouterr().err


def test_parse_lines_gives_an_object_a_line(
    trained: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One message a line in, one JSON object a line out, an empty line included."""
    monkeypatch.setattr("sys.stdin", io.StringIO("saldo saya berapa\n\naplikasi jmo error terus pak\n"))
    assert command.main(["parse", "--lines", "--today", "2026-11-23"]) == 0
    parsed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [each["text"] for each in parsed] == ["saldo saya berapa", "", "aplikasi jmo error terus pak"]
    assert {"text", "intent", "confidence", "ranking", "entities", "category"} <= set(parsed[0])
    assert parsed[0]["intent"] == parsed[0]["ranking"][0]["name"] == "check_balance"
    assert parsed[2]["category"] == "app_problem"


def test_parse_takes_a_text_or_lines(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither, or both, is a mistake that is said."""
    assert command.main(["parse"]) == 2
    assert command.main(["parse", "halo", "--lines"]) == 2
    assert "TEXT or --lines" in capsys.readouterr().err


def test_read_gives_the_value_or_the_reason(capsys: pytest.CaptureFixture[str]) -> None:
    """A reading comes with its value, a refusal with its reason."""
    assert command.main(["read", "money", "50rb", "--today", "2026-11-23"]) == 0
    assert command.main(["read", "money", "banyak"]) == 0
    value, refusal = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (value["value"], "refused" in value) == (50000, False)
    assert ("value" in refusal, bool(refusal["refused"])) == (False, True)


def test_train_says_where_the_model_is(trained: Path, model_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`train` prints the folder of the model for the data as they are."""
    assert command.main(["train"]) == 0
    assert Path(capsys.readouterr().out.strip()) == model_dir
