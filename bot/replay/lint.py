"""What `rangkul check` asks of scripts: that they can be used, and that they test what was not trained."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from bot.replay.company import flows_of, script_files
from bot.replay.reading import read_script
from bot.replay.script import Case, SayText, SendMedia, UserStep
from bot.replay.vocabulary import vocabulary_of
from flows.settings import Settings
from flows.wording import plain
from flows.work import Flows
from nlu.normalise import normalise
from nlu.training_data import read_training_data

LEAST_WORDS: Final = 3
"""Shorter texts, such as "cek saldo", cannot help being trained."""


def problems(paths: Sequence[Path], flows: Flows | None = None) -> list[str]:
    """Every problem of the scripts under these paths, as `file:line: text`.

    A script is unusable, or a person in it says a sentence that the engines were trained on. `flows` are ours when
    not given. Raises `nlu.training_data.TrainingDataError` and `flows.copybook.CopyError`.
    """
    vocabulary = vocabulary_of(flows or flows_of(Settings()))
    trained = trained_sentences()
    found: list[str] = []
    for path in script_files(paths):
        read = read_script(path, vocabulary)
        found += [str(problem) for problem in read.problems]
        for case in read.script.cases if read.script else ():
            for line, text in _sentences(case):
                if normalise(text) in trained:
                    found.append(f"{path}:{line}: {text!r} is a training row; say it another way")
    return found


def trained_sentences() -> frozenset[str]:
    """What the engines were trained on, normalised; short rows left out."""
    data = read_training_data()
    texts = (example.text for example in (*data.intents, *data.complaints))
    return frozenset(normalise(text) for text in texts if _is_sentence(text))


def _sentences(case: Case) -> Iterator[tuple[int, str]]:
    """What people of a case say in whole sentences, with the line."""
    for step in case.steps:
        if isinstance(step, UserStep):
            match step.message:
                case SayText(text) | SendMedia(caption=text) if _is_sentence(text):
                    yield step.line, text
                case _:
                    pass


def _is_sentence(text: str) -> bool:
    """Bare values, such as a phone number typed in groups, are no sentences."""
    return sum(word.isalpha() for word in plain(text).split()) >= LEAST_WORDS
