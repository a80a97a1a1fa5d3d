"""Codes that no value set holds: how often each stands there, and the value set that its name would fit."""

from __future__ import annotations

from collections.abc import Iterator

from cds_server.inventory.code_names import named_set
from cds_server.inventory.naming import cut, texts_in, unit_in
from cds_server.inventory.tally import MOST_DISTINCT, Seen, Tally
from fhir_mappings.codes.code_systems import LOINC
from fhir_mappings.codes.observed_sets import MEASURE_OF_SET
from fhir_mappings.codes.terminology import Terminology
from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.units import UnitError, number_in

MOST_UNITS = 5
_READ_IN_WORDS = frozenset({"oxygen-flow", "inhaled-oxygen-concentration"})


class UnknownCode:
    """One code. `would_read` and `would_not` are how many of its numbers the service could use in the value set that
    its name fits."""

    __slots__ = ("_named", "tally", "units", "would_not", "would_read")

    def __init__(self, named: str | None) -> None:
        self.tally = Tally()
        self._named = named
        self.units: dict[str, Tally] = {}
        self.would_read = self.would_not = 0

    @property
    def fits(self) -> str | None:
        """The value set by its name; none if that is of a quantity, read from numbers alone, and no number came."""
        only_numbers = self._named in MEASURE_OF_SET and self._named not in _READ_IN_WORDS
        return None if only_numbers and not self.would_read + self.would_not else self._named

    def add(self, quantity: fs.Quantity | None, seen: Seen) -> None:
        self.tally.add(seen)
        unit = unit_in(quantity)
        if quantity is None or quantity.value is None or unit is None:
            return
        if unit in self.units or len(self.units) < MOST_UNITS:
            self.units.setdefault(unit, Tally()).add(seen)
        measure = MEASURE_OF_SET.get(self._named or "")
        if measure is not None:
            try:
                number_in(quantity, measure)
                self.would_read += 1
            except UnitError:
                self.would_not += 1


class UnknownCodes:
    """Codes of one type of resource that are not known. `among`: the value sets that they can be meant for."""

    def __init__(self, terms: Terminology, among: frozenset[str]) -> None:
        self._terms, self._among = terms, among
        self._by_code: dict[fs.CodeableConcept, UnknownCode] = {}
        self.others = UnknownCode(None)

    def add(self, code: fs.CodeableConcept, quantity: fs.Quantity | None, seen: Seen) -> None:
        found = self._by_code.get(code)
        if found is None:
            kept = cut(code)
            found = self._by_code.get(kept)
            if found is None:
                found = self.others if len(self._by_code) >= MOST_DISTINCT else UnknownCode(self._fits(code))
                self._by_code.update({kept: found} if found is not self.others else {})
        found.add(quantity, seen)

    def _fits(self, code: fs.CodeableConcept) -> str | None:
        """The value set that holds the code under LOINC's own address, else the one that its texts name."""
        sets = self._terms.sets_of((LOINC, c.code) for c in code.coding) & self._among
        return min(sets) if sets else named_set(texts_in(code), self._among)

    def __iter__(self) -> Iterator[tuple[fs.CodeableConcept, UnknownCode]]:
        return iter(self._by_code.items())

    def __len__(self) -> int:
        return len(self._by_code)
