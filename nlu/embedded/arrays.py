"""A trained model as plain arrays and its two files on disk: `weights.npz` (never a pickle) and `model.json`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]
Bytes: TypeAlias = NDArray[np.int8]

FORMAT: Final = 2
"""Raised whenever older files can no longer be read."""

_DESCRIPTION_FILE: Final = "model.json"
_WEIGHTS_FILE: Final = "weights.npz"


class ModelFileError(ValueError):
    """A model folder is incomplete or of another format; training it anew is the cure."""


@dataclass(frozen=True, slots=True)
class Head:
    """What one classifier can answer: its labels, in the order of its columns, and its temperature.

    Scores are divided by `temperature` before they are made into confidences.
    """

    labels: tuple[str, ...]
    temperature: float


@dataclass(frozen=True, slots=True)
class Arrays:
    """A trained model.

    Attributes:
        rows: for each block of features, the row of each of its grams.
        rarity: how much a gram tells, by row (inverse document frequency).
        weights: by row, in steps of that row; the columns are those of `intents`, then those of `categories`.
        steps: by row, what one step of its weights is worth.
        bias: by column.
    """

    rows: Mapping[str, Mapping[str, int]]
    rarity: Floats
    weights: Bytes
    steps: Floats
    bias: Floats
    intents: Head
    categories: Head


class _HeadDescription(msgspec.Struct, frozen=True):
    labels: tuple[str, ...]
    temperature: float


class _Description(msgspec.Struct, frozen=True):
    format: int
    intents: _HeadDescription
    categories: _HeadDescription
    vocabulary: dict[str, list[str]]


def in_steps(weights: NDArray[np.float64]) -> tuple[Bytes, Floats]:
    """Weights as whole steps, -127 to 127, and the worth of a step by row: a quarter of the memory of float32.

    Many rows are added up for a text, so that what rounding adds here it takes away there.
    """
    steps = np.abs(weights).max(axis=1, keepdims=True) / 127
    steps[steps == 0] = 1.0
    return np.rint(weights / steps).astype(np.int8), steps[:, 0].astype(np.float32)


def is_model(folder: Path) -> bool:
    """Whether `folder` holds both files of a model."""
    return (folder / _DESCRIPTION_FILE).is_file() and (folder / _WEIGHTS_FILE).is_file()


def save(arrays: Arrays, folder: Path) -> None:
    """Writes the two files into `folder`, which exists."""
    description = _Description(
        format=FORMAT,
        intents=_HeadDescription(arrays.intents.labels, arrays.intents.temperature),
        categories=_HeadDescription(arrays.categories.labels, arrays.categories.temperature),
        vocabulary={block: sorted(rows, key=rows.__getitem__) for block, rows in arrays.rows.items()},
    )
    (folder / _DESCRIPTION_FILE).write_bytes(msgspec.json.encode(description))
    np.savez_compressed(
        folder / _WEIGHTS_FILE,
        rarity=arrays.rarity,
        weights=arrays.weights,
        steps=arrays.steps,
        bias=arrays.bias,
        allow_pickle=False,
    )


def load(folder: Path) -> Arrays:
    """Reads a model folder; raises `ModelFileError` when it is not one this code can use."""
    try:
        description = msgspec.json.decode((folder / _DESCRIPTION_FILE).read_bytes(), type=_Description)
        with np.load(folder / _WEIGHTS_FILE, allow_pickle=False) as stored:
            rarity, weights = stored["rarity"], stored["weights"]
            steps, bias = stored["steps"], stored["bias"]
    except (OSError, ValueError, KeyError) as error:
        raise ModelFileError(f"{folder}: {error}") from error
    if description.format != FORMAT:
        raise ModelFileError(f"{folder}: format {description.format}, expected {FORMAT}")
    rows = _numbered(description.vocabulary)
    columns = len(description.intents.labels) + len(description.categories.labels)
    if weights.shape != (sum(map(len, rows.values())), columns) or bias.shape != (columns,):
        raise ModelFileError(f"{folder}: the arrays do not fit the vocabulary and the labels")
    return Arrays(
        rows=rows,
        rarity=rarity.astype(np.float32, copy=False),
        weights=weights.astype(np.int8, copy=False),
        steps=steps.astype(np.float32, copy=False),
        bias=bias.astype(np.float32, copy=False),
        intents=Head(description.intents.labels, description.intents.temperature),
        categories=Head(description.categories.labels, description.categories.temperature),
    )


def _numbered(vocabulary: Mapping[str, list[str]]) -> dict[str, dict[str, int]]:
    """Rows run on from block to block, in the order of the lists."""
    rows: dict[str, dict[str, int]] = {}
    first = 0
    for block, grams in vocabulary.items():
        rows[block] = {gram: first + position for position, gram in enumerate(grams)}
        first += len(grams)
    return rows
