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
    why = next(filter(None, (_gap(one, found) for one in (name, *DRUGS_OF.get(name, ())))), "")
    if not why:
        return Coverage(Completeness.COMPLETE)
    return Coverage(Completeness.PART, why, gap=Gap.FAILED_AT_CLIENT)


def _gap(name: str, found: Grouped) -> str:
    """The reason why a type is there in part; "" where it is not."""
    if found.everything_failed or name in found.failed:
        return f"the export says that not every {name} could be written"
    if found.anything_cut or name in found.cut:
        return f"a file of the export that holds {name}, or may hold it, is cut off or damaged"
    return ""
