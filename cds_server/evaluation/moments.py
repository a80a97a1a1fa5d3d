"""The moments at which an EHR would have made a call, by the policy of the protocol."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import msgspec

from cds_server.evaluation.courses import Followed, Look
from cds_server.evaluation.episode import charted_in
from cds_server.evaluation.reading.charts import Chart
from cds_server.evaluation.rows.courses import GradeDayRow
from cds_server.evaluation.rows.moments import MomentKind
from cds_server.evaluation.what_was import WhatWas
from fhir_mappings.facts.treatment import OURS, DrugClass
from fhir_mappings.known_at.orders import ONCE_ACTIVE
from fhir_mappings.known_at.stated_times import moment_in
from fhir_mappings.known_at.timeline import Timeline
from fhir_mappings.medications.draft_fields import Draft
from fhir_mappings.medications.drugs import drugs_in
from fhir_mappings.reading import fhir_structs as fs

RESULTS = ("interleukin-6", "c-reactive-protein")
ORDERED = OURS - {DrugClass.CAR_T}
_ORDERS = frozenset({"order", "original-order", ""})  # what is filled or given of an order is no second one
_BEFORE = timedelta(seconds=1)
_GAP = timedelta(hours=48)


@dataclass(frozen=True)
class Ask:
    """One call: its moment, why it would have been made, and the orders that were about to be signed."""

    at: datetime
    kind: MomentKind
    drafts: tuple[Draft, ...] = ()


@dataclass(frozen=True)
class WrittenOrder:
    """An order of a drug of ours: when it was written, its drugs and its reference."""

    at: datetime
    drugs: frozenset[str]
    classes: frozenset[DrugClass]
    reference: str
    raw: bytes


def written_orders(chart: Chart, followed: Followed, look: Look) -> tuple[WrittenOrder, ...]:
    """The orders of a course that were written, the first of them first; nothing that was only proposed or planned."""
    pool, found = chart.record.pool, list[WrittenOrder]()
    for resource in pool.of_type(fs.MedicationRequest):
        data = resource.data
        at = moment_in(data.authored_on, followed.zone)
        if at is None or data.status not in ONCE_ACTIVE or data.intent not in _ORDERS or data.do_not_perform:
            continue
        if not followed.course.start <= at.latest <= followed.until:
            continue
        drugs = [content.drug for content in drugs_in(data, pool, look.rules.terms, chart.fhir_base)]
        ours = [drug for drug in drugs if drug.drug_class in ORDERED]
        if ours:
            names, classes = frozenset(d.ingredient for d in ours), frozenset(d.drug_class for d in ours)
            found.append(WrittenOrder(at.latest, names, classes, resource.reference, bytes(resource.raw)))
    return tuple(sorted(found, key=lambda order: (order.at, order.reference)))


def asks(
    was: WhatWas, followed: Followed, look: Look, timeline: Timeline, orders: tuple[WrittenOrder, ...]
) -> list[Ask]:
    """Every call of a course, in the order of time. Two reasons at one moment make one call."""
    policy = look.protocol.moments
    found = [
        Ask(at, MomentKind.HOURLY if policy.every_hours else MomentKind.CHART) for at in _clock(was, followed, look)
    ]
    if policy.results:
        found += [Ask(at, MomentKind.RESULT) for at in _results(was, timeline)]
    if policy.grade_changes:
        found += [Ask(at, MomentKind.GRADE) for at in _grade_changes(was)]
    inside = {ask.at: ask for ask in reversed(found) if followed.course.start <= ask.at <= followed.until}
    signed = list(_signed(orders, look)) if policy.orders else []
    return sorted([*inside.values(), *signed], key=lambda ask: (ask.at, ask.kind))


def _clock(was: WhatWas, followed: Followed, look: Look) -> Iterator[datetime]:
    """The moments at which the chart is opened, on days on which the patient was there."""
    policy = look.protocol.moments
    if policy.every_hours:
        watched, at = {one.date for one in watched_days(was)}, followed.course.start
        while at <= followed.until:
            if at.astimezone(followed.zone).date() in watched:
                yield at
            at += timedelta(hours=policy.every_hours)
        return
    for one in watched_days(was):
        for clock in policy.chart_opened:
            yield datetime.combine(one.date, clock, followed.zone).astimezone(UTC)


def watched_days(was: WhatWas) -> list[GradeDayRow]:
    """The days with signs, and those between two signs that lie less than 48 h apart."""
    zone = was.history.found.zone
    signs = charted_in(was.history).all
    bridged = [(a.astimezone(zone).date(), b.astimezone(zone).date()) for a, b in pairwise(signs) if b - a < _GAP]
    return [one for one in was.days if one.at_risk or any(first < one.date < last for first, last in bridged)]


def _results(was: WhatWas, timeline: Timeline) -> Iterator[datetime]:
    for observed in was.history.observations.of(*RESULTS):
        at = timeline.known_since(observed.reference)
        if at is not None:
            yield at


def _grade_changes(was: WhatWas) -> Iterator[datetime]:
    for before, after in pairwise(was.history.grades):
        if before.grade.grade != after.grade.grade:
            yield after.at


def _signed(orders: tuple[WrittenOrder, ...], look: Look) -> Iterator[Ask]:
    """Orders of one drug within an hour are one; what is signed within a minute is one call, a second before."""
    merge = timedelta(minutes=look.protocol.cards.dose_merge_minutes)
    pause = timedelta(seconds=look.protocol.moments.order_pause_seconds)
    last: dict[frozenset[str], datetime] = {}
    together: list[WrittenOrder] = []
    for order in orders:
        before = last.get(order.drugs)
        last[order.drugs] = order.at
        if before is not None and order.at - before <= merge:
            continue
        if together and order.at - together[0].at > pause:
            yield _call(together)
            together = []
        together.append(order)
    if together:
        yield _call(together)


def _call(together: list[WrittenOrder]) -> Ask:
    drafts = tuple(
        Draft(number, None, {**msgspec.json.decode(order.raw), "status": "draft"})
        for number, order in enumerate(together)
    )
    return Ask(together[0].at - _BEFORE, MomentKind.ORDER, drafts)
