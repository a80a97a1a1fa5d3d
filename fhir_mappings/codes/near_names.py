"""Words that are one letter off a name: a doubt, never the name."""

from __future__ import annotations

from collections.abc import Iterable

LEAST_NEAR, LEAST_NEAR_KANA = 8, 6  # letters of a name that a misspelt word may be meant for


class NearNames:
    """The name that is one insertion, loss, exchange or swap of letters away from a word.

    One such mistake leaves the beginning or the end of a name whole, so names are looked up by these two.
    """

    def __init__(self, names: Iterable[tuple[str, str]]) -> None:
        self._names = dict(names)
        self._by_part: dict[tuple[int, str, str], tuple[str, ...]] = {}
        for name in self._names:
            for part in _parts(name, len(name)):
                self._by_part[part] = (*self._by_part.get(part, ()), name)
        self._longest = max(map(len, self._names), default=0) + 1

    def of(self, word: str) -> str | None:
        """The ingredient; None for a word that is itself a name."""
        if not LEAST_NEAR_KANA - 1 <= len(word) <= self._longest or word in self._names:
            return None
        parts = (part for length in range(len(word) - 1, len(word) + 2) for part in _parts(word, length))
        candidates = {name for part in parts for name in self._by_part.get(part, ())}
        nearest = sorted(name for name in candidates if _one_off(word, name))
        return self._names[nearest[0]] if nearest else None


def _parts(word: str, length: int) -> tuple[tuple[int, str, str], ...]:
    """The beginning and the end of a word, of the sizes that those of a name of this length have. No swap of neighbours
    reaches into both."""
    half = length // 2
    return (length, word[: half - 1], ""), (length, "", word[len(word) - (length - half) :])


def _with_one_lost(word: str) -> set[str]:
    return {word[:at] + word[at + 1 :] for at in range(len(word))}


def _one_off(word: str, name: str) -> bool:
    """Tell whether one letter more, less or other, or two neighbours swapped, make the one from the other."""
    if len(word) != len(name):
        longer, shorter = (word, name) if len(word) > len(name) else (name, word)
        return len(longer) - len(shorter) == 1 and shorter in _with_one_lost(longer)
    differ = [at for at in range(len(word)) if word[at] != name[at]]
    if len(differ) == 2 and differ[1] == differ[0] + 1:
        first, second = differ
        return word[first] == name[second] and word[second] == name[first]
    return len(differ) == 1
