"""How well understanding and reading do on files of labelled rows (the evaluation files that testers write)."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final, TypeAlias

import msgspec

from nlu.understand import Understander
from nlu.understanding import Entity
from nlu.values import KINDS, Reading, Refusal, read

#: From this confidence on a wrong guess counts as a confident one.
CONFIDENT: Final = 0.7
#: The same, more strictly: what the product promises is measured here.
VERY_CONFIDENT: Final = 0.8

_BINS: Final = 10

INVALID: Final = "INVALID"
UNCLEAR: Final = "unclear"
_SHOWN_CONFUSIONS: Final = 25


class EvaluationFileError(ValueError):
    """An evaluation file cannot be used; the message names the file and the line."""


class Share(msgspec.Struct, frozen=True):
    """How many rows there were of something, and the share that came out right, 0 to 1."""

    rows: int
    accuracy: float


class Confusion(msgspec.Struct, frozen=True):
    """How often one label was taken for another."""

    meant: str
    taken_for: str
    rows: int


class WrongRow(msgspec.Struct, frozen=True):
    """A row that came out wrong. `confidence` is None where the reader gives none."""

    line: int
    text: str
    expected: str
    got: str
    confidence: float | None = None


class Bin(msgspec.Struct, frozen=True):
    """The guesses whose confidence lies from `above` up to `below`: how many, how sure on average, how often right."""

    above: float
    below: float
    rows: int
    confidence: float
    accuracy: float


class LabelReport(msgspec.Struct, frozen=True):
    """The figures of a file of intents or categories.

    `wrong_confident` counts wrong guesses of `CONFIDENT` or more, `wrong_very_confident` those above `VERY_CONFIDENT`.
    `reliability` leaves out tenths without a guess; `calibration_error` is the mean distance between how sure and how
    right, weighed by rows (0 is perfect).
    """

    kind: str
    rows: int
    accuracy: float
    macro_f1: float
    wrong_confident: int
    wrong_very_confident: int
    calibration_error: float
    reliability: list[Bin]
    by_style: dict[str, Share]
    by_label: dict[str, Share]
    confusions: list[Confusion]


class ValueReport(msgspec.Struct, frozen=True):
    """The figures of a file of single answers. `wrong_confident` counts values given where another was meant."""

    kind: str
    rows: int
    accuracy: float
    wrong_confident: int
    by_kind: dict[str, Share]


class EntityFigures(msgspec.Struct, frozen=True):
    """How well one entity was found: share of what was found that is right, share of what is there that was found."""

    expected: int
    precision: float
    recall: float
    f1: float


class EntityReport(msgspec.Struct, frozen=True):
    """The figures of a file of sentences with entities. `accuracy` is the share of sentences wholly right."""

    kind: str
    rows: int
    accuracy: float
    precision: float
    recall: float
    f1: float
    wrong_confident: int
    by_entity: dict[str, EntityFigures]


Report: TypeAlias = LabelReport | ValueReport | EntityReport


@dataclass(frozen=True, slots=True)
class Row:
    """One row of an evaluation file, by column name, and the line it stands on (the header is line 1)."""

    line: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """An evaluation file: the names of its columns and its rows."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def read_table(path: Path) -> Table:
    """Reads an evaluation file: UTF-8, a header, cells split at tabs, without quoting. Raises `EvaluationFileError`."""
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise EvaluationFileError(f"{path}: {error}") from error
    columns = tuple(name.strip() for name in lines[0].rstrip("\r").split("\t"))
    rows = []
    for number, line in enumerate(lines[1:], start=2):
        if not line.strip():
            continue
        cells = line.rstrip("\r").split("\t")
        if len(cells) > len(columns) or len(cells) < _least_cells(columns):
            raise EvaluationFileError(f"{path}:{number}: {len(cells)} cells, the header has {len(columns)}")
        rows.append(Row(number, dict(zip(columns, [*cells, ""], strict=False))))
    if not rows:
        raise EvaluationFileError(f"{path}: no rows")
    return Table(str(path), columns, tuple(rows))


def evaluate(table: Table, understander: Understander, *, today: date) -> tuple[Report, list[WrongRow]]:
    """The figures of a file, told apart by its header, and the rows that came out wrong."""
    columns = set(table.columns)
    if {"kind", "text", "expected"} <= columns:
        return _evaluate_values(table, today)
    if {"text", "intent"} <= columns:
        return _evaluate_labels(table, "intent", understander, today)
    if {"text", "category"} <= columns:
        return _evaluate_labels(table, "category", understander, today)
    for column in ("entities", "expected"):
        if {"text", column} <= columns:
            return _evaluate_entities(table, column, understander, today)
    raise EvaluationFileError(f"{table.name}: no evaluation file has the header {' '.join(table.columns)!r}")


def figure_of(report: Report) -> float:
    """The one figure a floor is held against: F1 for entities, the share right for everything else."""
    return report.f1 if isinstance(report, EntityReport) else report.accuracy


def _least_cells(columns: Sequence[str]) -> int:
    return len(columns) - 1 if columns[-1] == "style" else len(columns)


# ── intents and categories ────────────────────────────────────────────────────────────────────────────────────────


def _evaluate_labels(
    table: Table, column: str, understander: Understander, today: date
) -> tuple[LabelReport, list[WrongRow]]:
    pairs: list[tuple[str, str]] = []
    styles: dict[str, list[bool]] = defaultdict(list)
    labels: dict[str, list[bool]] = defaultdict(list)
    wrong: list[WrongRow] = []
    guesses: list[tuple[float, bool]] = []
    for row in table.rows:
        understanding = understander.parse(row.cells["text"], today=today)
        best = (understanding.ranking if column == "intent" else understanding.categories)[0]
        meant = row.cells[column].strip()
        pairs.append((meant, best.name))
        guesses.append((best.confidence, meant == best.name))
        styles[row.cells.get("style", "").strip()].append(meant == best.name)
        labels[meant].append(meant == best.name)
        if meant != best.name:
            wrong.append(WrongRow(row.line, row.cells["text"], meant, best.name, best.confidence))
    bins = reliability(guesses)
    report = LabelReport(
        kind=column,
        rows=len(pairs),
        accuracy=_share(meant == taken for meant, taken in pairs),
        macro_f1=macro_f1(pairs),
        wrong_confident=sum((row.confidence or 0) >= CONFIDENT for row in wrong),
        wrong_very_confident=sum((row.confidence or 0) > VERY_CONFIDENT for row in wrong),
        calibration_error=_rounded(
            sum(each.rows * abs(each.accuracy - each.confidence) for each in bins) / len(guesses)
        ),
        reliability=bins,
        by_style=_shares(styles) if "style" in table.columns else {},
        by_label=_shares(labels),
        confusions=_confusions(pairs),
    )
    return report, wrong


def reliability(guesses: Sequence[tuple[float, bool]]) -> list[Bin]:
    """The reliability curve of (confidence, right) pairs, by tenths; a confidence of 1 belongs to the last."""
    tenths: dict[int, list[tuple[float, bool]]] = defaultdict(list)
    for guess in guesses:
        tenths[min(int(guess[0] * _BINS), _BINS - 1)].append(guess)
    return [
        Bin(
            above=tenth / _BINS,
            below=(tenth + 1) / _BINS,
            rows=len(inside),
            confidence=_rounded(sum(confidence for confidence, _ in inside) / len(inside)),
            accuracy=_share(right for _, right in inside),
        )
        for tenth, inside in sorted(tenths.items())
    ]


def macro_f1(pairs: Sequence[tuple[str, str]]) -> float:
    """The mean, over the labels that were meant, of each label's F1; `pairs` are (meant, taken for)."""
    meant = Counter(pair[0] for pair in pairs)
    taken = Counter(pair[1] for pair in pairs)
    right = Counter(pair[0] for pair in pairs if pair[0] == pair[1])
    return _rounded(sum(_f1(right[name], taken[name], meant[name]) for name in meant) / len(meant))


def _confusions(pairs: Sequence[tuple[str, str]]) -> list[Confusion]:
    counted = Counter(pair for pair in pairs if pair[0] != pair[1])
    ordered = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    return [Confusion(meant, taken, count) for (meant, taken), count in ordered[:_SHOWN_CONFUSIONS]]


# ── single answers ────────────────────────────────────────────────────────────────────────────────────────────────


def _evaluate_values(table: Table, today: date) -> tuple[ValueReport, list[WrongRow]]:
    kinds: dict[str, list[bool]] = defaultdict(list)
    wrong: list[WrongRow] = []
    for row in table.rows:
        kind, expected = row.cells["kind"].strip(), row.cells["expected"].strip()
        options, text = _options_and_reply(kind, row.cells["text"], f"{table.name}:{row.line}")
        if kind not in KINDS:
            raise EvaluationFileError(f"{table.name}:{row.line}: no kind of value {kind!r}")
        got = _as_expected(kind, read(kind, text, today=today, options=options))
        kinds[kind].append(got == expected)
        if got != expected:
            wrong.append(WrongRow(row.line, row.cells["text"], f"{kind} {expected}", got))
    report = ValueReport(
        kind="value",
        rows=len(table.rows),
        accuracy=_rounded(1 - len(wrong) / len(table.rows)),
        wrong_confident=sum(row.got not in (INVALID, UNCLEAR) for row in wrong),
        by_kind=_shares(kinds),
    )
    return report, wrong


def _as_expected(kind: str, reading: Reading | Refusal) -> str:
    """A reading in the notation of evaluation files. A yes or no that cannot be told is unclear, never invalid."""
    if isinstance(reading, Reading):
        return str(reading.value)
    return UNCLEAR if kind == "affirm_deny" else INVALID


def _options_and_reply(kind: str, text: str, where: str) -> tuple[tuple[str, ...], str]:
    """A `choice` row holds `OPTIONS=a|b|c ;; reply`; every other row the answer alone."""
    if kind != "choice":
        return (), text
    head, separator, reply = text.partition(";;")
    if not separator or not head.strip().startswith("OPTIONS="):
        raise EvaluationFileError(f"{where}: a choice row begins with OPTIONS=a|b|c ;;")
    options = head.strip().removeprefix("OPTIONS=").split("|")
    return tuple(option.strip() for option in options), reply.strip()


# ── entities in sentences ─────────────────────────────────────────────────────────────────────────────────────────

_Found: TypeAlias = Counter[tuple[str, str]]


def _evaluate_entities(
    table: Table, column: str, understander: Understander, today: date
) -> tuple[EntityReport, list[WrongRow]]:
    right, found, expected = Counter[str](), Counter[str](), Counter[str]()
    wrong: list[WrongRow] = []
    for row in table.rows:
        meant = _expected_entities(row.cells[column], f"{table.name}:{row.line}")
        got = _found_entities(understander.parse(row.cells["text"], today=today).entities)
        right.update(_names(meant & got))
        found.update(_names(got))
        expected.update(_names(meant))
        if meant != got:
            wrong.append(WrongRow(row.line, row.cells["text"], _as_text(meant), _as_text(got)))
    total = _figures(right.total(), found.total(), expected.total())
    report = EntityReport(
        kind="entities",
        rows=len(table.rows),
        accuracy=_rounded(1 - len(wrong) / len(table.rows)),
        precision=total.precision,
        recall=total.recall,
        f1=total.f1,
        wrong_confident=found.total() - right.total(),
        by_entity={name: _figures(right[name], found[name], expected[name]) for name in sorted({*found, *expected})},
    )
    return report, wrong


def _expected_entities(cell: str, where: str) -> _Found:
    """The entities of a row: a JSON object of name to value, or to a list of values."""
    try:
        content = json.loads(cell)
    except ValueError as error:
        raise EvaluationFileError(f"{where}: {error}") from error
    if not isinstance(content, dict):
        raise EvaluationFileError(f"{where}: expected a JSON object of entity to value")
    expected: _Found = Counter()
    for name, value in content.items():
        values = value if isinstance(value, list) else [value]
        expected.update((str(name), str(each)) for each in values)
    return expected


def _found_entities(entities: Sequence[Entity]) -> _Found:
    return Counter((entity.entity, str(entity.value)) for entity in entities)


def _names(found: _Found) -> Counter[str]:
    names: Counter[str] = Counter()
    for (name, _), count in found.items():
        names[name] += count
    return names


def _as_text(found: _Found) -> str:
    return " ".join(f"{name}={value}" for name, value in sorted(found.elements())) or "nothing"


def _figures(right: int, found: int, expected: int) -> EntityFigures:
    return EntityFigures(
        expected=expected,
        precision=_rounded(right / found) if found else 1.0,
        recall=_rounded(right / expected) if expected else 1.0,
        f1=_rounded(_f1(right, found, expected)),
    )


# ── shares ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _f1(right: int, found: int, expected: int) -> float:
    """The harmonic mean of precision and recall; 1 where nothing was expected and nothing found."""
    return 2 * right / (found + expected) if found + expected else 1.0


def _shares(outcomes: Mapping[str, Sequence[bool]]) -> dict[str, Share]:
    return {name: Share(len(each), _share(each)) for name, each in sorted(outcomes.items())}


def _share(outcomes: Iterable[bool]) -> float:
    counted = list(outcomes)
    return _rounded(sum(counted) / len(counted))


def _rounded(figure: float) -> float:
    return round(figure, 4)
