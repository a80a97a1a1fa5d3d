"""The names of drugs, ours and those that could be taken for ours, found in the words of a text.

The longest name wins, and each name stands for one ingredient. A Latin name also counts with an ending of Latin or of
a case, and with a salt or a form joined to it. The table of the package is `drug_names.json`; the value sets add to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from fhir_mappings.codes.folding import kana_words, runs_of, without_accents_written_out, words_of
from fhir_mappings.codes.near_names import LEAST_NEAR, LEAST_NEAR_KANA, NearNames
from fhir_mappings.codes.word_lists import Text, listed, packaged_list

LONGEST_WORD = 60  # letters of a word that is taken apart; no name with salts and forms is longer
LEAST_BEFORE_ENDING = 6
_ENDINGS = ("um", "i", "u", "y", "s")
# beginnings of names that some write apart: nor-epinephrine is no epinephrine
_APART = (
    "nor", "methyl", "methyle", "metil", "metyl", "metylo", "metyyli", "hydro", "hidro", "idro",
    "beta", "dexa", "desa", "deksa", "dexi", "deksi", "dex", "deks", "pseudo", "iso", "izo", "fludro", "terli", "des",
    "para", "keto", "flurbi", "arg", "aceta", "meta", "isopropyl", "isopropil", "cel", "tisagen", "acetyl", "asetil",
)  # fmt: skip
_SHORTEST_REST = 5


@dataclass(frozen=True)
class Named:
    """A name found in a text: its ingredient, the place of its first word, or in a run of its first letter, and the
    place after its last."""

    ingredient: str
    start: int
    end: int
    in_run: bool = False


class DrugNames:
    """Names → ingredients. Of a name that is stated twice the first statement holds."""

    def __init__(self, names: Iterable[tuple[str, str]]) -> None:
        self._phrases: dict[str, str] = {}
        self._runs: dict[str, list[tuple[str, str]]] = {}
        for name, ingredient in names:
            for plain in without_accents_written_out(name):
                self._add(plain, ingredient)
        for by_first in self._runs.values():
            by_first.sort(key=lambda entry: -len(entry[0]))
        self._most_words = max((phrase.count(" ") + 1 for phrase in self._phrases), default=1)
        self._near = NearNames(self._single_words())

    def _add(self, plain: str, ingredient: str) -> None:
        run = runs_of(plain)
        if run:
            entries = self._runs.setdefault(run[0], [])
            if all(run != known for known, _ in entries):
                entries.append((run, ingredient))
            return
        words = words_of(plain)
        for phrase in (" ".join(words), *_other_spellings(words)):
            self._phrases.setdefault(phrase, ingredient)

    def _single_words(self) -> Iterator[tuple[str, str]]:
        for phrase, ingredient in self._phrases.items():
            if " " not in phrase and len(phrase) >= LEAST_NEAR:
                yield phrase, ingredient
        for entries in self._runs.values():
            for run, ingredient in entries:
                if len(run) >= LEAST_NEAR_KANA and next(kana_words(run), "") == run:
                    yield run, ingredient

    def spelled_out(self, word: str) -> tuple[str, ...]:
        """A word as its parts, where it is a name with an ending, a salt or a form joined to it; else the word."""
        if word in self._phrases or not LEAST_BEFORE_ENDING < len(word) <= LONGEST_WORD:
            return (word,)
        for ending in _ENDINGS:
            stem = word.removesuffix(ending)
            if stem != word and len(stem) >= LEAST_BEFORE_ENDING and stem in self._phrases:
                return (stem,)
        for length in range(len(word) - 2, LEAST_BEFORE_ENDING - 1, -1):
            if word[:length] in self._phrases:
                parts = _joined_parts(word[length:])
                if parts:
                    return (word[:length], *parts)
        return (word,)

    def found_in(self, text: Text) -> Iterator[Named]:
        """Every name in the words and in the run of a text, each place once."""
        at = 0
        while at < len(text.words):
            for length in range(min(self._most_words, len(text.words) - at), 0, -1):
                ingredient = self._phrases.get(" ".join(text.words[at : at + length]))
                if ingredient is not None:
                    yield Named(ingredient, at, at + length)
                    at += length - 1
                    break
            at += 1
        at = 0
        while at < len(text.run):
            for name, ingredient in self._runs.get(text.run[at], ()):
                if text.run.startswith(name, at):
                    yield Named(ingredient, at, at + len(name), in_run=True)
                    at += len(name) - 1
                    break
            at += 1

    def near(self, text: Text) -> Iterator[tuple[str, str]]:
        """Words that are one letter off a name, each with the ingredient it may be meant for."""
        for word in (*text.words, *kana_words(text.run)):
            ingredient = self._near.of(word)
            if ingredient is not None:
                yield word, ingredient


def _other_spellings(words: tuple[str, ...]) -> Iterator[str]:
    """A name of several words written as one, and one whose beginning is written apart."""
    if len(words) > 1 and words[-1].isalpha():
        joined = "".join(words)
        if len(joined) >= _SHORTEST_REST:
            yield joined
    for place, word in enumerate(words):
        for beginning in _APART:
            if word.startswith(beginning) and len(word) - len(beginning) >= _SHORTEST_REST:
                yield " ".join((*words[:place], beginning, word.removeprefix(beginning), *words[place + 1 :]))


@cache
def _parts() -> frozenset[str]:
    """The endings that may be joined to a name, in one word each."""
    names = ("salts", "forms", "local", "assay", "receptors")
    return frozenset(w for name in names for w in packaged_list(name).words if len(w) > 3)


def _joined_parts(rest: str) -> tuple[str, ...]:
    """The salts and forms that a rest of a word is made of, a joining s left out; () where something else is in it."""
    found: list[str] = []
    while rest:
        part = next((rest[:n] for n in range(len(rest), 3, -1) if rest[:n] in _parts()), None)
        if part is None:
            if rest[0] == "s" and len(rest) > 1 and not found:
                rest = rest[1:]
                continue
            return ()
        found.append(part)
        rest = rest[len(part) :]
    return tuple(found)


def abbreviations() -> Mapping[str, str]:
    """Bedside abbreviations → ingredients."""
    pairs = (entry.split(":", 1) for entry in listed("short"))
    return {short: ingredient for ingredient, short in pairs}
