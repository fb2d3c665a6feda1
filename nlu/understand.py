"""From a message to what was meant: sure readings by rule first, then the statistical engine, then its parts."""

from datetime import date
from pathlib import Path
from typing import Protocol

from nlu.embedded import arrays
from nlu.embedded.arrays import Arrays
from nlu.embedded.model import rank
from nlu.parts import Rank, Ranking, is_courtesy, parts_of, request_beside_courtesy
from nlu.sure_readings import sure_intent
from nlu.understanding import Entity, Ranked, Understanding
from nlu.values.sentences import read_in_sentence


class Understander(Protocol):
    """An engine that says what a message was taken to mean."""

    def parse(self, text: str, *, today: date) -> Understanding:
        """The reading of `text`; relative dates in it are resolved from `today`. Never raises, whatever the text."""
        ...


def load_embedded(model_dir: Path) -> "Embedded":
    """The embedded engine, from a folder that `ensure_trained` gave. Raises `ModelFileError`."""
    return Embedded(arrays.load(model_dir))


class Embedded:
    """The embedded engine. Made by `load_embedded`."""

    def __init__(self, model: Arrays) -> None:
        self._model = model

    @property
    def intents(self) -> frozenset[str]:
        """Every intent it can answer with."""
        return frozenset(self._model.intents.labels)

    def categories(self, text: str) -> Ranking:
        """The complaint categories of `text`, best first."""
        return rank(self._model, text)[1]

    def parse(self, text: str, *, today: date) -> Understanding:
        """As `Understander` promises."""
        ranking, categories = rank(self._model, text)
        return assembled(text, ranking, self._rank_intents, categories, today=today, engine="embedded")

    def _rank_intents(self, text: str) -> Ranking:
        return rank(self._model, text)[0]


def assembled(text: str, whole: Ranking, rank: Rank, categories: Ranking, *, today: date, engine: str) -> Understanding:
    """What an engine's rankings mean, the same way for every engine: sure readings, courtesies, parts, values.

    `whole` ranks the text and may be empty where `sure_intent` knows it; `rank` is asked for stretches of it.
    """
    sure = sure_intent(text)
    if sure:
        whole = (Ranked(sure, 1.0),)
    elif is_courtesy(whole[0].name):
        whole = request_beside_courtesy(text, rank) or whole
    return Understanding(
        text=text,
        intent=whole[0].name,
        confidence=whole[0].confidence,
        ranking=whole,
        categories=categories,
        entities=entities_in(text, today),
        parts=() if sure else parts_of(text, whole, rank),
        engine=engine,
    )


def entities_in(text: str, today: date) -> tuple[Entity, ...]:
    """The values found inside a sentence, by our own readers."""
    return tuple(
        Entity(found.entity, found.value, found.text, found.start, found.end, found.doubts)
        for found in read_in_sentence(text, today=today)
    )
