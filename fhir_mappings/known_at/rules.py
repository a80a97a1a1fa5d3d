"""The rules by which a record is taken back to a moment: one for each way in which a chart goes on after it.

A rule says of one resource since when it is known, or what it said before something happened to it. Taken together they
give its state at any moment. Whatever is not yet known is absent; nothing is set aside for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Any

from msgspec.structs import replace

from fhir_mappings.codes.meanings import Meanings
from fhir_mappings.codes.observed_sets import KIND_OF_SET
from fhir_mappings.facts import analytes
from fhir_mappings.facts.coverage import ALWAYS, Kind
from fhir_mappings.facts.time_and_range import Moment
from fhir_mappings.known_at.death import died_within
from fhir_mappings.known_at.delays import Delays, KnownBy
from fhir_mappings.known_at.orders import ONCE_ACTIVE, STOPPED
from fhir_mappings.known_at.stated_times import StatedTimes, moment_in
from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.resources import Resource

_RESULTS = frozenset({*analytes.KINDS, Kind.SAFETY_LABS, Kind.MICROBIOLOGY})
_CULTURES = frozenset({"blood-culture", "urine-culture"})
_CORRECTED = frozenset({"amended", "corrected"})
_ENDED = frozenset({"completed", "stopped", "on-hold"})
_OVER = frozenset({"inactive", "resolved", "remission"})
_AT_ONCE = timedelta(0)


@dataclass(frozen=True)
class Clock:
    """The means of placing a resource in time. `next_orders`: when each order was followed by the next of its drug."""

    zone: tzinfo
    meanings: Meanings
    delays: Delays
    next_orders: Mapping[str, datetime]


@dataclass(frozen=True, slots=True)
class Change:
    """Something that happened to a resource at `at`; None is at no moment that is ever asked for.

    `before` is what it said until then: None where it was not there. `after` is what it says from then on, where that
    is not what stands in the chart now.
    """

    at: datetime | None
    before: fs.FhirStruct | None
    after: fs.FhirStruct | None = None
    known_by: KnownBy | None = None


class Rule(StrEnum):
    """The ways in which a chart goes on."""

    RESULT = "a result is issued"
    SIGN = "a sign is charted"
    GIVEN = "a drug is given"
    STOPPED = "an infusion of a drug ends"
    BEGUN = "a procedure begins"
    ENDED = "a procedure ends"
    DIAGNOSED = "a diagnosis is recorded"
    RESOLVED = "a diagnosis is over"
    ALLERGY = "an allergy is recorded"
    ORDERED = "an order is written"
    ORDER_ENDS = "an order ends"
    DEATH_DATED = "the patient dies at a time that is recorded"
    DEATH_UNDATED = "the patient dies, and nobody recorded when"


Apply = Callable[[Resource[Any], StatedTimes, Clock], Change | None]


def _known_since(at: Moment) -> Change:
    """A resource that is known from a time on; of a date, from the end of the day on."""
    return Change(at.latest, None, known_by=KnownBy.END_OF_DAY if at.is_date else KnownBy.CHARTED)


_AT_EVERY_MOMENT = Change(ALWAYS, None, known_by=KnownBy.ALWAYS)


def _without_time(resource: Resource[Any], zone: tzinfo) -> Change:
    """A resource that says no time: known since its last update, else always."""
    updated = moment_in(resource.last_updated, zone)
    return Change(updated.latest, None, known_by=KnownBy.LAST_UPDATED) if updated is not None else _AT_EVERY_MOMENT


def _sets(data: fs.Observation, clock: Clock) -> frozenset[str]:
    own = clock.meanings[data.code].sets
    return own.union(*(clock.meanings[c.code].sets for c in data.component)) if data.component else own


def _is_result(sets: frozenset[str]) -> bool:
    return any(KIND_OF_SET.get(set_id) in _RESULTS for set_id in sets)


def _drawn(data: fs.Observation, zone: tzinfo) -> Moment | None:
    """The time of an Observation; of a period its start, as everywhere."""
    period = data.effective_period
    return moment_in(data.effective_date_time or data.effective_instant or (period.start if period else None), zone)


def _result(resource: Resource[fs.Observation], times: StatedTimes, clock: Clock) -> Change | None:
    data, delays = resource.data, clock.delays
    sets = _sets(data, clock)
    if not _is_result(sets):
        return None
    drawn = _drawn(data, clock.zone)
    issued, updated = moment_in(times.issued, clock.zone), moment_in(resource.last_updated, clock.zone)
    if drawn is None:
        return Change(issued.latest, None, known_by=KnownBy.ISSUED) if issued else _without_time(resource, clock.zone)
    at = drawn.latest
    known = at + _delay(sets, delays)
    if data.status in _CORRECTED and issued is not None and issued.latest - at > delays.corrected_after:
        return Change(known, None, known_by=KnownBy.CORRECTED)
    for stated, known_by in ((issued, KnownBy.ISSUED), (updated, KnownBy.LAST_UPDATED)):
        if stated is not None and _AT_ONCE < stated.latest - at <= delays.result_at_most:
            return Change(stated.latest, None, known_by=known_by)
    return Change(known, None, known_by=KnownBy.DELAY)


def _delay(sets: frozenset[str], delays: Delays) -> timedelta:
    if sets & _CULTURES:
        return delays.culture
    if any(KIND_OF_SET.get(set_id) in analytes.KINDS for set_id in sets):
        return delays.il6_crp
    return delays.other_result


def _sign(resource: Resource[fs.Observation], times: StatedTimes, clock: Clock) -> Change | None:
    if _is_result(_sets(resource.data, clock)):
        return None
    charted = _drawn(resource.data, clock.zone)
    if charted is None:
        return _without_time(resource, clock.zone)
    issued = moment_in(times.issued, clock.zone)
    if issued is not None and _AT_ONCE < issued.latest - charted.latest <= clock.delays.charted_at_most:
        return Change(issued.latest, None, known_by=KnownBy.ISSUED)
    return _known_since(charted)


def _given(resource: Resource[fs.MedicationAdministration], _: StatedTimes, clock: Clock) -> Change:
    data = resource.data
    period = data.effective_period
    start = moment_in(data.effective_date_time or (period.start if period else None), clock.zone)
    return _known_since(start) if start is not None else _without_time(resource, clock.zone)


def _stopped(resource: Resource[fs.MedicationAdministration], _: StatedTimes, clock: Clock) -> Change | None:
    data = resource.data
    end = moment_in(data.effective_period.end if data.effective_period else None, clock.zone)
    if end is None or data.effective_period is None:
        return None
    status = "in-progress" if data.status in _ENDED else data.status
    return Change(end.latest, replace(data, status=status, effective_period=replace(data.effective_period, end=None)))


def _begun(resource: Resource[fs.Procedure], _: StatedTimes, clock: Clock) -> Change:
    data = resource.data
    period = data.performed_period
    start = moment_in(data.performed_date_time or (period.start if period else None), clock.zone)
    return _known_since(start) if start is not None else _without_time(resource, clock.zone)


def _ended(resource: Resource[fs.Procedure], _: StatedTimes, clock: Clock) -> Change | None:
    data = resource.data
    end = moment_in(data.performed_period.end if data.performed_period else None, clock.zone)
    if end is None or data.performed_period is None:
        return None
    status = "in-progress" if data.status in _ENDED else data.status
    return Change(end.latest, replace(data, status=status, performed_period=replace(data.performed_period, end=None)))


def _diagnosed(resource: Resource[fs.Condition], _: StatedTimes, clock: Clock) -> Change:
    data = resource.data
    recorded = moment_in(data.recorded_date, clock.zone)
    if recorded is not None:
        return Change(recorded.latest, None, known_by=KnownBy.RECORDED)
    onset = moment_in(data.onset_date_time, clock.zone)
    return _known_since(onset) if onset is not None else _AT_EVERY_MOMENT


def _resolved(resource: Resource[fs.Condition], times: StatedTimes, clock: Clock) -> Change | None:
    """A diagnosis that is over was active until its abatement; without one, at every moment that is asked for, unless
    the chart held it so before."""
    data = resource.data
    status = data.clinical_status
    if status is None or not any(coding.code in _OVER for coding in status.coding):
        return None
    abated = moment_in(times.abated, clock.zone) or moment_in(resource.last_updated, clock.zone)
    return Change(abated.latest if abated is not None else None, replace(data, clinical_status=None))


def _allergy(_: Resource[fs.AllergyIntolerance], times: StatedTimes, clock: Clock) -> Change:
    recorded = moment_in(times.recorded_date, clock.zone)
    return Change(recorded.latest, None, known_by=KnownBy.RECORDED) if recorded is not None else _AT_EVERY_MOMENT


Request = fs.MedicationRequest | fs.ServiceRequest


def _ordered(resource: Resource[Request], _: StatedTimes, clock: Clock) -> Change:
    authored = moment_in(resource.data.authored_on, clock.zone)
    return _known_since(authored) if authored is not None else Change(None, None, known_by=KnownBy.NEVER)


def _order_ends(resource: Resource[Request], times: StatedTimes, clock: Clock) -> Change | None:
    """An order is active until it was stopped, the next of its drug was written, or its time was over; an
    administration that answers it is found with the administrations."""
    data = resource.data
    authored = moment_in(data.authored_on, clock.zone)
    if authored is None or data.status not in ONCE_ACTIVE:
        return None
    ends = [authored.latest + clock.delays.order_lasts]
    if resource.reference in clock.next_orders:
        ends.append(clock.next_orders[resource.reference])
    changed = moment_in(times.status_changed, clock.zone) if data.status in STOPPED else None
    if changed is not None:
        ends.append(changed.latest)
    return Change(min(ends), replace(data, status="active"), after=replace(data, status="completed"))


def _death_dated(resource: Resource[fs.Patient], _: StatedTimes, clock: Clock) -> Change | None:
    text = resource.data.deceased_date_time
    died = died_within(text, clock.zone) if text is not None else None
    alive = replace(resource.data, deceased_date_time=None, deceased_boolean=False)
    return Change(died.latest, alive, known_by=KnownBy.CHARTED) if died is not None else None


def _death_undated(resource: Resource[fs.Patient], _: StatedTimes, clock: Clock) -> Change | None:
    data = resource.data
    text = data.deceased_date_time
    undated = data.deceased_boolean if text is None else died_within(text, clock.zone) is None
    alive = replace(data, deceased_date_time=None, deceased_boolean=False)
    return Change(None, alive, known_by=KnownBy.NEVER) if undated else None


RULES: Mapping[Rule, tuple[frozenset[str], Apply]] = {
    Rule.RESULT: (frozenset({"Observation"}), _result),
    Rule.SIGN: (frozenset({"Observation"}), _sign),
    Rule.GIVEN: (frozenset({"MedicationAdministration"}), _given),
    Rule.STOPPED: (frozenset({"MedicationAdministration"}), _stopped),
    Rule.BEGUN: (frozenset({"Procedure"}), _begun),
    Rule.ENDED: (frozenset({"Procedure"}), _ended),
    Rule.DIAGNOSED: (frozenset({"Condition"}), _diagnosed),
    Rule.RESOLVED: (frozenset({"Condition"}), _resolved),
    Rule.ALLERGY: (frozenset({"AllergyIntolerance"}), _allergy),
    Rule.ORDERED: (frozenset({"MedicationRequest", "ServiceRequest"}), _ordered),
    Rule.ORDER_ENDS: (frozenset({"MedicationRequest", "ServiceRequest"}), _order_ends),
    Rule.DEATH_DATED: (frozenset({"Patient"}), _death_dated),
    Rule.DEATH_UNDATED: (frozenset({"Patient"}), _death_undated),
}
