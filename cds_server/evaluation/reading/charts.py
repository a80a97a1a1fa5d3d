"""The patients of a bucket, each with a record of everything that the export holds of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from cds_server.evaluation.reading.bucket_files import bucket_of, resources_in
from cds_server.evaluation.reading.grouping import MEDICATIONS, id_now
from cds_server.inventory.batch import base_of
from cds_server.inventory.medications_elsewhere import Medications
from fhir_mappings.facts.coverage import Coverage, Kind
from fhir_mappings.medications.products import MOST_HOPS, referred_medications
from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.resource_pool import PatientRecord, ResourcePool
from fhir_mappings.reading.resources import header_of


@dataclass(frozen=True)
class Chart:
    """A patient and the final record; `fhir_base` is that of references that are addresses."""

    patient: str
    record: PatientRecord
    fhir_base: str | None


class _Meta(fs.FhirStruct, frozen=True):
    tag: tuple[fs.Coding, ...] = ()


class _Tagged(fs.FhirStruct, frozen=True):
    meta: _Meta = _Meta()


_tagged = msgspec.json.Decoder(_Tagged)
TEST_DATA = "HTEST"  # of v3-ActReason: the data of a patient who does not exist


def is_constructed(chart: Chart) -> bool:
    """Tell whether the Patient is marked as test data."""
    resource = chart.record.pool.get(f"Patient/{chart.patient}")
    try:
        tags = _tagged.decode(resource.raw).meta.tag if resource is not None else ()
    except msgspec.MsgspecError:
        return False
    return any(tag.code == TEST_DATA for tag in tags)


class Bucket:
    """One bucket of a folder, and what belongs to its patients elsewhere: drugs, and the data of merged ids."""

    def __init__(self, folder: Path, number: int, buckets: int, aliases: Mapping[str, str], deleted: set[str]) -> None:
        self._folder, self._number, self._buckets = folder, number, buckets
        self._aliases, self._deleted = aliases, deleted
        self._drugs = Medications()
        for one in resources_in(folder, MEDICATIONS):
            self._drugs.add(one.raw)
        self.deleted: Counter[str] = Counter()

    def charts(self, coverage: Mapping[Kind, Coverage]) -> Iterator[Chart]:
        """Each patient, in the order of their ids."""
        found = self._by_patient()
        for patient in sorted(found):
            yield self._chart(patient, found.pop(patient), coverage)

    def _by_patient(self) -> dict[str, list[tuple[str, bytes]]]:
        mine = self._aliases_of_mine()
        found: dict[str, list[tuple[str, bytes]]] = {}
        for number in sorted({self._number, *(bucket_of(alias, self._buckets) for alias in mine)}):
            for one in resources_in(self._folder, number):
                patient = id_now(one.patient, self._aliases)
                if bucket_of(patient, self._buckets) == self._number:
                    found.setdefault(patient, []).append((one.place, one.raw))
        return found

    def _aliases_of_mine(self) -> list[str]:
        return [
            alias for alias in self._aliases if bucket_of(id_now(alias, self._aliases), self._buckets) == self._number
        ]

    def _chart(self, patient: str, resources: list[tuple[str, bytes]], coverage: Mapping[Kind, Coverage]) -> Chart:
        pool = ResourcePool()
        for place, raw in resources:
            header = header_of(raw) if self._deleted else None
            if header is not None and f"{header.resource_type}/{header.id}" in self._deleted:
                self.deleted[header.resource_type] += 1
                continue
            pool.add(raw, place)
        base = base_of(pool)
        tried: set[str] = set()
        for _ in range(MOST_HOPS):
            missing = [m for m in referred_medications(pool, base).missing if m not in tried]
            if not missing:
                break
            tried.update(missing)
            for found in filter(None, map(self._drugs.get, missing)):
                pool.add(found, "")
        return Chart(patient, PatientRecord(pool, coverage), base)
