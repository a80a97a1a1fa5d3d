"""The zone whose dates count: the facility's, else that written on the infusion."""

from __future__ import annotations

from datetime import UTC, tzinfo

from fhir_mappings.codes.car_t_words import CarT
from fhir_mappings.codes.terminology import Terminology
from fhir_mappings.facts.treatment import DrugClass
from fhir_mappings.infusions.infusion_procedures import performed_text, procedure_reading
from fhir_mappings.medications.drugs import drugs_in
from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.fhir_time import own_offset
from fhir_mappings.reading.resource_pool import ResourcePool


def facility_zone(
    setting: tzinfo | None, pool: ResourcePool, terms: Terminology, fhir_base: str | None
) -> tuple[tzinfo, bool]:
    """The zone whose dates count, and whether it was assumed.

    Unset (only in development): the offset written on the infusion; where that is `Z`, UTC, assumed.
    """
    if setting is not None:
        return setting, False
    texts = []
    for resource in pool.of_type(fs.MedicationAdministration):
        data = resource.data
        if any(c.drug.drug_class is DrugClass.CAR_T for c in drugs_in(data, pool, terms, fhir_base)):
            texts.append(data.effective_date_time or (data.effective_period and data.effective_period.start))
    texts += [
        performed_text(procedure.data)
        for procedure in pool.of_type(fs.Procedure)
        if procedure_reading(procedure.data, terms).says is CarT.INFUSION
    ]
    for text in sorted((text for text in texts if text), reverse=True):
        offset = own_offset(text)
        if offset is not None:
            return offset, False
    return UTC, True
