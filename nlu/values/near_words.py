"""Words that are nearly alike: the number of slips between two, and a quick look-up of near ones in a fixed list."""

from collections import defaultdict
from collections.abc import Iterable


def edit_distance(one: str, two: str, most: int) -> int | None:
    """The number of letters wrong, missing, too many or swapped between two words, or None when above `most`."""
    if abs(len(one) - len(two)) > most:
        return None
    before_last: list[int] = []
    last = list(range(len(two) + 1))
    for i, a in enumerate(one, start=1):
        row = [i]
        for j, b in enumerate(two, start=1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a != b))
            if i > 1 and j > 1 and a == two[j - 2] and one[i - 2] == b:
                cost = min(cost, before_last[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return None
        before_last, last = last, row
    return last[-1] if last[-1] <= most else None


def _with_one_less(word: str) -> set[str]:
    return {word[:i] + word[i + 1 :] for i in range(len(word))}


class NearWords:
    """A fixed list of words of `least` letters or more, asked for the ones nearest to a misspelt word.

    One slip is forgiven, two in words of nine letters or more (two slips are found when they are not both in the
    same direction).
    """

    def __init__(self, words: Iterable[str], *, least: int = 6) -> None:
        self._least = least
        self._by_less: dict[str, set[str]] = defaultdict(set)
        for word in words:
            if len(word) >= least:
                for key in (word, *_with_one_less(word)):
                    self._by_less[key].add(word)

    def nearest(self, word: str) -> list[str]:
        """The listed words with the fewest slips from `word`, sorted; empty when none is near."""
        if not self._least - 1 <= len(word) <= 40:
            return []
        candidates: set[str] = set()
        for key in (word, *_with_one_less(word)):
            candidates |= self._by_less.get(key, set())
        best: dict[int, list[str]] = defaultdict(list)
        for candidate in candidates:
            most = 2 if min(len(word), len(candidate)) >= 9 else 1
            distance = edit_distance(word, candidate, most)
            if distance is not None:
                best[distance].append(candidate)
        return sorted(best[min(best)]) if best else []
