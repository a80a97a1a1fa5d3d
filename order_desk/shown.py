"""The line that the desk shows for each story, and the orders that can be drafted for its patient."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from example_patients.stories.chart import LOINC, RXNORM, SNOMED, UCUM, Resource
from example_patients.stories.stories import drafted_ondansetron, drafted_tocilizumab

DEXAMETHASONE_MG = 10


@dataclass(frozen=True)
class Shown:
    """One line of what a story shows, and the label dose of tocilizumab for its patient's weight, in mg."""

    line: str
    tocilizumab_mg: int


SHOWN: Mapping[str, Shown] = {
    "1": Shown(
        "IL-6 hardly rises: early steroids are advised, tocilizumab is given twice, grade 4 follows.",
        560,
    ),
    "2": Shown("Still grade 2 after two doses of tocilizumab: steroids. Later the patient has died.", 440),
    "3": Shown("The study's case for tocilizumab: grade 2, and IL-6 more than fourfold.", 496),
    "4": Shown("No IL-6 of day 0: the rise is unknown, and the guideline decides.", 496),
    "5": Shown("Tocilizumab drafted at grade 1, while CRP says: look for infection.", 560),
    "6": Shown("Grade 3 on high-flow oxygen: a low IL-6 delays nothing.", 560),
    "7": Shown("A day after the first dose: IL-6 no longer counts, the one before it does.", 560),
    "8": Shown("A second dose drafted too soon after the first.", 560),
    "9": Shown("A fifth dose drafted: four are the most.", 560),
    "10": Shown("Neurotoxicity (ICANS 2) outweighs CRS grade 1.", 560),
    "11": Shown("38.0 °C, 6 L/min, IL-6 4.00×: each limit is met exactly.", 496),
    "12": Shown("No fever after tocilizumab is no reassurance.", 560),
    "13": Shown("SpO2 88 % at 100.3 °F: hypoxia without fever is not CRS by the grading.", 560),
    "13f": Shown("A tenth of a degree more: fever, and grade 2.", 560),
    "14": Shown("A child: SBP 85 is low at 8 years, and the dose is 12 mg/kg.", 300),
    "14n": Shown("A child: SBP 86 is not low at 8 years.", 300),
    "15": Shown("A product with guidance of its own: tocilizumab may come before grade 2.", 560),
    "16": Shown("Tocilizumab for arthritis: not a patient of this service, and it keeps silent.", 560),
}


def order_templates(patient_id: str, tocilizumab_mg: int) -> dict[str, Resource]:
    """The orders to draft, by the label of their button. The browser gives each draft its id and its time."""
    anew = datetime(2026, 1, 1, tzinfo=UTC)
    return {
        f"Tocilizumab {tocilizumab_mg} mg IV": drafted_tocilizumab(patient_id, tocilizumab_mg, anew),
        f"Dexamethasone {DEXAMETHASONE_MG} mg IV": _dexamethasone(patient_id),
        "Blood culture": _blood_culture(patient_id),
        # not paracetamol: an antipyretic hides the fever that the grade rests on
        "Ondansetron (unrelated)": drafted_ondansetron(patient_id, anew),
    }


def _draft(resource_type: str, patient_id: str) -> Resource:
    subject = {"reference": f"Patient/{patient_id}"}
    return {"resourceType": resource_type, "status": "draft", "intent": "order", "subject": subject}


def _dexamethasone(patient_id: str) -> Resource:
    quantity = {"value": DEXAMETHASONE_MG, "unit": "mg", "system": UCUM, "code": "mg"}
    route = {"coding": [{"system": SNOMED, "code": "47625008", "display": "Intravenous route"}]}
    return {
        **_draft("MedicationRequest", patient_id),
        "medicationCodeableConcept": {
            "coding": [{"system": RXNORM, "code": "3264", "display": "dexamethasone"}],
            "text": f"dexamethasone {DEXAMETHASONE_MG} mg IV",
        },
        "dosageInstruction": [{"route": route, "doseAndRate": [{"doseQuantity": quantity}]}],
    }


def _blood_culture(patient_id: str) -> Resource:
    coding = {"system": LOINC, "code": "600-7", "display": "Bacteria identified in Blood by culture"}
    return {**_draft("ServiceRequest", patient_id), "code": {"coding": [coding], "text": "Blood culture"}}
