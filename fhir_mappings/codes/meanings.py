"""Whether a code says what is meant, be it nothing of ours."""

from __future__ import annotations

from fhir_mappings.codes.terminology import Terminology
from fhir_mappings.reading import fhir_structs as fs


def says_what(concept: fs.CodeableConcept, terms: Terminology) -> bool:
    """Whether a code names something, be it nothing of ours. So does a text, unless a coding beside it may be ours."""
    codings = fs.codings_of(concept)
    text = bool(concept.text and concept.text.strip())
    return terms.name_something(codings) or (text and not terms.resemble_ours(codings))
