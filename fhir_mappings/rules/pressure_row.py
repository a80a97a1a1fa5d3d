"""Row H of the grade: hypotension by age, and the vasopressors that run at one moment."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from operator import attrgetter

from fhir_mappings.facts.coverage import Reach
from fhir_mappings.facts.flags import Flag
from fhir_mappings.facts.grade import GradeRow
from fhir_mappings.facts.patient import Age
from fhir_mappings.facts.row_parts import (
    Driver,
    Lack,
    LowPressure,
    Missing,
    PressorInfusion,
    PressorPushes,
    PressorRunning,
    Pressure,
    StalePressors,
)
from fhir_mappings.facts.signs import Reading
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.facts.treatment import Administration, Drug, DrugClass
from fhir_mappings.rules.hypotension import low_mean, low_systolic, mean_counts, systolic_limit, was_low_before
from fhir_mappings.rules.vasopressors import Pressors, PressorState, most_together, running_pressors

_at = attrgetter("at")


@dataclass(frozen=True, slots=True)
class PressorPush:
    """A vasopressor given by push at one moment, in the facility's zone."""

    reference: str
    ingredient: str
    at: datetime


@dataclass(frozen=True)
class PressureFacts:
    """The input of row H, and the reach of what could be read of it."""

    infusions: tuple[Administration, ...]
    pushes: tuple[PressorPush, ...]
    systolic: tuple[Reading, ...]
    mean: tuple[Reading, ...]
    readings_reach: Reach
    administrations_reach: Reach
    ordered: frozenset[Drug] = frozenset()


def pressure_row(facts: PressureFacts, age: Age | None, opens: datetime, at: datetime, t: Thresholds) -> GradeRow:
    """Row H at `at`: 0, 2 (hypotension), 3 (one vasopressor) or 4 (several, not counting vasopressin)."""
    pressors = running_pressors(facts.infusions, at, t)
    row = _pressor_part(pressors, at, t)
    if row.value == 0:
        row = _with_readings(row, facts, age, opens, at, t)
    row = _with_unread(row, facts, pressors, opens, at, t)
    pushes = tuple(p for p in facts.pushes if max(opens, at - t.bp_window) <= p.at <= at)
    row = replace(
        row,
        drivers=(*row.drivers, *_pushes(pushes)),
        evidence=(*row.evidence, *(p.reference for p in pushes)),
        provisional=row.value,
        last_charted=_last_charted(facts, at),
    )
    ordered = _ordered_row(facts.ordered, pressors, row.value)
    if ordered <= row.value:
        return row
    return replace(
        row, exact=False, provisional=ordered, could_be=4,
        flags=(*row.flags, Flag.PRESSOR_ORDERED_NOT_CHARTED), missing=(*row.missing, Missing.PRESSOR_NOT_CHARTED),
    )  # fmt: skip


def _with_readings(
    row: GradeRow, facts: PressureFacts, age: Age | None, opens: datetime, at: datetime, t: Thresholds
) -> GradeRow:
    """The row of a patient without a vasopressor that runs, by the readings of the window."""
    start = max(opens, at - t.bp_window)
    systolic, mean = _between(facts.systolic, start, at), _between(facts.mean, start, at)
    for pressure, readings, low in (
        (Pressure.SYSTOLIC, systolic, low_systolic(systolic, age, t)),
        (Pressure.MEAN, mean, low_mean(mean, age, t)),
    ):
        if low:
            all_of, limit = (
                (facts.systolic, systolic_limit(age, t))
                if pressure is Pressure.SYSTOLIC
                else (facts.mean, t.mean_adult)
            )
            not_new = was_low_before(all_of, limit, opens, t)
            driver = LowPressure(pressure, low[-1].value, len(low), len(readings), readings[-1].value, not_new)
            return replace(
                row, value=2, not_new=not_new, drivers=(*row.drivers, driver),
                evidence=(*row.evidence, low[-1].reference, readings[-1].reference),
            )  # fmt: skip
    shown = systolic or mean
    row = replace(row, evidence=(*row.evidence, *(r.reference for r in shown[-1:])))
    if _pressure_known(systolic, mean, age, t):
        return row
    lack = Missing.PRESSURE_BY_MEAN if mean else Missing.PRESSURE
    return replace(row, exact=False, could_be=2 if row.exact else row.could_be, missing=(*row.missing, lack))


def _with_unread(
    row: GradeRow, facts: PressureFacts, pressors: Pressors, opens: datetime, at: datetime, t: Thresholds
) -> GradeRow:
    """The row as a minimum where what could not be read, or was charted in part, may raise it."""
    start, carried_since = max(opens, at - t.bp_window), at - t.stale_limit
    value, most = row.value, row.most
    lacks: list[Lack] = []
    if value < 3 and not facts.readings_reach.whole(start, at):
        lacks.append(Missing.PRESSURE_UNREAD)
        most = max(most, 2)
    if value < 4 and not facts.administrations_reach.whole(carried_since, at):
        lacks.append(Missing.ADMINISTRATIONS_UNREAD)
        most = 4
    if value < 4 and any(state.without_rate for _, state in pressors.values()):
        lacks.append(Missing.PRESSOR_WITHOUT_RATE)
        most = 4
    unfetched = (value < 4 and not facts.administrations_reach.fetched(carried_since)) or (
        value < 3 and not facts.readings_reach.fetched(start)
    )
    if lacks:
        row = replace(row, exact=False, could_be=most, missing=(*row.missing, *lacks))
    return replace(row, unfetched=True) if unfetched else row


def _between(readings: Sequence[Reading], start: datetime, end: datetime) -> Sequence[Reading]:
    """The readings of a span, both ends included."""
    return readings[bisect_left(readings, start, key=_at) : bisect_right(readings, end, key=_at)]


def _last_charted(facts: PressureFacts, at: datetime) -> datetime | None:
    return max(
        (r.at for s in (facts.systolic, facts.mean) for r in s[: bisect_right(s, at, key=_at)][-1:]), default=None
    )


def _pressure_known(systolic: Sequence[Reading], mean: Sequence[Reading], age: Age | None, t: Thresholds) -> bool:
    """Tell whether the readings can say "not low": systolic ones, or an adult's mean pressures if none is low."""
    if systolic:
        return True
    return bool(mean) and mean_counts(age, t) and all(r.value >= t.mean_adult for r in mean)


def _ordered_row(ordered: frozenset[Drug], pressors: Pressors, value: int) -> int:
    """The row that vasopressors ordered and not yet charted would make."""
    new = [drug for drug in ordered if drug.ingredient not in pressors]
    if value >= 3:
        return 4 if any(drug.drug_class is DrugClass.VASOPRESSOR for drug in new) else value
    return 3 if new else value


def _pressor_part(pressors: Pressors, at: datetime, t: Thresholds) -> GradeRow:
    """The row by vasopressors alone.

    One on hold counts neither as running nor as stopped; one charted long ago is no second one beside one that runs.
    Either makes a row below 4 a minimum.
    """
    if not pressors:
        return GradeRow(0, exact=True)
    active, stale, held = (
        {name: v for name, v in pressors.items() if v[1].running is running}
        for running in (PressorRunning.ACTIVE, PressorRunning.STALE, PressorRunning.HELD)
    )
    drivers: list[Driver] = [
        PressorInfusion(name, state.running, at - state.last_charted)
        for group in (active, stale, held)
        for name, (_, state) in group.items()
    ]
    flags = [
        *([Flag.PRESSOR_STALE] if stale else []),
        *([Flag.PRESSOR_ON_HOLD] if held else []),
        *([Flag.OPEN_SINCE] if any(_is_open_long(state, at, t) for _, state in active.values()) else []),
    ]
    several = _counted(active) >= 2
    together = 0 if active else most_together(stale)
    if together >= 2:
        drivers.append(StalePressors(together))
        flags.append(Flag.PRESSORS_STALE_TOGETHER)
    value = 4 if several or together >= 2 else 3 if active or stale else 0
    return GradeRow(
        value,
        exact=value == 4 or not (held or (stale and active)),
        drivers=tuple(drivers),
        flags=tuple(flags),
        evidence=tuple(state.reference for _, state in pressors.values()),
    )


def _counted(pressors: Pressors) -> int:
    """The number of vasopressors that ASTCT counts: vasopressin is none of several."""
    return sum(drug_class is DrugClass.VASOPRESSOR for drug_class, _ in pressors.values())


def _is_open_long(state: PressorState, at: datetime, t: Thresholds) -> bool:
    return state.open_since is not None and at - state.open_since > t.stale_limit


def _pushes(pushes: tuple[PressorPush, ...]) -> list[Driver]:
    times: dict[str, list[datetime]] = {}
    for push in sorted(pushes, key=lambda p: p.at):
        times.setdefault(push.ingredient, []).append(push.at)
    return [PressorPushes(ingredient, len(found), found[0]) for ingredient, found in times.items()]
