"""The grade in words: its drivers, the data that are missing, fever."""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_DOWN, Decimal

from cards.sentences.numbers_and_times import InWords, number, when
from cards.sentences.phrases import phrase
from cards.wording.row_words import FEVER, driver_words, missing_words
from fhir_mappings.facts.grade import CrsGrade, Fever, is_not_crs
from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.facts.thresholds import Thresholds


def grade_text(grade: CrsGrade) -> str:
    if grade.grade is None:
        return "not gradeable"
    if is_not_crs(grade):
        return "no fever: not CRS"
    return f"at least grade {grade.grade}" if grade.minimum else f"grade {grade.grade}"


def grade_if_crs(grade: CrsGrade) -> str:
    """The grade that this would be if it is CRS: `grade 2`, `at least grade 2`; "" if nothing known says so.

    It is never grade 0, because there is no CRS of that grade.
    """
    if grade.provisional == 0:
        return ""
    more = max(grade.pressure.most, grade.oxygen.most) > grade.provisional
    return f"{'at least ' if more else ''}grade {grade.provisional}"


def drivers(grade: CrsGrade) -> str:
    """The findings that make the grade, the most severe first."""
    rows = sorted((grade.pressure, grade.oxygen), key=lambda r: -r.value)
    parts = [driver_words(d) for row in rows for d in row.drivers]
    if grade.fever is Fever.NOW and grade.highest_temperature is not None:
        parts.append(f"T up to {celsius(grade.highest_temperature)} °C")
    return ", ".join(parts)


def celsius(value: Decimal) -> str:
    """A temperature with one decimal, rounded down: 37.96 °C must not read like a fever."""
    return number(value.quantize(Decimal("0.1"), rounding=ROUND_DOWN))


def fever_line(grade: CrsGrade, facts: PatientFacts, t: Thresholds) -> str:
    onset = f"; onset {when(facts.local(grade.onset))}" if grade.onset else ""
    highest = ""
    if grade.highest_temperature is not None:
        highest = f" (highest of {InWords(t).fever_window} {celsius(grade.highest_temperature)} °C)"
    words = FEVER[grade.fever]
    return f"{words[0].upper()}{words[1:]}{highest}{onset}."


def missing(grade: CrsGrade, t: Thresholds, quoted: Callable[[str], str] = str) -> tuple[str, ...]:
    """The missing data that could raise the grade or that prevent grading. `quoted` makes the text of a record fit for
    where it is shown."""
    parts = [missing_words(lack, quoted) for row in (grade.pressure, grade.oxygen) for lack in row.missing]
    if grade.fever is Fever.NOT_MEASURED:
        parts.insert(0, f"temperature of the last {InWords(t).fever_window}")
    if grade.fever is Fever.UNKNOWN_TREATMENT:
        parts.insert(0, "medication administrations (they may hide fever)")
    return tuple(dict.fromkeys(parts))


def zero_words(grade: CrsGrade) -> str:
    """The meaning of grade 0, and what it does not mean."""
    if grade.fever is Fever.EARLIER:
        return phrase("zero", "earlier")
    if grade.fever in (Fever.WAIVED, Fever.MASKED):
        return phrase("zero", "suppressed")
    low, hypoxic = grade.pressure.value > 0, grade.oxygen.value > 0
    if low or hypoxic:
        return phrase("zero", "both" if low and hypoxic else "hypotension" if low else "hypoxia")
    return phrase("zero", "nothing")
