"""The CAR-T course that is running: its infusions and day 0, in the facility's zone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta, tzinfo

from fhir_mappings.codes.terminology import Terminology
from fhir_mappings.facts.course import Course, Infusion
from fhir_mappings.facts.coverage import Kind, SetAside
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.facts.treatment import Administration, DrugClass
from fhir_mappings.infusions.infusion_procedures import Record
from fhir_mappings.medications.doubts import UNNAMED_PRODUCT
from fhir_mappings.reading.fhir_time import day

_INFUSED = frozenset({"completed", "in-progress", "stopped"})


def infusion_administrations(
    given: Iterable[Administration],
) -> tuple[tuple[Record, ...], tuple[SetAside, ...]]:
    """The administrations of a CAR-T product. One on hold or of unknown status is no infusion but is reported."""
    good: list[Record] = []
    bad: list[SetAside] = []
    for a in given:
        if a.drug.drug_class is not DrugClass.CAR_T:
            continue
        if a.status in _INFUSED:
            good.append((a.reference, a.start, a.drug.ingredient))
        else:
            why = f"CAR-T administration: status {a.status} does not say that it was given"
            bad.append(SetAside(a.reference, why, frozenset({Kind.ADMINISTRATIONS}), a.start, infusion=True))
    return tuple(good), tuple(bad)


def infusions(records: Iterable[Record], terms: Terminology, zone: tzinfo) -> tuple[Infusion, ...]:
    """The infusions that records describe. Records of one local date are one infusion unless their products differ.

    A record that names no product, such as the procedure of a billing code, belongs to each infusion of its date.
    """
    by_date: dict[date, list[Record]] = defaultdict(list)
    for record in records:
        by_date[record[1].earliest.astimezone(zone).date()].append(record)
    found: list[Infusion] = []
    for local_date in sorted(by_date):
        named = {product for _, _, product in by_date[local_date]} - {UNNAMED_PRODUCT}
        for product in sorted(named) or [UNNAMED_PRODUCT]:
            own = [r for r in by_date[local_date] if r[2] not in named - {product}]
            found.append(_one_infusion(own, product, terms))
    return tuple(found)


def _one_infusion(own: list[Record], product: str, terms: Terminology) -> Infusion:
    timed = [r for r in own if not r[1].is_date]
    start = min((timed or own), key=lambda r: r[1].earliest)[1].earliest
    early = terms.traits(product).treated_early
    return Infusion(tuple(sorted(r[0] for r in own)), start, bool(timed), product, early)


def current_course(found: tuple[Infusion, ...], as_of: datetime, zone: tzinfo, t: Thresholds) -> Course | None:
    """The course of the last infusion at or before `as_of`; None if there was none.

    An infusion within `new_course_after` of the one before belongs to the same course, whatever its product.
    """
    begun = sorted((i for i in found if i.start <= as_of), key=lambda i: i.start)
    if not begun:
        return None
    dates = [i.start.astimezone(zone).date() for i in begun]
    first = len(begun) - 1
    while first > 0 and dates[first] - dates[first - 1] <= t.new_course_after:
        first -= 1
    course = begun[first:]
    day0, today = dates[first], as_of.astimezone(zone).date()
    opens = course[0].start if course[0].time_known else day(day0, zone).latest
    return Course(
        infusions=tuple(course),
        day0=day0,
        day_before=day(day0 - timedelta(days=1), zone).earliest,
        last_infused=dates[-1],
        start=course[0].start,
        peak_opens=opens,
        day=(today - day0).days,
        days_since_last=(today - dates[-1]).days,
    )
