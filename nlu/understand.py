"""From a message to what was meant: sure readings by rule first, then the statistical engine, then its parts."""

from datetime import date
from pathlib import Path
from typing import Protocol

from nlu.embedded import arrays
from nlu.embedded.arrays import Arrays
from nlu.embedded.model import rank
from nlu.parts import is_courtesy, parts_of, request_beside_courtesy
from nlu.sure_readings import sure_intent
from nlu.understanding import Entity, Ranked, Understanding
from nlu.values.sentences import read_in_sentence


class Understander(Protocol):
    """An engine that says what a message was taken to mean."""

    def parse(self, text: str, *, today: date) -> Understanding:
        """The reading of `text`; relative dates in it are resolved from `today`. Never raises, whatever the text."""
        ...


def load_embedded(model_dir: Path) -> Understander:
    """The embedded engine, from a folder that `ensure_trained` gave. Raises `ModelFileError`."""
    return _Embedded(arrays.load(model_dir))


class _Embedded:
    def __init__(self, model: Arrays) -> None:
        self._model = model

    def parse(self, text: str, *, today: date) -> Understanding:
        ranking, categories = rank(self._model, text)
        sure = sure_intent(text)
        if sure:
            ranking = (Ranked(sure, 1.0),)
        elif is_courtesy(ranking[0].name):
            ranking = request_beside_courtesy(text, self._rank_intents) or ranking
        return Understanding(
            text=text,
            intent=ranking[0].name,
            confidence=ranking[0].confidence,
            ranking=ranking,
            categories=categories,
            entities=entities_in(text, today),
            parts=() if sure else parts_of(text, ranking, self._rank_intents),
        )

    def _rank_intents(self, text: str) -> tuple[Ranked, ...]:
        return rank(self._model, text)[0]


def entities_in(text: str, today: date) -> tuple[Entity, ...]:
    """The values found inside a sentence, by our own readers."""
    return tuple(
        Entity(found.entity, found.value, found.text, found.start, found.end, found.doubts)
        for found in read_in_sentence(text, today=today)
    )
