#!/usr/bin/env python3
"""How well the embedded engine learns a domain that is not ours: trained and tested on a labelled split, any size.

`python tools/learner_check.py [FOLDER]` learns `train.tsv` of the folder and is asked `test.tsv`: accuracy, macro-F1
and the seconds it took, as JSON. `--rasa` lets the pipeline of `nlu/config.yml` do the same (`tools/rasa.py learn`).
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Final

from nlu.embedded.model import rank
from nlu.embedded.train import train
from nlu.evaluate import macro_f1, read_table
from nlu.training_data import Example, TrainingData

RASA: Final = Path(__file__).resolve().with_name("rasa.py")
SPLIT: Final = RASA.parent.parent / "tests" / "nlu" / "learner"


def examples(path: Path) -> tuple[Example, ...]:
    """The rows of a file of `text` and `intent`. Raises `EvaluationFileError`."""
    return tuple(Example(row.cells["text"], row.cells["intent"].strip()) for row in read_table(path).rows)


def check(learnt: Sequence[Example], asked: Sequence[Example]) -> dict[str, float]:
    """Accuracy and macro-F1 on `asked` after learning `learnt`, and what it took."""
    began = time.perf_counter()
    model = train(TrainingData(tuple(learnt), tuple(learnt)))  # categories are a second classifier; it gets the same
    trained = time.perf_counter()
    pairs = [(each.label, rank(model, each.text)[0][0].name) for each in asked]
    times = []
    for each in asked:
        began_one = time.perf_counter()
        rank(model, each.text)
        times.append(time.perf_counter() - began_one)
    return {
        "train_rows": len(learnt),
        "test_rows": len(asked),
        "intents": len({each.label for each in learnt}),
        "accuracy": round(sum(meant == taken for meant, taken in pairs) / len(pairs), 4),
        "macro_f1": macro_f1(pairs),
        "train_s": round(trained - began, 2),
        "parse_ms": round(median(times) * 1000, 3),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=SPLIT)
    parser.add_argument("--rasa", action="store_true", help="Rasa too, on the same rows")
    parser.add_argument("--epochs", help="for Rasa: instead of those in nlu/config.yml")
    given = parser.parse_args(arguments)
    print(
        "embedded",
        json.dumps(check(examples(given.folder / "train.tsv"), examples(given.folder / "test.tsv"))),
        flush=True,
    )
    if given.rasa:
        print("rasa    ", end=" ", flush=True)
        epochs = [] if given.epochs is None else ["--epochs", given.epochs]
        return subprocess.run([sys.executable, RASA, "learn", given.folder, *epochs]).returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
