"""What a card rests on, in lines of Markdown: values, times, references, and what is missing.

Every string that came from a record is escaped: clients render raw HTML.
"""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal
from enum import StrEnum

from cards.deciding.situation import Verdicts
from cards.sentences.escaping import escaped_words
from cards.sentences.numbers_and_times import InWords, number, when
from cards.wording.fold_words import fold_line
from fhir_mappings.facts.analytes import CRP, IL6
from fhir_mappings.facts.grade import CrsGrade, Fever
from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.facts.treatment import Dose


class Shown(StrEnum):
    """Which evidence a card shows under its text."""

    GRADE = "grade"
    IL6 = "IL-6"
    CRP = "CRP"
    OTHER_ANALYTES = "analytes without a limit"
    DOSES = "doses"


_SHOWN_AS = {IL6: Shown.IL6, CRP: Shown.CRP}


def grade_text(grade: CrsGrade) -> str:
    if grade.grade is None:
        return "not gradeable"
    return f"at least grade {grade.grade}" if grade.minimum else f"grade {grade.grade}"


def grade_if_crs(grade: CrsGrade) -> str:
    """What it would be if this is CRS: `grade 2`, `at least grade 2`; "" where nothing that is known says so. Never 0:
    there is no CRS of that grade."""
    if grade.provisional == 0:
        return ""
    more = max(grade.pressure.most, grade.oxygen.most) > grade.provisional
    return f"{'at least ' if more else ''}grade {grade.provisional}"


def drivers(grade: CrsGrade) -> str:
    """What makes the grade, most severe first."""
    rows = sorted((grade.pressure, grade.oxygen), key=lambda r: -r.value)
    parts = [d for row in rows for d in row.drivers]
    if grade.fever is Fever.NOW and grade.highest_temperature is not None:
        parts.append(f"T up to {celsius(grade.highest_temperature)} °C")
    return ", ".join(parts)


def celsius(value: Decimal) -> str:
    """One decimal, rounded down: 37.96 °C must not read as the fever that it is not."""
    return number(value.quantize(Decimal("0.1"), rounding=ROUND_DOWN))


def fever_line(grade: CrsGrade, facts: PatientFacts, t: Thresholds) -> str:
    onset = f"; onset {when(facts.local(grade.onset))}" if grade.onset else ""
    highest = ""
    if grade.highest_temperature is not None:
        highest = f" (highest of {InWords(t).fever_window} {celsius(grade.highest_temperature)} °C)"
    return f"{grade.fever.value.capitalize()}{highest}{onset}."


def missing(grade: CrsGrade, t: Thresholds) -> tuple[str, ...]:
    """What is not known and could raise the grade, or keeps there from being one."""
    parts = [*grade.pressure.missing, *grade.oxygen.missing]
    if grade.fever is Fever.NOT_MEASURED:
        parts.insert(0, f"temperature of the last {InWords(t).fever_window}")
    if grade.fever is Fever.UNKNOWN_TREATMENT:
        parts.insert(0, "medication administrations (they may hide fever)")
    return tuple(dict.fromkeys(parts))


def doses_text(facts: PatientFacts) -> str:
    return f"**Tocilizumab** doses in this course: {dose_count(facts)}."


def dose_count(facts: PatientFacts) -> str:
    """`2 (9 Mar 10:00, 11 Mar 10:00)`, or `at least 2` where the history could not all be read."""
    history = facts.tocilizumab
    count = str(len(history.doses)) if history.history_complete else f"at least {len(history.doses)}"
    times = ", ".join(dose_time(facts, d) for d in history.doses)
    return f"{count} ({times})" if times else count


def dose_time(facts: PatientFacts, dose: Dose) -> str:
    at = facts.local(dose.start)
    return f"{at.day} {at:%b}, time not known" if dose.date_only else when(at)


def basis(facts: PatientFacts, found: Verdicts, t: Thresholds, shown: tuple[Shown, ...]) -> list[str]:
    """The evidence lines that a card shows, in their order."""
    grade, course = facts.grade, facts.course
    if grade is None or course is None:
        return []
    lines: list[str] = []
    if Shown.GRADE in shown:
        reasons = drivers(grade) or "no hypotension, no hypoxia"
        lines.append(
            f"**ASTCT {grade_text(grade)}**, day {course.day}: {escaped_words(reasons)}. {fever_line(grade, facts, t)}"
            + (f" Not known: {escaped_words('; '.join(missing(grade, t)))}." if missing(grade, t) else "")
        )
    lines += [
        fold_line(facts, analyte, found.by_analyte.get(analyte), t)
        for analyte in facts.followed
        if _SHOWN_AS.get(analyte, Shown.OTHER_ANALYTES) in shown
    ]
    if Shown.DOSES in shown:
        lines.append(doses_text(facts))
    if Shown.DOSES in shown and facts.steroids:
        given = ", ".join(f"{s.ingredient} {when(facts.local(s.at))}" for s in facts.steroids)
        lines.append(f"**Corticosteroid** in the last {InWords(t).steroid_running}: {given}.")
    return lines


def bullets(lines: list[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)
