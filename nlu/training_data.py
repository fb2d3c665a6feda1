"""Reads what the engines learn from: Rasa's `nlu:` files and the complaint descriptions beside them."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

DATA_DIR: Final = Path(__file__).resolve().parent / "data"

_ANNOTATION = re.compile(r"\[([^\[\]]+)\](?:\([^()]*\)|\{[^{}]*\})")


class TrainingDataError(ValueError):
    """The training files do not say what training needs; the message names the file and the place."""


@dataclass(frozen=True, slots=True)
class Example:
    """One text and what it should be taken for: an intent (`faq/<topic>` included) or a complaint category."""

    text: str
    label: str


@dataclass(frozen=True, slots=True)
class TrainingData:
    """Everything there is to learn from, in the order of the files, each text once per label."""

    intents: tuple[Example, ...]
    complaints: tuple[Example, ...]


def read_training_data(folder: Path = DATA_DIR) -> TrainingData:
    """The examples of every `*.yml` file in `folder`; raises `TrainingDataError` when there is nothing to learn."""
    intents: dict[Example, None] = {}
    complaints: dict[Example, None] = {}
    for path in data_files(folder):
        content = _loaded(path)
        intents.update(dict.fromkeys(_intent_examples(content, path.name)))
        complaints.update(dict.fromkeys(_complaint_examples(content, path.name)))
    if not intents or not complaints:
        raise TrainingDataError(f"{folder}: no intents or no complaints to learn from")
    return TrainingData(tuple(intents), tuple(complaints))


def data_files(folder: Path = DATA_DIR) -> list[Path]:
    """The training files of `folder`, by name."""
    return sorted(folder.glob("*.yml"))


def digest_of(paths: list[Path]) -> str:
    """A digest of the names and contents of files; the same files give the same digest on any machine."""
    digest = hashlib.sha256()
    for path in paths:
        content = path.read_bytes()
        digest.update(f"{path.name} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def digest_of_text(text: str) -> str:
    """A digest of `text`."""
    return hashlib.sha256(text.encode()).hexdigest()


def without_annotations(text: str) -> str:
    """The text as a person would type it: `[Budi](person_name)` becomes `Budi`."""
    return _ANNOTATION.sub(r"\1", text).strip()


def _loaded(path: Path) -> dict[object, object]:
    try:
        content: object = yaml.load(path.read_text(encoding="utf-8"), Loader=_FASTEST_SAFE_LOADER)  # noqa: S506
    except yaml.YAMLError as error:
        raise TrainingDataError(f"{path.name}: {error}") from error
    if not isinstance(content, dict):
        raise TrainingDataError(f"{path.name}: expected a mapping at the top")
    return content


# The C loader is as safe as `SafeLoader` and reads our files some ten times faster.
_FASTEST_SAFE_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _intent_examples(content: dict[object, object], file: str) -> Iterator[Example]:
    blocks = content.get("nlu", [])
    if not isinstance(blocks, list):
        raise TrainingDataError(f"{file}: `nlu` must be a list")
    for block in blocks:
        if not isinstance(block, dict) or "intent" not in block:
            continue  # synonyms, lookups and patterns teach Rasa about values, which our readers do here
        intent, examples = block["intent"], block.get("examples")
        if not isinstance(intent, str):
            raise TrainingDataError(f"{file}: an intent's name must be a text, not {intent!r}")
        for text in _texts_of(examples, f"{file}: {intent}"):
            yield Example(text, intent)


def _texts_of(examples: object, where: str) -> Iterator[str]:
    """Rasa knows two notations: a block of `- ` lines, and a list of mappings with `text`."""
    if isinstance(examples, str):
        for line in examples.splitlines():
            if line.strip().startswith("- ") and (text := without_annotations(line.strip()[2:])):
                yield text
    elif isinstance(examples, list):
        for item in examples:
            example: object = item.get("text") if isinstance(item, dict) else item
            if not isinstance(example, str):
                raise TrainingDataError(f"{where}: an example must be a text, not {example!r}")
            yield without_annotations(example)
    else:
        raise TrainingDataError(f"{where}: no examples")


def _complaint_examples(content: dict[object, object], file: str) -> Iterator[Example]:
    categories = content.get("complaints", {})
    if not isinstance(categories, dict):
        raise TrainingDataError(f"{file}: `complaints` must be a mapping of category to texts")
    for category, texts in categories.items():
        if not isinstance(category, str) or not isinstance(texts, list):
            raise TrainingDataError(f"{file}: {category!r} must be a category with a list of texts")
        for text in texts:
            if not isinstance(text, str):
                raise TrainingDataError(f"{file}: {category}: {text!r} is not a text")
            yield Example(text, category)
