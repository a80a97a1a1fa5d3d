"""Row H of the grade: hypotension by age, and the vasopressors that run at one moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

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
)
from fhir_mappings.facts.signs import Reading
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.facts.treatment import Administration, Drug, DrugClass
from fhir_mappings.rules.hypotension import is_adult, low_mean, low_systolic
from fhir_mappings.rules.vasopressors import Pressors, running_pressors


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
    start = max(opens, at - t.bp_window)
    systolic = tuple(r for r in facts.systolic if start <= r.at <= at)
    mean = tuple(r for r in facts.mean if start <= r.at <= at)
    pressors = running_pressors(facts.infusions, at, t)
    value, exact, drivers, flags, evidence = _pressor_part(pressors, at, t)
    could_be = value if exact else 4
    missing: list[Lack] = []
    if value == 0:
        value, more_drivers, more_evidence = _reading_part(systolic, mean, age, t)
        drivers, evidence = drivers + more_drivers, evidence + more_evidence
        if value == 0 and not _pressure_known(systolic, mean, age, t):
            missing.append(Missing.PRESSURE)
            could_be = 2 if exact else could_be
            exact = False
    carried_since = at - t.stale_limit
    if not facts.readings_reach.whole(start, at) and value < 3:
        missing.append(Missing.PRESSURE_UNREAD)
        exact, could_be = False, max(could_be, 2)
    if not facts.administrations_reach.whole(carried_since, at) and value < 4:
        missing.append(Missing.ADMINISTRATIONS_UNREAD)
        exact, could_be = False, 4
    if value < 4 and any(state.without_rate for _, state in pressors.values()):
        missing.append(Missing.PRESSOR_WITHOUT_RATE)
        exact, could_be = False, 4
    pushes = tuple(p for p in facts.pushes if start <= p.at <= at)
    drivers, evidence = [*drivers, *_pushes(pushes)], [*evidence, *(p.reference for p in pushes)]
    provisional = value
    ordered = _ordered_row(facts.ordered, pressors, value)
    if ordered > value:
        exact, provisional, could_be = False, ordered, 4
        flags.append(Flag.PRESSOR_ORDERED_NOT_CHARTED)
        missing.append(Missing.PRESSOR_NOT_CHARTED)
    unfetched = (value < 4 and not facts.administrations_reach.fetched(carried_since)) or (
        value < 3 and not facts.readings_reach.fetched(start)
    )
    return GradeRow(
        value, exact, tuple(drivers), tuple(missing), tuple(flags), tuple(evidence), provisional, unfetched, could_be,
    )  # fmt: skip


def _pushes(pushes: tuple[PressorPush, ...]) -> list[Driver]:
    times: dict[str, list[datetime]] = {}
    for push in sorted(pushes, key=lambda p: p.at):
        times.setdefault(push.ingredient, []).append(push.at)
    return [PressorPushes(ingredient, len(found), found[0]) for ingredient, found in times.items()]


def _pressure_known(systolic: tuple[Reading, ...], mean: tuple[Reading, ...], age: Age | None, t: Thresholds) -> bool:
    """Tell whether the readings can say "not low": systolic ones, or an adult's mean pressures if none is low."""
    if systolic:
        return True
    return bool(mean) and is_adult(age, t) and all(r.value >= t.mean_adult for r in mean)


def _ordered_row(ordered: frozenset[Drug], pressors: Pressors, value: int) -> int:
    """The row that vasopressors ordered and not yet charted would make."""
    new = [drug for drug in ordered if drug.ingredient not in pressors]
    if value >= 3:
        return 4 if any(drug.drug_class is DrugClass.VASOPRESSOR for drug in new) else value
    return 3 if new else value


def _pressor_part(
    pressors: Pressors, at: datetime, t: Thresholds
) -> tuple[int, bool, list[Driver], list[Flag], list[str]]:
    active, stale, held = (
        {name: v for name, v in pressors.items() if v[1].running is running}
        for running in (PressorRunning.ACTIVE, PressorRunning.STALE, PressorRunning.HELD)
    )
    drivers: list[Driver] = [
        PressorInfusion(name, state.running, at - state.last_charted)
        for group in (active, stale, held)
        for name, (_, state) in group.items()
    ]
    # One on hold counts neither as running nor as stopped; one charted long ago is no second one beside one that runs.
    # Either makes a row below 4 a minimum.
    flags = []
    counted = active
    if stale:
        flags.append(Flag.PRESSOR_STALE)
        counted = active or _together(stale)
    if held:
        flags.append(Flag.PRESSOR_ON_HOLD)
    if any(v[1].open_since is not None and at - v[1].open_since > t.stale_limit for v in active.values()):
        flags.append(Flag.OPEN_SINCE)
    several = sum(1 for drug_class, _ in counted.values() if drug_class is DrugClass.VASOPRESSOR) >= 2
    value = 4 if several else 3 if counted else 0
    exact = value == 4 or not (held or (stale and active))
    return value, exact, drivers, flags, [v[1].reference for v in pressors.values()]


def _together(stale: Pressors) -> Pressors:
    """The stale pressors that were charted close enough to the last one to have run beside it.

    They count together when all are stale, because the clock alone must not lower grade 4.
    """
    last = max(v[1].last_charted for v in stale.values())
    return {k: v for k, v in stale.items() if last - v[1].last_charted <= v[1].carry}


def _reading_part(
    systolic: tuple[Reading, ...], mean: tuple[Reading, ...], age: Age | None, t: Thresholds
) -> tuple[int, list[Driver], list[str]]:
    low = low_systolic(systolic, age, t)
    if low:
        return 2, [_low(Pressure.SYSTOLIC, low, systolic)], [low[-1].reference, systolic[-1].reference]
    low = low_mean(mean, age, t)
    if low:
        return 2, [_low(Pressure.MEAN, low, mean)], [low[-1].reference]
    shown = systolic or mean
    return 0, [], [shown[-1].reference] if shown else []


def _low(pressure: Pressure, low: tuple[Reading, ...], of: tuple[Reading, ...]) -> LowPressure:
    return LowPressure(pressure, low[-1].value, len(low), len(of), of[-1].value)
