"""The data that the service asks for: keys, prefetch templates and searches from one list.

A template whose query changes gets a new key, because integrators type the templates in by hand.
"""

from __future__ import annotations

from dataclasses import dataclass

from fhir_mappings.codes.observed_sets import DEVICE_SETS
from fhir_mappings.codes.terminology import Terminology
from fhir_mappings.facts.analytes import ANALYTES
from fhir_mappings.facts.coverage import Kind

_CRS_DRUGS = (
    "car-t-product", "tocilizumab", "other-il6-blocker", "il1-blocker", "systemic-corticosteroid",
)  # fmt: skip


@dataclass(frozen=True)
class DataKey:
    """One prefetch key: the kind of data, and the search that gets it (the caller adds `patient`)."""

    key: str
    kind: Kind
    resource_type: str
    value_sets: tuple[str, ...] = ()
    fixed: tuple[tuple[str, str], ...] = ()
    sort: str | None = None
    count: int | None = None

    def params(self, terms: Terminology) -> tuple[tuple[str, str], ...]:
        """The parameter `code` and the fixed ones, as both template and search use them."""
        code = ((("code", code_list(terms, *self.value_sets)),)) if self.value_sets else ()
        return (*code, *self.fixed)

    def template(self, terms: Terminology) -> str:
        """The prefetch template, inside the legal subset of CDS Hooks."""
        if self.kind is Kind.PATIENT:
            return "Patient/{{context.patientId}}"
        params = [("patient", "{{context.patientId}}"), *self.params(terms)]
        params += [("_sort", self.sort)] if self.sort else []
        params += [("_count", str(self.count))] if self.count else []
        return f"{self.resource_type}?" + "&".join(f"{name}={value}" for name, value in params)


def asked_keys(terms: Terminology) -> tuple[DataKey, ...]:
    """The keys that have codes to ask for; `neuro` only if the site has its own codes."""
    return tuple(key for key in DATA_KEYS if not key.value_sets or terms.codes(*key.value_sets))


def code_list(terms: Terminology, *value_sets: str) -> str:
    """The text `system|code,system|code` of every code in some value sets, each once."""
    return ",".join(dict.fromkeys(f"{system}|{code}" for system, code in terms.codes(*value_sets)))


def _analyte_sets(kind: Kind) -> tuple[str, ...]:
    """The value sets of the analytes that are asked for together."""
    return tuple(analyte.value_set for analyte in ANALYTES if analyte.kind is kind)


DATA_KEYS: tuple[DataKey, ...] = (
    DataKey("patient", Kind.PATIENT, "Patient"),
    DataKey("il6Crp", Kind.IL6_CRP, "Observation", _analyte_sets(Kind.IL6_CRP), (), "-date", 500),
    DataKey("vitals", Kind.VITALS, "Observation",
            ("body-temperature", "blood-pressure-panel", "systolic-pressure", "mean-arterial-pressure"),
            (), "-date", 1000),
    DataKey("oxygen", Kind.OXYGEN, "Observation",
            ("oxygen-saturation", "oxygen-flow", "inhaled-oxygen-concentration", "oxygen-delivery-device",
             *(s for s in DEVICE_SETS if s != "room-air")),
            (), "-date", 1000),
    DataKey("weight", Kind.WEIGHT, "Observation", ("body-weight",), (), "-date", 10),
    DataKey("safetyLabs", Kind.SAFETY_LABS, "Observation",
            ("neutrophils", "platelets", "alanine-aminotransferase", "aspartate-aminotransferase"),
            (), "-date", 50),
    DataKey("recentAdministrations", Kind.ADMINISTRATIONS, "MedicationAdministration", (), (),
            "-effective-time", 500),
    DataKey("runningAdministrations", Kind.RUNNING, "MedicationAdministration", (),
            (("status", "in-progress,on-hold"),), None, 100),
    DataKey("crsDrugs", Kind.CRS_DRUGS, "MedicationAdministration", _CRS_DRUGS, (), None, 200),
    DataKey("cellTherapyProcedures", Kind.PROCEDURES, "Procedure", ("car-t-administration",)),
    DataKey("supportProcedures", Kind.SUPPORT_PROCEDURES, "Procedure",
            tuple(s for s in DEVICE_SETS if s != "room-air"), (("status", "in-progress"),)),
    DataKey("conditions", Kind.CONDITIONS, "Condition",
            ("coded-crs", "coded-icans", "car-t-history", "coded-infection")),
    DataKey("allergies", Kind.ALLERGIES, "AllergyIntolerance"),
    DataKey("microbiology", Kind.MICROBIOLOGY, "Observation",
            ("blood-culture", "urine-culture", "viral-pcr", "chest-imaging", "complete-blood-count"),
            (), "-date", 50),
    DataKey("neuro", Kind.NEURO, "Observation", ("ice-score", "icans-grade"), (), "-date", 20),
    DataKey("activeMedicationOrders", Kind.MEDICATION_ORDERS, "MedicationRequest", (), (("status", "active"),)),
    DataKey("activeServiceOrders", Kind.SERVICE_ORDERS, "ServiceRequest", (), (("status", "active"),)),
    DataKey("lastingInfections", Kind.LASTING_INFECTIONS, "Condition", ("lasting-infection",)),
    DataKey("cytokines", Kind.CYTOKINES, "Observation", _analyte_sets(Kind.CYTOKINES), (), "-date", 200),
)  # fmt: skip


READ_TYPES = frozenset({*(key.resource_type for key in DATA_KEYS), "Medication"})


def prefetch_templates(terms: Terminology) -> dict[str, str]:
    """The map of key to query that every service offers as its templates."""
    return {key.key: key.template(terms) for key in asked_keys(terms)}
