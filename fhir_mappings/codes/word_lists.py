"""The lists of words in `drug_words.json`: what stands beside a drug's name and says what the name is there for."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from fhir_mappings.codes.folding import folded, runs_of, words_of


@dataclass(frozen=True)
class Text:
    """A folded text: its words, and its run of Chinese, Japanese or Korean."""

    words: tuple[str, ...]
    run: str

    @property
    def joined(self) -> str:
        return f" {' '.join(self.words)} "


def text_of(text: str) -> Text:
    plain = folded(text)
    return Text(words_of(plain), runs_of(plain))


@dataclass(frozen=True)
class WordList:
    """Words and phrases that count as whole words, and parts of runs, which count anywhere in a run."""

    words: frozenset[str]
    phrases: tuple[str, ...]
    runs: tuple[str, ...]

    def stands_in(self, text: Text) -> bool:
        return (
            not self.words.isdisjoint(text.words)
            or any(phrase in text.joined for phrase in self.phrases)
            or (text.run != "" and any(part in text.run for part in self.runs))
        )

    def left_out_of(self, text: Text) -> Text:
        """The text without the phrases of this list."""
        joined = text.joined
        for phrase in self.phrases:
            joined = joined.replace(phrase, " ")
        return Text(tuple(joined.split()), text.run)


def word_list(entries: Iterable[str]) -> WordList:
    words, phrases, runs = set[str](), [], []
    for text in map(text_of, entries):
        if text.run:
            runs.append(text.run)
        elif len(text.words) == 1:
            words.add(text.words[0])
        else:
            phrases.append(text.joined)
    return WordList(frozenset(words), tuple(phrases), tuple(runs))


@cache
def all_words() -> Mapping[str, Mapping[str, Any]]:
    """The file: by list and column its entries."""
    found: Mapping[str, Mapping[str, Any]] = json.loads(
        (files("fhir_mappings.codes") / "drug_words.json").read_text(encoding="utf-8")
    )
    return found


@cache
def listed(name: str, *columns: str) -> tuple[str, ...]:
    """The entries of one list of the file, of all its columns or of those named."""
    content = all_words()[name]
    wanted = columns or tuple(column for column in content if column != "what")
    return tuple(entry for column in wanted for entry in content.get(column, ()))


@cache
def packaged_list(name: str, *columns: str) -> WordList:
    return word_list(listed(name, *columns))
