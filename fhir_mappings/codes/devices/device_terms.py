"""The terms of oxygen devices as `device_vocabulary.json` writes them, each with its language and its source."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from itertools import product
from typing import Any

from fhir_mappings.codes.folded_text import words_of

UNCONFIRMED = "unconfirmed"
ENGLISH = "en"
# languages that are charted in each other's words
_CHARTED_AS = {"zh-Hant": "zh-Hans", "no": "da"}
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})


class TermKind(StrEnum):
    DEVICE = "device"
    NO_OXYGEN = "no oxygen"
    AIRWAY = "airway"
    HOME = "home"
    WORD = "word"
    FIO2 = "fio2"  # a number beside it is an FiO2
    NUMBER = "number"  # a bare number beside it is accounted for
    RESPIRATORY_STEM = "respiratory stem"


class Sense(StrEnum):
    """The subject of a word that does not stand beside every device; `device_senses` says which go together."""

    SIDE = "side"
    TUBE = "tube"
    CIRCULATION = "circulation"
    MODE = "mode"
    MACHINE = "machine"
    EQUIPMENT = "equipment"
    PRESENCE = "presence"
    HAND_BAG = "hand bag"
    OXYGEN = "oxygen"
    COLOUR = "colour"
    BARE = "bare"


@dataclass(frozen=True, slots=True)
class Term:
    """One term. `source` is a key of the sources, or UNCONFIRMED. `capitals`: another language has a word that is
    spelled the same, so that this one counts in capitals and among words of its own language only."""

    kind: TermKind
    text: str
    language: str
    source: str
    set_id: str = ""
    sense: Sense | None = None
    capitals: bool = False

    @property
    def charted_in(self) -> str:
        return _CHARTED_AS.get(self.language, self.language)


@cache
def _document() -> Mapping[str, Any]:
    content = (files("fhir_mappings.codes.devices") / "device_vocabulary.json").read_text(encoding="utf-8")
    document: Mapping[str, Any] = json.loads(content)
    return document


@cache
def packaged_terms() -> tuple[Term, ...]:
    return tuple(_term(text, group) for group in _document()["groups"] for text in group["terms"])


def _term(text: str, group: Mapping[str, Any]) -> Term:
    sense = Sense(group["sense"]) if "sense" in group else None
    kind, capitals = TermKind(group["kind"]), group.get("capitals", False)
    return Term(kind, text, group["language"], group["source"], group.get("set", ""), sense, capitals)


@cache
def languages() -> frozenset[str]:
    """The languages that texts are charted in."""
    return frozenset(term.charted_in for term in packaged_terms())


@cache
def false_friends(language: str) -> frozenset[str]:
    """Folded words of other languages that are another word in this one."""
    return frozenset(map(words_of, _document()["false friends"].get(language, ())))


def vocabulary_sources() -> Mapping[str, str]:
    """The sources of the terms."""
    sources: Mapping[str, str] = _document()["sources"]
    return sources


def vocabulary_units() -> Mapping[str, tuple[str, ...]]:
    """The units of amounts by what they are, as they are written."""
    return {kind: tuple(texts) for kind, texts in _document()["units"].items()}


@cache
def words_of_kind(kind: TermKind) -> frozenset[str]:
    return frozenset(words for term in packaged_terms() if term.kind is kind for words in spellings(term))


def spellings(term: Term) -> Iterator[str]:
    """The folded words of a term: each hyphen as a blank and as nothing; in German the umlauts in two ways."""
    written = {term.text, term.text.translate(_UMLAUTS)} if term.language == "de" else {term.text}
    for text in sorted(written):
        parts = text.split("-")
        for joints in product((" ", ""), repeat=len(parts) - 1):
            yield words_of("".join(part + joint for part, joint in zip(parts, (*joints, ""), strict=True)))
