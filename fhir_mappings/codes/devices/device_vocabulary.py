"""The vocabulary of oxygen devices in force: which words are which device, airway, amount, or change nothing.

A site adds its own words as the designations of the device value sets; where its file replaces such a value set, the
terms of the package for it are gone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache

from fhir_mappings.codes.devices.device_terms import (
    ENGLISH,
    Sense,
    Term,
    TermKind,
    false_friends,
    languages,
    packaged_terms,
    spellings,
    words_of_kind,
)
from fhir_mappings.codes.folded_text import accented_words, words_of
from fhir_mappings.codes.observed_sets import DEVICE_OF_SET
from fhir_mappings.codes.terminology import Terminology, packaged_terminology
from fhir_mappings.facts.signs import Device

_ROOM_AIR = "room-air"
_LABELS = (TermKind.FIO2, TermKind.NUMBER)


@dataclass(frozen=True, slots=True)
class Meaning:
    """The part that a term plays in a text, and the device where it is one.

    `own` are the languages that list it. `counts_in` are those in whose texts it counts: an English word in each, but
    where it is another word of that language.
    """

    kind: TermKind
    device: Device | None = None
    sense: Sense | None = None
    capitals: bool = False
    own: frozenset[str] = frozenset()
    counts_in: frozenset[str] = frozenset()

    def says_the_same_as(self, other: Meaning) -> bool:
        return (self.kind, self.device) == (other.kind, other.device)

    def together_with(self, other: Meaning) -> Meaning:
        """The meaning of a term that is listed twice, as this one's."""
        return replace(
            self,
            sense=self.sense or other.sense,
            capitals=self.capitals and other.capitals,
            own=self.own | other.own,
            counts_in=self.counts_in | other.counts_in,
        )


# thousands of terms have a few hundred meanings: one object for each holds 3 MiB less
_one = cache(Meaning)


@dataclass(frozen=True)
class DeviceWords:
    """The vocabulary in force by the folded words of its terms; `lengths` of the terms by their first character.
    `accented` are the words with accents as they are written."""

    meanings: Mapping[str, Meaning]
    lengths: Mapping[str, tuple[int, ...]]
    accented: frozenset[str]
    fio2: frozenset[str]
    numbered: frozenset[str]
    stems: frozenset[str]


@lru_cache(maxsize=8)
def device_words(terms: Terminology) -> DeviceWords:
    """The package's vocabulary with the designations of the device value sets in force."""
    meanings = dict(_meanings(_replaced(terms)))
    for set_id, device in DEVICE_OF_SET.items():
        site = Meaning(TermKind.DEVICE, device, own=languages(), counts_in=languages())
        for words in map(words_of, terms.texts(set_id)):
            known = meanings.get(words)
            says_none = known is not None and known.kind is TermKind.NO_OXYGEN and set_id == _ROOM_AIR
            if words and not says_none and not (known is not None and known.says_the_same_as(site)):
                meanings[words] = site
    packaged = [term.text for term in packaged_terms()]
    written = {
        *packaged,
        *(text.replace("-", "") for text in packaged),
        *(t for s in DEVICE_OF_SET for t in terms.texts(s)),
    }
    lengths: dict[str, set[int]] = {}
    for words in meanings:
        lengths.setdefault(words[0], set()).add(len(words))
    return DeviceWords(
        meanings,
        {first: tuple(sorted(found)) for first, found in lengths.items()},
        frozenset().union(*map(accented_words, written)),
        *(words_of_kind(kind) for kind in (*_LABELS, TermKind.RESPIRATORY_STEM)),
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
        for words in spellings(term):
            meaning, known = _meaning(term, words), found.get(words)
            if known is not None and known.says_the_same_as(meaning):
                found[words] = known.together_with(meaning)
            elif known is None:
                found[words] = meaning
            elif known.kind in _LABELS or meaning.kind in _LABELS:
                found[words] = meaning.together_with(known) if known.kind in _LABELS else known.together_with(meaning)
            else:
                raise ValueError(f"{term.text} is both {known} and {meaning}")
    return found


def _meaning(term: Term, words: str) -> Meaning:
    own = frozenset({term.charted_in})
    candidates = languages() if term.language == ENGLISH else own
    counts_in = frozenset(one for one in candidates if one in own or words not in false_friends(one))
    return _one(term.kind, DEVICE_OF_SET.get(term.set_id), term.sense, term.capitals, own, counts_in)


def _replaced(terms: Terminology) -> frozenset[str]:
    """The device value sets that a site's file took the place of: a code of the package is no more in them."""
    packaged = packaged_terminology().value_sets
    return frozenset(
        set_id
        for set_id in DEVICE_OF_SET
        if {(c.system, c.code) for c in packaged[set_id]} - {(c.system, c.code) for c in terms.value_sets[set_id]}
    )
