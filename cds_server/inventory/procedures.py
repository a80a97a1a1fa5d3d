"""Procedures: CAR-T infusions and what may be one, respiratory support, others by frequency."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from cds_server.inventory.batch import Batch
from cds_server.inventory.concepts import Concepts, Refusal
from cds_server.inventory.in_force import InForce
from cds_server.inventory.naming import named
from cds_server.inventory.tally import MOST_DISTINCT, Named, Seen, Tallies
from fhir_mappings.charted_devices import DeviceReader
from fhir_mappings.codes.car_t_words import CarT
from fhir_mappings.codes.meanings import says_what
from fhir_mappings.codes.observed_sets import DEVICE_OF_SET
from fhir_mappings.facts.signs import Device
from fhir_mappings.infusions.infusion_procedures import infusion_procedures, performed_text, procedure_reading
from fhir_mappings.oxygen_devices import support_procedures
from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.resource_pool import ResourcePool

TYPE = "Procedure"
INFUSION = "car-t-administration"
_NEVER = frozenset({"not-done", "entered-in-error", "preparation"})
_SET_OF_DEVICE = {device: set_id for set_id, device in DEVICE_OF_SET.items()}


class _Reading(NamedTuple):
    """The meaning of a code: the value set, "" for none; the words about CAR-T cells; `named`: it says what it is."""

    value_set: str
    car_t: CarT
    device: Device | None
    named: bool

    @property
    def is_foreign(self) -> bool:
        return self.named and self.device is None and self.car_t is CarT.NOTHING


class Procedures:
    """The counts. `devices` are of respiratory support that is not recognised, `around` and `doubtful` name CAR-T
    cells."""

    def __init__(self, in_force: InForce, concepts: Concepts) -> None:
        self._in_force, self._concepts = in_force, concepts
        self._reader = DeviceReader(in_force.terms)
        self._readings: dict[fs.Procedure, _Reading] = {}
        self.devices: Tallies[Named] = Tallies()
        self.around: Tallies[Named] = Tallies()
        self.doubtful: Tallies[Named] = Tallies()
        self.others: Tallies[Named] = Tallies()

    def take(self, batch: Batch) -> None:
        if len(self._readings) > MOST_DISTINCT or batch.is_large:
            self._readings.clear()
        resources = batch.pool.of_type(fs.Procedure)
        readings = {resource.reference: self._reading(resource.data) for resource in resources}
        of_interest = ResourcePool()
        for resource in resources:
            if not readings[resource.reference].is_foreign:
                of_interest.add(resource.raw, resource.where)
        refused = self._count_set_aside(of_interest, readings, batch)
        for resource in resources:
            data, reading = resource.data, readings[resource.reference]
            seen = batch.seen(resource.reference, self._in_force.instant(performed_text(data)))
            if data.status not in _NEVER and resource.reference not in refused:
                self._count(reading, named(data.code), seen)
            elif data.status in _NEVER and not reading.is_foreign:
                self._concepts.pass_over(TYPE, reading.value_set, data.status, seen)

    def _reading(self, data: fs.Procedure) -> _Reading:
        """The meaning of a procedure's code and category, worked out once."""
        key = fs.Procedure(code=data.code, category=data.category)
        if key not in self._readings:
            terms = self._in_force.terms
            car_t, charted = procedure_reading(data, terms).says, self._reader.of_procedure(data)
            device = charted.device if charted is not None else None
            of_device = _SET_OF_DEVICE.get(device, "") if device is not None else ""
            value_set = INFUSION if car_t in (CarT.INFUSION, CarT.DOUBT) else of_device
            self._readings[key] = _Reading(value_set, car_t, device, says_what(data.code, terms))
        return self._readings[key]

    def _count(self, reading: _Reading, name: Named, seen: Seen) -> None:
        if reading.car_t is CarT.INFUSION or (reading.device is not None and reading.device is not Device.UNKNOWN):
            self._concepts.add(TYPE, reading.value_set, name, seen)
        elif reading.car_t is CarT.DOUBT:
            self.doubtful.add(name, seen)
        elif reading.car_t is CarT.AROUND:
            self.around.add(name, seen)
        elif reading.device is Device.UNKNOWN:
            self.devices.add(name, seen)
        else:
            self.others.add(name, seen)

    def _count_set_aside(self, pool: ResourcePool, readings: Mapping[str, _Reading], batch: Batch) -> set[str]:
        """Count what is set aside; the references of what is not counted as read besides.

        Support without a usable time is in progress all the same, and what is doubtful is a row of its own.
        """
        i = self._in_force
        _, infusions = infusion_procedures(pool, i.terms, i.zone, i.as_of, i.thresholds)
        _, supports = support_procedures(pool.of_type(fs.Procedure), i.terms, i.zone, i.as_of)
        bad = [one for one in infusions if one.kinds and readings[one.reference].car_t is not CarT.DOUBT]
        for one in (*bad, *supports):
            seen = batch.seen(one.reference, one.at.earliest if one.at is not None else None)
            self._concepts.set_aside(Refusal(TYPE, readings[one.reference].value_set, one.why), seen)
        return {one.reference for one in bad}
