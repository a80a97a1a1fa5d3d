"""The steps to the grade, line by line."""

from __future__ import annotations

from cards.wording.grade_words import (
    drivers,
    fever_line,
    fever_words,
    grade_if_crs,
    grade_text,
    missing,
    zero_words,
)
from cards.wording.row_words import driver_words, missing_words
from fhir_mappings.facts.grade import CrsGrade, GradeRow, is_not_crs
from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.facts.thresholds import Thresholds


def grade_steps(facts: PatientFacts, t: Thresholds) -> list[str]:
    grade = facts.grade
    if grade is None:
        return []
    lines = [f"fever: {fever_line(grade, facts, t)}"]
    for name, row in (("blood pressure and vasopressors", grade.pressure), ("oxygen", grade.oxygen)):
        lines.append(f"{name}: {_row(row, 'none' if is_not_crs(grade) else 'grade 0')}")
    lines.append(f"together: {together(grade, facts, t)}")
    unknown = missing(grade, facts, t).every
    if unknown:
        lines.append(f"not known: {'; '.join(unknown)}")
    if facts.grade_at_dose_2 is not None:
        told = {True: "progressed since", False: "not progressed since", None: "progress since cannot be told"}
        then = facts.grade_at_dose_2
        lines.append(f"at the start of dose 2: {grade_text(then)}; {told[facts.progressed]}")
    return lines


def _row(row: GradeRow, nothing: str) -> str:
    least = "" if row.exact else "at least "
    found = [*map(driver_words, row.drivers), *map(driver_words, row.beside)]
    words = "; ".join([*found, *(f"missing {missing_words(m)}" for m in row.missing)])
    state = "unknown" if row.unknown else f"{least}grade {row.value}" if row.value else nothing
    return f"{state}{' – ' + words if words else ''}"


def together(grade: CrsGrade, facts: PatientFacts, t: Thresholds) -> str:
    """The grade with its drivers; without a grade, the one that this would be if it is CRS."""
    if grade.grade is None:
        would_be = grade_if_crs(grade)
        return f"no grade ({fever_words(grade, facts, t)})" + (f"; {would_be} if this is CRS" if would_be else "")
    why = "; ".join(filter(None, (drivers(grade), zero_words(grade) if grade.grade == 0 else "")))
    return f"{grade_text(grade)}{' – ' + why if why else ''}"
