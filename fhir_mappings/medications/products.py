"""The parts of a medication: its concept, the Medication it refers to, the ingredients of that.

References are followed three deep, each resource once: contained, in the same Bundle or among the drafts, in what was
read from the server. One that could not be read is said to be so, and what could be asked for is named.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.fhir_base import comparable
from fhir_mappings.reading.references import is_addressable, parsed_reference
from fhir_mappings.reading.resource_pool import ResourcePool

MOST_HOPS = 3
_TYPES = ("Medication", "Substance")
_medication = msgspec.json.Decoder(fs.Medication)

Contained = tuple[msgspec.Raw, ...]


@dataclass(frozen=True)
class Part:
    """One name of a medication: codes and texts that say the same thing, with the strength stated for it."""

    concept: fs.CodeableConcept = fs.CodeableConcept()
    display: str | None = None
    strength: fs.Ratio | None = None
    is_ingredient: bool = False


@dataclass(frozen=True)
class Product:
    """The parts of a medication. `unread`: something in it could not be read; `missing`: what of that a server may
    have, as `Type/id`. `unfollowed`: what could not be read stands elsewhere, behind a reference."""

    parts: tuple[Part, ...]
    unread: bool = False
    unfollowed: bool = False
    missing: tuple[str, ...] = ()


class NamesDrug(Protocol):
    """The fields that a MedicationAdministration and a MedicationRequest have in common."""

    @property
    def medication_codeable_concept(self) -> fs.CodeableConcept | None: ...
    @property
    def medication_reference(self) -> fs.Reference | None: ...
    @property
    def contained(self) -> tuple[msgspec.Raw, ...]: ...


@dataclass(frozen=True)
class Shelf:
    """The places where Medications and Substances are looked for: what was read, and what stands among the drafts."""

    pool: ResourcePool
    fhir_base: str | None
    beside: Mapping[str, fs.Medication] = field(default_factory=dict)

    def find(self, reference: str) -> fs.Medication | fs.Substance | None:
        plain = plain_reference(reference, self.fhir_base)
        found = self.beside.get(reference) or (self.beside.get(plain) if plain else None)
        return found or self.pool.ingredient(reference) or (self.pool.ingredient(plain) if plain else None)


def plain_reference(reference: str, fhir_base: str | None) -> str | None:
    """`Medication/{id}` or `Substance/{id}` of a reference that is relative or under `fhir_base`, without a version."""
    named = parsed_reference(reference)
    if named is None or named.type not in _TYPES:
        return None
    if named.base and comparable(named.base) != comparable(fhir_base):
        return None
    return f"{named.type}/{named.id}"


def product_of(data: NamesDrug, shelf: Shelf) -> Product:
    """The product of an administration or order in the record."""
    return product(data.medication_codeable_concept, data.medication_reference, data.contained, shelf)


def product(
    concept: fs.CodeableConcept | None, reference: fs.Reference | None, contained: Iterable[msgspec.Raw], shelf: Shelf
) -> Product:
    if reference is None:
        return Product((Part(concept),) if concept is not None else ())
    found = _Search(shelf)
    if concept is not None:
        found.parts.append(Part(concept))
    found.follow(reference, tuple(contained), 1)
    return Product(tuple(found.parts), found.unread, found.unfollowed, tuple(dict.fromkeys(found.missing)))


class _Search:
    """Collects the parts of one medication."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._seen: set[tuple[str, int]] = set()
        self.parts: list[Part] = []
        self.unread = False
        self.unfollowed = False
        self.missing: list[str] = []

    def follow(self, reference: fs.Reference, contained: Contained, hop: int, strength: fs.Ratio | None = None) -> None:
        target = reference.reference or ""
        seen = (target, id(contained) if target.startswith("#") else 0)
        if target and seen in self._seen:
            return
        self._seen.add(seen)
        is_ingredient = hop > 1
        found = self._resolved(target, contained) if target and hop <= MOST_HOPS else None
        if found is None:
            self._not_read(reference, target, hop)
            if reference.display:
                self.parts.append(Part(fs.CodeableConcept(), reference.display, strength, is_ingredient))
            return
        resource, around = found
        self.parts.append(Part(resource.code or fs.CodeableConcept(), reference.display, strength, is_ingredient))
        if isinstance(resource, fs.Medication):
            for ingredient in resource.ingredient:
                self._take(ingredient, around, hop)

    def _take(self, ingredient: fs.Ingredient, contained: Contained, hop: int) -> None:
        if ingredient.is_active is False:
            return
        if ingredient.item_codeable_concept is not None:
            self.parts.append(Part(ingredient.item_codeable_concept, None, ingredient.strength, is_ingredient=True))
        if ingredient.item_reference is not None:
            self.follow(ingredient.item_reference, contained, hop + 1, ingredient.strength)
        elif ingredient.item_codeable_concept is None:
            self.unread = True

    def _not_read(self, reference: fs.Reference, target: str, hop: int) -> None:
        """One that is named by its display alone is read by that; nothing is lost where a server has it still."""
        if not reference.display:
            self.unread = True
            self.unfollowed = self.unfollowed or bool(target and not target.startswith("#"))
        plain = plain_reference(target, self._shelf.fhir_base)
        if plain is not None and hop <= MOST_HOPS and is_addressable(plain.partition("/")[2]):
            self.missing.append(plain)

    def _resolved(self, target: str, contained: Contained) -> tuple[fs.Medication | fs.Substance, Contained] | None:
        """The resource, and what `#` in it refers to."""
        if target.startswith("#"):
            for raw in contained:
                try:
                    one = _medication.decode(raw)  # a Substance has the same id and code
                except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                    continue
                if one.id in (target, target[1:]):
                    return one, contained
            return None
        found = self._shelf.find(target)
        if found is None:
            return None
        return found, found.contained if isinstance(found, fs.Medication) else ()


@dataclass(frozen=True)
class Referred:
    """The `Medication/{id}` and `Substance/{id}` that administrations and orders refer to and the pool does not hold.
    `unfollowed`: some of these references leave a drug unnamed."""

    missing: tuple[str, ...]
    unfollowed: bool


def referred_medications(pool: ResourcePool, fhir_base: str | None) -> Referred:
    shelf = Shelf(pool, fhir_base)
    orders: Iterable[NamesDrug] = (
        *(a.data for a in pool.of_type(fs.MedicationAdministration)),
        *(r.data for r in pool.of_type(fs.MedicationRequest)),
    )
    products = [product_of(data, shelf) for data in orders if data.medication_reference is not None]
    missing = tuple(dict.fromkeys(one for product in products for one in product.missing))
    return Referred(missing, any(product.unfollowed for product in products))
