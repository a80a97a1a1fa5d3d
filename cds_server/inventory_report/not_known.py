"""Codes, drugs, devices, procedures, routes and units that look like ours and are not known, each with its line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from cds_server.inventory.impact import IN_ORDER, Impact, impact_of, weightiest
from cds_server.inventory.inventory import Inventory
from cds_server.inventory.medications import DoubtfulDrug
from cds_server.inventory.naming import named
from cds_server.inventory.tally import Named, Tally
from cds_server.inventory.unknown_codes import UnknownCode
from cds_server.inventory_report.value_set_lines import Line, line_for
from fhir_mappings.codes.observed_sets import DEVICE_SETS, MEASURE_OF_SET
from fhir_mappings.codes.terminology import ANTI_INFECTIVE_SETS, DRUG_SETS, NOT_COUNTED, Terminology
from fhir_mappings.facts.treatment import OURS
from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.units import own_unit, states

INFUSION = "car-t-administration"
ROUTES = ("intravenous-route", "subcutaneous-route", "local-route", "other-systemic-route")
SUPPORTS = tuple(set_id for set_id in DEVICE_SETS if set_id != "room-air")
ONLY_CODED = ("ventilation-procedure", "respiratory-row-not-known", INFUSION)  # their texts are not looked at
DRUGS = (*DRUG_SETS, NOT_COUNTED, *ANTI_INFECTIVE_SETS)


class Kind(StrEnum):
    """The part of a record that something not known stands in."""

    OBSERVATION = "Observation"
    DEVICE = "oxygen device"
    DRUG = "drug"
    PROCEDURE = "procedure"
    INFUSION = "may be a CAR-T infusion"
    NO_INFUSION = "names CAR-T cells, counts as no infusion"
    ROUTE = "route of a drug of ours"
    DIAGNOSIS = "diagnosis"
    ORDER = "ordered test"
    UNIT = "unit"


_BY_TEXT = (Kind.DEVICE, Kind.DRUG, Kind.PROCEDURE, Kind.ROUTE)
_NO_LINE = {
    Kind.UNIT: "units are in no value set; convert them at the interface, or ask for them to be added",
    Kind.NO_INFUSION: "if it is an infusion, send the procedure code of one",
}


@dataclass(frozen=True)
class NotKnown:
    """One row: what it may be added to, the ingredient if it is a drug of one. `would_read` of `tried` numbers could
    be used once the code is known; `units` stand beside them."""

    kind: Kind
    name: Named
    tally: Tally
    value_sets: tuple[str, ...]
    why: str = ""
    ingredient: str = ""
    units: tuple[tuple[str, Tally], ...] = ()
    would_read: int = 0
    tried: int = 0

    @property
    def impact(self) -> Impact:
        return min(map(impact_of, self.value_sets))

    def line(self) -> Line:
        if self.kind in _NO_LINE:
            return Line(self.value_sets, why_not=_NO_LINE[self.kind])
        return line_for(self.name, self.value_sets, by_text=self.kind in _BY_TEXT, ingredient=self.ingredient)


def not_known(found: Inventory) -> tuple[NotKnown, ...]:
    """Every row: first what has most weight in the cards, there first what nothing was read of, then the frequent."""
    read = {value_set for (_, value_set), _ in found.concepts}
    rows = [*_codes(found), *_devices(found), *_drugs(found), *_procedures(found), *_units(found)]

    def key(row: NotKnown) -> tuple[object, ...]:
        place = IN_ORDER.index(weightiest(row.value_sets))
        is_read, useless = bool(read & {*row.value_sets}), row.tried > 0 and not row.would_read
        return (row.impact, is_read, useless, -row.tally.count, place, row.kind, str(row.name))

    return tuple(sorted(rows, key=key))


def _codes(found: Inventory) -> Iterator[NotKnown]:
    for kind, unknown in (
        (Kind.OBSERVATION, found.observations.unknown),
        (Kind.DIAGNOSIS, found.diagnoses.unknown),
        (Kind.ORDER, found.diagnoses.unknown_orders),
    ):
        for code, one in unknown:
            if one.fits is not None:
                yield _code(kind, named(code), one, one.fits)


def _code(kind: Kind, name: Named, one: UnknownCode, fits: str) -> NotKnown:
    units = tuple(sorted(one.units.items(), key=lambda item: -item[1].count))
    tried = one.would_read + one.would_not
    return NotKnown(kind, name, one.tally, (fits,), units=units, would_read=one.would_read, tried=tried)


def _devices(found: Inventory) -> Iterator[NotKnown]:
    yield from (NotKnown(Kind.DEVICE, name, tally, DEVICE_SETS) for name, tally in found.observations.devices)
    yield from (NotKnown(Kind.PROCEDURE, name, tally, of_procedure(name)) for name, tally in found.procedures.devices)


def of_procedure(name: Named) -> tuple[str, ...]:
    """The value sets that a procedure can be added to: one without a code only to those whose texts are looked at."""
    return (*SUPPORTS, *ONLY_CODED) if name.system and name.code else SUPPORTS


def _procedures(found: Inventory) -> Iterator[NotKnown]:
    yield from (NotKnown(Kind.INFUSION, name, tally, (INFUSION,)) for name, tally in found.procedures.doubtful)
    for around in (found.procedures.around, found.medications.around):
        yield from (NotKnown(Kind.NO_INFUSION, name, tally, (INFUSION,)) for name, tally in around)


def _drugs(found: Inventory) -> Iterator[NotKnown]:
    for drug, tally in found.medications.doubtful:
        sets = tuple(sorted((c.value for c in drug.resembles), key=IN_ORDER.index))
        ingredient = _ingredient(drug, found.in_force.terms) if len(sets) == 1 else ""
        yield NotKnown(Kind.DRUG, drug.name, tally, sets if ingredient else (*sets, NOT_COUNTED), drug.why, ingredient)
    yield from (NotKnown(Kind.ROUTE, name, tally, ROUTES) for name, tally in found.medications.routes)


def _ingredient(drug: DoubtfulDrug, terms: Terminology) -> str:
    """The ingredient that the text of a drug may be meant for; "" where it may be several."""
    meant = {m.ingredient for m in terms.read(drug.name.text).may_mean}
    only = meant.pop() if len(meant) == 1 else None
    return only if only is not None and terms.drug_named(only).drug_class in OURS else ""


def _units(found: Inventory) -> Iterator[NotKnown]:
    """Units that the table of their quantity does not have. Of a unit that it has, the number is what is wrong."""
    for refusal, tally in found.concepts.refusals:
        if refusal.unit and not _is_known(refusal.unit, refusal.value_set):
            yield NotKnown(Kind.UNIT, Named(text=refusal.unit), tally, (refusal.value_set,), refusal.why)


def _is_known(unit: str, value_set: str) -> bool:
    """Tell whether the table of a value set's quantity has a unit, or it is one that is kept as it is."""
    measure = MEASURE_OF_SET.get(value_set)
    stated = fs.Quantity(unit=unit)
    return measure is None or states(stated, measure) or own_unit(stated, measure) is not None
