"""The value sets by which Observations are sorted, and the kind of data that each of them holds."""

from __future__ import annotations

from collections.abc import Mapping

from fhir_mappings.facts.analytes import ANALYTES
from fhir_mappings.facts.coverage import Kind
from fhir_mappings.facts.measures import Measure
from fhir_mappings.facts.signs import Device

DEVICE_OF_SET: Mapping[str, Device] = {
    "room-air": Device.ROOM_AIR,
    "low-flow-oxygen": Device.CANNULA,
    "blow-by-oxygen": Device.BLOW_BY,
    "high-flow-oxygen": Device.MASK_OR_HIGH_FLOW,
    "cpap-bipap": Device.CPAP_BIPAP,
    "home-cpap": Device.HOME_CPAP,
    "mechanical-ventilation": Device.VENTILATOR,
}
DEVICE_SETS = tuple(DEVICE_OF_SET)
# what only a Procedure, or the value of an Observation, is coded as: no search for Observations asks for it
DEVICE_OF_PROCEDURE: Mapping[str, Device] = {**DEVICE_OF_SET, "ventilation-procedure": Device.VENTILATOR}
ROW_NOT_KNOWN = "respiratory-row-not-known"


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

# the quantity that an Observation of a value set states
MEASURE_OF_SET: Mapping[str, Measure] = {
    **{analyte.value_set: analyte.measure for analyte in ANALYTES},
    "body-temperature": Measure.TEMPERATURE,
    "systolic-pressure": Measure.PRESSURE,
    "mean-arterial-pressure": Measure.PRESSURE,
    "oxygen-saturation": Measure.SATURATION,
    "oxygen-flow": Measure.FLOW,
    "inhaled-oxygen-concentration": Measure.FIO2,
    "body-weight": Measure.WEIGHT,
    "neutrophils": Measure.COUNT,
    "platelets": Measure.COUNT,
    "alanine-aminotransferase": Measure.ENZYME,
    "aspartate-aminotransferase": Measure.ENZYME,
}
