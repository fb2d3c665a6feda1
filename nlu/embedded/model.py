"""Runs a trained model: the rows of the weights that a text touches, added up. numpy alone."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from nlu.embedded.arrays import Arrays, Floats, Head
from nlu.embedded.features import Grams, grams_of
from nlu.understanding import Ranked

SHOWN: Final = 5
"""How many readings a ranking holds at most."""


def rank(model: Arrays, text: str) -> tuple[tuple[Ranked, ...], tuple[Ranked, ...]]:
    """Intents and complaint categories of `text`, best first, `SHOWN` of each at most, with their confidences."""
    rows, amounts = touched_rows(grams_of(text), model.rows, model.rarity)
    scores = amounts @ model.weights[rows].astype(np.float32) + model.bias
    split = len(model.intents.labels)
    return _ranked(scores[:split], model.intents), _ranked(scores[split:], model.categories)


def touched_rows(
    grams: Mapping[str, Grams], rows: Mapping[str, Mapping[str, int]], rarity: Floats
) -> tuple[list[int], Floats]:
    """The rows of the grams that are known, and how much each counts: rarer ones more, each block 1 in all.

    Rows come in a fixed order, so that sums come out the same every time. Both are empty if no gram is known.
    """
    touched: list[int] = []
    amounts: list[Floats] = [np.zeros(0, dtype=np.float32)]
    for block, known in rows.items():
        if found := sorted([known[gram] for gram in grams[block] if gram in known]):
            touched += found
            amount = rarity[found]
            amounts.append(amount / np.sqrt(amount @ amount))
    return touched, np.concatenate(amounts)


def _ranked(scores: Floats, head: Head) -> tuple[Ranked, ...]:
    powers = np.exp((scores - scores.max()) / head.temperature)
    confidences = powers / powers.sum()
    best = np.argsort(-confidences, kind="stable")[:SHOWN]
    return tuple(Ranked(head.labels[column], round(float(confidences[column]), 4)) for column in best)
