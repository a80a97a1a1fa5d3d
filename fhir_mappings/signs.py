"""The mapping from Observations, administrations and procedures to Signs, the input of the grade."""

from __future__ import annotations

from collections.abc import Iterable

from fhir_mappings.codes.observed_sets import MEASURE_OF_SET
from fhir_mappings.course_search import FoundCourse, MappingContext
from fhir_mappings.facts import sought
from fhir_mappings.facts.coverage import Reach, SetAside, reach
from fhir_mappings.facts.measures import Measure
from fhir_mappings.facts.signs import Reading
from fhir_mappings.facts.treatment import HIDE_FEVER, PRESSORS, PendingOrder
from fhir_mappings.medications.treatments import given_at
from fhir_mappings.observations import Observations
from fhir_mappings.oxygen_devices import device_chart, support_procedures
from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.resource_pool import PatientRecord
from fhir_mappings.rules.crs_grade import Signs
from fhir_mappings.rules.oxygen_row import OxygenFacts
from fhir_mappings.rules.pressure_row import PressorPush, PressureFacts
from fhir_mappings.rules.vasopressors import new_pressor_orders, pressor_infusions, pressor_pushes
from fhir_mappings.vital_signs import readings


def signs_of(
    record: PatientRecord,
    context: MappingContext,
    found: FoundCourse,
    observations: Observations,
    pending: Iterable[PendingOrder],
) -> tuple[Signs, tuple[SetAside, ...]]:
    """The input of the grade at any moment of the course, and the resources that had to be set aside for it."""
    mapping = _SignsMapping(record, context, found, observations)
    return mapping.signs(pending), tuple(mapping.set_aside)


class _SignsMapping:
    """The mapping of one patient's signs. It collects the resources that it had to set aside."""

    def __init__(
        self, record: PatientRecord, context: MappingContext, found: FoundCourse, observations: Observations
    ) -> None:
        self._record, self._context, self._found, self._observations = record, context, found, observations
        self._broken = (*found.set_aside, *observations.set_aside)
        self.set_aside: list[SetAside] = []

    def signs(self, pending: Iterable[PendingOrder]) -> Signs:
        coverage, found = self._record.coverage, self._found
        temperatures, bad = self._readings("body-temperature")
        return Signs(
            temperatures=temperatures,
            temperatures_reach=reach(coverage, sought.TEMPERATURE, (*self._broken, *bad)),
            pressure=self._pressure(self._running_reach(found.given_reach(coverage, PRESSORS)), pending),
            oxygen=self._oxygen(),
            given=found.given,
            given_reach=found.given_reach(coverage, HIDE_FEVER),
        )

    def _readings(
        self, set_id: str, in_words: frozenset[str] = frozenset()
    ) -> tuple[tuple[Reading, ...], tuple[SetAside, ...]]:
        """The readings of a value set, and those set aside; what was read from its words is neither."""
        observed = (o for o in self._observations.of(set_id) if o.reference not in in_words)
        good, bad = readings(observed, MEASURE_OF_SET[set_id], self._context.as_of, self._observations.memory)
        self.set_aside.extend(bad)
        return good, bad

    def _running_reach(self, given: Reach) -> Reach:
        """The reach of running vasopressors, for row H.

        A page of administrations that goes back only some way says nothing about infusions begun earlier, unless those
        that still run were read too.
        """
        running = reach(self._record.coverage, sought.RUNNING, ())
        opens = self._context.as_of - self._context.thresholds.dose_lookback
        if given.since is None or running.since is not None or given.since <= opens:
            return given
        return Reach(None, given.holes)

    def _pressure(self, running_reach: Reach, pending: Iterable[PendingOrder]) -> PressureFacts:
        systolic, bad_systolic = self._readings("systolic-pressure")
        mean, bad_mean = self._readings("mean-arterial-pressure")
        given, zone, t = self._found.given, self._found.zone, self._context.thresholds
        return PressureFacts(
            infusions=pressor_infusions(given, t),
            pushes=tuple(
                PressorPush(a.reference, a.drug.ingredient, given_at(a.start, self._context.as_of).astimezone(zone))
                for a in pressor_pushes(given, t)
            ),
            systolic=systolic,
            mean=mean,
            readings_reach=reach(self._record.coverage, sought.PRESSURE, (*self._broken, *bad_systolic, *bad_mean)),
            administrations_reach=running_reach,
            ordered=new_pressor_orders(pending, self._context.as_of, self._context.thresholds),
        )

    def _oxygen(self) -> OxygenFacts:
        record, terms, as_of = self._record, self._context.terms, self._context.as_of
        chart = device_chart(self._observations, terms, as_of)
        saturations, bad_saturations = self._readings("oxygen-saturation")
        flows, bad_flows = self._readings("oxygen-flow", chart.in_words)
        fio2, bad_fio2 = self._readings("inhaled-oxygen-concentration", chart.in_words)
        supports, bad_supports = support_procedures(record.pool.of_type(fs.Procedure), terms, self._found.zone, as_of)
        self.set_aside.extend(bad_supports)
        bad = (*self._broken, *bad_saturations, *bad_flows, *bad_fio2)
        return OxygenFacts(
            devices=chart.records,
            open_supports=supports,
            flows=_in_order(*flows, *self._device_flows(), *chart.flows),
            fio2=_in_order(*fio2, *chart.fio2),
            saturations=saturations,
            reach=reach(record.coverage, sought.OXYGEN, bad),
            supports_read=reach(record.coverage, sought.SUPPORT_PROCEDURES, ()).fetched(as_of),
        )

    def _device_flows(self) -> tuple[Reading, ...]:
        """The flows that stand as the value of an Observation whose code is a device."""
        coded = (o for o in self._observations.of("low-flow-oxygen", "high-flow-oxygen") if o.quantity is not None)
        return readings(coded, Measure.FLOW, self._context.as_of, self._observations.memory)[0]


def _in_order(*found: Reading) -> tuple[Reading, ...]:
    return tuple(sorted(set(found), key=lambda r: (r.at, r.value, r.reference)))
