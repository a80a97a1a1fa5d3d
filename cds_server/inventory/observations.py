"""Observations: what is read of which value set, devices that are not recognised, codes that are not known."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from cds_server.inventory.batch import Batch
from cds_server.inventory.code_names import observed_or_ordered
from cds_server.inventory.concepts import Concepts, Refusal
from cds_server.inventory.impact import weightiest
from cds_server.inventory.in_force import InForce
from cds_server.inventory.naming import named, shape, unit_in
from cds_server.inventory.observed_values import does_not_count, reasons_by_reference
from cds_server.inventory.tally import MOST_DISTINCT, Named, Tallies
from cds_server.inventory.unknown_codes import UnknownCodes
from fhir_mappings.charted_devices import DeviceReader
from fhir_mappings.codes.meanings import Meanings
from fhir_mappings.codes.observed_sets import DEVICE_OF_SET, DEVICE_SETS
from fhir_mappings.facts.coverage import FUTURE_DATED, SetAside
from fhir_mappings.facts.signs import Device, DeviceRecord
from fhir_mappings.infections import CULTURES, finding_of
from fhir_mappings.observations import (
    ACCEPTED,
    NEVER,
    Observed,
    sort_observations,
    text_of_time,
    time_observed,
)
from fhir_mappings.oxygen_devices import device_chart
from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.fhir_time import BadTimeError
from fhir_mappings.reading.resources import Resource
from fhir_mappings.reading.units import UnitError, quoted
from fhir_mappings.reading.value_texts import quantity_in

TYPE = "Observation"
DEVICE = "oxygen-delivery-device"
_SET_OF_DEVICE = {device: set_id for set_id, device in DEVICE_OF_SET.items()}


class Observations:
    """The counts. `devices` are texts of devices that are not recognised, `findings` the results of cultures and
    PCR that count as possible infection."""

    def __init__(self, in_force: InForce, concepts: Concepts) -> None:
        self._in_force, self._concepts = in_force, concepts
        self._meanings = Meanings(in_force.terms)
        self._reader = DeviceReader(in_force.terms)
        self.unknown = UnknownCodes(in_force.terms, observed_or_ordered())
        self.devices: Tallies[Named] = Tallies()
        self.findings: Tallies[Named] = Tallies()

    def take(self, batch: Batch) -> None:
        if len(self._meanings) > MOST_DISTINCT or batch.is_large:
            self._meanings, self._reader = Meanings(self._in_force.terms), DeviceReader(self._in_force.terms)
        resources = batch.pool.of_type(fs.Observation)
        for resource in resources:
            self._count_unknown(resource, batch)
        i = self._in_force
        found = sort_observations(resources, i.terms, i.zone, i.as_of, i.thresholds.future_tolerance, self._meanings)
        self._count_set_aside(found.set_aside, batch)
        chart = device_chart(found, i.terms, i.as_of, self._reader)
        devices = {record.reference: record for record in chart.records}
        for set_id, observed in found.by_set.items():
            if set_id in (DEVICE, *DEVICE_SETS):
                self._count_devices(set_id, observed, devices, batch)
            else:
                numbers = tuple(o for o in observed if o.reference not in chart.in_words)
                why = reasons_by_reference(set_id, numbers, i.as_of, lambda ref: batch.seen(ref, None).patient)
                for o in observed:
                    self._count(set_id, o, why.get(o.reference, ""), batch)

    def _count(self, set_id: str, o: Observed, why: str, batch: Batch) -> None:
        seen = batch.seen(o.reference, o.at.earliest)
        if why:
            text = shape(named(o.concept, o.text).text)
            alike = why.replace(quoted(o.text), f'"{text}"') if o.text else why
            self._concepts.set_aside(Refusal(TYPE, set_id, alike, text, unit_in(o.quantity)), seen)
        elif status := does_not_count(o, set_id):
            self._concepts.pass_over(TYPE, set_id, status, seen)
        else:
            self._concepts.add(TYPE, set_id, self._concepts.coded(set_id, o.codings, unit_in(o.quantity)), seen)
        finding = finding_of(o, self._in_force.terms) if set_id in CULTURES else None
        if finding is not None:
            self.findings.add(named(o.concept, o.text, shape(finding)), seen)

    def _count_devices(
        self, set_id: str, observed: Iterable[Observed], devices: dict[str, DeviceRecord], batch: Batch
    ) -> None:
        for o in observed:
            seen = batch.seen(o.reference, o.at.earliest)
            record = devices.get(o.reference)
            if set_id == DEVICE:
                self._concepts.add(TYPE, set_id, self._concepts.coded(set_id, o.codings, None), seen)
            if record is None:
                self._concepts.pass_over(TYPE, set_id, does_not_count(o, set_id) or "no device in use", seen)
            elif record.device is Device.UNKNOWN:
                self.devices.add(named(o.concept, o.text)._replace(text=record.text), seen)
            else:
                self._concepts.add(TYPE, _SET_OF_DEVICE[record.device], _device_name(o), seen)

    def _count_set_aside(self, set_aside: Iterable[SetAside], batch: Batch) -> None:
        for one in set_aside:
            resource = batch.pool.get(one.reference)
            if resource is not None:
                sets = self._sets_of(resource)
                at = one.at.earliest if one.at is not None else None
                refusal = Refusal(TYPE, weightiest(sets), one.why, _stands(one, resource.data))
                self._concepts.set_aside(refusal, batch.seen(one.reference, at))

    def _sets_of(self, resource: Resource[fs.Observation]) -> frozenset[str]:
        codes = (resource.data.code, *(c.code for c in resource.data.component))
        return frozenset[str]().union(*(self._meanings[code].sets for code in codes))

    def _count_unknown(self, resource: Resource[fs.Observation], batch: Batch) -> None:
        """Count the codes of an Observation that no value set holds; that of a panel only if nothing in it is known."""
        data, meanings = resource.data, self._meanings
        known = self._sets_of(resource) if data.component else meanings[data.code].sets
        if data.status in NEVER:
            if known:
                seen = batch.seen(resource.reference, None)
                self._concepts.pass_over(TYPE, weightiest(known), data.status, seen)
            return
        if known and not data.component:
            return
        try:
            at = time_observed(data, self._in_force.zone).earliest
        except BadTimeError:
            at = None
        seen = batch.seen(resource.reference, at)
        if not known or (not meanings[data.code].sets and data.value_quantity is not None):
            self.unknown.add(data.code, _quantity(data), seen)
        for component in data.component:
            if not meanings[component.code].sets:
                self.unknown.add(component.code, _quantity(component), seen)


def _device_name(o: Observed) -> Named:
    """A device as it is charted: by the value, or by the code where the device is the Observation itself."""
    if o.concept is None and not o.text:
        system, code = o.codings[0] if o.codings else (None, None)
        return Named(system or "", code or "")
    return named(o.concept, o.text)


def _quantity(valued: fs.Observation | fs.Component) -> fs.Quantity | None:
    """The quantity of an Observation whose code is not known, as it would be read with a code that is."""
    if valued.value_quantity is None and valued.value_string:
        with suppress(UnitError):
            return quantity_in(valued.value_string)
    return valued.value_quantity


def _stands(one: SetAside, data: fs.Observation) -> str:
    """The part of an Observation for which it is set aside: its time, its status, or else what its code says."""
    if one.at is None:
        return shape(text_of_time(data))
    if data.status not in ACCEPTED or one.why == FUTURE_DATED:
        return named(None, data.status if data.status not in ACCEPTED else None).text
    found = named(data.code)
    return found.text or found.code
