"""What the linear model sees of a text. The one place for it: training and serving must see the same."""

import re
from collections.abc import Mapping
from functools import lru_cache
from itertools import pairwise
from typing import Final, TypeAlias

from nlu.normalise import lowered, normalise

Grams: TypeAlias = set[str]

_VOWELS = re.compile("[aeiou]")
_RAW_WORD = re.compile(r"\S+")


def grams_of(text: str) -> Mapping[str, Grams]:
    """The features of `text` by block; each block is weighed and scaled for itself.

    - `word`: words and pairs of words of the normalised text
    - `bone`: the same with vowels dropped and letters of a word sorted, so that typing errors meet ("dafatr", "dftr")
    - `piece`: 2 to 5 letters in a row within the words of the normalised text
    - `raw`: the same of the text as typed, in small letters
    """
    plain = normalise(text)
    words = plain.split()
    return {
        "word": _singles_and_pairs(words),
        "bone": _singles_and_pairs([_bone(word) for word in words]),
        "piece": _pieces(words),
        "raw": _pieces(_RAW_WORD.findall(lowered(text))),
    }


BLOCKS: Final = ("word", "bone", "piece", "raw")

_SHORTEST_PIECE: Final = 2
_LONGEST_PIECE: Final = 5
_LONGEST_WORD: Final = 40


def _singles_and_pairs(words: list[str]) -> Grams:
    marked = ["<", *words, ">"]
    return {*words, *(f"{first} {second}" for first, second in pairwise(marked))}


def _bone(word: str) -> str:
    return "".join(sorted(_VOWELS.sub("", word))) or word


def _pieces(words: list[str]) -> Grams:
    pieces: Grams = set()
    for word in words:
        pieces.update(_pieces_of(word))
    return pieces


# People's words repeat: nine in ten are met again within a few hundred messages. Some 3 MB when full.
@lru_cache(maxsize=2048)
def _pieces_of(word: str) -> tuple[str, ...]:
    padded = f" {word[:_LONGEST_WORD]} "
    length = len(padded)
    return tuple(
        [
            padded[start : start + size]
            for size in range(_SHORTEST_PIECE, min(_LONGEST_PIECE, length) + 1)
            for start in range(length - size + 1)
        ]
    )
