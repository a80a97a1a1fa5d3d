"""The words of oxygen devices, as data: which term is which device, airway, amount, or word that changes nothing.

`device_vocabulary.json` holds the terms with their language and source. A site adds its own as the designations of the
device value sets; where its file replaces such a value set, the terms of the package for it are gone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache
from importlib.resources import files
from itertools import product
from typing import Any

from fhir_mappings.codes.folded_text import words_of
from fhir_mappings.codes.observed_sets import DEVICE_OF_SET
from fhir_mappings.codes.terminology import Terminology, packaged_terminology
from fhir_mappings.facts.signs import Device

UNCONFIRMED = "unconfirmed"
_ROOM_AIR = "room-air"


class TermKind(StrEnum):
    DEVICE = "device"
    NO_OXYGEN = "no oxygen"
    AIRWAY = "airway"
    HOME = "home"
    WORD = "word"
    FIO2 = "fio2"  # a number beside it is an FiO2
    NUMBER = "number"  # a bare number beside it is accounted for
    RESPIRATORY_STEM = "respiratory stem"


_LABELS = (TermKind.FIO2, TermKind.NUMBER)


@dataclass(frozen=True, slots=True)
class Term:
    """One term as the vocabulary writes it. `source` is a key of its sources, or UNCONFIRMED."""

    kind: TermKind
    text: str
    language: str
    source: str
    set_id: str = ""


@dataclass(frozen=True, slots=True)
class Meaning:
    """The part that a term plays in a text, and the device where it is one."""

    kind: TermKind
    device: Device | None = None


@dataclass(frozen=True)
class DeviceWords:
    """The vocabulary in force by the folded words of its terms; `lengths` of the terms by their first character."""

    meanings: Mapping[str, Meaning]
    lengths: Mapping[str, tuple[int, ...]]
    fio2: frozenset[str]
    numbered: frozenset[str]
    stems: frozenset[str]


@cache
def _document() -> Mapping[str, Any]:
    content = (files("fhir_mappings.codes.devices") / "device_vocabulary.json").read_text(encoding="utf-8")
    document: Mapping[str, Any] = json.loads(content)
    return document


@cache
def packaged_terms() -> tuple[Term, ...]:
    return tuple(
        Term(TermKind(group["kind"]), text, group["language"], group["source"], group.get("set", ""))
        for group in _document()["groups"]
        for text in group["terms"]
    )


def vocabulary_sources() -> Mapping[str, str]:
    """The sources of the terms."""
    sources: Mapping[str, str] = _document()["sources"]
    return sources


def vocabulary_units() -> Mapping[str, tuple[str, ...]]:
    """The units of amounts by what they are, as they are written."""
    return {kind: tuple(texts) for kind, texts in _document()["units"].items()}


@lru_cache(maxsize=8)
def device_words(terms: Terminology) -> DeviceWords:
    """The package's vocabulary with the designations of the device value sets in force."""
    meanings = dict(_meanings(_replaced(terms)))
    for set_id, device in DEVICE_OF_SET.items():
        for words in map(words_of, terms.texts(set_id)):
            says_none = meanings.get(words) == Meaning(TermKind.NO_OXYGEN) and set_id == _ROOM_AIR
            if words and not says_none:
                meanings[words] = Meaning(TermKind.DEVICE, device)
    lengths: dict[str, set[int]] = {}
    for words in meanings:
        lengths.setdefault(words[0], set()).add(len(words))
    return DeviceWords(
        meanings,
        {first: tuple(sorted(found)) for first, found in lengths.items()},
        *(_words_of_kind(kind) for kind in (*_LABELS, TermKind.RESPIRATORY_STEM)),
    )


@cache
def _meanings(without: frozenset[str]) -> Mapping[str, Meaning]:
    """The meanings of the package's terms, but those of some device value sets.

    A name of a number may be a device or a word besides, and stays that. Two other meanings of one term raise
    ValueError.
    """
    found: dict[str, Meaning] = {}
    for term in packaged_terms():
        set_id = _ROOM_AIR if term.kind is TermKind.NO_OXYGEN else term.set_id
        if set_id in without or term.kind is TermKind.RESPIRATORY_STEM:
            continue
        meaning = Meaning(term.kind, DEVICE_OF_SET.get(term.set_id))
        for words in spellings(term):
            known = found.get(words)
            if known is None or known.kind in _LABELS:
                found[words] = meaning
            elif known != meaning and meaning.kind not in _LABELS:
                raise ValueError(f"{term.text} is both {known} and {meaning}")
    return found


@cache
def _words_of_kind(kind: TermKind) -> frozenset[str]:
    return frozenset(words for term in packaged_terms() if term.kind is kind for words in spellings(term))


def _replaced(terms: Terminology) -> frozenset[str]:
    """The device value sets that a site's file took the place of: a code of the package is no more in them."""
    packaged = packaged_terminology().value_sets
    return frozenset(
        set_id
        for set_id in DEVICE_OF_SET
        if {(c.system, c.code) for c in packaged[set_id]} - {(c.system, c.code) for c in terms.value_sets[set_id]}
    )


_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})


def spellings(term: Term) -> Iterator[str]:
    """The folded words of a term: each hyphen as a blank and as nothing; in German the umlauts in two ways."""
    written = {term.text, term.text.translate(_UMLAUTS)} if term.language == "de" else {term.text}
    for text in sorted(written):
        parts = text.split("-")
        for joints in product((" ", ""), repeat=len(parts) - 1):
            yield words_of("".join(part + joint for part, joint in zip(parts, (*joints, ""), strict=True)))
