"""The value sets by which Observations are sorted, and the kind of data that each of them holds."""

from __future__ import annotations

from collections.abc import Mapping

from fhir_mappings.facts.analytes import ANALYTES
from fhir_mappings.facts.coverage import Kind

DEVICE_SETS = (
    "room-air", "low-flow-oxygen", "blow-by-oxygen", "high-flow-oxygen", "cpap-bipap", "home-cpap",
    "mechanical-ventilation",
)  # fmt: skip


KIND_OF_SET: Mapping[str, Kind] = {
    **{analyte.value_set: analyte.kind for analyte in ANALYTES},
    **dict.fromkeys(
        ("body-temperature", "systolic-pressure", "mean-arterial-pressure", "blood-pressure-panel"),
        Kind.VITALS,
    ),
    **dict.fromkeys(
        (
            "oxygen-saturation",
            "oxygen-flow",
            "inhaled-oxygen-concentration",
            "oxygen-delivery-device",
            *DEVICE_SETS,
        ),
        Kind.OXYGEN,
    ),
    "body-weight": Kind.WEIGHT,
    **dict.fromkeys(
        ("neutrophils", "platelets", "alanine-aminotransferase", "aspartate-aminotransferase"),
        Kind.SAFETY_LABS,
    ),
    **dict.fromkeys(
        ("blood-culture", "urine-culture", "viral-pcr", "chest-imaging", "procalcitonin", "urinalysis"),
        Kind.MICROBIOLOGY,
    ),
    **dict.fromkeys(("ice-score", "icans-grade"), Kind.NEURO),
}
