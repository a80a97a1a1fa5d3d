"""The course of a patient as marks on one time axis: what was charted, and the grade at each change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

from cards.pages.explanation import plain
from cards.pages.grade_steps import together
from cards.sentences.escaping import plain_reference
from cards.sentences.numbers_and_times import InWords, number
from cards.sentences.set_aside_words import not_used
from cards.wording.grade_words import celsius, grade_if_crs, grade_text
from cds_server.course_page.lab_lanes import lab_lanes
from cds_server.course_page.marks import GradeSpan, Lane, Mark
from cds_server.course_page.treatments import drugs, oxygen, pressors
from fhir_mappings.course_history import CourseHistory
from fhir_mappings.facts.analytes import ANALYTES
from fhir_mappings.facts.course import Course
from fhir_mappings.facts.grade import CrsGrade, Fever, NoGrade
from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.facts.signs import Reading
from fhir_mappings.facts.sought import OXYGEN, PRESSURE, TEMPERATURE, results_of
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.rules.grade_history import JUST_AFTER, GradeAt, height
from fhir_mappings.rules.hypotension import is_adult, systolic_limit


@dataclass(frozen=True)
class Timeline:
    """The axis from `start` to `now`, and its lanes from above."""

    start: datetime
    now: datetime
    infused: tuple[datetime, ...]
    grades: tuple[GradeSpan, ...]
    temperature: Lane
    labs: tuple[Lane, ...]
    saturation: Lane
    oxygen: tuple[Mark, ...]
    systolic: Lane
    mean: Lane
    pressors: tuple[Mark, ...]
    drugs: tuple[Mark, ...]
    thinned: bool


def timeline(facts: PatientFacts, course: Course, history: CourseHistory, t: Thresholds) -> Timeline:
    """The timeline from facts and history; nothing is judged here."""
    signs, words = history.signs, InWords(t)
    bases = [fold.baseline.at.earliest for fold in facts.folds.values() if fold.baseline is not None]
    systolic = systolic_limit(facts.age, t)
    start = min(course.day_before, *bases) if bases else course.day_before
    return Timeline(
        start=start,
        now=facts.as_of,
        infused=tuple(infusion.start for infusion in course.infusions),
        grades=_grades(history.grades, facts, t),
        temperature=Lane(
            "Temperature", "°C", tuple(_temperatures(signs.temperatures)), t.fever, f"fever from {number(t.fever)} °C"
        ),
        labs=lab_lanes(facts, start, history.il6_until, t),
        saturation=Lane("SpO2", "%", tuple(_readings(signs.oxygen.saturations, "%")), t.spo2_cut,
                        f"needs oxygen below {words.spo2_cut} %"),
        oxygen=tuple(oxygen(history.grades, facts.as_of)),
        systolic=Lane("SBP", "mmHg", tuple(_readings(signs.pressure.systolic, "mmHg")), systolic,
                      f"hypotension below {number(systolic)} mmHg systolic"),
        mean=_mean(signs.pressure.mean, facts, t),
        pressors=tuple(pressors(history, facts.as_of, facts.zone, t)),
        drugs=tuple(sorted(drugs(facts, course, history), key=lambda m: m.at)),
        thinned=history.thinned,
    )  # fmt: skip


def _mean(readings: Iterable[Reading], facts: PatientFacts, t: Thresholds) -> Lane:
    """The lane of mean pressures; their limit is one for adults."""
    limit = t.mean_adult if is_adult(facts.age, t) else None
    words = f"hypotension below {number(limit)} mmHg mean (two readings)" if limit is not None else ""
    return Lane("MAP", "mmHg", tuple(_readings(readings, "mmHg")), limit, words)


_SHORT = {NoGrade.UNKNOWN: "unknown", NoGrade.MASKED: "may be masked"}


def _state(one: GradeAt) -> tuple[object, ...]:
    grade = one.grade
    return (grade_short(grade), grade.provisional if grade.grade is None else 0)


def _grades(grades: tuple[GradeAt, ...], facts: PatientFacts, t: Thresholds) -> tuple[GradeSpan, ...]:
    """The spans of the grades: successive moments of one grade become one span, and the last ends now."""
    kept: list[GradeAt] = []
    for _, run in groupby(_lasting(grades), _state):
        kept.append(next(run))
    ends = [*(one.at for one in kept[1:]), facts.as_of]
    return tuple(_span(one, end, facts, t) for one, end in zip(kept, ends, strict=True))


def _lasting(grades: tuple[GradeAt, ...]) -> Iterator[GradeAt]:
    """The grades without those that stood only for the instant in which a window closed, unless one was higher than the
    grades before and after."""
    if grades:
        yield grades[0]
    for before, one, after in zip(grades, grades[1:], grades[2:], strict=False):
        around = max(height(before.grade), height(after.grade))
        if after.at - one.at >= JUST_AFTER * 2 or height(one.grade) > around:
            yield one
    if len(grades) > 1:
        yield grades[-1]


def _span(first: GradeAt, end: datetime, facts: PatientFacts, t: Thresholds) -> GradeSpan:
    grade = first.grade
    return GradeSpan(
        start=first.at,
        end=end,
        grade=grade.grade,
        minimum=grade.minimum and grade.grade is not None,
        if_crs=grade_if_crs(grade) if grade.grade is None else "",
        grade_if_crs=grade.provisional if grade.grade is None else 0,
        short=grade_short(grade),
        why=together(grade, replace(facts, as_of=first.at), t),
        sources=tuple(plain_reference(r) for r in grade.evidence),
    )


def grade_short(grade: CrsGrade) -> str:
    """The grade in a few words: `grade 2`, `at least grade 2`, `unknown`, `may be masked`. A grade of 0 that is no
    all-clear says so."""
    if grade.grade is None and grade.no_grade is not None:
        return _SHORT[grade.no_grade]
    return f"{grade_text(grade)}{_zero(grade) if grade.grade == 0 else ''}"


def _zero(grade: CrsGrade) -> str:
    if grade.fever in (Fever.WAIVED, Fever.MASKED):
        return ", fever may be suppressed"
    low, hypoxic = grade.pressure.value > 0, grade.oxygen.value > 0
    named = " and ".join(name for name, found in (("hypotension", low), ("hypoxia", hypoxic)) if found)
    return f", but {named} without fever" if named else ""


def _temperatures(readings: Iterable[Reading]) -> Iterator[Mark]:
    for r in readings:
        yield Mark(r.at, f"{celsius(r.value)} °C", plain_reference(r.reference), r.value)


def _readings(readings: Iterable[Reading], unit: str) -> Iterator[Mark]:
    for r in readings:
        yield Mark(r.at, f"{number(r.value)} {unit}", plain_reference(r.reference), r.value)


_OF_LANES = {
    "temperature": TEMPERATURE,
    "SpO2": OXYGEN,
    "blood pressure": PRESSURE,
    **{analyte.name: results_of(analyte) for analyte in ANALYTES},
}


def not_drawn(shown: Timeline, facts: PatientFacts) -> tuple[str, ...]:
    """Lanes with no data and results in another unit: an absent lane must not look normal. What stands on record and
    could not be used is quoted."""
    labs = [(lane.name, lane) for lane in shown.labs]
    signs = (("temperature", shown.temperature), *labs, ("SpO2", shown.saturation),
             ("blood pressure", replace(shown.systolic, marks=(*shown.systolic.marks, *shown.mean.marks))))  # fmt: skip
    empty = [name for name, lane in signs if not lane.marks]
    lost = {name: not_used(facts, concept.of(facts.set_aside)) for name, concept in _OF_LANES.items() if name in empty}
    absent = [name for name in empty if not lost.get(name)]
    lines = [f"Nothing was found of: {', '.join(absent)}."] if absent else []
    lines += [f"Nothing can be drawn of {name}: {plain(said)}." for name, said in lost.items() if said]
    for name, lane in signs:
        elsewhere = sum(1 for mark in lane.marks if mark.value is None)
        if elsewhere:
            lines.append(f"{name}: {elsewhere} in another unit than {lane.unit}, in the table only.")
    return tuple(lines)
