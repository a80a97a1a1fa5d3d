"""The drugs that a card asks for, with their doses, as a summary and the first line of a card say them."""

from __future__ import annotations

from cards.deciding.dose_check import tocilizumab_dose
from cards.deciding.steroids.regimen import Regimen, prescription
from cards.deciding.tocilizumab_gate import SAID_BESIDE_ADVICE, Bar, Gate, tocilizumab_gate
from cards.orders.steroid_words import capital, often
from cards.sentences.numbers_and_times import InWords, number, when, with_thousands
from cards.sentences.phrases import phrase
from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.facts.thresholds import Thresholds


def toci_words(facts: PatientFacts, t: Thresholds) -> str:
    """`tocilizumab 496 mg IV`, also where it is drafted; else what the dose lacks, or what bars it."""
    gate = tocilizumab_gate(facts, t)
    if gate.bar in SAID_BESIDE_ADVICE:
        return barred_words(facts, gate, t)
    how = gate.bar or "dose"
    return phrase("toci", "no weight" if how is Bar.WEIGHT_UNREAD else how, mg=_mg(facts, t))


def toci_beginning(facts: PatientFacts, t: Thresholds) -> str:
    """The same as the beginning of a sentence, with the weight that the dose is for."""
    weight = facts.weight if tocilizumab_gate(facts, t).bar is None else None
    kg = number(weight.kg) if weight is not None else ""
    return capital(toci_words(facts, t)) + phrase("of_weight", "known" if weight is not None else "not known", kg=kg)


def _mg(facts: PatientFacts, t: Thresholds) -> str:
    return str(tocilizumab_dose(facts.weight, t)) if facts.weight is not None else ""


def barred_words(facts: PatientFacts, gate: Gate, t: Thresholds) -> str:
    opens = when(facts.local(gate.opens)) if gate.opens is not None else ""
    return phrase("barred", gate.bar or "", opens=opens, number=gate.doses, t=InWords(t))


def steroid_words(facts: PatientFacts, regimen: Regimen | None, t: Thresholds) -> str:
    """The corticosteroid of the answer: all cards name the same one."""
    asked = prescription(regimen or Regimen.DEXAMETHASONE_SEVERE, t)
    return phrase("steroid", _age_group(facts, t), drug=asked.drug, mg=with_thousands(asked.mg), often=often(asked))


def _age_group(facts: PatientFacts, t: Thresholds) -> str:
    if facts.age is None:
        return "age unknown"
    return "child" if facts.age.years < t.adult_age else "adult"
