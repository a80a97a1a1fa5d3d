"""The CAR-T course that is running: its infusions and day 0, in the facility's zone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta, tzinfo

from fhir_mappings.codes.meanings import says_what
from fhir_mappings.codes.terminology import Terminology
from fhir_mappings.facts.course import Course, Infusion
from fhir_mappings.facts.coverage import FUTURE_DATED, Kind, SetAside
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.facts.time_and_range import Moment
from fhir_mappings.facts.treatment import Administration, DrugClass
from fhir_mappings.medications.drugs import drug_in
from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.fhir_time import BadTimeError, day, moment, own_offset
from fhir_mappings.reading.resource_pool import ResourcePool
from fhir_mappings.reading.resources import Resource, kinds_of

UNNAMED_PRODUCT = "CAR-T cells"
_INFUSED = frozenset({"completed", "in-progress", "stopped"})
_PERFORMED = frozenset({"completed", "in-progress"})
_NEVER_PERFORMED = frozenset({"not-done", "entered-in-error", "preparation"})
_PROCEDURES = frozenset({Kind.PROCEDURES})

Record = tuple[str, Moment, str | None]
"""Reference, start and product, where it is named, of one record of an infusion."""


def infusion_procedures(
    pool: ResourcePool, terms: Terminology, zone: tzinfo, as_of: datetime, t: Thresholds
) -> tuple[tuple[Record, ...], tuple[SetAside, ...]]:
    """The CAR-T administration procedures that were done, and those that cannot be used."""
    good: list[Record] = []
    bad: list[SetAside] = []
    for resource in pool.of_type(fs.Procedure):
        data = resource.data
        if data.status in _NEVER_PERFORMED:
            continue
        if not says_what(data.code, terms):
            infusion = terms.infusion_marks.search(resource.raw) is not None
            kinds = resource.kinds or kinds_of("Procedure")
            bad.append(SetAside(resource.reference, "does not say what was done", kinds, infusion=infusion))
            continue
        if "car-t-administration" not in terms.sets_of(fs.codings_of(data.code)):
            continue
        period = data.performed_period
        text = data.performed_date_time or (period.start if period else None)
        try:
            if data.status not in _PERFORMED:
                raise BadTimeError("status does not say that it was done")
            if not text:
                raise BadTimeError("no time performed")
            at = moment(text, zone)
            if at.earliest > as_of + t.future_tolerance:
                raise BadTimeError(FUTURE_DATED)
            if at.earliest > as_of:  # the other clock is a little ahead of ours: it counts as now
                at = Moment(as_of, as_of)
            good.append((resource.reference, at, _product(resource, terms)))
        except BadTimeError as error:
            bad.append(SetAside(resource.reference, f"CAR-T administration: {error}", _PROCEDURES, infusion=True))
    return tuple(good), tuple(bad)


def _product(resource: Resource[fs.Procedure], terms: Terminology) -> str | None:
    codes = {c.code for c in resource.data.code.coding}
    for concept in terms.value_sets["car-t-administration"]:
        if concept.code in codes and concept.ingredient:
            return concept.ingredient
    return None


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
    """The infusions that records describe. Records of one local date are one infusion unless their products differ."""
    by_date: dict[date, list[Record]] = defaultdict(list)
    for record in records:
        by_date[record[1].earliest.astimezone(zone).date()].append(record)
    found: list[Infusion] = []
    for local_date in sorted(by_date):
        named = sorted({product for _, _, product in by_date[local_date] if product is not None})
        products: list[str | None] = [*named] or [None]
        found += [_one_infusion(by_date[local_date], product, terms) for product in products]
    return tuple(found)


def _one_infusion(records: list[Record], product: str | None, terms: Terminology) -> Infusion:
    own = [r for r in records if r[2] in (product, None)]
    timed = [r for r in own if not r[1].is_date]
    start = min((timed or own), key=lambda r: r[1].earliest)[1].earliest
    early = product is not None and terms.traits(product).treated_early
    return Infusion(tuple(sorted(r[0] for r in own)), start, bool(timed), product or UNNAMED_PRODUCT, early)


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


def facility_zone(
    setting: tzinfo | None, pool: ResourcePool, terms: Terminology, fhir_base: str | None
) -> tuple[tzinfo, bool]:
    """The zone whose dates count, and whether it was assumed.

    Without a setting, which only development allows, it is the offset written on the infusion. If that says `Z`, UTC
    is assumed.
    """
    if setting is not None:
        return setting, False
    texts = []
    for resource in pool.of_type(fs.MedicationAdministration):
        data = resource.data
        drug = drug_in(data, pool, terms, fhir_base)
        if drug is not None and drug.drug_class is DrugClass.CAR_T:
            texts.append(data.effective_date_time or (data.effective_period and data.effective_period.start))
    for procedure in pool.of_type(fs.Procedure):
        if "car-t-administration" in terms.sets_of(fs.codings_of(procedure.data.code)):
            period = procedure.data.performed_period
            texts.append(procedure.data.performed_date_time or (period and period.start))
    for text in sorted((text for text in texts if text), reverse=True):
        offset = own_offset(text)
        if offset is not None:
            return offset, False
    return UTC, True
