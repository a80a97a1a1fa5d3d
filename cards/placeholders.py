"""The values behind the `{names}` in `wording`: one patient's, as text that is safe in Markdown."""

from __future__ import annotations

from cards.card import Suggestion
from cards.caution_words import of_caution
from cards.decision_table import CardId
from cards.draft_check_words import of_draft_checks
from cards.evidence import (
    bullets,
    drivers,
    escaped_words,
    fever_line,
    fold_short,
    fold_text,
    grade_text,
    missing,
    reason_words,
)
from cards.shown import InWords, number, when
from cards.situation import product_window
from cards.state_lines import state_lines
from cards.steroid_order import wants_methylprednisolone
from cards.texts import Texts
from cards.tocilizumab_order import interval_ends
from cards.verdict import Category
from cards.when_to_speak import Planned
from fhir_mappings.clinical_facts import CrsGrade, FoldChange, Reason, hours_ago
from fhir_mappings.thresholds import Thresholds


def placeholders(
    x: Texts, planned: Planned, suggestions: tuple[Suggestion, ...], notes: tuple[str, ...]
) -> dict[str, object]:
    """Every placeholder of `wording`, for one card."""
    return {
        **_of_grade(x),
        **_of_labs(x),
        **_of_doses(x, suggestions),
        **_of_doubts(x),
        **_of_offers(x, planned),
        **of_draft_checks(x),
        **of_caution(x),
        **_of_product(x),
        "t": InWords(x.t),
        "offers": escaped_words(" ".join(notes)),
        "state": bullets(state_lines(x)) if planned.id is CardId.CRS_GRADE else "",
    }


def _of_grade(x: Texts) -> dict[str, str]:
    grade, course = x.grade, x.facts.course
    words = grade_text(grade)
    why = escaped_words(drivers(grade)) or f"fever in the last {InWords(x.t).fever_window}"
    not_known = missing(grade, x.t)
    late = " Late after the last fever: infection, bleeding, heart first." if "late_after_waiver" in grade.flags else ""
    severe = "ICU and sepsis work-up now." if grade.provisional >= 3 else "Look for infection and other causes."
    provisional = ""
    if grade.grade is None and grade.provisional > 0:
        provisional = f" What is charted would be grade {grade.provisional} if this is CRS."
    return {
        "grade": words,
        "Grade": words[0].upper() + words[1:],
        "drivers": why,
        "day": str(course.day if course else ""),
        "fever": fever_line(grade, x.facts, x.t),
        "provisional": str(grade.provisional),
        "provisional_words": provisional,
        "late": late,
        "severe_work_up": severe,
        "missing": escaped_words("; ".join(not_known)) or "nothing that could raise the grade",
        "missing_short": "; ".join(not_known) or "nothing",
        "grade_unknown": _grade_unknown(grade),
        "fever_alone": _fever_alone(grade),
        "persists": "has progressed" if x.facts.progressed else "persists",
    }


def _grade_unknown(grade: CrsGrade) -> str:
    if grade.grade == 0:
        return "CRS grade 0 on what could be read"
    if grade.grade is not None:
        return f"CRS {grade_text(grade)}, and may be higher"
    if grade.provisional > 0:
        return f"CRS cannot be graded (would be grade {grade.provisional})"
    return "CRS cannot be graded"


def _of_labs(x: Texts) -> dict[str, str]:
    il6, crp, t = x.facts.il6, x.facts.crp, x.t
    crp_words = "rose"
    if x.found.crp.after_tocilizumab and crp.fold_after_blockade is not None:
        crp_words = f"rose {fold_text(crp.fold_after_blockade, t.crp_fold)} after tocilizumab, which is not the " \
                    "paper's definition of a rise"  # fmt: skip
    elif crp.fold is not None:
        crp_words = f"rose {fold_text(crp.fold, t.crp_fold)} (limit {t.crp_fold})"
    return {
        "il6": fold_short(il6, x.found.il6, t.il6_fold),
        "il6_fold": _fold_or(il6, t),
        "il6_reason": reason_words(x.found.il6.reason or Reason.NO_PEAK, t),
        "crp": fold_short(crp, x.found.crp, t.crp_fold),
        "crp_fold": _crp_fold(crp, x),
        "crp_words": crp_words,
    }


def _fold_or(fold: FoldChange, t: Thresholds) -> str:
    return fold_text(fold.fold, t.il6_fold) if fold.fold is not None else "by an unknown factor"


def _crp_fold(crp: FoldChange, x: Texts) -> str:
    fold = crp.fold_after_blockade if x.found.crp.after_tocilizumab else crp.fold
    return fold_text(fold, x.t.crp_fold) if fold is not None else "by an unknown factor"


def _of_doses(x: Texts, suggestions: tuple[Suggestion, ...]) -> dict[str, str]:
    history, facts = x.facts.tocilizumab, x.facts
    count = len(history.doses)
    starts = history.safety_starts
    next_dose = when(facts.local(max(starts) + x.t.dose_interval)) if starts else "now"
    offered = next((s for s in suggestions if s.order_key == "tocilizumab"), None)
    dose = f" ({offered.resource['medicationCodeableConcept']['text'].split()[1]} mg)" if offered else ""
    again = f" as dose {count + 1}" if count else ""
    low_count = facts.labs.neutrophils
    return {
        "doses_given": f"{'' if history.history_complete else 'at least '}{count} doses",
        "doses": f"{'' if history.history_complete else 'at least '}{count} doses" if count != 1 else "1 dose",
        "dose": f"{dose}{again}",
        "second": again,
        "since_last": hours_ago(max(starts), facts.as_of) if starts else "not given",
        "since_dose_2": hours_ago(history.doses[1].start, facts.as_of).removesuffix(" ago") if count >= 2 else "",
        "next_dose": next_dose,
        "neutrophils": f"ANC {number(low_count.value)} ×10⁹/L"
        if low_count
        else f"no neutrophil count of {InWords(x.t).safety_labs_age}",
    }


def _of_offers(x: Texts, planned: Planned) -> dict[str, str]:
    """Words that must not promise what the orders below them refuse."""
    toci = next((o for o in planned.offers if o.key == "tocilizumab"), None)
    barred = toci is not None and toci.barred
    allergic = x.facts.tocilizumab_hypersensitivity is not None
    late = planned.id is CardId.SEVERE_CRS and not planned.offers
    delay = "IL-6 low does not delay" if x.found.il6.category is Category.LOW else "IL-6 must not delay"
    what, do = f"tocilizumab and corticosteroids now; {delay}", f"Tocilizumab and a corticosteroid now ({_regimen(x)})"
    if barred:
        what = f"corticosteroids now; {_barred_short(x)}"
        do = f"A corticosteroid now ({_regimen(x)})"
    if late:
        what = "outside the study window, look for infection first"
    second_next = len(x.facts.tocilizumab.doses) >= 2
    option = "Tocilizumab is the guideline option; either, or both."
    return {
        "severe_what": what,
        "severe_do": f"{do}; rapid taper once CRS settles.",
        "recommended": "not possible, hypersensitivity on record" if allergic else "recommended",
        "by_guideline": "not possible, hypersensitivity on record" if allergic else "by guideline",
        "guideline_option": f"Tocilizumab, the guideline option: {_barred_short(x)}." if barred else option,
        "then": "then corticosteroids if it persists" if second_next else "then a second dose if it persists",
    }


def _barred_short(x: Texts) -> str:
    facts, opens = x.facts, interval_ends(x.facts, x.t)
    if facts.tocilizumab_hypersensitivity:
        return "hypersensitivity to tocilizumab on record"
    if opens is not None:
        return f"tocilizumab not before {when(facts.local(opens))}"
    return f"{len(facts.tocilizumab.safety_starts)} doses of tocilizumab given: third line"


def _fever_alone(grade: CrsGrade) -> str:
    rows = (("blood pressure", grade.pressure), ("oxygen", grade.oxygen))
    unknown = [name for name, row in rows if row.unknown]
    if unknown:
        return f"fever; {' and '.join(unknown)} not known"
    return "fever without hypotension or hypoxia on record"


def _of_product(x: Texts) -> dict[str, str]:
    """Product guidance, and what grade 1 says of tocilizumab beside it."""
    facts, onset = x.facts, x.grade.onset
    infusion = product_window(facts, x.grade, x.t)
    why = ""
    if infusion is not None and onset is not None:
        why = f"fever began {hours_ago(infusion.start, onset).removesuffix(' ago')} after the infusion"
    if x.product_guidance:
        threshold = "see product guidance"
        words = "The study's threshold for tocilizumab is grade 2, but see product guidance."
    else:
        threshold = "the study threshold for tocilizumab is grade 2"
        words = (
            "The study's threshold for tocilizumab is grade 2; at grade 1 its duration was the same with and without."
        )
    child = facts.age is not None and facts.age.years < x.t.adult_age
    return {
        "product": escaped_words(infusion.product) if infusion else "",
        "product_why": why,
        "grade1_threshold": threshold,
        "grade1_tocilizumab": words,
        "icans_dose": "Dose per paediatric protocol."
        if child
        else f"Dexamethasone {x.t.dexamethasone_dose} mg every 6 h, up to 20 mg, for 1–3 days.",
    }


def _of_doubts(x: Texts) -> dict[str, str]:
    lines = x.doubts.lines
    first = lines[0] if lines else ""
    return {
        "data_short": first.rstrip("."),
        "data_doubts": bullets(list(lines)),
    }


def _regimen(x: Texts) -> str:
    t = x.t
    if x.facts.age is None or x.facts.age.years < t.adult_age:
        return "per paediatric protocol" if x.facts.age else "dose by age"
    if wants_methylprednisolone(x.facts):
        return f"methylprednisolone {t.methylprednisolone_dose} mg IV every 12 h"
    return f"dexamethasone {t.dexamethasone_dose} mg IV every 6 h"
