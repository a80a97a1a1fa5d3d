"""The counts by concept: what is read, what is set aside and why, what is passed over by its status."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from cds_server.inventory.naming import MOST_CHARS, MOST_CODINGS
from cds_server.inventory.tally import MOST_DISTINCT, Concept, Named, Seen, Tallies
from fhir_mappings.codes.code_systems import canonical_system
from fhir_mappings.codes.terminology import Terminology
from fhir_mappings.reading.validation import validation_error

# Resources that are validated, which costs a hundred times the reading: the first, and then of each name ever fewer.
TRIED_AT_FIRST, MOST_TRIED = 300, 1500
Codings = tuple[tuple[str | None, str | None], ...]


class Refusal(NamedTuple):
    """A reason to set resources aside. `value_set` is what they would have been, "" where that is not known; `stands`
    is the text, code or status that stands there, `unit` the unit of a number."""

    resource_type: str
    value_set: str
    why: str
    stands: str = ""
    unit: str | None = None


class PassedOver(NamedTuple):
    """A status by which resources of a concept do not count, without a word on any card."""

    resource_type: str
    value_set: str
    status: str


class Concepts:
    """All counts by type of resource and value set."""

    def __init__(self, terms: Terminology) -> None:
        self._terms = terms
        self._found: dict[tuple[str, str], Concept] = {}
        self._names: dict[tuple[str, Codings, str | None], Named] = {}
        self._displays = {
            (set_id, c.system, c.code): c.display for set_id, concepts in terms.value_sets.items() for c in concepts
        }
        self.refusals: Tallies[Refusal] = Tallies()
        self.passed_over: Tallies[PassedOver] = Tallies()
        self.invalid: Tallies[Refusal] = Tallies()
        self.tried_of: Counter[tuple[str, str]] = Counter()
        self.tried = 0

    def add(self, resource_type: str, value_set: str, name: Named, seen: Seen) -> None:
        concept = self._found.get((resource_type, value_set))
        if concept is None:
            concept = self._found[resource_type, value_set] = Concept()
        concept.add(name, seen)
        if self.tried < TRIED_AT_FIRST or (_is_power_of_2(concept.by_name.of(name).count) and self.tried < MOST_TRIED):
            self._validate(resource_type, value_set, seen)

    def _validate(self, resource_type: str, value_set: str, seen: Seen) -> None:
        """Validate one resource as the service does with those that an answer rests on, and would set aside."""
        if seen.resource is not None:
            self.tried += 1
            self.tried_of[resource_type, value_set] += 1
            why = validation_error(seen.resource)
            if why is not None:
                self.invalid.add(Refusal(resource_type, value_set, why), seen)

    def set_aside(self, refusal: Refusal, seen: Seen) -> None:
        self.refusals.add(refusal, seen)

    def pass_over(self, resource_type: str, value_set: str, status: str, seen: Seen) -> None:
        self.passed_over.add(PassedOver(resource_type, value_set, status), seen)

    def coded(self, value_set: str, codings: Codings, unit: str | None) -> Named:
        """The coding by which something is of a value set, with the display that stands there."""
        key = (value_set, codings, unit)
        if key not in self._names:
            found = self._coded(value_set, codings, unit)
            if len(codings) > MOST_CODINGS:
                return found
            if len(self._names) >= MOST_DISTINCT:
                self._names.clear()
            self._names[key] = found
        return self._names[key]

    def _coded(self, value_set: str, codings: Codings, unit: str | None) -> Named:
        for system, code in codings:
            display = self._displays.get((value_set, canonical_system(system or ""), code or ""))
            if display is not None:
                return Named((system or "")[:MOST_CHARS], code or "", display, unit)
        return Named(unit=unit)

    def __iter__(self) -> Iterator[tuple[tuple[str, str], Concept]]:
        return iter(self._found.items())

    def of(self, value_set: str) -> Iterable[Concept]:
        """The concept in every type of resource that holds it."""
        return (concept for (_, set_id), concept in self._found.items() if set_id == value_set)


def _is_power_of_2(number: int) -> bool:
    return number & (number - 1) == 0
