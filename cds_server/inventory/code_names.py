"""The value set that a code of the site may belong to, by its name: a hint to a person, by which nothing is read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from fhir_mappings.codes.drug_names import DrugNames
from fhir_mappings.codes.folding import MOST_CHARS, without_accents_written_out
from fhir_mappings.codes.terminology import packaged_terminology
from fhir_mappings.codes.word_lists import Text, WordList, text_of, word_list

MOST_WORDS_OF_SHORT = 3  # a name of one to three letters begins a text of at most so many words


@cache
def _document() -> Mapping[str, Any]:
    document: Mapping[str, Any] = json.loads(
        (files("cds_server.inventory") / "code_names.json").read_text(encoding="utf-8")
    )
    return document


def names_of() -> Iterator[tuple[str, str]]:
    """Names with their value sets: those in many languages, and the displays of the package's own codes."""
    for set_id, by_language in _document()["names"].items():
        yield from ((name, set_id) for names in by_language.values() for name in names)
        for concept in packaged_terminology().value_sets[set_id]:
            yield from ((name, set_id) for name in (concept.display, *concept.texts))


CODED = frozenset({"coded-crs", "coded-icans", "car-t-history", "coded-infection", "lasting-infection"})


@cache
def observed_or_ordered() -> frozenset[str]:
    """The value sets that a code of an Observation or of an order may be meant for."""
    return frozenset(_document()["names"]) - CODED


@cache
def _names(among: frozenset[str]) -> DrugNames:
    """The names of some value sets, sought as those of drugs are: the longest wins."""
    return DrugNames((name, set_id) for name, set_id in names_of() if set_id in among)


@cache
def _other_words(set_id: str) -> WordList:
    return word_list(_document()["other_words"].get(set_id, ()))


@cache
def _short_names() -> Mapping[str, str]:
    return {name: set_id for set_id, names in _document()["short"].items() for name in names}


@cache
def _endings() -> Mapping[str, tuple[str, ...]]:
    return {
        set_id: tuple(plain for ending in endings for plain in without_accents_written_out(ending))
        for set_id, endings in _document()["word_endings"].items()
    }


def named_set(texts: Iterable[str], among: frozenset[str]) -> str | None:
    """The value set that the first of some texts names, of those that can be meant; None where none does."""
    for text in (text_of(written[:MOST_CHARS]) for written in texts):
        for set_id in _sets_named_in(text, among):
            if set_id in among and not _other_words(set_id).stands_in(text):
                return set_id
    return None


def _sets_named_in(text: Text, among: frozenset[str]) -> Iterator[str]:
    yield from (found.ingredient for found in _names(among).found_in(text))
    for set_id, endings in _endings().items():
        if any(word.endswith(endings) for word in text.words):
            yield set_id
    if 0 < len(text.words) <= MOST_WORDS_OF_SHORT and text.words[0] in _short_names():
        yield _short_names()[text.words[0]]
