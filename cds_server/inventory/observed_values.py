"""The values of Observations that the service could not use, by the readers of each value set."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from fhir_mappings.caution import SAFETY_LABS, safety_readings
from fhir_mappings.codes.observed_sets import MEASURE_OF_SET
from fhir_mappings.facts.analytes import ANALYTES
from fhir_mappings.facts.coverage import SetAside
from fhir_mappings.lab_series import lab_series
from fhir_mappings.neurotoxicity import NO_SCORE, SCORES, charted_icans
from fhir_mappings.observations import Observed
from fhir_mappings.vital_signs import readings

_ANALYTES = {analyte.value_set: analyte for analyte in ANALYTES}
_SAFETY = frozenset(set_id for _, set_id in SAFETY_LABS)
PatientOf = Callable[[str], int | None]
"""The patient of a reference, by number."""


def reasons_by_reference(
    set_id: str, observed: tuple[Observed, ...], as_of: datetime, patient_of: PatientOf
) -> Mapping[str, str]:
    """The reasons why Observations of one value set are set aside, by reference."""
    if set_id in _ANALYTES:
        by_patient: dict[int | None, list[Observed]] = defaultdict(list)
        for o in observed:
            by_patient[patient_of(o.reference)].append(o)
        series = (lab_series(own, _ANALYTES[set_id]) for own in by_patient.values())
        return _reasons(bad for one in series for bad in one.unusable)
    if set_id in SCORES:
        return {o.reference: NO_SCORE for o in observed if not says_absent(o) and charted_icans(o, set_id) is None}
    if set_id not in MEASURE_OF_SET:
        return {}
    read = safety_readings if set_id in _SAFETY else readings
    return _reasons(read(observed, MEASURE_OF_SET[set_id], as_of)[1])


def _reasons(set_aside: Iterable[SetAside]) -> Mapping[str, str]:
    return {one.reference: one.why for one in set_aside}


def says_absent(o: Observed) -> bool:
    """Tell whether an Observation has no value and says why."""
    return o.absent and o.quantity is None and not o.text


def does_not_count(o: Observed, set_id: str) -> str:
    """The reason why a result is neither read nor set aside: it says that it is absent, or is not final where only
    final ones count; "" where it is one of the two."""
    if says_absent(o):
        return "dataAbsentReason"
    return o.status if set_id in _SAFETY and o.status == "preliminary" else ""
