"""The evidence of a card in lines of Markdown: values, times, references, and the data that are missing.

Every string from a record is escaped, because clients render raw HTML.
"""

from __future__ import annotations

from enum import StrEnum

from cards.deciding.situation import Verdicts
from cards.deciding.steroids.amounts import recently_given
from cards.orders.steroid_words import given_one
from cards.sentences.escaping import escaped, escaped_words
from cards.sentences.numbers_and_times import InWords
from cards.sentences.treatment_words import dose_number, dose_times
from cards.wording.fold_words import fold_line
from cards.wording.grade_words import drivers, fever_line, grade_text, missing, nothing_low
from fhir_mappings.facts.analytes import CRP, IL6
from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.facts.thresholds import Thresholds


class EvidencePart(StrEnum):
    """A kind of evidence that a card shows under its text."""

    GRADE = "grade"
    IL6 = "IL-6"
    CRP = "CRP"
    OTHER_ANALYTES = "analytes without a limit"
    DOSES = "doses"


_SHOWN_AS = {IL6: EvidencePart.IL6, CRP: EvidencePart.CRP}


def doses_text(facts: PatientFacts) -> str:
    times = f" ({dose_times(facts)})" if facts.tocilizumab.doses else ""
    return f"**Tocilizumab** doses in this course: {dose_number(facts)}{times}."


def basis(facts: PatientFacts, found: Verdicts, t: Thresholds, shown: tuple[EvidencePart, ...]) -> list[str]:
    """The evidence lines that a card shows, in their order."""
    grade, course = facts.grade, facts.course
    if grade is None or course is None:
        return []
    lines: list[str] = []
    if EvidencePart.GRADE in shown:
        reasons = drivers(grade) or nothing_low(grade)
        not_known = escaped_words("; ".join(missing(grade, facts, t, escaped).every))
        lines.append(
            f"**ASTCT {grade_text(grade)}**, day {course.day}: {escaped_words(reasons)}. {fever_line(grade, facts, t)}"
            + (f" Not known: {not_known}." if not_known else "")
        )
    lines += [
        fold_line(facts, analyte, found.by_analyte.get(analyte), t)
        for analyte in facts.followed
        if _SHOWN_AS.get(analyte, EvidencePart.OTHER_ANALYTES) in shown
    ]
    if EvidencePart.DOSES in shown:
        lines.append(doses_text(facts))
    steroids = recently_given(facts, t)
    if EvidencePart.DOSES in shown and steroids:
        given = ", ".join(given_one(s, facts) for s in steroids)
        lines.append(f"**Corticosteroid** in the last {InWords(t).steroid_named}: {given}.")
    return lines


def bullets(lines: list[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)
