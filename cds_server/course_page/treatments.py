"""Oxygen, vasopressors and drugs of a course as marks, as the rules of the grade read them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, tzinfo
from decimal import Decimal
from itertools import groupby

from cards.sentences.escaping import plain_reference
from cards.sentences.numbers_and_times import number, when
from cards.wording.row_words import driver_words
from cds_server.course_page.marks import Given, Holds, Mark
from fhir_mappings.course_history import CourseHistory
from fhir_mappings.facts.course import Course
from fhir_mappings.facts.flags import Flag
from fhir_mappings.facts.grade import GradeRow
from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.facts.row_parts import OxygenDevice, OxygenFlow, PressorRunning, SupportInProgress
from fhir_mappings.facts.signs import Device
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.facts.treatment import Administration, DrugClass, of_class
from fhir_mappings.rules.grade_history import GradeAt
from fhir_mappings.rules.vasopressors import PressorState, running_pressors

_KINDS = {
    DrugClass.IL6_BLOCKER: Given.BLOCKER,
    DrugClass.IL1_BLOCKER: Given.BLOCKER,
    DrugClass.STEROID: Given.STEROID,
    DrugClass.ANTIPYRETIC: Given.ANTIPYRETIC,
}
_SHORT_DEVICES = {
    Device.VENTILATOR: "vent",
    Device.CPAP_BIPAP: "CPAP",
    Device.HOME_CPAP: "CPAP",
    Device.MASK_OR_HIGH_FLOW: "mask",
    Device.CANNULA: "NC",
    Device.BLOW_BY: "blow",
    Device.ROOM_AIR: "RA",
}
_HOLDS = {
    PressorRunning.ACTIVE: Holds.NOW,
    PressorRunning.STALE: Holds.STALE,
    PressorRunning.HELD: Holds.HELD,
}


def oxygen(grades: tuple[GradeAt, ...], now: datetime) -> Iterator[Mark]:
    """The row of oxygen in the grade, as one mark for as long as it said the same."""
    runs = [tuple(run) for _, run in groupby(grades, lambda one: _oxygen_words(one.grade.oxygen))]
    ends = [*(run[0].at for run in runs[1:]), now]
    for run, end in zip(runs, ends, strict=True):
        row = run[0].grade.oxygen
        value = None if row.unknown else Decimal(row.value)
        source = ", ".join(plain_reference(r) for r in row.evidence)
        yield Mark(
            run[0].at, _oxygen_words(row), source, value, code=_oxygen_holds(row), end=end, short=_oxygen_short(row)
        )


def _oxygen_words(row: GradeRow) -> str:
    if row.unknown:
        return "not known"
    stale = ", charted long ago" if Flag.OXYGEN_STALE in row.flags else ""
    return ("" if row.exact else "at least ") + (driver_words(row.drivers[0]) if row.drivers else "no oxygen") + stale


def _oxygen_short(row: GradeRow) -> str:
    """The row in a few letters, for a strip that is too narrow for words: `CPAP`, `NC 3`, `3 L/min`, `?`."""
    if row.unknown:
        return "?"
    driver = row.drivers[0] if row.drivers else None
    match driver:
        case OxygenDevice(device, flow) | SupportInProgress(device, flow):
            amount = f" {number(flow)}" if flow is not None else ""
            return f"{_SHORT_DEVICES.get(device, '')}{amount}".strip()
        case OxygenFlow(flow, _):
            return f"{number(flow)} L/min"
    return ""


def _oxygen_holds(row: GradeRow) -> Holds:
    if row.unknown:
        return Holds.UNKNOWN
    return Holds.STALE if Flag.OXYGEN_STALE in row.flags else Holds.NOW


def _state_words(state: PressorState, zone: tzinfo) -> str:
    """The state in words: `running`, `on hold`, or `last charted 6 Mar 02:00` if it was charted long ago and not
    stopped."""
    if state.running is PressorRunning.STALE:
        return f"last charted {when(state.last_charted.astimezone(zone))}"
    return "on hold" if state.running is PressorRunning.HELD else "running"


def pressors(history: CourseHistory, now: datetime, zone: tzinfo, t: Thresholds) -> Iterator[Mark]:
    """The marks of each vasopressor for as long as it was running, charted long ago, or on hold."""
    open_now: dict[str, Mark] = {}
    for at in (one.at for one in history.grades):
        running = running_pressors(history.signs.pressure.infusions, at, t)
        marks = {name: _pressor(at, name, state, zone) for name, (_, state) in running.items()}
        for name in list(open_now):
            if name not in marks or open_now[name].use != marks[name].use:
                yield replace(open_now.pop(name), end=at)
        for name, mark in marks.items():
            open_now.setdefault(name, mark)
    for mark in open_now.values():
        yield replace(mark, end=now)


def _pressor(at: datetime, name: str, state: PressorState, zone: tzinfo) -> Mark:
    holds, words = _HOLDS[state.running], _state_words(state, zone)
    label = name if holds is Holds.NOW else f"{name}, {words}"
    return Mark(at, name, plain_reference(state.reference), label=label, use=words, code=holds)


def drugs(facts: PatientFacts, course: Course, history: CourseHistory) -> Iterator[Mark]:
    """The marks of tocilizumab by dose, other blockers, corticosteroids and antipyretics since the day before the
    infusion."""
    given = [a for a in history.given if a.start.latest >= course.day_before]
    mg = {a.reference: a.dose_mg for a in given}
    starts = {a.reference: a.start.earliest for a in given}
    counted = {reference for dose in facts.tocilizumab.doses for reference in dose.references}
    for count, dose in enumerate(facts.tocilizumab.doses, 1):
        amounts = [mg.get(reference) for reference in dose.references]
        whole = sum(filter(None, amounts), Decimal(0)) if all(amounts) else None
        source = ", ".join(plain_reference(r) for r in dose.references)
        at = starts[dose.references[0]] if dose.date_only else dose.start
        yield Mark(
            at, _named("tocilizumab", whole), source, label=_amount(whole), use=f"tocilizumab, dose {count}",
            code=Given.DOSE, date_only=dose.date_only,
        )  # fmt: skip
    for a in of_class(given, DrugClass.TOCILIZUMAB):
        if a.reference not in counted:
            use = "tocilizumab, not counted as a dose for CRS"
            yield replace(_given(a), label=_amount(a.dose_mg), use=use, code=Given.NOT_COUNTED)
    for a in of_class(given, *_KINDS):
        yield replace(_given(a), use=a.drug.drug_class.value, code=_KINDS[a.drug.drug_class])


def _given(a: Administration) -> Mark:
    source = plain_reference(a.reference)
    return Mark(a.start.earliest, _named(a.drug.ingredient, a.dose_mg), source, date_only=a.start.is_date)


def _named(name: str, mg: Decimal | None) -> str:
    return f"{name} {_amount(mg)}".strip()


def _amount(mg: Decimal | None) -> str:
    return f"{number(mg)} mg" if mg is not None else ""
