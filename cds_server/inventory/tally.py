"""Counts of resources by what they say, in bounded memory: patients are told apart up to five."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from datetime import datetime
from typing import Any, Generic, NamedTuple, TypeVar

from fhir_mappings.reading.resources import Resource

K = TypeVar("K", bound=Hashable)
ENOUGH_PATIENTS = 5  # a text of fewer is left out where the inventory is shared
MOST_DISTINCT = 50_000  # entries of one table; later ones are counted together


class Seen(NamedTuple):
    """One resource as it is counted: its patient by number, its time, its place; None as the resource where it could
    not be read."""

    patient: int | None
    at: datetime | None
    file: str
    place: str
    resource: Resource[Any] | None


class Tally:
    """A count. `first_at` is the place of the first resource."""

    __slots__ = ("count", "first", "first_at", "last", "patients")

    def __init__(self) -> None:
        self.count = 0
        self.patients: tuple[int, ...] = ()
        self.first: datetime | None = None
        self.last: datetime | None = None
        self.first_at = ("", "")

    def add(self, seen: Seen) -> None:
        if not self.count:
            self.first_at = (seen.file, seen.place)
        self.count += 1
        if len(self.patients) < ENOUGH_PATIENTS and seen.patient is not None and seen.patient not in self.patients:
            self.patients = (*self.patients, seen.patient)
        at = seen.at
        if at is not None:
            if self.first is None or at < self.first:
                self.first = at
            if self.last is None or at > self.last:
                self.last = at

    @property
    def is_of_many(self) -> bool:
        return len(self.patients) >= ENOUGH_PATIENTS


class Tallies(Generic[K]):
    """Tallies by key. Beyond the first `MOST_DISTINCT` keys new ones are counted in `others`."""

    def __init__(self) -> None:
        self._by_key: dict[K, Tally] = {}
        self.others = Tally()

    def add(self, key: K, seen: Seen) -> None:
        self.of(key).add(seen)

    def of(self, key: K) -> Tally:
        found = self._by_key.get(key)
        if found is None:
            if len(self._by_key) >= MOST_DISTINCT:
                return self.others
            found = self._by_key[key] = Tally()
        return found

    def __iter__(self) -> Iterator[tuple[K, Tally]]:
        return iter(self._by_key.items())

    def __len__(self) -> int:
        return len(self._by_key)


class PatientSet:
    """A set of patients by their numbers, a bit each."""

    def __init__(self) -> None:
        self._bits = bytearray()

    def add(self, patient: int | None) -> None:
        if patient is None:
            return
        at, bit = patient >> 3, 1 << (patient & 7)
        if at >= len(self._bits):
            self._bits.extend(bytes(at + 1 - len(self._bits)))
        self._bits[at] |= bit

    def __len__(self) -> int:
        return int.from_bytes(self._bits, "little").bit_count()


class Concept:
    """Everything that was read as one concept: in all, by patient, and by code, unit or text."""

    def __init__(self) -> None:
        self.tally = Tally()
        self.patients = PatientSet()
        self.by_name: Tallies[Named] = Tallies()

    def add(self, name: Named, seen: Seen) -> None:
        self.tally.add(seen)
        self.patients.add(seen.patient)
        self.by_name.add(name, seen)


class Named(NamedTuple):
    """The name of something as it is charted: a code, a text, for a measured value its unit."""

    system: str = ""
    code: str = ""
    text: str = ""
    unit: str | None = None
