"""Medications that surely name their drug: those that may be remembered for a while."""

from __future__ import annotations

from fhir_mappings.codes.code_systems import ATC, RXNORM, SNOMED, canonical_system
from fhir_mappings.codes.terminology import Terminology
from fhir_mappings.facts.treatment import DrugClass
from fhir_mappings.medications.identified import contents
from fhir_mappings.medications.products import Shelf, product
from fhir_mappings.medications.read_parts import in_doubt, read_part
from fhir_mappings.reading import fhir_structs as fs

_OF_DRUGS = frozenset({RXNORM, ATC, SNOMED})


def surely_named(reference: str, shelf: Shelf, terms: Terminology) -> bool:
    """Tell whether a Medication, and every ingredient of it, is named by a drug of ours or by a code of RxNorm, ATC or
    SNOMED CT, and none of it is in doubt."""
    found = product(None, fs.Reference(reference=reference), (), shelf)
    if found.unread or found.missing or not found.parts:
        return False
    if any(content.drug.drug_class is DrugClass.UNIDENTIFIED for content in contents(found, terms)):
        return False
    for part in (read_part(one, terms) for one in found.parts):
        coded = any(code and canonical_system(system or "") in _OF_DRUGS for system, code in part.codings)
        named = any(
            terms.drug_named(name).drug_class is not DrugClass.OTHER and not in_doubt(terms.drug_named(name), reading)
            for reading in part.readings
            for name in reading.ingredients
        )
        if not (coded or named or part.coded is not None):
            return False
    return True
