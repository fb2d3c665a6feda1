"""Trains the embedded engine. Only the child process that `ensure_trained` starts imports scikit-learn."""

import argparse
import importlib.metadata
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from nlu import normalise, training_data
from nlu.embedded import arrays, features, model
from nlu.embedded.arrays import Arrays, Floats, Head
from nlu.training_data import DATA_DIR, Example, TrainingData, TrainingDataError

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix
    from sklearn.svm import LinearSVC

#: Files whose content decides what a training gives, besides the examples.
_INGREDIENTS: Final = (
    Path(__file__),
    Path(features.__file__),
    Path(arrays.__file__),
    Path(model.__file__),
    Path(normalise.__file__),
    Path(training_data.__file__),
    normalise.SLANG_FILE,
)

#: A gram met in fewer texts than this is left out: pieces of words are many, and those met once tell little.
_LEAST_TEXTS: Final = {"word": 1, "bone": 1, "piece": 2, "raw": 2}

#: How closely the classifiers follow the examples (the C of scikit-learn's LinearSVC).
_CLOSENESS: Final = 0.5

#: How far labels with many examples are held back: 0 not at all, 1 until all labels count the same.
_LEVELLING: Final = 0.5

#: How many of the words that the list of spellings knows are typed differently in the copy of a text.
_RETYPED_SHARE: Final = 0.4
_RETYPING_SEED: Final = 5

#: A stricter one takes five times as long and changes no figure of the held-out files.
_TOLERANCE: Final = 0.03

#: The intent whose examples the complaint descriptions add to, and how many of them do: one in so many.
_COMPLAINT: Final = "file_complaint"
_ONE_IN: Final = 4

_LEAST_LABELS: Final = 3
_FOLDS: Final = 2
_TEMPERATURES: Final = np.geomspace(0.02, 2.0, 90)


class TrainingFailed(RuntimeError):
    """The child process that trains ended without a model; the message is what it said last."""


def ensure_trained(cache_dir: Path, data_dir: Path = DATA_DIR) -> Path:
    """The folder of a model trained on what `data_dir` holds now, training it if there is none in `cache_dir` yet.

    Takes seconds when it trains, milliseconds when it does not. Safe to call from several processes at once: each
    trains into a folder of its own, the first to finish is kept. Raises `TrainingFailed`.
    """
    wanted = cache_dir / f"embedded-{_digest(data_dir)[:16]}"
    if arrays.is_model(wanted):
        return wanted
    cache_dir.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix="training-", dir=cache_dir))
    made.chmod(0o755)  # made for its owner alone, but a service may run as another user than the one who trained
    try:
        _train_in_child(made, data_dir)
        try:
            made.rename(wanted)
        except OSError:
            if not arrays.is_model(wanted):  # not another process that was faster, so a real failure
                raise
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return wanted


def train(data: TrainingData) -> Arrays:
    """Learns intents and complaint categories. The same data give the same arrays."""
    written = (*data.intents, *_told_complaints(data)), data.complaints
    lessons = [_lesson(examples) for examples in written]
    grams = [features.grams_of(example.text) for lesson in lessons for example in lesson.examples]
    rows, rarity = _vocabulary(grams)
    everything = _matrix(grams, rows, rarity)
    split = len(lessons[0].examples)
    intents = _learn(everything[:split], lessons[0])
    categories = _learn(everything[split:], lessons[1])
    weights, steps = arrays.in_steps(np.concatenate([intents[1], categories[1]], axis=1))
    return Arrays(
        rows=rows,
        rarity=rarity,
        weights=weights,
        steps=steps,
        bias=np.concatenate([intents[2], categories[2]]).astype(np.float32),
        intents=intents[0],
        categories=categories[0],
    )


@dataclass(frozen=True, slots=True)
class _Lesson:
    """What one classifier learns from: the examples as written, then copies of them typed differently.

    `origin` is, by example, the place of the one it is a copy of; of one as written, its own place.
    """

    examples: tuple[Example, ...]
    origin: NDArray[np.intp]


def _lesson(written: Sequence[Example]) -> _Lesson:
    """The examples, and of most a second spelling: "tidak" as "gak" or "kada", "ketenagakerjaan" as "naker"."""
    spellings: dict[str, list[str]] = {}
    for typed, meaning in normalise.slang().items():
        spellings.setdefault(meaning, []).append(typed)
    chance = random.Random(_RETYPING_SEED)
    copies: list[Example] = []
    origin = list(range(len(written)))
    for place, example in enumerate(written):
        words = example.text.lower().split()
        retyped = [
            chance.choice(spellings[word]) if word in spellings and chance.random() < _RETYPED_SHARE else word
            for word in words
        ]
        if retyped != words:
            copies.append(Example(" ".join(retyped), example.label))
            origin.append(place)
    return _Lesson((*written, *copies), np.array(origin, dtype=np.intp))


def _told_complaints(data: TrainingData) -> list[Example]:
    """Some complaints as examples of the intent. All of them would draw other intents' questions to it.

    Measured by cross-validation: its recall rises from 0.67 to 0.83 and the accuracy over all intents stays.
    """
    if all(example.label != _COMPLAINT for example in data.intents):
        return []
    known = {example.text for example in data.intents}
    return [Example(each.text, _COMPLAINT) for each in data.complaints[::_ONE_IN] if each.text not in known]


def main(arguments: Sequence[str] | None = None) -> int:
    """`python -m nlu.embedded.train --data FOLDER --out FOLDER`: trains and writes the model."""
    parser = argparse.ArgumentParser(prog="python -m nlu.embedded.train", description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA_DIR)
    parser.add_argument("--out", type=Path, required=True)
    chosen = parser.parse_args(arguments)
    arrays.save(train(training_data.read_training_data(chosen.data)), chosen.out)
    return 0


def _digest(data_dir: Path) -> str:
    """Changes with the examples, the code that learns from them and the library that does the learning."""
    content = training_data.digest_of([*_INGREDIENTS, *training_data.data_files(data_dir)])
    return training_data.digest_of_text(f"{content} {importlib.metadata.version('scikit-learn')}")


def _train_in_child(folder: Path, data_dir: Path) -> None:
    packages = str(Path(__file__).resolve().parents[2])
    searched = os.pathsep.join(filter(None, [packages, os.environ.get("PYTHONPATH")]))
    ended = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "nlu.embedded.train", "--data", str(data_dir), "--out", str(folder)],
        env={**os.environ, "PYTHONPATH": searched, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode != 0:
        raise TrainingFailed(ended.stderr.strip().rpartition("\n")[2] or f"ended with {ended.returncode}")


def _vocabulary(texts: Sequence[Mapping[str, set[str]]]) -> tuple[dict[str, dict[str, int]], Floats]:
    """The row of each gram that is kept, by block, and by row how rare the gram is among `texts`."""
    rows: dict[str, dict[str, int]] = {}
    counts: list[int] = []
    for block in features.BLOCKS:
        met = Counter(gram for text in texts for gram in text[block])
        kept = sorted(gram for gram, count in met.items() if count >= _LEAST_TEXTS[block])
        rows[block] = {gram: len(counts) + position for position, gram in enumerate(kept)}
        counts += [met[gram] for gram in kept]
    rarity = np.log((1 + len(texts)) / (1 + np.array(counts))) + 1
    return rows, rarity.astype(np.float32)


def _matrix(
    texts: Sequence[Mapping[str, set[str]]], rows: Mapping[str, Mapping[str, int]], rarity: Floats
) -> "csr_matrix":
    from scipy.sparse import csr_matrix

    touched = [model.touched_rows(text, rows, rarity) for text in texts]
    columns = np.concatenate([each[0] for each in touched])
    amounts = np.concatenate([each[1] for each in touched])
    ends = np.cumsum([0, *(len(each[0]) for each in touched)])
    return csr_matrix((amounts, columns, ends), shape=(len(texts), len(rarity)), dtype=np.float32)


def _learn(matrix: "csr_matrix", lesson: _Lesson) -> tuple[Head, NDArray[np.float64], NDArray[np.float64]]:
    """The labels with their temperature, the weights (row by column), the bias."""
    labels = np.array([example.label for example in lesson.examples])
    if len(set(labels)) < _LEAST_LABELS:
        raise TrainingDataError(f"{_LEAST_LABELS} labels at least can be told apart, not {sorted(set(labels))}")
    classifier = _classifier(labels).fit(matrix, labels)
    names = tuple(str(label) for label in classifier.classes_)
    return Head(names, _temperature(matrix, labels, lesson.origin)), classifier.coef_.T, classifier.intercept_


def _classifier(labels: NDArray[np.str_]) -> "LinearSVC":
    from sklearn.svm import LinearSVC

    counts = Counter(labels.tolist())
    usual = len(labels) / len(counts)
    # One problem for all labels, not one for each: scores of different labels can then be compared, and confidences
    # made of them hold.
    return LinearSVC(
        C=_CLOSENESS,
        class_weight={label: (usual / count) ** _LEVELLING for label, count in counts.items()},
        multi_class="crammer_singer",
        tol=_TOLERANCE,
        random_state=0,
    )


def _temperature(matrix: "csr_matrix", labels: NDArray[np.str_], origin: NDArray[np.intp]) -> float:
    """The temperature under which texts kept out of training, with their copies, get the truest confidences."""
    from sklearn.model_selection import StratifiedKFold

    written = np.flatnonzero(origin == np.arange(len(origin)))
    names = np.unique(labels)
    scores = np.zeros((len(written), len(names)))
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=0)
    for learnt, kept in folds.split(written, labels[written]):
        rows = np.isin(origin, written[learnt])
        scores[kept] = (
            _classifier(labels[rows]).fit(matrix[rows], labels[rows]).decision_function(matrix[written[kept]])
        )
    right = np.searchsorted(names, labels[written])
    return float(min(_TEMPERATURES, key=lambda temperature: _surprise(scores / temperature, right)))


def _surprise(scores: NDArray[np.float64], right: NDArray[np.int64]) -> float:
    """Mean negative log of the confidence given to the right label."""
    steadied = scores - scores.max(axis=1, keepdims=True)
    log_sums = np.log(np.exp(steadied).sum(axis=1))
    return float(np.mean(log_sums - steadied[np.arange(len(right)), right]))


if __name__ == "__main__":
    sys.exit(main())
