"""The orders that cards suggest, as complete FHIR resources: the parts they share, and tests, cultures, imaging."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from cards.deciding.card import Suggestion
from cards.deciding.decision_table import Order
from cards.deciding.drafts import is_ordered
from cards.deciding.offer import Offer
from cards.deciding.steroids.regimen import Regimen
from cards.sentences.numbers_and_times import InWords
from cards.sentences.phrases import phrase
from fhir_mappings.codes.code_systems import LOCAL
from fhir_mappings.codes.terminology import Concept, Terminology
from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.facts.treatment import DraftOrder

CRS = "Cytokine release syndrome after CAR-T cells"
UCUM = "http://unitsofmeasure.org"
INTRAVENOUS = {"coding": [{"system": "http://snomed.info/sct", "code": "47625008", "display": "Intravenous route"}]}


STEROIDS = ("dexamethasone", "methylprednisolone")
SERVICES: Mapping[Order, str] = {
    Order.BLOOD_CULTURE: "blood-culture",
    Order.URINE_CULTURE: "urine-culture",
    Order.BLOOD_COUNT: "complete-blood-count",
    Order.CRP: "c-reactive-protein",
    Order.CHEST_IMAGING: "chest-imaging",
    Order.IL6: "interleukin-6",
}
# every order that a card may suggest, by the name under which a site gives its own codes
ORDER_NAMES = ("tocilizumab", *STEROIDS, *SERVICES.values())


@dataclass(frozen=True)
class Ordering:
    """The input of an order: the patient's facts, the drafts, codes and numbers."""

    facts: PatientFacts
    drafts: tuple[DraftOrder, ...]
    patient_id: str
    terms: Terminology
    t: Thresholds
    regimen: Regimen | None = None  # the strongest corticosteroid that any card of the answer asks for


def ordered_concept(name: str, terms: Terminology) -> Concept:
    """The code that an order of ORDER_NAMES carries."""
    if name in STEROIDS:
        steroids = terms.value_sets["systemic-corticosteroid"]
        return next(c for c in steroids if c.ingredient == name and c.system != LOCAL)
    return terms.first(name)


def without_empties(value: Any) -> Any:
    """A copy of a client's JSON without null, "", {} and [], which no answer of CDS Hooks may hold."""
    if isinstance(value, Mapping):
        cleaned = {k: without_empties(v) for k, v in value.items()}
        return {k: v for k, v in cleaned.items() if v not in (None, "", {}, [])}
    if isinstance(value, list):
        return [v for v in map(without_empties, value) if v not in (None, "", {}, [])]
    return value


def single_dose(dose: Decimal) -> Mapping[str, Any]:
    quantity = {"value": int(dose), "unit": "mg", "system": UCUM, "code": "mg"}
    return {"doseAndRate": [{"doseQuantity": quantity}]}


def medication_request(
    order: Ordering, concept: Concept, text: str, dosage: Mapping[str, Any], note: str, reason: str = CRS
) -> Mapping[str, Any]:
    coding = {"system": concept.system, "code": concept.code, "display": concept.display}
    return {
        "resourceType": "MedicationRequest",
        "status": "draft",
        "intent": "order",
        "medicationCodeableConcept": {"coding": [coding], "text": text},
        "subject": {"reference": f"Patient/{order.patient_id}"},
        "authoredOn": order.facts.local(order.facts.as_of).isoformat(timespec="seconds"),
        "reasonCode": [{"text": reason}],
        "note": [{"text": note}],
        "dosageInstruction": [dict(dosage)],
    }


def service_offer(order: Ordering, set_id: str) -> Offer:
    """The offer of a test, culture or image as ServiceRequest, unless it is ordered, drafted or was done of late."""
    facts, terms = order.facts, order.terms
    key = f"service:{set_id}"
    concept = ordered_concept(set_id, terms)
    name = terms.titles[set_id]
    if is_ordered(facts, order.drafts, set_id):
        active = is_ordered(facts, (), set_id)
        return Offer(key, None, phrase("order", "test ordered", name=name), in_hand=True, done=active)
    if set_id in facts.done_recently and set_id != "interleukin-6":
        return Offer(key, None, phrase("order", "test done", name=name, t=InWords(order.t)), in_hand=True, done=True)
    resource = {
        "resourceType": "ServiceRequest",
        "status": "draft",
        "intent": "order",
        "code": {
            "coding": [{"system": concept.system, "code": concept.code, "display": concept.display}],
            "text": name,
        },
        "subject": {"reference": f"Patient/{order.patient_id}"},
        "authoredOn": facts.local(facts.as_of).isoformat(timespec="seconds"),
        "reasonCode": [{"text": CRS}],
    }
    return Offer(key, Suggestion(name, f"Order {name}", resource, key))


Coding = Mapping[str, str]


OrderCodings = Mapping[tuple[str, str], Sequence[Coding]]
