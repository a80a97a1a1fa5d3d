"""Oxygen, vasopressors and drugs of a course as marks, as the rules of the grade read them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, tzinfo
from decimal import Decimal
from itertools import groupby

from cards.sentences.escaping import reference_text
from cards.sentences.numbers_and_times import number, when
from cards.wording.row_words import driver_words
from cds_server.course_page.marks import Mark
from fhir_mappings.course_history import CourseHistory
from fhir_mappings.facts.course import Course
from fhir_mappings.facts.flags import Flag
from fhir_mappings.facts.grade import Row
from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.facts.row_parts import PressorRunning
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.facts.treatment import Administration, DrugClass, of_class
from fhir_mappings.rules.grade_history import GradeAt
from fhir_mappings.rules.vasopressors import PressorState, running_pressors

NOT_COUNTED = "tocilizumab, not counted as a dose for CRS"


def oxygen(grades: tuple[GradeAt, ...], now: datetime) -> Iterator[Mark]:
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
    stale = ", charted long ago" if Flag.OXYGEN_STALE in row.flags else ""
    return ("" if row.exact else "at least ") + (driver_words(row.drivers[0]) if row.drivers else "no oxygen") + stale


def _state_words(state: PressorState, zone: tzinfo) -> str:
    """`running`, `last charted 6 Mar 02:00` of one charted long ago and not stopped, `on hold`."""
    if state.running is PressorRunning.STALE:
        return f"last charted {when(state.last_charted.astimezone(zone))}"
    return "on hold" if state.running is PressorRunning.HELD else "running"


def pressors(history: CourseHistory, now: datetime, zone: tzinfo, t: Thresholds) -> Iterator[Mark]:
    """Each vasopressor for as long as it was running, charted long ago, or on hold."""
    open_now: dict[str, Mark] = {}
    for at in (one.at for one in history.grades):
        running = running_pressors(history.signs.pressure.infusions, at, t)
        states = {name: (_state_words(state, zone), state.reference) for name, (_, state) in running.items()}
        for name in list(open_now):
            if name not in states or open_now[name].use != states[name][0]:
                yield replace(open_now.pop(name), end=at)
        for name, (state, reference) in states.items():
            open_now.setdefault(name, Mark(at, name, reference_text(reference), use=state))
    for mark in open_now.values():
        yield replace(mark, end=now)


def drugs(facts: PatientFacts, course: Course, history: CourseHistory) -> Iterator[Mark]:
    """Tocilizumab by dose, other blockers, corticosteroids and antipyretics since the day before the infusion."""
    given = [a for a in history.given if a.start.latest >= course.day_before]
    mg = {a.reference: a.dose_mg for a in given}
    starts = {a.reference: a.start.earliest for a in given}
    counted = {reference for dose in facts.tocilizumab.doses for reference in dose.references}
    for count, dose in enumerate(facts.tocilizumab.doses, 1):
        amounts = [mg.get(reference) for reference in dose.references]
        whole = sum(filter(None, amounts), Decimal(0)) if all(amounts) else None
        source = ", ".join(reference_text(r) for r in dose.references)
        use = f"{DrugClass.TOCILIZUMAB.value}, dose {count}"
        at = starts[dose.references[0]] if dose.date_only else dose.start
        yield Mark(at, _amount("tocilizumab", whole), source, use=use, date_only=dose.date_only)
    for a in of_class(given, DrugClass.TOCILIZUMAB):
        if a.reference not in counted:
            yield _given(a, NOT_COUNTED)
    others = (DrugClass.IL6_BLOCKER, DrugClass.IL1_BLOCKER, DrugClass.STEROID, DrugClass.ANTIPYRETIC)
    for a in of_class(given, *others):
        yield _given(a, a.drug.drug_class.value)


def _given(a: Administration, use: str) -> Mark:
    source = reference_text(a.reference)
    return Mark(a.start.earliest, _amount(a.drug.ingredient, a.dose_mg), source, use=use, date_only=a.start.is_date)


def _amount(name: str, mg: Decimal | None) -> str:
    return f"{name} {number(mg)} mg" if mg is not None else name
