"""The mapping from Observations, administrations and procedures to Signs, the input of the grade."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, tzinfo

from fhir_mappings.codes.terminology import Terminology
from fhir_mappings.facts.coverage import Coverage, Kind, Reach, SetAside, reach
from fhir_mappings.facts.measures import Measure
from fhir_mappings.facts.signs import Reading
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.facts.treatment import Administration, PendingOrder
from fhir_mappings.observations import Observations
from fhir_mappings.oxygen_devices import device_records, support_procedures
from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.resource_pool import ResourcePool
from fhir_mappings.rules.crs_grade import Signs
from fhir_mappings.rules.oxygen_row import OxygenFacts
from fhir_mappings.rules.pressure_row import PressureFacts
from fhir_mappings.rules.vasopressors import new_pressor_orders, pressor_infusions
from fhir_mappings.vital_signs import readings


class SignsMapping:
    """The mapping of one patient's signs. It collects the resources that it had to set aside."""

    def __init__(
        self,
        observations: Observations,
        coverage: Mapping[Kind, Coverage],
        broken: Iterable[SetAside],
        as_of: datetime,
    ) -> None:
        self._observations = observations
        self._coverage = coverage
        self._broken = (*broken, *observations.set_aside)
        self._as_of = as_of
        self.set_aside: list[SetAside] = []

    def _readings(self, measure: Measure, *set_ids: str) -> tuple[tuple[Reading, ...], tuple[SetAside, ...]]:
        good, bad = readings(self._observations.of(*set_ids), measure, self._as_of)
        self.set_aside.extend(bad)
        return good, bad

    def signs(
        self,
        pool: ResourcePool,
        terms: Terminology,
        zone: tzinfo,
        given: tuple[Administration, ...],
        given_reach: Reach,
        running_reach: Reach,
        pending: Iterable[PendingOrder],
        t: Thresholds,
    ) -> Signs:
        """The input of the grade at any moment of the course.

        `given_reach` is the reach of administrations for drugs that hide fever, `running_reach` for running ones.
        """
        temperatures, bad = self._readings(Measure.TEMPERATURE, "body-temperature")
        return Signs(
            temperatures=temperatures,
            temperatures_reach=reach(self._coverage, [Kind.VITALS], (*self._broken, *bad)),
            pressure=self._pressure(given, running_reach, pending, t),
            oxygen=self._oxygen(pool, terms, zone),
            given=given,
            given_reach=given_reach,
        )

    def _pressure(
        self,
        given: tuple[Administration, ...],
        given_reach: Reach,
        pending: Iterable[PendingOrder],
        t: Thresholds,
    ) -> PressureFacts:
        systolic, bad_systolic = self._readings(Measure.PRESSURE, "systolic-pressure")
        mean, bad_mean = self._readings(Measure.PRESSURE, "mean-arterial-pressure")
        return PressureFacts(
            infusions=pressor_infusions(given),
            systolic=systolic,
            mean=mean,
            readings_reach=reach(self._coverage, [Kind.VITALS], (*self._broken, *bad_systolic, *bad_mean)),
            administrations_reach=given_reach,
            ordered=new_pressor_orders(pending, self._as_of, t),
        )

    def _device_flows(self) -> tuple[Reading, ...]:
        """The flows that are the values of Observations whose code is a device."""
        coded = (o for o in self._observations.of("low-flow-oxygen", "high-flow-oxygen") if o.quantity is not None)
        return readings(coded, Measure.FLOW, self._as_of)[0]

    def _oxygen(self, pool: ResourcePool, terms: Terminology, zone: tzinfo) -> OxygenFacts:
        saturations, bad_saturations = self._readings(Measure.SATURATION, "oxygen-saturation")
        flows, bad_flows = self._readings(Measure.FLOW, "oxygen-flow")
        fio2, bad_fio2 = self._readings(Measure.FIO2, "inhaled-oxygen-concentration")
        supports, bad_supports = support_procedures(pool.of_type(fs.Procedure), terms, zone, self._as_of)
        self.set_aside.extend(bad_supports)
        bad = (*self._broken, *bad_saturations, *bad_flows, *bad_fio2)
        flows = tuple(sorted({*flows, *self._device_flows()}, key=lambda r: (r.at, r.value, r.reference)))
        return OxygenFacts(
            devices=device_records(self._observations, terms, self._as_of),
            open_supports=supports,
            flows=flows,
            fio2=fio2,
            saturations=saturations,
            reach=reach(self._coverage, [Kind.OXYGEN], bad),
            supports_read=reach(self._coverage, [Kind.SUPPORT_PROCEDURES], ()).fetched(self._as_of),
        )
