"""The test whether a code names anything at all, known to the value sets or not.

A search by code returns resources that may hold what was asked for. One without a readable code could be any of it, so
it leaves a gap in the data. So does one with a LOINC code of ours under another system. A code of something else, or a
text alone, leaves none: such a resource was not asked for.
"""

from __future__ import annotations

from fhir_mappings.codes.terminology import Terminology
from fhir_mappings.reading import fhir_structs as fs


def says_what(concept: fs.CodeableConcept, terms: Terminology) -> bool:
    """Tell whether a concept names anything. A text does too, unless a coding beside it may be one of ours."""
    codings = fs.codings_of(concept)
    text = bool(concept.text and concept.text.strip())
    return terms.name_something(codings) or (text and not terms.resemble_ours(codings))
