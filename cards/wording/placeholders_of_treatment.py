"""The values of doses, bars, regimens and products behind the `{names}` in `wording`."""

from __future__ import annotations

from cards.deciding.card import Suggestion
from cards.deciding.decision_table import CardId
from cards.deciding.steroids.regimen import Regimen, is_no_better, prescription
from cards.deciding.steroids.state import steroid_state
from cards.deciding.tocilizumab_gate import SAID_BESIDE_ADVICE, Gate, tocilizumab_gate
from cards.deciding.verdict import Category
from cards.deciding.when_to_show import Planned
from cards.orders.steroid_words import capital, given_words, often
from cards.sentences.escaping import escaped, escaped_words
from cards.sentences.numbers_and_times import InWords, duration, number, when
from cards.sentences.phrases import phrase
from cards.sentences.set_aside_words import not_used
from cards.wording.context import WordingContext
from fhir_mappings.facts.grade import is_better
from fhir_mappings.facts.sought import NEUTROPHILS, counts_set_aside


def of_doses(x: WordingContext, suggestions: tuple[Suggestion, ...]) -> dict[str, str]:
    history, facts = x.facts.tocilizumab, x.facts
    count = len(history.doses)
    starts = history.safety_starts
    next_dose = when(facts.local(max(starts) + x.t.dose_interval)) if starts else "now"
    offered = next((s for s in suggestions if s.order_key == "tocilizumab" and s.action == "create"), None)
    dose = f" ({offered.mg} mg)" if offered else ""
    again = f" as dose {count + 1}" if count else ""
    least = "" if history.history_complete else "at least "
    anc = facts.labs.neutrophils
    lost = not_used(facts, counts_set_aside(facts, NEUTROPHILS, x.t), escaped)
    return {
        "doses_given": f"{least}{count} doses",
        "doses": f"{least}{count} dose{'' if count == 1 else 's'}",
        "dose": f"{dose}{again}",
        "second": again,
        "since_last": f"{duration(facts.as_of - max(starts))} ago" if starts else "not given",
        "since_dose_2": duration(facts.as_of - history.doses[1].start) if count >= 2 else "",
        "next_dose": next_dose,
        **_of_progress(x, next_dose),
        "neutrophils": phrase(
            "neutrophils",
            "known" if anc else "not used" if lost else "unknown",
            count=number(anc.value) if anc else "",
            lost=lost,
            t=InWords(x.t),
        ),
    }


def _of_progress(x: WordingContext, next_dose: str) -> dict[str, str]:
    """The words on the course of CRS since the doses of tocilizumab."""
    facts, t = x.facts, x.t
    doses = facts.tocilizumab.doses
    since = facts.as_of - doses[1].start if len(doses) > 1 else None
    how = "first"
    if since is not None:
        how = "progressed" if facts.progressed else "persists" if since >= t.dose_interval else "early"
    better = (
        since is not None
        and t.dose_interval <= since < t.better_after_dose
        and is_better(x.grade, facts.grade_at_dose_2)
    )
    at = when(facts.local(doses[1].start + t.better_after_dose)) if better else next_dose
    return {
        "severe_after": phrase("severe_after", how),
        "severe_since": phrase("severe_since", how, since_dose_2=duration(since) if since is not None else ""),
        "no_better": phrase("no_better", "yes" if is_no_better(facts, t) else "no", t=InWords(t)),
        "better": phrase("better", "yes" if better else "no"),
        "Better": phrase("Better", "yes" if better else "no"),
        "reassess_at": at,
    }


def of_offers(x: WordingContext, planned: Planned) -> dict[str, str]:
    """The words about offers, which must not promise what the orders below them refuse."""
    gate = tocilizumab_gate(x.facts, x.t)
    bar = gate.bar in SAID_BESIDE_ADVICE and any(offer.key == "tocilizumab" for offer in planned.offers)
    late = planned.id is CardId.SEVERE_CRS and not planned.offers
    low = x.found.il6.category is Category.LOW
    given, beginning = _given(x)
    values = {
        "given": given,
        "Given": beginning,
        "delay": phrase("delay", "low" if low else "other"),
        "il6_sample": phrase("il6_sample", "yes" if any(o.beside and o.suggestion for o in planned.offers) else "no"),
        "barred": _barred_words(x, gate) if bar else "",
        "regimen": _regimen(x),
    }
    state = ("barred" if bar else "now") + (", given" if given else "")
    possible = "barred" if bar else "yes"
    allergic = x.facts.tocilizumab_hypersensitivity is not None
    again = "second" if len(x.facts.tocilizumab.doses) >= min(2, int(x.t.doses_max)) else "first"
    return {
        "il6_sample": values["il6_sample"],
        "severe_what": phrase("severe_what", "late" if late else state, **values),
        "severe_do": phrase("severe_do", state, **values),
        "recommended": phrase("recommended", possible, **values),
        "by_guideline": phrase("by_guideline", possible, **values),
        "guideline_option": phrase("guideline_option", "barred" if bar else "open", **values),
        "consider": phrase("consider", "given" if given else "none", **values),
        "consider_early": phrase("consider_early", "given" if given else "none", **values),
        "then": phrase("then", "allergic" if allergic else again),
    }


def _barred_words(x: WordingContext, gate: Gate) -> str:
    opens = when(x.facts.local(gate.opens)) if gate.opens is not None else ""
    return phrase("barred", gate.bar or "", opens=opens, number=gate.doses, t=InWords(x.t))


def product_treated_early(x: WordingContext) -> str:
    """The product of the course whose guidance treats early; "" if there is none."""
    course = x.facts.course
    return escaped_words(next((i.product for i in course.infusions if i.treated_early), "")) if course else ""


def _age_group(x: WordingContext) -> str:
    if x.facts.age is None:
        return "age unknown"
    return "child" if x.facts.age.years < x.t.adult_age else "adult"


def _regimen(x: WordingContext) -> str:
    """The corticosteroid of the answer: all cards name the same one."""
    asked = prescription(x.regimen or Regimen.DEXAMETHASONE_SEVERE, x.t)
    return phrase("regimen", _age_group(x), drug=asked.drug, mg=number(asked.mg), often=often(asked))


def _given(x: WordingContext) -> tuple[str, str]:
    """The corticosteroid that is running, as part and as beginning of a sentence; "" if none is."""
    if x.regimen is None:
        return "", ""
    words = given_words(steroid_state(x.facts, x.drafts, x.regimen, x.t), x.facts)
    return words, capital(words)
