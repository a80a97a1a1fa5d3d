"""The values behind the `{names}` in `wording` that are about what may not be CRS, or is not measured."""

from __future__ import annotations

from cards.deciding.drafts import drafted
from cards.deciding.protocol import product_lines
from cards.deciding.situation import fever_lasts
from cards.orders.dose_words import toci_words
from cards.sentences.escaping import escaped_words
from cards.sentences.numbers_and_times import InWords, duration
from cards.sentences.phrases import phrase
from cards.wording.context import WordingContext
from cards.wording.grade_words import drivers
from cards.wording.infection_words import anc_words, antibiotics, infection_known
from cards.wording.row_words import driver_short
from fhir_mappings.facts.grade import Fever, GradeRow, is_not_crs
from fhir_mappings.facts.row_parts import PressorInfusion
from fhir_mappings.facts.sought import rows_not_charted
from fhir_mappings.facts.treatment import DrugClass


def of_cause(x: WordingContext) -> dict[str, object]:
    """The placeholders of the cards that put another cause first, and of those that say that it is no CRS."""
    grade = x.grade
    kind = "no fever" if grade.grade == 0 else "late"
    values: dict[str, object] = {
        "low": low_words(x),
        "Low_in_full": _sentence(escaped_words(drivers(grade))),
        "fever_and": phrase("fever_and", "yes" if grade.fever is Fever.NOW else "no"),
        "day": str(x.facts.course.day if x.facts.course else ""),
        "t": InWords(x.t),
    }
    not_crs = is_not_crs(grade)
    return {
        "other_cause_summary": phrase("other_cause_summary", kind, **values),
        "other_cause_do": phrase("other_cause_do", kind),
        "other_cause_why": phrase("other_cause_why", kind, **values),
        "icu": phrase("icu", "yes" if max(grade.pressure.value, grade.oxygen.value) >= 3 else "no"),
        "coded_crs": _coded(x),
        "no_crs_summary": phrase("no_crs_summary", "no fever" if not_crs else "zero", **values),
        "no_crs_icans": phrase("no_crs_icans", "yes" if x.facts.icans.grade else "no"),
        "before_fever": phrase("before_fever", "no" if grade.onset else "yes"),
        "low": values["low"],
        "Low": _sentence(low_words(x)),
        "state_how": "no fever" if not_crs else "graded",
    }


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]


def low_words(x: WordingContext) -> str:
    """The low signs as a summary holds them: `SBP 78, SpO2 86 %`."""
    rows = sorted((x.grade.pressure, x.grade.oxygen), key=lambda row: -row.value)
    return ", ".join(driver_short(driver) for row in rows if row.value > 0 for driver in row.drivers)


def _coded(x: WordingContext) -> str:
    """A CRS that is coded in this course, of a patient without a fever on record."""
    course = x.facts.course
    claims = [c for c in x.facts.coded_crs if course is not None and x.facts.local(c.at).date() >= course.day0]
    if not claims:
        return phrase("coded_crs", "no")
    last = max(claims, key=lambda claim: claim.at)
    at = x.facts.local(last.at)
    grade = f"grade {last.code[-1]} " if last.code[-1] in "12345" else ""
    return phrase("coded_crs", "yes", coded=f"{grade}coded {at.day} {at:%b}")


def of_severe(x: WordingContext) -> dict[str, object]:
    """The placeholders of severe CRS beside a positive blood culture."""
    grade = x.grade
    pressors = [d.ingredient for d in grade.pressure.drivers if isinstance(d, PressorInfusion)]
    is_drafted = bool(drafted(x.drafts, DrugClass.TOCILIZUMAB))
    return {
        "shock": phrase("shock", "yes" if grade.pressure.value > 0 else "no"),
        "on_pressor": phrase("on_pressor", "yes" if pressors else "no", pressors=" and ".join(pressors)),
        "toci_drafted": phrase("toci_drafted", "yes" if is_drafted else "no"),
        "sepsis_now": phrase("sepsis_now", "yes" if x.facts.infection.culture else "no", antibiotics=antibiotics(x)),
        "severe_how": "culture" if x.facts.infection.culture else "plain",
    }


def of_grade_1(x: WordingContext) -> dict[str, str]:
    """The placeholders of grade 1: what was not charted, and fever that lasts."""
    missing = rows_not_charted(x.facts, x.t) if x.grade.minimum else ()
    lasts = fever_lasts(x.facts, x.grade)
    long = lasts >= x.t.fever_as_grade_2
    values = {"not_charted": _not_charted(x, missing), "fever_days": str(lasts.days)}
    attributable = phrase("attributable", "line", known=infection_known(x), anc=anc_words(x))
    lasting_do = phrase("lasting_do", "no" if x.facts.infection.counted else "dose", toci=toci_words(x.facts, x.t))
    return {
        "lasting_first": phrase("lasting_first", "yes" if long else "no", lasting_do=lasting_do, **values),
        "lasting_do": lasting_do,
        "grade1_how": "measure" if missing else "lasting" if long else "plain",
        "grade1_drafted": phrase("grade1_drafted", "no" if long or not _is_for_nothing_else(x) else "yes"),
        "measure": phrase("measure", "yes" if missing else "no", Not_charted=_sentence(values["not_charted"])),
        "lasting": phrase("lasting", "yes" if long else "no", **values),
        "grade1_known": attributable if long else "",
        **values,
    }


def _is_for_nothing_else(x: WordingContext) -> bool:
    """Tell whether tocilizumab is drafted without ICANS, with which ASCO would give it, or a row of the product."""
    of_product = product_lines(x.facts, x.t, x.protocol)
    return bool(drafted(x.drafts, DrugClass.TOCILIZUMAB)) and not x.facts.icans.grade and not of_product


def _not_charted(x: WordingContext, rows: tuple[GradeRow, ...]) -> str:
    """`blood pressure and oxygen not charted for 14 h`; for each how long where that differs."""
    named = [("blood pressure" if row is x.grade.pressure else "oxygen", _since(x, row)) for row in rows]
    if len({since for _, since in named}) == 1:
        return f"{' and '.join(name for name, _ in named)} not charted {named[0][1]}"
    return ", ".join(f"{name} not charted {since}" for name, since in named)


def _since(x: WordingContext, row: GradeRow) -> str:
    course = x.facts.course
    if row.last_charted is None or course is None or row.last_charted < course.start:
        return "since the infusion"
    return f"for {duration(x.facts.as_of - row.last_charted)}"
