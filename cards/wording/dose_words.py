"""The drugs that a card asks for, with their doses, as a summary and the first line of a card say them."""

from __future__ import annotations

from cards.deciding.dose_check import tocilizumab_dose
from cards.deciding.steroids.regimen import Regimen, prescription
from cards.deciding.tocilizumab_gate import SAID_BESIDE_ADVICE, Bar, Gate, tocilizumab_gate
from cards.orders.steroid_words import capital, often
from cards.sentences.numbers_and_times import InWords, number, when, with_thousands
from cards.sentences.phrases import phrase
from cards.wording.context import WordingContext


def toci_words(x: WordingContext) -> str:
    """`tocilizumab 496 mg IV`, also where it is drafted; else what the dose lacks, or what bars it."""
    gate = tocilizumab_gate(x.facts, x.t)
    if gate.bar in SAID_BESIDE_ADVICE:
        return barred_words(x, gate)
    how = gate.bar or "dose"
    return phrase("toci", "no weight" if how is Bar.WEIGHT_UNREAD else how, mg=_mg(x))


def toci_beginning(x: WordingContext) -> str:
    """The same as the beginning of a sentence, with the weight that the dose is for."""
    weight = x.facts.weight if tocilizumab_gate(x.facts, x.t).bar is None else None
    kg = number(weight.kg) if weight is not None else ""
    return capital(toci_words(x)) + phrase("of_weight", "known" if weight is not None else "not known", kg=kg)


def _mg(x: WordingContext) -> str:
    return str(tocilizumab_dose(x.facts.weight, x.t)) if x.facts.weight is not None else ""


def barred_words(x: WordingContext, gate: Gate) -> str:
    opens = when(x.facts.local(gate.opens)) if gate.opens is not None else ""
    return phrase("barred", gate.bar or "", opens=opens, number=gate.doses, t=InWords(x.t))


def steroid_words(x: WordingContext) -> str:
    """The corticosteroid of the answer: all cards name the same one."""
    asked = prescription(x.regimen or Regimen.DEXAMETHASONE_SEVERE, x.t)
    return phrase("steroid", _age_group(x), drug=asked.drug, mg=with_thousands(asked.mg), often=often(asked))


def _age_group(x: WordingContext) -> str:
    if x.facts.age is None:
        return "age unknown"
    return "child" if x.facts.age.years < x.t.adult_age else "adult"
