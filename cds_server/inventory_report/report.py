"""The report on an inventory: its rows, sorted by what would change most cards.

Where it is to be shared, each row of fewer than five patients is left out, and their number is said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

from cds_server.inventory.concepts import Refusal
from cds_server.inventory.impact import IN_ORDER, Impact, impact_of_any
from cds_server.inventory.inventory import Inventory
from cds_server.inventory.naming import named
from cds_server.inventory.tally import Concept, Named, Tally
from cds_server.inventory.unknown_codes import UnknownCodes
from cds_server.inventory_report.not_known import DRUGS, NotKnown, not_known, of_procedure
from cds_server.inventory_report.value_set_lines import Line, line_for

K = TypeVar("K")
# what stands in no record by itself, but says how another thing is meant
_NEVER_ALONE = frozenset({
    "intravenous-route", "subcutaneous-route", "local-route", "other-systemic-route", "subcutaneous-product",
    "negative-result", "positive-result", "not-a-vasopressor", "respiratory-row-not-known", "ventilation-procedure",
    "room-air", "home-cpap", "gram-stain",
})  # fmt: skip


@dataclass(frozen=True)
class NameRow:
    """Something by its name, and the value sets that a person may add it to, if any."""

    name: Named
    tally: Tally
    value_sets: tuple[str, ...] = ()

    def line(self) -> Line:
        return line_for(self.name, self.value_sets, by_text=True)


@dataclass(frozen=True)
class ConceptRow:
    """A value set as it is read in one type of resource: in all, of how many patients, and by which names."""

    resource_type: str
    value_set: str
    tally: Tally
    patients: int
    names: tuple[NameRow, ...]


@dataclass(frozen=True)
class RefusalRow:
    """Resources that do not count, for one reason; `tried`: of so many that were tried, where not all were."""

    refusal: Refusal
    tally: Tally
    tried: int = 0


@dataclass(frozen=True)
class Report:
    """The tables. `absent` are value sets of which nothing was read, `left_out` the number of rows of fewer than five
    patients that a shared report lacks, `uncounted` the resources beyond the most distinct names that are told apart.
    """

    found: Inventory
    shared: bool
    concepts: tuple[ConceptRow, ...]
    absent: tuple[str, ...]
    set_aside: tuple[RefusalRow, ...]
    invalid: tuple[RefusalRow, ...]
    passed_over: tuple[RefusalRow, ...]
    not_known: tuple[NotKnown, ...]
    findings: tuple[NameRow, ...]
    drugs: tuple[NameRow, ...]
    procedures: tuple[NameRow, ...]
    codes: tuple[NameRow, ...]
    left_out: int
    uncounted: int


def report(found: Inventory, *, shared: bool) -> Report:
    chosen = _Chosen(shared)
    return Report(
        found=found,
        shared=shared,
        concepts=tuple(_concepts(found, chosen)),
        absent=_absent(found),
        set_aside=_refusals(chosen.of(found.concepts.refusals)),
        invalid=tuple(
            replace(row, tried=found.concepts.tried_of[row.refusal.resource_type, row.refusal.value_set])
            for row in _refusals(chosen.of(found.concepts.invalid))
        ),
        passed_over=_refusals(
            (Refusal(p.resource_type, p.value_set, p.status), tally)
            for p, tally in chosen.of(found.concepts.passed_over)
        ),
        not_known=tuple(chosen.rows(not_known(found))),
        findings=_by_frequency(chosen.of(found.observations.findings)),
        drugs=_by_frequency(chosen.of(found.medications.others), lambda _: DRUGS),
        procedures=_by_frequency(chosen.of(found.procedures.others), of_procedure),
        codes=_by_frequency(chosen.codes(found.observations.unknown)),
        left_out=chosen.left_out,
        uncounted=found.uncounted,
    )


class _Chosen:
    """The rows that may stand in the report: all, or in a shared one those of enough patients."""

    def __init__(self, shared: bool) -> None:
        self._shared = shared
        self.left_out = 0

    def takes(self, tally: Tally) -> bool:
        taken = not self._shared or tally.is_of_many
        self.left_out += not taken
        return taken

    def of(self, rows: Iterable[tuple[K, Tally]]) -> Iterator[tuple[K, Tally]]:
        return (row for row in rows if self.takes(row[1]))

    def codes(self, unknown: UnknownCodes) -> Iterator[tuple[Named, Tally]]:
        """The codes that fit no value set, each with its most frequent unit."""
        for code, one in unknown:
            if one.fits is None and self.takes(one.tally):
                units = sorted(self.of(one.units.items()), key=lambda item: -item[1].count)
                yield named(code)._replace(unit=units[0][0] if units else None), one.tally

    def rows(self, rows: Iterable[NotKnown]) -> Iterator[NotKnown]:
        for row in rows:
            if self.takes(row.tally):
                yield replace(row, units=tuple(self.of(row.units)))


def _concepts(found: Inventory, chosen: _Chosen) -> Iterator[ConceptRow]:
    rows: list[tuple[tuple[str, str], Concept]] = sorted(
        found.concepts, key=lambda row: (IN_ORDER.index(row[0][1]), row[0][0])
    )
    for (resource_type, value_set), concept in rows:
        names = _by_frequency(chosen.of(concept.by_name))
        yield ConceptRow(resource_type, value_set, concept.tally, len(concept.patients), names)


def _absent(found: Inventory) -> tuple[str, ...]:
    read = {value_set for (_, value_set), _ in found.concepts}
    return tuple(set_id for set_id in IN_ORDER if set_id not in read and set_id not in _NEVER_ALONE)


def _refusals(rows: Iterable[tuple[Refusal, Tally]]) -> tuple[RefusalRow, ...]:
    ordered = sorted(rows, key=lambda row: (_impact(row[0]), -row[1].count, str(row[0])))
    return tuple(RefusalRow(refusal, tally) for refusal, tally in ordered)


def _impact(refusal: Refusal) -> Impact:
    return impact_of_any(refusal.resource_type, refusal.value_set)


def _by_frequency(
    rows: Iterable[tuple[Named, Tally]], value_sets: Callable[[Named], tuple[str, ...]] = lambda _: ()
) -> tuple[NameRow, ...]:
    ordered = sorted(rows, key=lambda row: (-row[1].count, str(row[0])))
    return tuple(NameRow(name, tally, value_sets(name)) for name, tally in ordered)
