"""Words that are one letter off a name: a doubt, never the name."""

from __future__ import annotations

from collections.abc import Iterable

LEAST_NEAR, LEAST_NEAR_KANA = 8, 6  # letters of a name that a misspelt word may be meant for


class NearNames:
    """The name that is one insertion, loss, exchange or swap of letters away from a word."""

    def __init__(self, names: Iterable[tuple[str, str]]) -> None:
        self._names = dict(names)
        self._lost: dict[str, set[str]] = {}
        for name in self._names:
            for shorter in _with_one_lost(name):
                self._lost.setdefault(shorter, set()).add(name)
        self._longest = max(map(len, self._names), default=0) + 1

    def of(self, word: str) -> str | None:
        """The ingredient; None for a word that is itself a name."""
        if not LEAST_NEAR_KANA - 1 <= len(word) <= self._longest or word in self._names:
            return None
        shorter = _with_one_lost(word)
        candidates = set(self._lost.get(word, ())).union(*(self._lost.get(one, ()) for one in shorter))
        candidates |= {one for one in shorter if one in self._names}
        nearest = sorted(name for name in candidates if _one_off(word, name))
        return self._names[nearest[0]] if nearest else None


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
