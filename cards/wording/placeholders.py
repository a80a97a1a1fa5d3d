"""The values behind the `{names}` in `wording`: one patient's, as text that is safe in Markdown."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from cards.deciding.card import Suggestion
from cards.deciding.decision_table import CardId
from cards.deciding.offer import wants_methylprednisolone
from cards.deciding.situation import in_24_h, product_window
from cards.deciding.tocilizumab_gate import interval_ends
from cards.deciding.verdict import Category
from cards.deciding.when_to_show import Planned
from cards.sentences.escaping import escaped_words
from cards.sentences.numbers_and_times import InWords, number, when
from cards.sentences.phrases import phrase
from cards.sentences.reasons import reason_words
from cards.wording.caution_words import of_caution
from cards.wording.context import Texts
from cards.wording.draft_check_words import of_draft_checks
from cards.wording.evidence import bullets, drivers, fever_line, grade_text, missing
from cards.wording.fold_words import fold_short, fold_text
from cards.wording.state_lines import state_lines
from fhir_mappings.facts.grade import CrsGrade
from fhir_mappings.facts.labs import Reason
from fhir_mappings.facts.time_and_range import Interval, hours_ago


def placeholders(
    x: Texts, planned: Planned, suggestions: tuple[Suggestion, ...], notes: tuple[str, ...]
) -> dict[str, object]:
    """What stands for every ⟨name⟩ in `wording`, for one card."""
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
    doubtful = grade.grade is None and grade.provisional > 0
    return {
        "grade": words,
        "Grade": words[0].upper() + words[1:],
        "drivers": why,
        "day": str(course.day if course else ""),
        "fever": fever_line(grade, x.facts, x.t),
        "provisional": str(grade.provisional),
        "provisional_words": phrase("provisional_words", "some" if doubtful else "none", provisional=grade.provisional),
        "late": phrase("late", "yes" if "late_after_waiver" in grade.flags else "no"),
        "severe_work_up": phrase("severe_work_up", "severe" if grade.provisional >= 3 else "other"),
        "missing": escaped_words("; ".join(not_known)) or "nothing that could raise the grade",
        "missing_short": "; ".join(not_known) or "nothing",
        "grade_unknown": phrase("grade_unknown", _how_unknown(grade), grade=words, provisional=grade.provisional),
        "fever_alone": _fever_alone(grade),
        "persists": phrase("persists", "progressed" if x.facts.progressed else "no"),
    }


def _how_unknown(grade: CrsGrade) -> str:
    if grade.grade is not None:
        return "minimum" if grade.grade else "zero"
    return "provisional" if grade.provisional > 0 else "none"


def _of_labs(x: Texts) -> dict[str, str]:
    il6, crp, t = x.facts.il6, x.facts.crp, x.t
    after = x.found.crp.after_tocilizumab and crp.fold_after_blockade is not None
    crp_fold = _fold_or(crp.fold_after_blockade if after else crp.fold, t.crp_fold)
    how = "after" if after else "before" if crp.fold is not None else "unknown"
    return {
        "il6": fold_short(il6, x.found.il6, t.il6_fold),
        "il6_fold": _fold_or(il6.fold, t.il6_fold),
        "il6_reason": reason_words(x.found.il6.reason or Reason.NO_PEAK, t),
        "crp": fold_short(crp, x.found.crp, t.crp_fold),
        "crp_fold": crp_fold,
        "crp_words": phrase("crp_words", how, fold=crp_fold, t=InWords(t)),
    }


def _fold_or(fold: Interval | None, cut: Decimal) -> str:
    return fold_text(fold, cut) if fold is not None else "by an unknown factor"


def _of_doses(x: Texts, suggestions: tuple[Suggestion, ...]) -> dict[str, str]:
    history, facts = x.facts.tocilizumab, x.facts
    count = len(history.doses)
    starts = history.safety_starts
    next_dose = when(facts.local(max(starts) + x.t.dose_interval)) if starts else "now"
    offered = next((s for s in suggestions if s.order_key == "tocilizumab" and s.action == "create"), None)
    dose = f" ({offered.resource['medicationCodeableConcept']['text'].split()[1]} mg)" if offered else ""
    again = f" as dose {count + 1}" if count else ""
    least = "" if history.history_complete else "at least "
    anc = facts.labs.neutrophils
    return {
        "doses_given": f"{least}{count} doses",
        "doses": f"{least}{count} dose{'' if count == 1 else 's'}",
        "dose": f"{dose}{again}",
        "second": again,
        "since_last": hours_ago(max(starts), facts.as_of) if starts else "not given",
        "since_dose_2": hours_ago(history.doses[1].start, facts.as_of).removesuffix(" ago") if count >= 2 else "",
        "next_dose": next_dose,
        "neutrophils": phrase(
            "neutrophils", "known" if anc else "unknown", count=number(anc.value) if anc else "", t=InWords(x.t)
        ),
    }


def _of_offers(x: Texts, planned: Planned) -> dict[str, str]:
    """Words that must not promise what the orders below them refuse."""
    bar = _bar(x) if any(offer.key == "tocilizumab" for offer in planned.offers) else ""
    late = planned.id is CardId.SEVERE_CRS and not planned.offers
    low = x.found.il6.category is Category.LOW
    values = {
        "delay": phrase("delay", "low" if low else "other"),
        "barred": _barred_words(x, bar) if bar else "",
        "regimen": _regimen(x),
    }
    state = "barred" if bar else "now"
    possible = "barred" if bar else "yes"
    allergic = x.facts.tocilizumab_hypersensitivity is not None
    again = "second" if len(x.facts.tocilizumab.doses) >= min(2, int(x.t.doses_max)) else "first"
    return {
        "severe_what": phrase("severe_what", "late" if late else state, **values),
        "severe_do": phrase("severe_do", state, **values),
        "recommended": phrase("recommended", possible, **values),
        "by_guideline": phrase("by_guideline", possible, **values),
        "guideline_option": phrase("guideline_option", "barred" if bar else "open", **values),
        "then": phrase("then", "allergic" if allergic else again),
        "product_gives": phrase("product_gives", "allergic" if allergic else "open"),
    }


def _bar(x: Texts) -> str:
    """What of the patient speaks against a dose now; "" where nothing does."""
    facts, t = x.facts, x.t
    starts = facts.tocilizumab.safety_starts
    if facts.tocilizumab_hypersensitivity:
        return "hypersensitivity"
    if interval_ends(facts, t) is not None:
        return "interval"
    if len(starts) >= t.doses_max:
        return "number"
    if len(in_24_h(starts, facts.as_of)) >= t.doses_per_day:
        return "day"
    return "under age" if facts.age is not None and facts.age.years < t.toci_min_age else ""


def _barred_words(x: Texts, bar: str) -> str:
    facts, opens = x.facts, interval_ends(x.facts, x.t)
    starts = facts.tocilizumab.safety_starts
    number_given = len(in_24_h(starts, facts.as_of)) if bar == "day" else len(starts)
    at = when(facts.local(opens)) if opens is not None else ""
    return phrase("barred", bar, opens=at, number=number_given, t=InWords(x.t))


def _fever_alone(grade: CrsGrade) -> str:
    rows = (("blood pressure", grade.pressure), ("oxygen", grade.oxygen))
    unknown = [name for name, row in rows if row.unknown]
    return phrase("fever_alone", "unknown" if unknown else "known", unknown=" and ".join(unknown))


def _of_product(x: Texts) -> dict[str, str]:
    """Product guidance, and what grade 1 says of tocilizumab beside it."""
    window = product_window(x.facts, x.grade, x.t)
    since = x.grade.episode
    why, hours = "unknown", ""
    if window is not None and since is not None:
        early = "early" if window.infusion.time_known else "early, by date"
        why = early if window.early else "lasting"
        hours = _spoken_hours(window.infusion.start, since) if window.early else _spoken_hours(since, x.facts.as_of)
    beside = "product" if x.product_guidance else "study"
    strongest = _age_group(x) == "adult" and wants_methylprednisolone(x.facts)
    return {
        "product": escaped_words(window.infusion.product) if window else "",
        "product_why": phrase("product_why", why, hours=hours),
        "grade1_threshold": phrase("grade1_threshold", beside),
        "grade1_tocilizumab": phrase("grade1_tocilizumab", beside),
        "icans_dose": phrase("icans_dose", "strongest" if strongest else _age_group(x), t=InWords(x.t)),
    }


def _spoken_hours(then: datetime, now: datetime) -> str:
    return hours_ago(then, now).removesuffix(" ago")


def _age_group(x: Texts) -> str:
    if x.facts.age is None:
        return "age unknown"
    return "child" if x.facts.age.years < x.t.adult_age else "adult"


def _of_doubts(x: Texts) -> dict[str, str]:
    lines = x.doubts.lines
    first = lines[0] if lines else ""
    return {
        "data_short": first.rstrip("."),
        "data_doubts": bullets(list(lines)),
    }


def _regimen(x: Texts) -> str:
    group = _age_group(x)
    if group == "adult" and wants_methylprednisolone(x.facts):
        group = "strongest"
    return phrase("regimen", group, t=InWords(x.t))
