"""The words of the ICANS card: treatment by grade, and what tocilizumab has to do with it."""

from __future__ import annotations

from cards.deciding.drafts import drafted
from cards.deciding.tocilizumab_gate import SAID_BESIDE_ADVICE, tocilizumab_gate
from cards.orders.dose_words import barred_words
from cards.sentences.escaping import short
from cards.sentences.icans_words import charted, icans_grade, icans_line
from cards.sentences.numbers_and_times import InWords
from cards.sentences.phrases import phrase
from cards.wording.context import WordingContext
from fhir_mappings.facts.treatment import DrugClass


def of_icans(x: WordingContext) -> dict[str, str]:
    """The placeholders about ICANS."""
    return {
        "icans": icans_line(x.facts, x.t),
        "icans_beside": icans_line(x.facts, x.t) if x.facts.icans.grade else "",
        "icans_why": f" ({short(charted(x.facts.icans))})" if x.facts.icans.grade else "",
        "icans_grade": icans_grade(x.facts.icans),
        "icans_do": _treatment(x, "icans_do"),
        "icans_care": _treatment(x, "icans_care"),
        "icans_early_how": "yes" if _early(x) else "no",
        "icans_and_crs": _beside_crs(x),
        "icans_antifungal": phrase("icans_antifungal", "yes" if (x.facts.icans.grade or 0) >= 2 else "no"),
    }


def _treatment(x: WordingContext, part: str) -> str:
    grade = x.facts.icans.grade
    dose = phrase("icans_dose", _of_age(x) or f"grade {grade}", t=InWords(x.t)) if grade in (2, 3, 4) else ""
    return phrase(part, f"grade {grade}", dose=dose, Dose=dose[:1].upper() + dose[1:]) if grade else ""


def _of_age(x: WordingContext) -> str:
    if x.facts.age is None:
        return "age unknown"
    return "child" if x.facts.age.years < x.t.adult_age else ""


def _early(x: WordingContext) -> bool:
    course = x.facts.course
    return x.facts.icans.grade == 1 and course is not None and any(i.treated_early for i in course.infusions)


def _beside_crs(x: WordingContext) -> str:
    """The words about tocilizumab: none where CRS has no grade."""
    crs = x.grade.grade
    if crs is None:
        return ""
    gate = tocilizumab_gate(x.facts, x.t)
    if crs and gate.bar in SAID_BESIDE_ADVICE:
        return phrase("icans_and_crs", "barred", barred=barred_words(x.facts, gate, x.t))
    is_drafted = " drafted" if drafted(x.drafts, DrugClass.TOCILIZUMAB) else ""
    return phrase("icans_and_crs", ("with CRS" if crs else "isolated") + is_drafted)
