"""The patient of the page: the name and birth date that the record holds, as text and never more than that."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from cards.pages.explanation import plain
from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.resource_pool import PatientRecord

MOST_CHARACTERS = 120


@dataclass(frozen=True)
class Banner:
    """The name and birth date on the page. `name` is "" if the record holds none that can be read."""

    patient_id: str
    name: str
    birth_date: str


class _Name(fs.FhirStruct, frozen=True):
    use: str = ""
    text: str = ""
    family: str = ""
    given: tuple[str, ...] = ()


class _Named(fs.FhirStruct, frozen=True):
    name: tuple[_Name, ...] = ()
    birth_date: str = ""


_named = msgspec.json.Decoder(_Named)


def patient_banner(record: PatientRecord, patient_id: str) -> Banner:
    """The name and birth date; a name that cannot be read counts as none."""
    found = record.pool.get(f"Patient/{patient_id}")
    try:
        who = _named.decode(found.raw) if found is not None else _Named()
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        who = _Named()
    names = sorted(who.name, key=lambda n: n.use != "official")
    name = next((n.text or " ".join([*n.given, n.family]) for n in names), "")
    return Banner(patient_id, plain(name).strip()[:MOST_CHARACTERS], plain(who.birth_date)[:MOST_CHARACTERS])
