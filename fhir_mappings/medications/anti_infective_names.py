"""Anti-infectives: by a code of a value set, by the class of an ATC code, else by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from fhir_mappings.codes.code_systems import ATC, canonical_system
from fhir_mappings.codes.drug_names import DrugNames
from fhir_mappings.codes.folding import MOST_CHARS
from fhir_mappings.codes.terminology import ANTI_INFECTIVE_SETS, Concept, Terminology
from fhir_mappings.codes.word_lists import Text, text_of

ANTIBACTERIAL, ANTIFUNGAL, ANTIVIRAL = ANTI_INFECTIVE_SETS
# A class of ATC holds systemic drugs of one kind only, so a code in it says enough though nobody has listed it. The
# third holds drugs of HIV and hepatitis too, which are no treatment of an infection of now.
ATC_CLASSES = {"J01": ANTIBACTERIAL, "J02": ANTIFUNGAL, "J05": ANTIVIRAL}
CODE_LENGTH = 7
LEAST_WITHOUT_E = 7


@dataclass(frozen=True, slots=True)
class AntiInfectiveDrug:
    """An anti-infective: its name, the value set that it is of, and whether it is usually given to prevent. One that
    is not `listed` is known by the class of its ATC code, which is its name."""

    name: str
    set_id: str
    prophylactic: bool
    listed: bool = True


@lru_cache(maxsize=16)
def anti_infectives(terms: Terminology) -> AntiInfectives:
    """The look-up for the value sets in force."""
    return AntiInfectives(terms)


class AntiInfectives:
    def __init__(self, terms: Terminology) -> None:
        listed = [(set_id, c) for set_id in ANTI_INFECTIVE_SETS for c in terms.value_sets.get(set_id, ())]
        prophylactic = {_ingredient(c) for _, c in listed if c.traits.prophylactic}
        self._by_name = {
            _ingredient(c): AntiInfectiveDrug(_ingredient(c), set_id, _ingredient(c) in prophylactic)
            for set_id, c in listed
        }
        self._by_code = {(c.system, c.code): self._by_name[_ingredient(c)] for _, c in listed}
        self._names = DrugNames((name, _ingredient(c)) for _, c in listed for name in _spelled(c.texts))

    def coded(self, codings: Iterable[tuple[str | None, str | None]]) -> AntiInfectiveDrug | None:
        """The drug of the first coding that is listed, else of the first whose ATC class says enough."""
        known = [(canonical_system(system), code) for system, code in codings if system and code]
        found = next((self._by_code[coding] for coding in known if coding in self._by_code), None)
        return found or next(_of_class(known), None)

    def named(self, text: str) -> AntiInfectiveDrug | None:
        """The drug that a text names."""
        plain = text_of(text[:MOST_CHARS])
        words = tuple(part for word in plain.words for part in self._names.spelled_out(word))
        found = next(iter(self._names.found_in(Text(words, plain.run))), None)
        return self._by_name[found.ingredient] if found is not None else None


def _spelled(names: Iterable[str]) -> Iterator[str]:
    """The names, and the forms without a last e that half of Europe writes: cefepim, cotrimoxazol."""
    for name in names:
        yield name
        if len(name) >= LEAST_WITHOUT_E and name.endswith("e"):
            yield name[:-1]


def _ingredient(concept: Concept) -> str:
    return concept.ingredient or concept.display


def _of_class(codings: Iterable[tuple[str, str]]) -> Iterator[AntiInfectiveDrug]:
    for system, code in codings:
        set_id = ATC_CLASSES.get(code[:3]) if system == ATC and len(code) == CODE_LENGTH else None
        if set_id is not None:
            yield AntiInfectiveDrug(code, set_id, prophylactic=set_id == ANTIVIRAL, listed=False)
