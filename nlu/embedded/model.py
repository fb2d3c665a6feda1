"""Runs a trained model: the rows of the weights that a text touches, added up. numpy alone."""

from collections.abc import Mapping
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from nlu.embedded.arrays import Arrays, Floats, Head
from nlu.embedded.features import Grams, grams_of
from nlu.understanding import Ranked

Rows: TypeAlias = NDArray[np.intp]

SHOWN: Final = 5
"""How many readings a ranking holds at most."""


def rank(model: Arrays, text: str) -> tuple[tuple[Ranked, ...], tuple[Ranked, ...]]:
    """Intents and complaint categories of `text`, best first, `SHOWN` of each at most, with their confidences."""
    rows, amounts = touched_rows(grams_of(text), model.rows, model.rarity)
    weights = model.weights.take(rows, axis=0).astype(np.float32)
    scores = np.add((amounts * model.steps.take(rows)) @ weights, model.bias, dtype=np.float32)
    split = len(model.intents.labels)
    return _ranked(scores[:split], model.intents), _ranked(scores[split:], model.categories)


def touched_rows(
    grams: Mapping[str, Grams], rows: Mapping[str, Mapping[str, int]], rarity: Floats
) -> tuple[Rows, Floats]:
    """The rows of the grams that are known, and how much each counts: rarer ones more, each block 1 in all.

    Rows come in a fixed order, so that sums come out the same every time. Both are empty if no gram is known.
    """
    touched: list[Rows] = [np.zeros(0, dtype=np.intp)]
    amounts: list[Floats] = [np.zeros(0, dtype=np.float32)]
    for block, known in rows.items():
        row_of = known.get
        found = np.array([row for gram in grams[block] if (row := row_of(gram)) is not None], dtype=np.intp)
        if found.size:
            found.sort()
            amount = rarity.take(found)
            touched.append(found)
            amounts.append(amount / np.sqrt(amount @ amount))
    return np.concatenate(touched), np.concatenate(amounts)


def _ranked(scores: Floats, head: Head) -> tuple[Ranked, ...]:
    powers = np.exp((scores - scores.max()) / head.temperature)
    confidences = powers / powers.sum()
    best = np.argsort(-confidences, kind="stable")[:SHOWN]
    return tuple(Ranked(head.labels[column], round(float(confidences[column]), 4)) for column in best)
