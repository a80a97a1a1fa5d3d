"""The test whether a code names anything at all, known to the value sets or not.

A search by code returns resources that may hold what was asked for. One without a readable code could be any of it, so
it leaves a gap in the data. So does one with a LOINC code of ours under another system. A code of something else, or a
text alone, leaves none: such a resource was not asked for.
"""

from __future__ import annotations

import msgspec

from fhir_mappings.codes.terminology import Terminology
from fhir_mappings.reading import fhir_structs as fs


def says_what(concept: fs.CodeableConcept, terms: Terminology) -> bool:
    """Tell whether a concept names anything. A text does too, unless a coding beside it may be one of ours."""
    codings = fs.codings_of(concept)
    text = bool(concept.text and concept.text.strip())
    return terms.name_something(codings) or (text and not terms.resemble_ours(codings))


class Meaning(msgspec.Struct, frozen=True, gc=False):
    """The meaning of one code: the value sets that hold it, and whether it names anything, known here or not."""

    codings: tuple[tuple[str | None, str | None], ...]
    sets: frozenset[str]
    named: bool
    is_foreign: bool
    """True for a code that names something that no value set holds."""
    is_panel: bool
    """True for a code that is a panel of blood pressure and nothing else."""


class Meanings(dict[fs.CodeableConcept, Meaning]):
    """The meaning of each code of a chart, looked up once because a chart holds few codes, each of them many times."""

    def __init__(self, terms: Terminology) -> None:
        super().__init__()
        self._terms = terms

    def __missing__(self, code: fs.CodeableConcept) -> Meaning:
        codings = fs.codings_of(code)
        sets, named = self._terms.sets_of(codings), says_what(code, self._terms)
        self[code] = meaning = Meaning(codings, sets, named, named and not sets, sets == {"blood-pressure-panel"})
        return meaning
