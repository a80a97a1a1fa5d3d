"""The ASTCT grade of cytokine release syndrome at one moment (Lee 2019), from fever, row H and row O.

Three rules stand above the table. Unknown is not normal. Only a record lowers the grade, never the clock. Windows are
clipped at the start of the infusion and at the moment asked for. See clinical specification §1.2.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from fhir_mappings.facts.course import Course
from fhir_mappings.facts.coverage import Reach
from fhir_mappings.facts.flags import Flag
from fhir_mappings.facts.grade import CrsGrade, Fever, NoGrade
from fhir_mappings.facts.patient import Age
from fhir_mappings.facts.signs import ROW_OF, Reading
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.facts.treatment import Administration, DrugClass, Route, of_class
from fhir_mappings.rules.hypotension import low_mean_moments, systolic_limit, was_low_before
from fhir_mappings.rules.oxygen_row import OxygenFacts, oxygen_moments, oxygen_row, without_home_devices
from fhir_mappings.rules.pressure_row import PressureFacts, pressure_row

BLOCKERS = (DrugClass.TOCILIZUMAB, DrugClass.IL6_BLOCKER, DrugClass.IL1_BLOCKER)


@dataclass(frozen=True)
class Signs:
    """The input of the grade, mapped once and then read for any moment of the course."""

    temperatures: tuple[Reading, ...]
    temperatures_reach: Reach
    pressure: PressureFacts
    oxygen: OxygenFacts
    given: tuple[Administration, ...]
    given_reach: Reach


def fevers(signs: Signs, course: Course, at: datetime, t: Thresholds) -> tuple[Reading, ...]:
    """The fevers of this course up to `at`, oldest first. The first of them is the onset."""
    return tuple(r for r in signs.temperatures if course.start <= r.at <= at and r.value >= t.fever)


def crs_grade(signs: Signs, course: Course, age: Age | None, at: datetime, t: Thresholds) -> CrsGrade:
    """The grade at `at`, or the reason why there is none. Grade 5 is never given, because death is not inferred."""
    pressure = pressure_row(signs.pressure, age, course.start, at, t)
    oxygen = oxygen_row(signs.oxygen, course.start, at, t)
    hot = fevers(signs, course, at, t)
    fever, late = _fever(signs, hot, course, age, at, t)
    opens = max(course.start, at - t.fever_window)
    window = [r for r in signs.temperatures if opens <= r.at <= at]
    highest = max(window, key=lambda r: (r.value, r.at), default=None)
    flags = (*pressure.flags, *oxygen.flags, *((Flag.LATE_AFTER_WAIVER,) if late else ()))
    shown = CrsGrade(
        fever=fever,
        pressure=pressure,
        oxygen=oxygen,
        provisional=max(pressure.provisional, oxygen.provisional),
        onset=hot[0].at if hot else None,
        episode=_episode(hot, fever, t),
        highest_temperature=highest.value if highest else None,
        last_temperature_at=window[-1].at if window else None,
        flags=flags,
        evidence=tuple(dict.fromkeys([*_temperature_evidence(highest, hot), *pressure.evidence, *oxygen.evidence])),
        unfetched=pressure.unfetched or oxygen.unfetched or _fever_unfetched(signs, course, fever, at, t),
    )
    return _graded(shown)


def _episode(hot: tuple[Reading, ...], fever: Fever, t: Thresholds) -> datetime | None:
    """The start of the present fever: back from the last one while two fevers lie no more than a window apart.

    If there is no fever now it may be suppressed, so the onset stands.
    """
    if not hot or fever is not Fever.NOW:
        return hot[0].at if hot else None
    start = hot[-1].at
    for reading in reversed(hot):
        if start - reading.at > t.fever_window:
            break
        start = reading.at
    return start


def _temperature_evidence(highest: Reading | None, hot: tuple[Reading, ...]) -> list[str]:
    return [r.reference for r in (highest, hot[0] if hot else None) if r is not None]


def _graded(c: CrsGrade) -> CrsGrade:
    """The grade by the fever table, read from the top: the first row that fits decides."""
    h, o = c.pressure, c.oxygen
    worst = max(h.value, o.value)
    both_zero = not h.unknown and not o.unknown and worst == 0
    minimum = max(h.most, o.most) > worst
    match c.fever:
        case Fever.NOW:
            return replace(c, grade=max(worst, 1), minimum=minimum)
        case Fever.WAIVED if worst > 0:
            return replace(c, grade=worst, minimum=minimum)
        case Fever.WAIVED | Fever.EARLIER | Fever.MASKED if both_zero:
            return replace(c, grade=0)
        case Fever.EARLIER | Fever.MASKED if worst > 0:
            return replace(c, no_grade=NoGrade.MASKED)
        case Fever.NONE:
            return replace(c, grade=0, provisional=0)
    return replace(c, no_grade=NoGrade.UNKNOWN)


def _fever(
    signs: Signs, hot: tuple[Reading, ...], course: Course, age: Age | None, at: datetime, t: Thresholds
) -> tuple[Fever, bool]:
    """The row of the fever table, and whether the waiver of fever has lapsed. `hot` are the fevers up to `at`."""
    window_opens = max(course.start, at - t.fever_window)
    if any(r.at >= window_opens for r in hot):
        return Fever.NOW, False
    onset = hot[0].at if hot else None
    treated = onset is not None and _waiver_drug(signs.given, course, onset, at, t)
    if treated and _waiver_holds(signs, hot[-1].at, course, age, at, t):
        return Fever.WAIVED, False
    lapsed = treated
    if not signs.given_reach.whole(course.day_before, at) and not lapsed:
        return Fever.UNKNOWN_TREATMENT, False
    # a fever that cannot be excluded, because temperatures of the window are unread or unusable, gives no grade
    measured = any(window_opens <= r.at <= at for r in signs.temperatures)
    if not measured or not signs.temperatures_reach.whole(window_opens, at):
        return Fever.NOT_MEASURED, lapsed
    # temperatures since the infusion that could not be read may hold the onset: read as "fever earlier"
    if onset is not None or not signs.temperatures_reach.whole(course.start, at):
        return Fever.EARLIER, lapsed
    if _masking_drug(signs.given, course, at, t):
        return Fever.MASKED, False
    return Fever.NONE, False


def _fever_unfetched(signs: Signs, course: Course, fever: Fever, at: datetime, t: Thresholds) -> bool:
    """Tell whether fever is undecided because data could not be fetched, and not because they were never charted."""
    if fever is Fever.UNKNOWN_TREATMENT:
        return not signs.given_reach.fetched(course.day_before)
    if fever is Fever.NOT_MEASURED:
        return not signs.temperatures_reach.fetched(max(course.start, at - t.fever_window))
    return fever is Fever.EARLIER and not signs.temperatures_reach.fetched(course.start)


def _given_between(given: Iterable[Administration], since: datetime, until: datetime, *classes: DrugClass) -> bool:
    return any(
        a.start.earliest <= until and (a.open_ended or max(a.start.latest, a.end or a.start.latest) >= since)
        for a in of_class(given, *classes)
    )


def _waiver_drug(
    given: tuple[Administration, ...], course: Course, onset: datetime, at: datetime, t: Thresholds
) -> bool:
    """Tell whether a drug waives fever: an antipyretic from 24 h before onset, or a steroid or blocker since day −1."""
    return _given_between(given, onset - t.antipyretic_before_onset, at, DrugClass.ANTIPYRETIC) or _given_between(
        given, min(course.day_before, onset), at, DrugClass.STEROID, *BLOCKERS
    )


def _masking_drug(given: tuple[Administration, ...], course: Course, at: datetime, t: Thresholds) -> bool:
    return (
        _given_between(given, at - t.antipyretic_masks, at, DrugClass.ANTIPYRETIC)
        or _given_between(given, at - t.steroid_masks, at, DrugClass.STEROID)
        or _given_between(given, course.day_before, at, *BLOCKERS)
    )


def _waiver_holds(
    signs: Signs, last_fever: datetime, course: Course, age: Age | None, at: datetime, t: Thresholds
) -> bool:
    """Tell whether no gap between records of fever, H > 0, O > 0 or a dose of tocilizumab was longer than
    `waiver_limit`, up to now.

    Only a new fever brings a lapsed waiver back, so the count begins with the last fever.
    """
    until = last_fever + t.waiver_limit
    if at <= until:
        return True  # whatever else is charted can only put it off
    for start, end in sorted(_positive_spans(signs, course, age, at, t)):
        if start <= until:
            until = max(until, end + t.waiver_limit)
    return at <= until


def _positive_spans(
    signs: Signs, course: Course, age: Age | None, at: datetime, t: Thresholds
) -> list[tuple[datetime, datetime]]:
    """The times of H > 0, O > 0 and doses."""
    doses = [
        min(a.start.latest, at)
        for a in of_class(signs.given, DrugClass.TOCILIZUMAB)
        if a.route in (Route.INTRAVENOUS, Route.NOT_STATED) and a.start.earliest <= at
    ]
    return [*row_spans(signs, course, age, at, t), *((dose, dose) for dose in doses if course.start <= dose <= at)]


def row_spans(
    signs: Signs, course: Course, age: Age | None, at: datetime, t: Thresholds
) -> list[tuple[datetime, datetime]]:
    """The times of H > 0 and O > 0. What was the same before the infusion keeps its row, and no waiver alive."""
    oxygen, _ = without_home_devices(signs.oxygen, course.start, at, t)
    points = [*_low_pressures(signs.pressure, course.start, age, t), *oxygen_moments(oxygen, course.start, at, t)]
    spans = [(p, p) for p in points]
    for a in signs.pressure.infusions:
        end = at if a.open_ended else min(a.end or a.start.earliest, at)
        spans.append((a.start.earliest, end))
    spans += [(d.at, at) for d in oxygen.open_supports if ROW_OF[d.device] > 0]
    return [(start, end) for start, end in spans if course.start <= start <= at]


def _low_pressures(pressure: PressureFacts, opens: datetime, age: Age | None, t: Thresholds) -> Iterator[datetime]:
    limit = systolic_limit(age, t)
    if not was_low_before(pressure.systolic, limit, opens, t):
        yield from (r.at for r in pressure.systolic if r.value < limit)
    if not was_low_before(pressure.mean, t.mean_adult, opens, t):
        yield from low_mean_moments((r for r in pressure.mean if r.at >= opens), age, t)
