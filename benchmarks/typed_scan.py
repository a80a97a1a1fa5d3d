"""The limit: one typed scan of a call's bytes, by msgspec into our own Structs, that does nothing else.

It keeps no bytes, checks no owner and sets nothing aside: no service that reads these fields can cost less. It needs
msgspec alone, because it runs in the environment of the peers too.
"""

from __future__ import annotations

import msgspec

from fhir_mappings.reading import fhir_structs as fs


class _ObservationEntry(fs.FhirStruct, frozen=True):
    resource: fs.Observation


class _Observations(fs.FhirStruct, frozen=True):
    entry: tuple[_ObservationEntry, ...] = ()


class _AdministrationEntry(fs.FhirStruct, frozen=True):
    resource: fs.MedicationAdministration


class _Administrations(fs.FhirStruct, frozen=True):
    entry: tuple[_AdministrationEntry, ...] = ()


class _Prefetch(fs.FhirStruct, frozen=True):
    """The keys that the patients of the benchmark have."""

    patient: fs.Patient
    vitals: _Observations
    il6_crp: _Observations | None = None
    oxygen: _Observations | None = None
    weight: _Observations | None = None
    recent_administrations: _Administrations | None = None


class _Call(fs.FhirStruct, frozen=True):
    prefetch: _Prefetch


_CALL = msgspec.json.Decoder(_Call)


def typed_scan(body: bytes) -> int:
    """The number of Observations in the call, all of them decoded."""
    found = _CALL.decode(body).prefetch
    return sum(len(key.entry) for key in (found.vitals, found.il6_crp, found.oxygen, found.weight) if key)
