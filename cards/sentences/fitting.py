"""The lines of a card within the words that it may have."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """One line of a card. It `stays` where the action, the infection, what was given or what bars would go with it."""

    text: str
    stays: bool = True


def words_in(text: str) -> int:
    return len(text.split())


def fitted(lines: Iterable[Line], most: int) -> list[str]:
    """The lines in their order. Those that may go give way from the end until all have at most so many words."""
    kept = [line for line in lines if line.text]
    while sum(words_in(line.text) for line in kept) > most:
        loose = [line for line in kept if not line.stays]
        if not loose:
            break
        kept.remove(loose[-1])
    return [line.text for line in kept]
