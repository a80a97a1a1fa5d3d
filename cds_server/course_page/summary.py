"""The summary of a course, readable in ten seconds: the grade now and why, both rises, the doses, the day."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cards.deciding.situation import Verdicts
from cards.deciding.steroids.amounts import recently_given
from cards.pages.explanation import plain
from cards.pages.grade_steps import together
from cards.pages.rise_lines import rise
from cards.sentences.icans_words import charted, coded_higher, icans_grade, why_unknown
from cards.sentences.numbers_and_times import when
from cards.sentences.treatment_words import dose_number, dose_times, history_unread, steroid_given
from cards.wording.fold_words import fold_short
from cards.wording.grade_words import fever_line, grade_if_crs, missing
from cds_server.course_page.marks import Given, Mark
from cds_server.course_page.picture import time_of
from cds_server.course_page.timeline import Timeline, grade_short
from fhir_mappings.facts.course import Course
from fhir_mappings.facts.grade import CrsGrade
from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.facts.thresholds import Thresholds


@dataclass(frozen=True)
class Tile:
    """One tile of the summary. `grade` colours it: 0 to 4, "unknown", or "" for a tile that is not about the grade."""

    name: str
    said: str
    why: tuple[str, ...]
    grade: str = ""


def tiles(
    facts: PatientFacts, course: Course, grade: CrsGrade, found: Verdicts, shown: Timeline, t: Thresholds
) -> tuple[Tile, ...]:
    """The tiles, in the words of the cards and of the explanation."""
    not_counted = [mark for mark in shown.drugs if mark.code == Given.NOT_COUNTED]
    return (
        _grade(facts, grade, t),
        *_rises(facts, found, t),
        _icans(facts, t),
        _doses(facts, not_counted, t),
        _day(facts, course),
    )


def _grade(facts: PatientFacts, grade: CrsGrade, t: Thresholds) -> Tile:
    unknown = missing(grade, facts, t).every
    why = [
        together(grade, facts, t),
        fever_line(grade, facts, t),
        *([f"not known: {'; '.join(unknown)}"] if unknown else []),
    ]
    would_be = grade_if_crs(grade) if grade.grade is None else ""
    said = grade_short(grade) + (f": {would_be} if this is CRS" if would_be else "")
    level = "unknown" if grade.grade is None else str(grade.grade)
    return Tile("CRS now", said[0].upper() + said[1:], tuple(map(plain, why)), level)


def _rises(facts: PatientFacts, found: Verdicts, t: Thresholds) -> Iterator[Tile]:
    """A tile for each analyte that has a limit."""
    for analyte, verdict in found.by_analyte.items():
        if analyte.limit is not None:
            fold = facts.folds[analyte]
            said = fold_short(fold, verdict, analyte.limit.fold(t)).capitalize()
            yield Tile(f"{analyte.name} rise", said, tuple(map(plain, rise(facts, analyte, verdict, t))))


def _icans(facts: PatientFacts, t: Thresholds) -> Tile:
    icans = facts.icans
    basis = ", ".join(filter(None, (charted(icans), when(facts.local(icans.at)) if icans.at is not None else "")))
    higher = f"a recent diagnosis says more: {coded_higher(icans)}" if icans.coded_higher else ""
    unknown = why_unknown(facts, t)
    never = "chart ICE" if icans.grade is None and not unknown else ""
    why = tuple(plain(line) for line in (basis, unknown, higher, never) if line)
    return Tile("ICANS", icans_grade(icans).capitalize(), why)


def _doses(facts: PatientFacts, not_counted: Iterable[Mark], t: Thresholds) -> Tile:
    number = dose_number(facts)
    if not facts.tocilizumab.doses and not facts.tocilizumab.history_complete:
        number = "unknown"
    steroids = [steroid_given(facts, s) for s in recently_given(facts, t)]
    why = [*filter(None, [dose_times(facts)]), *([f"corticosteroid: {', '.join(steroids)}"] if steroids else [])]
    if not facts.tocilizumab.history_complete:
        why.append(history_unread(facts))
    why += [f"not counted: {mark.text}, {time_of(mark, facts.zone)}" for mark in not_counted]
    return Tile("Tocilizumab doses", number.capitalize(), tuple(map(plain, why)))


def _day(facts: PatientFacts, course: Course) -> Tile:
    first = course.infusions[0]
    at = when(facts.local(first.start)) if course.time_known else f"{facts.local(first.start):%d %b}, time not known"
    why = [f"{first.product}, {at}"]
    if len(course.infusions) > 1:
        why.append(f"{len(course.infusions)} infusions in this course")
    return Tile("After CAR-T cells", f"Day {course.day}", tuple(map(plain, why)))
