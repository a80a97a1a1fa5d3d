"""One dose from the ways in which it is stated: calculated, ordered, as an amount to give; in mg, mg/kg, mL, tablets.

The absolute mass counts. Millilitres and dose forms count by the product's own strength, and agree with a mass that
they come near. A dose by weight is compared where the weight is known (`cards/deciding/dose_check.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from fhir_mappings.facts.measures import Measure
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.facts.treatment import DrugClass, StatedDose
from fhir_mappings.medications.amounts import Content, amount_mg, mg_per_kg
from fhir_mappings.medications.named_amounts import NamedAmount, named_amounts
from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.units import states

# of several masses, the first of these that is stated: what is ordered before what was calculated for it
_KINDS = ("ordered", "admin-amount", "", "calculated")
MOST_SAID = 40


@dataclass(frozen=True)
class Statement:
    """One way in which a dose is stated: its quantity (None for one that is no number), its words, its type."""

    quantity: fs.Quantity | None
    said: str
    kind: str = ""


def statements_of(rates: Iterable[fs.DoseAndRate]) -> list[Statement]:
    """The ways in which `doseAndRate` states a dose; a rate is none."""
    return [
        Statement(_plain(rate), _said(rate), _kind(rate.type))
        for rate in rates
        if rate.dose_quantity is not None or rate.dose_range is not None
    ]


def statement_of(quantity: fs.Quantity) -> Statement:
    return Statement(None if quantity.comparator else quantity, quantity_words(quantity))


def statement_in(text: str | None) -> list[Statement]:
    """The dose that a dosage states in words alone; none where no amount stands in them."""
    amounts = list(named_amounts(text or ""))
    if not amounts:
        return []
    return [Statement(_single(amounts), " ".join((text or "").split())[:MOST_SAID])]


def _single(amounts: Sequence[NamedAmount]) -> fs.Quantity | None:
    """The one amount of a text; None where it holds several."""
    masses = {a.mg for a in amounts if a.mg is not None}
    items, volumes = {a.items for a in amounts if a.items}, {a.ml for a in amounts if a.ml}
    if any(a.is_unclear for a in amounts) or any(len(found) > 1 for found in (masses, items)):
        return None
    if masses:
        return fs.Quantity(masses.pop(), unit="mg") if items <= {Decimal(1)} else None
    if items:
        return fs.Quantity(items.pop(), unit="1")
    return fs.Quantity(volumes.pop(), unit="mL") if len(volumes) == 1 else None


def stated_dose(statements: Iterable[Statement], content: Content, t: Thresholds) -> StatedDose:
    """The dose of one drug of a medication. `differ` names ways that contradict each other."""
    ordered = sorted(dict.fromkeys(statements), key=lambda s: _KINDS.index(s.kind))
    said = tuple(dict.fromkeys(s.said for s in ordered))
    per_kg = _read(ordered, lambda quantity: None if content.shared else mg_per_kg(quantity))
    masses = _read(ordered, lambda quantity: amount_mg(quantity, content))
    if not masses and not per_kg:
        masses = _read(ordered, lambda quantity: amount_mg(quantity, content, _concentrate(content, t)))
    differ = [*_differing(masses, t), *_differing(per_kg, t)]
    if differ:
        return StatedDose(said=said, differ=tuple(dict.fromkeys(differ)))
    mg, kg = (found[0][1] if found else None for found in (masses, per_kg))
    compared = {words for words, _ in (*masses, *per_kg)}
    rest = tuple(words for words in said if words not in compared) if compared else ()
    return StatedDose(mg, kg, said, not_compared=rest)


def _concentrate(content: Content, t: Thresholds) -> Decimal | None:
    """The strength that a drug is sold in everywhere; it counts where nothing but millilitres is stated."""
    return t.toci_strength if content.drug.drug_class is DrugClass.TOCILIZUMAB else None


def _read(ordered: Sequence[Statement], amount: Callable[[fs.Quantity], Decimal | None]) -> list[tuple[str, Decimal]]:
    """The statements that can be read as one kind of amount, with their words; stated masses before derived ones."""
    by_mass = sorted(ordered, key=lambda s: not states(s.quantity, Measure.MASS))
    read = ((s.said, amount(s.quantity)) for s in by_mass if s.quantity is not None)
    return [(words, number) for words, number in read if number is not None]


def _differing(amounts: Sequence[tuple[str, Decimal]], t: Thresholds) -> list[str]:
    """The words of amounts that are not near the first, with those of the first; none where all agree."""
    if not amounts:
        return []
    words, first = amounts[0]
    others = [other for other, number in amounts[1:] if abs(number - first) > first * t.dose_agreement]
    return [words, *others] if others else []


def _plain(rate: fs.DoseAndRate) -> fs.Quantity | None:
    """The quantity of a dose; a range is one where both ends are the same."""
    quantity, between = rate.dose_quantity, rate.dose_range
    if quantity is None and between is not None and between.low == between.high:
        quantity = between.low
    return quantity if quantity is not None and not quantity.comparator else None


def _said(rate: fs.DoseAndRate) -> str:
    if rate.dose_quantity is not None:
        return quantity_words(rate.dose_quantity)
    ends = (rate.dose_range.low, rate.dose_range.high) if rate.dose_range else ()
    return " to ".join(quantity_words(end) for end in ends if end is not None)


def quantity_words(quantity: fs.Quantity) -> str:
    """A quantity as it is charted: `496 mg`, `1 {pill}`."""
    number = f"{quantity.value:f}" if quantity.value is not None else ""
    text = f"{quantity.comparator or ''}{number} {quantity.unit or quantity.code or ''}".strip()
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:MOST_SAID]


def _kind(concept: fs.CodeableConcept | None) -> str:
    """The type of a statement, as far as it is one that decides which counts."""
    if concept is None:
        return ""
    texts = [concept.text, *(text for c in concept.coding for text in (c.code, c.display))]
    plain = [" ".join(text.lower().replace("_", "-").split()).replace(" ", "-") for text in texts if text]
    return next((kind for kind in _KINDS if kind and kind in plain), "")
