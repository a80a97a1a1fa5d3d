"""The extent to which an export covers each kind of data: a type that it lacks was not read, whatever it holds else."""

from __future__ import annotations

from collections.abc import Mapping

from cds_server.evaluation.reading.grouping import Grouped
from fhir_mappings.facts.coverage import Completeness, Coverage, Gap, Kind

TYPE_OF_KIND: Mapping[Kind, str] = {
    Kind.PATIENT: "Patient",
    **dict.fromkeys((Kind.ADMINISTRATIONS, Kind.RUNNING), "MedicationAdministration"),
    **dict.fromkeys((Kind.PROCEDURES, Kind.SUPPORT_PROCEDURES), "Procedure"),
    **dict.fromkeys((Kind.CONDITIONS, Kind.LASTING_INFECTIONS), "Condition"),
    Kind.ALLERGIES: "AllergyIntolerance",
    Kind.MEDICATION_ORDERS: "MedicationRequest",
    Kind.SERVICE_ORDERS: "ServiceRequest",
}
OBSERVATION = "Observation"
# what names its drug by a reference is read in part where those are
DRUGS_OF = dict.fromkeys(("MedicationAdministration", "MedicationRequest"), ("Medication", "Substance"))


def export_coverage(found: Grouped) -> dict[Kind, Coverage]:
    """The coverage of every kind of data, the same for all patients of an export."""
    return {kind: _of_type(TYPE_OF_KIND.get(kind, OBSERVATION), found) for kind in Kind}


def _of_type(name: str, found: Grouped) -> Coverage:
    if not found.types.get(name) and name not in found.asked:
        return Coverage(Completeness.UNREAD, f"the export holds no {name}", gap=Gap.NOT_SUPPLIED)
    failed = next(
        (one for one in (name, *DRUGS_OF.get(name, ())) if found.everything_failed or one in found.failed), None
    )
    if failed is None:
        return Coverage(Completeness.COMPLETE)
    why = f"the export says that not every {failed} could be written"
    return Coverage(Completeness.PART, why, gap=Gap.FAILED_AT_CLIENT)
