"""The checks of a drafted tocilizumab or corticosteroid in words."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from cards.deciding.dose_check import DoseFault, differing, dose_faults, drafted_mg, tocilizumab_dose
from cards.deciding.drafts import counted_starts, drafted, uncharted_tocilizumab
from cards.deciding.offer import ordered_at
from cards.deciding.steroids.check import Second, SteroidFault, TooMuch, steroid_faults
from cards.deciding.tocilizumab_gate import weight_is_unread
from cards.orders.steroid_words import capital, due_words, running_words
from cards.sentences.escaping import escaped
from cards.sentences.numbers_and_times import InWords, duration, number, when
from cards.sentences.phrases import phrase
from cards.sentences.set_aside_words import weight_unread
from cards.sentences.treatment_words import weight_doubt
from cards.wording.context import WordingContext
from cards.wording.grade_words import zero_words
from fhir_mappings.facts.treatment import DraftOrder, DrugClass, PendingOrder


def of_draft_checks(x: WordingContext) -> dict[str, str]:
    """The placeholders about the checks of a drafted tocilizumab."""
    facts = x.facts
    starts = counted_starts(facts, x.drafts)
    last = max(starts, default=facts.as_of)
    given = ", ".join(when(facts.local(s)) for s in facts.tocilizumab.safety_starts) or "none"
    least = "" if facts.tocilizumab.history_complete else "at least "
    pending = [
        f"ordered{ordered_at(facts, o.authored)}, not yet charted" for o in uncharted_tocilizumab(facts, x.drafts)
    ]
    beside = len(starts) - len(facts.tocilizumab.safety_starts) - len(pending)
    pending += ["another draft in this call"] * beside
    return {
        "counted": f"Doses of tocilizumab of this course and the last {InWords(x.t).dose_lookback}: {least}{given}"
        + (f"; {'; '.join(pending)}" if pending else ""),
        "counted_last": "beside another order" if last == facts.as_of and pending else _after(last, facts.as_of),
        "counted_next": when(facts.local(last + x.t.dose_interval)),
        "counted_number": f"{least}{len(starts)} doses",
        **_of_dose(x),
        "zero": zero_words(x.grade) if x.grade.grade == 0 else "",
    }


def _of_dose(x: WordingContext) -> dict[str, str]:
    """The placeholders about the drafted dose; its faults stand with the most important first."""
    t, weight = x.t, x.facts.weight
    words: list[str] = []
    for draft in drafted(x.drafts, DrugClass.TOCILIZUMAB):
        words += [_fault_words(fault, draft, x) for fault in dose_faults(draft, x.facts, t)]
    words = list(dict.fromkeys(words))
    tiers = (
        f"{number(t.toci_per_kg)} mg/kg from {number(t.toci_light_below)} kg, {number(t.toci_per_kg_light)} mg/kg below"
    )
    label = f"{tiers}, at most {number(t.toci_max)} mg"
    if weight is not None:
        label += f"; at {number(weight.kg)} kg ({when(x.facts.local(weight.at))}) {tocilizumab_dose(weight, t)} mg"
    return {
        "dose_fault": words[0] if words else "",
        "dose_faults": " ".join(f"{w[0].upper()}{w[1:]}." for w in words),
        "label_dose": label,
    }


_FAULTS = {
    DoseFault.UNDER_AGE: "under age",
    DoseFault.NOT_INTRAVENOUS: "route",
    DoseFault.ABOVE_MAXIMUM: "maximum",
    DoseFault.OTHER_TIER: "tier",
    DoseFault.OFF: "off",
    DoseFault.DIFFERS: "differs",
    DoseFault.ABOVE_PER_KG: "per kg",
    DoseFault.IMPLAUSIBLE_WEIGHT: "implausible weight",
    DoseFault.NO_WEIGHT: "no weight",
    DoseFault.NOT_READABLE: "not readable",
    DoseFault.REPEATS: "repeats",
}


def _fault_words(fault: DoseFault, draft: DraftOrder, x: WordingContext) -> str:
    t, weight, mg = x.t, x.facts.weight, drafted_mg(draft, x.facts)
    unread = fault is DoseFault.NO_WEIGHT and weight_is_unread(x.facts, t)
    said = escaped(", ".join(draft.dose.said))
    return phrase(
        "dose_fault",
        "weight unread" if unread else _FAULTS[fault],
        dose=f"{number(mg.quantize(Decimal(1)))} mg" if mg is not None else "the dose",
        by_weight=f"{tocilizumab_dose(weight, t)} mg for {number(weight.kg)} kg" if weight is not None else "",
        percent=number(t.dose_off * 100),
        ways=escaped(", ".join(differing(draft.dose, x.facts, t, most=t.toci_max))),
        said=f' ("{said}")' if said else "",
        weight_unread=weight_unread(x.facts, t, escaped),
        weights=weight_doubt(x.facts),
        t=InWords(t),
    )


def _after(then: datetime, now: datetime) -> str:
    return f"{duration(now - then)} after the last dose started"


def of_steroid_check(x: WordingContext) -> dict[str, str]:
    """The placeholders about the check of a drafted corticosteroid."""
    words = dict.fromkeys(_steroid_words(fault, x) for fault in steroid_faults(x.facts, x.drafts, x.regimen, x.t))
    said = " ".join([*(f"{w}." for w in words), phrase("steroid_fault", "do")])
    return {"steroid_fault": next(iter(words), ""), "steroid_faults": said}


def _steroid_words(fault: SteroidFault, x: WordingContext) -> str:
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
