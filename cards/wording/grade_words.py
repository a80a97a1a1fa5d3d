"""The grade in words: its drivers, the data that are missing, fever."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal

from cards.sentences.numbers_and_times import InWords, number, when
from cards.sentences.phrases import phrase
from cards.sentences.set_aside_words import not_used, why_unread
from cards.wording.row_words import FEVER, driver_short, driver_words, missing_words
from fhir_mappings.facts.coverage import Kind, SetAside
from fhir_mappings.facts.grade import CrsGrade, Fever, GradeRow, is_not_crs
from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.facts.row_parts import READ_IN_PART, Driver, Lack, Missing, StalePressors
from fhir_mappings.facts.sought import (
    given,
    oxygen_set_aside,
    pressures_set_aside,
    set_aside_since,
    temperatures_set_aside,
)
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.facts.treatment import HIDE_FEVER, PRESSORS


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


def why_in_short(grade: CrsGrade) -> tuple[str, ...]:
    """The rows that make the grade, as a summary holds them: `SBP 84`, or for fever alone `T 38.9`.

    The lesser row is left out, and both where a low sign without fever is no CRS, because that is said by itself.
    """
    if is_not_crs(grade):
        return ()
    top = max(grade.pressure.value, grade.oxygen.value)
    rows = (row for row in _rows(grade) if row.value == top > 0)
    found = tuple(", ".join(dict.fromkeys(map(driver_short, _deciding(row)))) for row in rows)
    if found or grade.fever is not Fever.NOW or grade.highest_temperature is None:
        return found
    return (f"T {celsius(grade.highest_temperature)}",)


def _deciding(row: GradeRow) -> tuple[Driver, ...]:
    """The findings of a row for a summary: of vasopressors that were all charted long ago, what follows from that."""
    stale = tuple(driver for driver in row.drivers if isinstance(driver, StalePressors))
    return stale or row.drivers


def celsius(value: Decimal) -> str:
    """A temperature with one decimal, rounded down: 37.96 °C must not read like a fever."""
    return number(value.quantize(Decimal("0.1"), rounding=ROUND_DOWN))


def fever_line(grade: CrsGrade, facts: PatientFacts, t: Thresholds) -> str:
    onset = f"; onset {when(facts.local(grade.onset))}" if grade.onset else ""
    highest = ""
    if grade.highest_temperature is not None:
        highest = f" (highest of {InWords(t).fever_window} {celsius(grade.highest_temperature)} °C)"
    words = fever_words(grade, facts, t)
    return f"{words[0].upper()}{words[1:]}{highest}{onset}."


def fever_words(grade: CrsGrade, facts: PatientFacts, t: Thresholds) -> str:
    """The state of fever. Temperatures that could not be used are neither "none in the window" nor an earlier fever."""
    if grade.fever is Fever.NOT_MEASURED and temperatures_set_aside(facts, t):
        return phrase("fever", "not used")
    if grade.fever is Fever.EARLIER and grade.onset is None:
        return phrase("fever", "not excluded")
    return FEVER[grade.fever]


@dataclass(frozen=True)
class NotKnown:
    """The data that could raise the grade or that prevent grading: what is `absent`, and what stands on record and was
    `not_used`."""

    absent: tuple[str, ...]
    not_used: tuple[str, ...]

    @property
    def every(self) -> tuple[str, ...]:
        return (*self.not_used, *self.absent)


def missing(grade: CrsGrade, facts: PatientFacts, t: Thresholds, quoted: Callable[[str], str] = str) -> NotKnown:
    """The missing data. `quoted` makes the text of a record fit for where it is shown."""
    lacks = [(missing_words(lack, quoted), *_beside(lack, facts, t)) for r in _rows(grade) for lack in r.missing]
    if grade.fever is Fever.UNKNOWN_TREATMENT:
        lost = set_aside_since(facts, given(*HIDE_FEVER), facts.course.day_before if facts.course else facts.as_of)
        lacks.insert(0, ("medication administrations (they may hide fever)", lost, (Kind.ADMINISTRATIONS,)))
    if grade.fever is Fever.NOT_MEASURED:
        said = f"temperature of the last {InWords(t).fever_window}"
        lacks.insert(0, (said, temperatures_set_aside(facts, t), (Kind.VITALS,)))
    absent = [f"{words}{why_unread(facts, *kinds, quoted=quoted)}" for words, lost, kinds in lacks if not lost]
    lost_words = [not_used(facts, lost, quoted) for _, lost, _ in lacks if lost]
    return NotKnown(tuple(dict.fromkeys(absent)), tuple(dict.fromkeys(lost_words)))


def _rows(grade: CrsGrade) -> tuple[GradeRow, GradeRow]:
    return grade.pressure, grade.oxygen


def _beside(lack: Lack, facts: PatientFacts, t: Thresholds) -> tuple[tuple[SetAside, ...], tuple[Kind, ...]]:
    """The resources set aside of the missing data, and its kinds where they could not all be read."""
    unread = lack in READ_IN_PART
    match lack:
        case Missing.PRESSURE | Missing.PRESSURE_BY_MEAN | Missing.PRESSURE_UNREAD:
            return pressures_set_aside(facts, t), (Kind.VITALS,) if unread else ()
        case Missing.ADMINISTRATIONS_UNREAD:
            lost = set_aside_since(facts, given(*PRESSORS), facts.as_of - t.stale_limit)
            return lost, (Kind.ADMINISTRATIONS, Kind.RUNNING)
        case Missing.OXYGEN | Missing.OXYGEN_UNREAD:
            return oxygen_set_aside(facts, t), (Kind.OXYGEN,) if unread else ()
        case Missing.SUPPORTS_UNREAD:
            return (), (Kind.SUPPORT_PROCEDURES,)
    return (), ()


def zero_words(grade: CrsGrade) -> str:
    """The meaning of grade 0, and what it does not mean."""
    if grade.fever is Fever.EARLIER:
        return phrase("zero", "earlier")
    if grade.fever in (Fever.WAIVED, Fever.MASKED):
        return phrase("zero", "suppressed")
    low, hypoxic = grade.pressure.value > 0, grade.oxygen.value > 0
    if low or hypoxic:
        return phrase("zero", "both" if low and hypoxic else "hypotension" if low else "hypoxia")
    unknown = unknown_rows(grade)
    return phrase("zero", "not known" if unknown else "nothing", unknown=" and ".join(unknown).capitalize())


def unknown_rows(grade: CrsGrade) -> tuple[str, ...]:
    """The rows of which nothing is known, by name."""
    named = (("blood pressure", grade.pressure), ("oxygen", grade.oxygen))
    return tuple(name for name, row in named if row.unknown)


def nothing_low(grade: CrsGrade) -> str:
    """The findings of a grade without one: `no hypotension, no hypoxia`, or what is not known."""
    states = (("no hypotension", "blood pressure", grade.pressure), ("no hypoxia", "oxygen", grade.oxygen))
    return ", ".join(f"{name} not known" if row.unknown else none for none, name, row in states)
