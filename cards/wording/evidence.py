"""What a card rests on, in lines of Markdown: values, times, references, and what is missing.

Every string that came from a record is escaped: clients render raw HTML.
"""

from __future__ import annotations

from enum import StrEnum

from cards.deciding.situation import Verdicts
from cards.sentences.escaping import escaped, escaped_words
from cards.sentences.numbers_and_times import InWords
from cards.sentences.treatment_words import dose_number, dose_times, steroid_given
from cards.wording.fold_words import fold_line
from cards.wording.grade_words import drivers, fever_line, grade_text, missing
from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.facts.thresholds import Thresholds


class Shown(StrEnum):
    """Which evidence a card shows under its text."""

    GRADE = "grade"
    IL6 = "IL-6"
    CRP = "CRP"
    DOSES = "doses"


def doses_text(facts: PatientFacts) -> str:
    times = f" ({dose_times(facts)})" if facts.tocilizumab.doses else ""
    return f"**Tocilizumab** doses in this course: {dose_number(facts)}{times}."


def basis(facts: PatientFacts, found: Verdicts, t: Thresholds, shown: tuple[Shown, ...]) -> list[str]:
    """The evidence lines that a card shows, in their order."""
    grade, course = facts.grade, facts.course
    if grade is None or course is None:
        return []
    lines: list[str] = []
    if Shown.GRADE in shown:
        reasons = drivers(grade) or "no hypotension, no hypoxia"
        not_known = escaped_words("; ".join(missing(grade, t, escaped)))
        lines.append(
            f"**ASTCT {grade_text(grade)}**, day {course.day}: {escaped_words(reasons)}. {fever_line(grade, facts, t)}"
            + (f" Not known: {not_known}." if not_known else "")
        )
    if Shown.IL6 in shown:
        lines.append(fold_line(facts, "IL-6", facts.il6, found.il6, t.il6_fold, t))
    if Shown.CRP in shown:
        lines.append(fold_line(facts, "CRP", facts.crp, found.crp, t.crp_fold, t))
    if Shown.DOSES in shown:
        lines.append(doses_text(facts))
    if Shown.DOSES in shown and facts.steroids:
        given = ", ".join(steroid_given(facts, s) for s in facts.steroids)
        lines.append(f"**Corticosteroid** in the last {InWords(t).steroid_running}: {given}.")
    return lines


def bullets(lines: list[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)
