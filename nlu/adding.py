"""Adds a labelled sentence to the training files, in the block of its intent or complaint category."""

import json
import re
from pathlib import Path
from typing import Final

from nlu.training_data import DATA_DIR, data_files, read_training_data

COMPLAINT: Final = "complaint:"
"""What stands before a complaint category, where intents and categories are named side by side."""

_ROW = re.compile(r"(\s*)- ")
_SIGNS = re.compile(r"[^\w\s]|_")


class CannotAdd(ValueError):
    """The row does not belong into the training files; the message says why."""


def labels(folder: Path = DATA_DIR) -> frozenset[str]:
    """Every label there is to choose from: intents as they are, complaint categories after `complaint:`."""
    data = read_training_data(folder)
    return frozenset(row.label for row in data.intents) | {COMPLAINT + row.label for row in data.complaints}


def known_texts(folder: Path = DATA_DIR) -> frozenset[str]:
    """The texts that are in the files already, as `same_as` sees them."""
    data = read_training_data(folder)
    return frozenset(same_as(row.text) for row in (*data.intents, *data.complaints))


def same_as(text: str) -> str:
    """Equal for texts that differ in case, signs and spaces alone."""
    return " ".join(_SIGNS.sub(" ", text.lower()).split()) or text.strip()


def add_row(text: str, label: str, folder: Path = DATA_DIR) -> Path:
    """Writes `text` as the last row of its label and returns the file. Raises `CannotAdd`, and changes nothing then."""
    text = " ".join(text.split())
    if not text:
        raise CannotAdd("an empty text teaches nothing")
    if re.search(r"[\[\]{}]", text):
        raise CannotAdd(f"{text!r}: square and curly brackets mark entities in these files")
    if label not in labels(folder):
        raise CannotAdd(f"{label!r} is no intent, and no complaint category after {COMPLAINT!r}")
    if same_as(text) in known_texts(folder):
        raise CannotAdd(f"{text!r} is there already")
    is_complaint = label.startswith(COMPLAINT)
    heading = f"{label.removeprefix(COMPLAINT)}:" if is_complaint else f"- intent: {label}"
    for path in data_files(folder):
        lines = path.read_text(encoding="utf-8").split("\n")
        at = _end_of_block(lines, heading)
        if at is not None:
            indent = _ROW.match(lines[at - 1])
            assert indent is not None
            row = json.dumps(text, ensure_ascii=False) if is_complaint else text
            lines.insert(at, f"{indent[1]}- {row}")
            path.write_text("\n".join(lines), encoding="utf-8")
            return path
    raise CannotAdd(f"{label!r} has no block of rows")


def _end_of_block(lines: list[str], heading: str) -> int | None:
    """The line after the last row under `heading`, or None if the heading is not there or has no rows."""
    for number, line in enumerate(lines):
        if line.strip() == heading:
            at = number + 1
            if at < len(lines) and lines[at].strip() == "examples: |":
                at += 1
            first = at
            while at < len(lines) and _ROW.match(lines[at]) and not lines[at].strip().startswith("- intent:"):
                at += 1
            return at if at > first else None
    return None
