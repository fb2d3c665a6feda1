#!/usr/bin/env python3
"""How well the embedded engine learns a domain that is not ours: trained and tested on a labelled split, any size.

`python tools/learner_check.py [--train FILE --test FILE]` prints accuracy, macro-F1 and the seconds it took, as JSON.
`--nlu FOLDER` also writes the split as Rasa reads it (`train.yml`, `test.yml`), for another learner on the same rows.
"""

import argparse
import json
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Final

from nlu.embedded.model import rank
from nlu.embedded.train import train
from nlu.evaluate import macro_f1, read_table
from nlu.training_data import Example, TrainingData

SPLIT: Final = Path(__file__).resolve().parent.parent / "tests" / "nlu" / "learner"


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


def as_rasa(rows: Sequence[Example]) -> str:
    """The rows as Rasa's training data."""
    by_intent: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        by_intent[row.label].append(row.text)
    blocks = (
        f"- intent: {intent}\n  examples: |\n" + "".join(f"    - {text}\n" for text in texts)
        for intent, texts in by_intent.items()
    )
    return 'version: "3.1"\nnlu:\n' + "".join(blocks)


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", type=Path, default=SPLIT / "train.tsv")
    parser.add_argument("--test", type=Path, default=SPLIT / "test.tsv")
    parser.add_argument("--nlu", type=Path, metavar="FOLDER", help="write the split as Rasa reads it")
    given = parser.parse_args(arguments)
    learnt, asked = examples(given.train), examples(given.test)
    if given.nlu:
        given.nlu.mkdir(parents=True, exist_ok=True)
        (given.nlu / "train.yml").write_text(as_rasa(learnt), encoding="utf-8")
        (given.nlu / "test.yml").write_text(as_rasa(asked), encoding="utf-8")
    print(json.dumps(check(learnt, asked)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
