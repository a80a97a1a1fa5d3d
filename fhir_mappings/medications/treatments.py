"""The mapping from MedicationAdministrations to what was given, when and how, and to the doses of tocilizumab."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, tzinfo
from decimal import Decimal

from fhir_mappings.codes.delivery_words import Deliveries, SaidOfDelivery
from fhir_mappings.codes.terminology import Terminology
from fhir_mappings.facts.course import Course
from fhir_mappings.facts.coverage import FUTURE_DATED, Kind, SetAside
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.facts.time_and_range import Moment
from fhir_mappings.facts.treatment import Administration, Dose, DrugClass, HourlyRate, Route, StatedDose
from fhir_mappings.medications.amounts import Content, hourly_rate
from fhir_mappings.medications.drugs import DrugsOfChart, route_of
from fhir_mappings.medications.stated_doses import stated_dose, statement_of
from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.fhir_time import BadTimeError, moment
from fhir_mappings.reading.resource_pool import ResourcePool
from fhir_mappings.reading.resources import Resource

NEVER_GIVEN = frozenset({"not-done", "entered-in-error"})
STATUSES = frozenset({"in-progress", "completed", "stopped", "on-hold", "unknown"})
ADMINISTRATIONS = frozenset({Kind.ADMINISTRATIONS})


def administrations(
    pool: ResourcePool,
    terms: Terminology,
    zone: tzinfo,
    as_of: datetime,
    t: Thresholds,
    fhir_base: str | None = None,
) -> tuple[tuple[Administration, ...], tuple[SetAside, ...]]:
    """The administrations of the drugs that matter, oldest first, and those that could not be used.

    An administration whose drug nothing names comes out as UNIDENTIFIED: it may be any drug.
    """
    good: list[Administration] = []
    bad: list[SetAside] = []
    deliveries, drugs = Deliveries(), DrugsOfChart(pool, terms, fhir_base)
    for resource in pool.of_type(fs.MedicationAdministration):
        data = resource.data
        if data.status in NEVER_GIVEN:
            continue
        route = route_of(data.dosage.route if data.dosage else None, terms)
        for content in drugs.within(data, route):
            drug = content.drug
            if drug.drug_class is DrugClass.OTHER:
                # what is said around an infusion of CAR-T cells is named, and a hole in nothing
                bad += [SetAside(resource.reference, drug.ingredient)] if drug.resembles else []
                continue
            try:
                _check(data)
                administration = _administration(resource, content, route, zone, t)
                if drug.drug_class in _INFUSED:
                    administration = replace(administration, delivery=deliveries[_said(data.dosage)])
            except (BadTimeError, UnreadableError) as error:
                infusion = drug.drug_class is DrugClass.CAR_T or drug.resembles == {DrugClass.CAR_T}
                why = f"{drug.ingredient}: {error}"
                bad.append(SetAside(resource.reference, why, ADMINISTRATIONS, infusion=infusion, drugs=drug.resembles))
                continue
            if administration.start.earliest > as_of + t.future_tolerance:
                bad.append(_ahead(administration))
            elif administration.start.earliest > as_of:  # a clock a little ahead of ours: it counts as now
                good.append(replace(administration, start=Moment(as_of, as_of)))
            else:
                good.append(administration)
    good.sort(key=lambda a: (a.start.earliest, a.reference))
    return tuple(good), tuple(bad)


def _ahead(a: Administration) -> SetAside:
    """An administration that is charted ahead of the clock, as one that is set aside.

    The drug was given at some time, perhaps just now, so the hole has no time and no tocilizumab is offered. A CAR-T
    infusion hides no later dose; its hole keeps the time, and a card reports it.
    """
    infusion = a.drug.drug_class is DrugClass.CAR_T
    at = a.start if infusion else None
    return SetAside(a.reference, FUTURE_DATED, ADMINISTRATIONS, at, infusion=infusion, drugs=a.drug.resembles)


_INFUSED = frozenset({DrugClass.VASOPRESSOR, DrugClass.VASOPRESSIN})


def _said(dosage: fs.Dosage | None) -> SaidOfDelivery:
    """The codings of the method, and the words of route, method and dosage."""
    if dosage is None:
        return SaidOfDelivery()
    concepts = [concept for concept in (dosage.route, dosage.method) if concept is not None]
    texts = [dosage.text, *(concept.text for concept in concepts)]
    texts += [text for concept in concepts for coding in concept.coding for text in (coding.display, coding.code)]
    return SaidOfDelivery(fs.codings_of(dosage.method), tuple(text for text in texts if text))


class UnreadableError(ValueError):
    """The reason why an administration does not say what was given. The message names no patient data."""


def _check(data: fs.MedicationAdministration) -> None:
    """Raises UnreadableError for a status that FHIR does not have, or for a rate that is no number from 0 on.

    Neither may pass as the stop of an infusion.
    """
    if data.status not in STATUSES:
        raise UnreadableError("status is none of FHIR's")
    stated = _stated_rate(data.dosage)
    if stated is not None and (stated.value is None or stated.value < 0):
        raise UnreadableError("rate is no number from 0 on")


def _administration(
    resource: Resource[fs.MedicationAdministration],
    content: Content,
    route: Route,
    zone: tzinfo,
    t: Thresholds,
) -> Administration:
    data = resource.data
    period, dosage = data.effective_period, data.dosage
    start_text = data.effective_date_time or (period.start if period else None)
    if not start_text:
        raise BadTimeError("no effective time")
    end = moment(period.end, zone).latest if period and period.end else None
    ended = data.status in ("completed", "stopped", "on-hold")
    dose, has_amount = _amount(dosage, content, t)
    return Administration(
        reference=resource.reference,
        drug=content.drug,
        start=moment(start_text, zone),
        end=end,
        open_ended=end is None and (data.status == "in-progress" or (period is not None and not ended)),
        status=data.status,
        route=route,
        dose=dose,
        has_amount=has_amount,
        rate=_rate(dosage),
        hourly=hourly_rate(dosage, content) if content.drug.drug_class is DrugClass.STEROID else HourlyRate(),
        is_event=data.effective_date_time is not None,
        requests=(data.request.reference,) if data.request and data.request.reference else (),
    )


def _amount(dosage: fs.Dosage | None, content: Content, t: Thresholds) -> tuple[StatedDose, bool]:
    """The dose, and whether any amount is charted, be it one that cannot be read."""
    if dosage is None or dosage.dose is None or dosage.dose.value is None:
        return StatedDose(), False
    return stated_dose([statement_of(dosage.dose)], content, t), dosage.dose.value > 0


def _rate(dosage: fs.Dosage | None) -> Decimal | None:
    """The number of the rate in whatever unit it has: what matters is only whether it is zero."""
    quantity = _stated_rate(dosage)
    return quantity.value if quantity else None


def _stated_rate(dosage: fs.Dosage | None) -> fs.Quantity | None:
    if dosage is None:
        return None
    if dosage.rate_quantity is None and dosage.rate_ratio is not None:
        return dosage.rate_ratio.numerator or fs.Quantity()
    return dosage.rate_quantity


def doses_of(given: Iterable[Administration], as_of: datetime, t: Thresholds) -> tuple[Dose, ...]:
    """The doses made of tocilizumab administrations. A record that starts within an hour of the one before joins it.

    A dose known by date only counts as given at the latest moment at which it can have been.
    """
    doses: list[list[tuple[datetime, str, bool]]] = []
    for record in sorted((given_at(a.start, as_of), a.reference, a.start.is_date) for a in given):
        if doses and record[0] - doses[-1][-1][0] <= t.dose_merge:
            doses[-1].append(record)
        else:
            doses.append([record])
    return tuple(Dose(d[0][0], d[-1][0], tuple(reference for _, reference, _ in d), d[0][2]) for d in doses)


def history_opens(course: Course, as_of: datetime, t: Thresholds) -> datetime:
    """The moment from which administrations must be known, to see blockers before the infusion and doses to count."""
    before = max(t.administrations_before, t.prior_blockade)
    return min(course.start - before, as_of - t.dose_lookback)


def given_at(start: Moment, as_of: datetime) -> datetime:
    """The latest moment at which something can have been given."""
    return min(start.latest, as_of)


def counts_as_crs_dose(a: Administration) -> bool:
    """Tell whether this is tocilizumab given for CRS: intravenous or without a route; `stopped` only with an amount."""
    if a.drug.drug_class is not DrugClass.TOCILIZUMAB:
        return False
    if a.route not in (Route.INTRAVENOUS, Route.NOT_STATED):
        return False
    return a.status in ("completed", "in-progress", "on-hold") or (a.status == "stopped" and a.has_amount)
