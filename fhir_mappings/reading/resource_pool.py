"""The pool of a call's resources, each of them once. A resource that cannot be read is set aside and reported.

Every resource is scanned cheaply (`fhir_structs`); only those that an answer rests on are validated (`validation`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from fhir_mappings.facts.coverage import Coverage, Kind
from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.chart_memory import ChartMemory
from fhir_mappings.reading.resources import (
    DECODERS,
    OF_NO_PATIENT,
    PLAIN,
    Broken,
    Claim,
    Doubt,
    Json,
    Resource,
    T,
    digest_of,
    header_of,
    instant_of,
    is_fhir_type,
    kinds_of,
    say_the_same,
    scanned,
    stated_time,
    why_broken,
)

R = TypeVar("R")
_BETWEEN = 100  # two looks at the clock
_SOME_ADMINISTRATIONS = frozenset({Kind.RUNNING, Kind.CRS_DRUGS})


class OutOfTimeError(Exception):
    """The time of the call ended before the facts of a record were settled."""


def _always() -> bool:
    return True


class _Timed(tuple[R, ...]):
    """Resources of one type. Whoever walks through them asks the clock on the way."""

    # the clock alone, and not the pool: the two would hold each other until the garbage collector looks at everything
    in_time: Callable[[], bool]

    def __iter__(self) -> Iterator[R]:
        for begin in range(0, len(self), _BETWEEN):
            if not self.in_time():
                raise OutOfTimeError
            yield from self[begin : begin + _BETWEEN]


class ResourcePool:
    """Every resource of one call, each once. Of two with the same id the pool keeps the one updated last.

    Whatever is worked out walks through the pool, so the clock is asked here: once `in_time` says that no time is left,
    adding to it and walking through it raise OutOfTimeError. A pool that is one moment of a chart has the `memory` of
    that chart.
    """

    def __init__(self, in_time: Callable[[], bool] = _always) -> None:
        self._in_time = in_time
        self._by_reference: dict[str, Resource[Any]] = {}
        self._by_url: dict[str, str] = {}
        self._by_type: dict[str, _Timed[Resource[Any]]] | None = None  # until one comes or goes
        self._products: tuple[tuple[tuple[Resource[Any], ...], ...], frozenset[str]] | None = None
        self.broken: dict[str, Broken] = {}
        self.claims: dict[tuple[bytes, ...], list[Claim]] = {}  # by what each says: nearly all say the same
        self.added = 0
        self.memory: ChartMemory | None = None

    def add(
        self,
        raw: Json,
        where: str,
        *,
        from_client: bool = False,
        kinds: frozenset[Kind] = frozenset(),
        full_url: str | None = None,
        named: str = "",
    ) -> fs.FhirStruct | None:
        """Read one resource; what was scanned of it. One that cannot be read is set aside with the path of the broken
        field, and None. `full_url` is the address that other entries of its Bundle may name it by, `named` its type if
        that is known."""
        self.added += 1
        if self.added % _BETWEEN == 0:
            self._check_time()
        data: fs.FhirStruct | None = scanned(raw, named)
        header: Any = data if data is not None else header_of(raw)
        named = header.resource_type
        reference = f"{named}/{header.id or digest_of(raw)}"
        if named not in OF_NO_PATIENT:
            owner = bytes(header.patient if named == "AllergyIntolerance" else header.subject)
            said = (owner,) if named != "Patient" else (owner, reference.encode())
            self.claims.setdefault(said, []).append(Claim(reference, named, owner, where, from_client))
        if data is None:
            data = self._decoded(raw, named, reference if header.id else where, where, kinds)
            if data is None:
                return None
        updated = header.meta.last_updated if header.meta else None
        self._keep(Resource(data, raw, reference, named, where, from_client, updated, kinds))
        if full_url and named in ("Medication", "Substance"):
            self._by_url[full_url] = reference
        return data

    def _decoded(
        self, raw: Json, resource_type: str, named: str, where: str, kinds: frozenset[Kind]
    ) -> fs.FhirStruct | None:
        """A resource that could not be scanned in one pass. One that is broken is set aside."""
        decoder = DECODERS.get(resource_type)
        if decoder is None and is_fhir_type(resource_type):
            return None
        try:
            data: fs.FhirStruct = (decoder or PLAIN).decode(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            self._set_aside(named, why_broken(error), kinds or kinds_of(resource_type), raw)
            return None
        if decoder is None:
            self._set_aside(where, "not a FHIR resource", kinds or kinds_of(""), raw)
            return None
        return data

    def _keep(self, found: Resource[Any]) -> None:
        """Keep the later of two versions.

        Two that differ when neither is the later are both set aside: one may be another resource or an older version,
        and nobody can tell what would be lost with either. Copies that say the same count as one, however written.
        """
        reference = found.reference
        known, broken = self._by_reference.get(reference), self.broken.get(reference)
        if broken is not None and broken.doubt is Doubt.TWO_OF_ONE_ID:
            self._set_aside(reference, broken.doubt, found.kinds, found.raw)
            return
        if known is not None:
            found, known = (
                replace(found, kinds=found.kinds | known.kinds),
                replace(known, kinds=found.kinds | known.kinds),
            )
            was, now = instant_of(known.last_updated), instant_of(found.last_updated)
            if was > now:
                found = known
            elif was == now and not say_the_same(known, found):
                for one in (known, found):
                    self._by_reference[reference] = one
                    self.remove(reference, Doubt.TWO_OF_ONE_ID)
                return
        if broken is not None and broken.doubt is Doubt.NO_OWNER:  # a copy that may say whose it is takes its place
            del self.broken[reference]
        self._by_reference[reference] = found
        self._by_type = None

    def remove(self, reference: str, why: str | Doubt, *, infusion: bool = False) -> None:
        """Set a resource aside after it was read."""
        resource = self._by_reference.pop(reference)
        self._by_type = None
        kinds = resource.kinds or kinds_of(resource.type)
        self._set_aside(reference, why, kinds, resource.raw, infusion=infusion)

    def _set_aside(
        self, reference: str, why: str | Doubt, kinds: frozenset[Kind], raw: Json, *, infusion: bool = False
    ) -> None:
        """Remember a resource as broken. If it came under several keys it may have been of each of their kinds."""
        known, when = self.broken.get(reference), stated_time(raw)
        # each copy once, in one table that grows: joining them anew for each would be quadratic in the copies of an id
        raws = known.raws if known is not None else {}
        raws[bytes(raw)] = None
        if known is not None:
            kinds |= known.kinds
            when = when if when == known.when else None
            infusion = infusion or known.infusion
        if kinds & _SOME_ADMINISTRATIONS:
            kinds |= {Kind.ADMINISTRATIONS}
        doubt, words = (why, why.value) if isinstance(why, Doubt) else (None, why)
        self.broken[reference] = Broken(reference, words, kinds, when, infusion, raws, doubt)

    def of_type(self, struct: type[T]) -> tuple[Resource[T], ...]:
        if self._by_type is None:
            found: dict[str, list[Resource[Any]]] = defaultdict(list)
            for resource in self._by_reference.values():
                found[resource.type].append(resource)
            self._by_type = {name: _Timed(resources) for name, resources in found.items()}
            for resources in self._by_type.values():
                resources.in_time = self._in_time
        return self._by_type.get(struct.__name__, ())

    @property
    def every_claim(self) -> Iterator[Claim]:
        return chain.from_iterable(self.claims.values())

    @property
    def products(self) -> frozenset[str]:
        """The references of all Medications and Substances: on them it depends which drug a reference to one is."""
        found = (self.of_type(fs.Medication), self.of_type(fs.Substance))
        if self._products is None or any(a is not b for a, b in zip(self._products[0], found, strict=True)):
            self._products = (found, frozenset(one.reference for kind in found for one in kind))
        return self._products[1]

    def _check_time(self) -> None:
        if not self._in_time():
            raise OutOfTimeError

    def __iter__(self) -> Iterator[Resource[Any]]:
        """Every resource that can be read, in the order in which they came."""
        return iter(self._by_reference.values())

    def narrowed(
        self, resources: Iterable[Resource[Any]], broken: Iterable[str], memory: ChartMemory | None = None
    ) -> ResourcePool:
        """A pool of its own that holds these resources, and of the broken ones those that are named."""
        found = ResourcePool(self._in_time)
        found._by_reference = {resource.reference: resource for resource in resources}
        found._by_url = self._by_url
        found.memory = memory
        found.broken = {reference: self.broken[reference] for reference in broken}
        return found

    def like(self, resource: Resource[Any]) -> tuple[Resource[Any], ...]:
        """The resource itself or, for an Observation, every one with the same code."""
        if resource.type != "Observation":
            return (resource,)
        return tuple(r for r in self.of_type(fs.Observation) if r.data.code == resource.data.code)

    def get(self, reference: str) -> Resource[Any] | None:
        return self._by_reference.get(reference)

    def ingredient(self, reference: str) -> fs.Medication | fs.Substance | None:
        """The Medication or Substance that a reference names: `Type/id`, or the fullUrl of its entry."""
        found = self._by_reference.get(self._by_url.get(reference, reference))
        return found.data if found is not None and isinstance(found.data, fs.Medication | fs.Substance) else None

    def patient(self, patient_id: str) -> fs.Patient | None:
        found = self._by_reference.get(f"Patient/{patient_id}")
        return found.data if found is not None else None


@dataclass(frozen=True)
class PatientRecord:
    """All that was read of one patient, and how far each kind of data could be read."""

    pool: ResourcePool
    coverage: Mapping[Kind, Coverage] = field(default_factory=dict)
