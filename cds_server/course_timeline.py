"""The course of a patient as marks on one time axis: what was charted, and the grade at each change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from itertools import groupby

from cards.evidence import celsius, grade_text, reference_text
from cards.explanation import together
from cards.shown import InWords, number
from fhir_mappings.clinical_facts import (
    Administration,
    Course,
    CrsGrade,
    DrugClass,
    FoldChange,
    Interval,
    NoGrade,
    PatientFacts,
    Reading,
    Row,
    Sample,
    SampleUse,
)
from fhir_mappings.course_history import CourseHistory
from fhir_mappings.grade_history import GradeAt
from fhir_mappings.thresholds import Thresholds
from fhir_mappings.treatments import of_class
from fhir_mappings.units import Measure
from fhir_mappings.vasopressors import running_pressors
from fhir_mappings.vital_signs import systolic_limit


@dataclass(frozen=True)
class Mark:
    """One thing on the axis: at a moment, or until `end`. `text` is value and unit, `use` what it was for, `value` its
    place on the lane's scale (None: it has none, and stands in the table only)."""

    at: datetime
    text: str
    source: str = ""
    value: Decimal | None = None
    use: str = ""
    end: datetime | None = None
    date_only: bool = False


@dataclass(frozen=True)
class Lane:
    """One scale and what is on it. `limit` is drawn as a line, with its words."""

    name: str
    unit: str
    marks: tuple[Mark, ...]
    limit: Decimal | None = None
    limit_words: str = ""


@dataclass(frozen=True)
class GradeSpan:
    """A grade for as long as it stood. `grade` None is no grade: `short` then says why in a word, `if_crs` what it
    would be if this is CRS. `why` is what made it at its start."""

    start: datetime
    end: datetime
    grade: int | None
    minimum: bool
    if_crs: int
    short: str
    why: str
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Timeline:
    """The axis from `start` to `now`, and its lanes from above. From `il6_until` on IL-6 counts no longer."""

    start: datetime
    now: datetime
    infused: tuple[datetime, ...]
    grades: tuple[GradeSpan, ...]
    temperature: Lane
    il6: Lane
    crp: Lane
    saturation: Lane
    oxygen: tuple[Mark, ...]
    systolic: Lane
    mean: Lane
    pressors: tuple[Mark, ...]
    drugs: tuple[Mark, ...]
    il6_until: datetime | None
    thinned: bool


def timeline(facts: PatientFacts, course: Course, history: CourseHistory, t: Thresholds) -> Timeline:
    """All of it from facts and history; nothing is judged here."""
    signs, words = history.signs, InWords(t)
    pressure, oxygen = signs.pressure, signs.oxygen
    bases = [fold.baseline.at.earliest for fold in (facts.il6, facts.crp) if fold.baseline is not None]
    systolic = systolic_limit(facts.age, t)
    return Timeline(
        start=min(course.day_before, *bases) if bases else course.day_before,
        now=facts.as_of,
        infused=tuple(infusion.start for infusion in course.infusions),
        grades=_grades(history.grades, facts),
        temperature=Lane(
            "Temperature", "°C", tuple(_temperatures(signs.temperatures)), t.fever, f"fever from {number(t.fever)} °C"
        ),
        il6=_lab("IL-6", Measure.IL6, facts.il6, t.il6_fold),
        crp=_lab("CRP", Measure.CRP, facts.crp, t.crp_fold),
        saturation=Lane("SpO2", "%", tuple(_readings(oxygen.saturations, "%")), t.spo2_cut,
                        f"needs oxygen below {words.spo2_cut} %"),
        oxygen=tuple(_oxygen(history.grades, facts.as_of)),
        systolic=Lane("SBP", "mmHg", tuple(_readings(pressure.systolic, "mmHg")), systolic,
                      f"hypotension below {number(systolic)} mmHg systolic"),
        mean=Lane("MAP", "mmHg", tuple(_readings(pressure.mean, "mmHg"))),
        pressors=tuple(_pressors(history, facts.as_of, t)),
        drugs=tuple(sorted(_drugs(facts, course, history), key=lambda m: m.at)),
        il6_until=history.il6_until,
        thinned=history.thinned,
    )  # fmt: skip


_SHORT = {NoGrade.UNKNOWN: "unknown", NoGrade.MASKED: "may be masked"}


def _state(one: GradeAt) -> tuple[object, ...]:
    grade = one.grade
    return (grade.grade, grade.minimum, grade.no_grade, grade.provisional if grade.grade is None else 0)


def _grades(grades: tuple[GradeAt, ...], facts: PatientFacts) -> tuple[GradeSpan, ...]:
    """Moments of one grade in a row → one span; the last ends now."""
    runs = [tuple(run) for _, run in groupby(grades, _state)]
    ends = [*(run[0].at for run in runs[1:]), facts.as_of]
    return tuple(_span(run[0], end) for run, end in zip(runs, ends, strict=True))


def _span(first: GradeAt, end: datetime) -> GradeSpan:
    grade = first.grade
    return GradeSpan(
        first.at, end, grade.grade, grade.minimum and grade.grade is not None, grade.provisional, grade_short(grade),
        together(grade), tuple(reference_text(r) for r in grade.evidence),
    )  # fmt: skip


def grade_short(grade: CrsGrade) -> str:
    """`grade 2`, `at least grade 2`, `unknown`, `may be masked`."""
    return _SHORT[grade.no_grade] if grade.grade is None and grade.no_grade is not None else grade_text(grade)


def _temperatures(readings: Iterable[Reading]) -> Iterator[Mark]:
    for r in readings:
        yield Mark(r.at, f"{celsius(r.value)} °C", reference_text(r.reference), r.value)


def _readings(readings: Iterable[Reading], unit: str) -> Iterator[Mark]:
    for r in readings:
        yield Mark(r.at, f"{number(r.value)} {unit}", reference_text(r.reference), r.value)


def _lab(name: str, measure: Measure, fold: FoldChange, cut: Decimal) -> Lane:
    """The samples in the unit of the baseline, or of most of them; others stand in the table. The line of the limit is
    drawn where the baseline is one number."""
    units = Counter(s.unit for s, _ in fold.series)
    unit = fold.baseline.unit if fold.baseline else units.most_common(1)[0][0] if units else measure.value
    limit, words = None, ""
    if fold.baseline is not None and fold.baseline.value.low == fold.baseline.value.high and fold.baseline.value.low:
        limit = fold.baseline.value.low * cut
        words = f"{number(cut)} × baseline = {number(limit)} {unit}"
    return Lane(name, unit, tuple(_sample(s, use, unit) for s, use in fold.series), limit, words)


def _sample(s: Sample, use: SampleUse, unit: str) -> Mark:
    value = _height(s.value) if s.unit == unit else None
    return Mark(s.at.earliest, s.text, reference_text(s.reference), value, use.value, date_only=s.at.is_date)


def _height(value: Interval) -> Decimal:
    """Where a result is drawn: one below or above a limit at the limit."""
    return value.low if value.high is None else value.high


def _oxygen(grades: tuple[GradeAt, ...], now: datetime) -> Iterator[Mark]:
    """Row O of the grade for as long as it said the same."""
    runs = [tuple(run) for _, run in groupby(grades, lambda one: _oxygen_words(one.grade.oxygen))]
    ends = [*(run[0].at for run in runs[1:]), now]
    for run, end in zip(runs, ends, strict=True):
        row = run[0].grade.oxygen
        value = None if row.unknown else Decimal(row.value)
        source = ", ".join(reference_text(r) for r in row.evidence)
        yield Mark(run[0].at, _oxygen_words(row), source, value, end=end)


def _oxygen_words(row: Row) -> str:
    if row.unknown:
        return "not known"
    return ("" if row.exact else "at least ") + (row.drivers[0] if row.drivers else "no oxygen")


def _pressors(history: CourseHistory, now: datetime, t: Thresholds) -> Iterator[Mark]:
    """Each vasopressor for as long as it was running, charted long ago, or on hold."""
    open_now: dict[str, Mark] = {}
    for at in (one.at for one in history.grades):
        running = running_pressors(history.signs.pressure.infusions, at, t)
        states = {name: (state.running.value, state.reference) for name, (_, state) in running.items()}
        for name in list(open_now):
            if name not in states or open_now[name].use != states[name][0]:
                yield replace(open_now.pop(name), end=at)
        for name, (state, reference) in states.items():
            open_now.setdefault(name, Mark(at, name, reference_text(reference), use=state))
    for mark in open_now.values():
        yield replace(mark, end=now)


def _drugs(facts: PatientFacts, course: Course, history: CourseHistory) -> Iterator[Mark]:
    given = [a for a in history.given if a.start.latest >= course.day_before]
    mg = {a.reference: a.dose_mg for a in given}
    counted = {reference for dose in facts.tocilizumab.doses for reference in dose.references}
    for count, dose in enumerate(facts.tocilizumab.doses, 1):
        amounts = [mg.get(reference) for reference in dose.references]
        whole = sum(filter(None, amounts), Decimal(0)) if all(amounts) else None
        source = ", ".join(reference_text(r) for r in dose.references)
        yield Mark(
            dose.start, _amount("tocilizumab", whole), source, use=f"{DrugClass.TOCILIZUMAB.value}, dose {count}"
        )
    for a in of_class(given, DrugClass.TOCILIZUMAB):
        if a.reference not in counted:
            yield _given(a, "not counted as a dose for CRS")
    others = (DrugClass.IL6_BLOCKER, DrugClass.IL1_BLOCKER, DrugClass.STEROID, DrugClass.ANTIPYRETIC)
    for a in of_class(given, *others):
        yield _given(a, a.drug.drug_class.value)


def _given(a: Administration, use: str) -> Mark:
    source = reference_text(a.reference)
    return Mark(a.start.earliest, _amount(a.drug.ingredient, a.dose_mg), source, use=use, date_only=a.start.is_date)


def _amount(name: str, mg: Decimal | None) -> str:
    return f"{name} {number(mg)} mg" if mg is not None else name
