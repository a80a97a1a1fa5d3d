"""The check of a drafted corticosteroid in words."""

from __future__ import annotations

from cards.deciding.offer import ordered_at
from cards.deciding.steroids.check import Second, SteroidFault, TooMuch, steroid_faults
from cards.orders.steroid_words import capital, due_words, running_words
from cards.sentences.numbers_and_times import number
from cards.sentences.phrases import phrase
from cards.wording.context import WordingContext
from fhir_mappings.facts.treatment import DraftOrder, PendingOrder


def of_steroid_check(x: WordingContext) -> dict[str, str]:
    """The placeholders about the check of a drafted corticosteroid."""
    words = dict.fromkeys(_words(fault, x) for fault in steroid_faults(x.facts, x.drafts, x.regimen, x.t))
    return {"steroid_fault": next(iter(words), ""), "steroid_faults": " ".join(f"{w}." for w in words)}


def _words(fault: SteroidFault, x: WordingContext) -> str:
    drug = _drug(fault.draft)
    if isinstance(fault, TooMuch):
        variant = "most" if fault.kg is None else "most child"
        kg = number(fault.kg) if fault.kg is not None else ""
        return phrase("steroid_fault", variant, drug=capital(drug), mg=number(fault.mg), most=number(fault.most), kg=kg)
    return _second(fault, drug, x)


def _second(fault: Second, drug: str, x: WordingContext) -> str:
    if fault.given is not None:
        given = due_words(running_words(fault.given, x.facts), fault.due, x.facts, is_due=False)
        return phrase("steroid_fault", "given", given=capital(given), drug=drug)
    if fault.ordered is not None:
        at = ordered_at(x.facts, fault.ordered.authored)
        return phrase("steroid_fault", "ordered", other=capital(_drug(fault.ordered)), at=at, drug=drug)
    other = capital(_drug(fault.beside)) if fault.beside is not None else ""
    return phrase("steroid_fault", "drafted", other=other, drug=drug)


def _drug(order: DraftOrder | PendingOrder) -> str:
    return order.drug.ingredient if order.drug is not None else ""
