"""The drugs that a medication holds: the rules by which its codes and texts are read.

1. A code of ours decides for what it stands beside; else the texts are read.
2. What is positively something else is no drug of ours: a vasopressor beside a local anaesthetic, a corticosteroid or
   vasopressor of local effect, phenylephrine or ephedrine of a cold remedy, a CAR-T product beside another drug.
3. What is in doubt is UNIDENTIFIED and resembles the class that it may be of.
4. What names nothing of ours is another drug; what names nothing at all may be any.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import lru_cache

from fhir_mappings.codes.car_t_words import CarT, car_t_reading
from fhir_mappings.codes.code_systems import says_nothing
from fhir_mappings.codes.drug_texts import Doubt, Mark, MayMean, TextReading
from fhir_mappings.codes.terminology import Terminology
from fhir_mappings.facts.measures import Measure
from fhir_mappings.facts.treatment import BLOCKERS, OURS, PRESSORS, Drug, DrugClass, Route
from fhir_mappings.medications.products import Part, Product
from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.units import UnitError, converted, unit_of

UNNAMED_PRODUCT = "CAR-T cells"
ANOTHER = Drug(DrugClass.OTHER, "other")
UNNAMED = Drug(DrugClass.UNIDENTIFIED, "drug not identified", resembles=OURS)
OF_COLDS = frozenset({"phenylephrine", "ephedrine"})
_MOST_QUOTED = 60
REMEMBERED = 4096  # medications: a chart has few, each of them many times
_VOLUMES = {"mL": Decimal(1), "ml": Decimal(1), "L": Decimal(1000), "l": Decimal(1000)}


@dataclass(frozen=True)
class Content:
    """One drug of a medication. `mg_per_ml` is its own stated strength. `shared`: the medication holds another drug of
    ours too, so an amount of it is not this drug's. `dissolved`: it stands among the ingredients of something else, so
    a volume of it is not one of this drug's concentrate."""

    drug: Drug
    mg_per_ml: Decimal | None = None
    shared: bool = False
    dissolved: bool = False


@lru_cache(maxsize=REMEMBERED)
def contents(product: Product, terms: Terminology, route: Route = Route.NOT_STATED) -> tuple[Content, ...]:
    """The drugs of a medication, OTHER where it is none of ours, UNNAMED where nothing says what it is."""
    parts = tuple(_read(part, terms) for part in product.parts)
    beside = _Beside.of(parts, route)
    certain = _certain(parts, beside, terms)
    ours = [c for c in certain if c.drug.drug_class is not DrugClass.OTHER]
    if ours:
        several = len(ours) > 1
        return tuple(replace(c, shared=several) for c in ours)
    doubtful = _doubtful(parts, beside, terms)
    if doubtful is not None:
        return (Content(doubtful),)
    if product.unread:
        return (Content(UNNAMED),)
    if certain:
        return certain
    if any(p.says or terms.name_another(p.codings) for p in parts):
        return (Content(_around_cells(parts) or ANOTHER),)
    return (Content(UNNAMED),)


@dataclass(frozen=True)
class _ReadPart:
    """A part with what its codes and each of its texts say."""

    part: Part
    coded: Drug | None
    texts: tuple[str, ...] = ()
    readings: tuple[TextReading, ...] = ()
    car_t: CarT = CarT.NOTHING

    @property
    def codings(self) -> tuple[tuple[str | None, str | None], ...]:
        return fs.codings_of(self.part.concept)

    @property
    def says(self) -> bool:
        return any(reading.says for reading in self.readings)


def _read(part: Part, terms: Terminology) -> _ReadPart:
    spoken = [c for c in part.concept.coding if not says_nothing(c.system)]
    coded = terms.drug_coded((c.system, c.code) for c in spoken)
    written = (part.concept.text, *(c.display for c in spoken), part.display)
    texts = tuple(dict.fromkeys(text for text in written if text and text.strip()))
    readings = tuple(terms.read(text) for text in texts)
    product = any(terms.drug_named(i).drug_class is DrugClass.CAR_T for r in readings for i in r.ingredients)
    car_t = CarT.NOTHING if coded else car_t_reading(" / ".join(texts), product=product)
    return _ReadPart(part, coded, texts, readings, car_t)


@dataclass(frozen=True)
class _Beside:
    """The meaning of the texts of a medication, taken together, beside the names."""

    marks: frozenset[Mark]
    percent: frozenset[str]
    route: Route
    antipyretic: bool = field(default=False)

    @staticmethod
    def of(parts: Iterable[_ReadPart], route: Route) -> _Beside:
        readings = [reading for p in parts for reading in p.readings]
        marks = frozenset[Mark]().union(*(reading.marks for reading in readings))
        return _Beside(marks, frozenset[str]().union(*(reading.percent for reading in readings)), route)

    def is_of_a_cold(self, drug: Drug) -> bool:
        return drug.ingredient in OF_COLDS and (Mark.COLD in self.marks or self.antipyretic)

    def makes_other(self, drug: Drug) -> bool:
        """Tell whether the drug is positively none of ours, for what stands beside it or where it is given."""
        if drug.drug_class in PRESSORS and Mark.ANAESTHETIC in self.marks:
            return True
        if self.is_of_a_cold(drug):
            return True
        if drug.drug_class is not DrugClass.STEROID and drug.drug_class not in PRESSORS:
            return False
        if self.route is not Route.NOT_STATED:
            return self.route is Route.LOCAL
        weak = drug.drug_class is DrugClass.STEROID and drug.ingredient in self.percent
        return weak or Mark.LOCAL in self.marks


def _certain(parts: tuple[_ReadPart, ...], beside: _Beside, terms: Terminology) -> tuple[Content, ...]:
    """The drugs that codes and texts name without a doubt, each once."""
    found: dict[str, Content] = {}
    for p in parts:
        for drug in _named_by(p, terms):
            known, strength = found.get(drug.ingredient), _mg_per_ml(p.part.strength)
            if known is None:
                found[drug.ingredient] = Content(drug, strength, dissolved=p.part.is_ingredient)
            else:
                found[drug.ingredient] = replace(known, mg_per_ml=known.mg_per_ml or strength)
    beside = replace(beside, antipyretic=any(c.drug.drug_class is DrugClass.ANTIPYRETIC for c in found.values()))
    coded = {p.coded.ingredient for p in parts if p.coded is not None}
    return tuple(
        replace(c, drug=Drug(DrugClass.OTHER, f"{c.drug.ingredient}, local")) if beside.makes_other(c.drug) else c
        for c in _without_cells_beside_a_drug(found.values(), coded)
    )


def _without_cells_beside_a_drug(found: Iterable[Content], coded: set[str]) -> list[Content]:
    """ "Kymriah fever protocol: acetaminophen" is acetaminophen, and no infusion."""
    all_found = list(found)
    others = [c for c in all_found if c.drug.drug_class is not DrugClass.CAR_T]
    return [c for c in all_found if c in others or not others or c.drug.ingredient in coded]


def _named_by(p: _ReadPart, terms: Terminology) -> Iterator[Drug]:
    if p.coded is not None:
        yield p.coded
        return
    cells = [terms.drug_named(i) for r in p.readings for i in r.ingredients if _is_cells(i, terms)]
    if p.car_t is CarT.INFUSION:
        yield cells[0] if cells else Drug(DrugClass.CAR_T, UNNAMED_PRODUCT)
    for reading in p.readings:
        for drug in map(terms.drug_named, reading.ingredients):
            if drug.drug_class is not DrugClass.CAR_T and not _in_doubt(drug, reading):
                yield drug


def _is_cells(ingredient: str, terms: Terminology) -> bool:
    return terms.drug_named(ingredient).drug_class is DrugClass.CAR_T


def _in_doubt(drug: Drug, reading: TextReading) -> bool:
    """Tell whether a word of an assay or a receptor stands beside the name. An IL-6 or IL-1 blocker is called receptor
    antagonist or inhibitor itself."""
    if drug.drug_class is DrugClass.OTHER:
        return False
    receptor = Mark.RECEPTOR in reading.marks and drug.drug_class not in BLOCKERS
    return Mark.ASSAY in reading.marks or receptor


def _doubtful(parts: Iterable[_ReadPart], beside: _Beside, terms: Terminology) -> Drug | None:
    """The drug that a medication may be, where nothing in it is certain."""
    resembles: set[DrugClass] = set()
    why = ""
    for p in parts:
        for text, meant in _meant_by(p, terms):
            drug = terms.drug_named(meant.ingredient) if meant.ingredient else None
            if drug is not None and (drug.drug_class is DrugClass.OTHER or beside.makes_other(drug)):
                continue
            resembles |= OURS if drug is None else {drug.drug_class}
            why = why or _why(meant, drug, text)
    return Drug(DrugClass.UNIDENTIFIED, why, resembles=frozenset(resembles)) if resembles else None


def _meant_by(p: _ReadPart, terms: Terminology) -> Iterator[tuple[str, MayMean]]:
    if p.coded is not None:
        return
    if p.car_t is CarT.DOUBT and all(_is_cells(i, terms) for reading in p.readings for i in reading.ingredients):
        yield " / ".join(p.texts), MayMean(Doubt.AROUND_CELLS, UNNAMED_PRODUCT)
    for text, reading in zip(p.texts, p.readings, strict=True):
        for drug in map(terms.drug_named, reading.ingredients):
            if drug.drug_class is not DrugClass.CAR_T and _in_doubt(drug, reading):
                yield text, MayMean(Doubt.BESIDE_ASSAY, drug.ingredient)
        for meant in reading.may_mean:
            yield text, meant


def _around_cells(parts: Iterable[_ReadPart]) -> Drug | None:
    """A drug that names CAR-T cells and is no infusion of them: another drug, that resembles one."""
    for p in parts:
        if p.car_t is CarT.AROUND:
            why = no_infusion(" / ".join(p.texts))
            return Drug(DrugClass.OTHER, why, resembles=frozenset({DrugClass.CAR_T}))
    return None


def no_infusion(text: str) -> str:
    return f"names CAR-T cells and is no infusion: {quoted(text)}"


def may_be_infusion(text: str) -> str:
    return f"may be a CAR-T infusion: {quoted(text)}"


def quoted(text: str) -> str:
    """A text of a record in quotation marks, in one line and cut where it is long."""
    plain = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return f'"{plain[:_MOST_QUOTED]}…"' if len(plain) > _MOST_QUOTED else f'"{plain}"'


def _why(meant: MayMean, drug: Drug | None, text: str) -> str:
    if drug is not None and drug.drug_class is DrugClass.CAR_T:
        return may_be_infusion(text)
    name = drug.ingredient if drug is not None else ""
    words = {
        Doubt.BESIDE_ASSAY: f"names {name} beside a word of an assay or a receptor",
        Doubt.MISSPELT: f"is one letter off {name}",
        Doubt.ABBREVIATION: f"may stand for {name}",
        Doubt.SCRIPT: "is in a script that no drug names are known in",
        Doubt.TOO_LONG: "is too long to be read to its end",
    }[meant.doubt]
    return f"drug not identified: {quoted(text)} {words}"


def _mg_per_ml(strength: fs.Ratio | None) -> Decimal | None:
    """The strength of an ingredient in milligrams in a millilitre; None where it is stated otherwise."""
    if strength is None or strength.numerator is None or strength.denominator is None:
        return None
    top, bottom = strength.numerator, strength.denominator
    volume = _VOLUMES.get(unit_of(bottom) or "")
    if top.value is None or top.comparator or not bottom.value or bottom.value < 0 or volume is None:
        return None
    try:
        return converted(top.value, unit_of(top), Measure.MASS) / (bottom.value * volume)
    except UnitError:
        return None


def amount_mg(quantity: fs.Quantity, content: Content, concentrate: Decimal | None = None) -> Decimal | None:
    """An amount of a medication in milligrams of one of its drugs; None where that cannot be told. `concentrate` is
    the mg/mL of the undiluted drug, where it is one and the same everywhere."""
    if quantity.value is None:
        return None
    volume = _VOLUMES.get(unit_of(quantity) or "")
    if volume is not None:
        strength = content.mg_per_ml or (None if content.dissolved or content.shared else concentrate)
        return quantity.value * volume * strength if strength is not None else None
    if content.shared:
        return None
    try:
        return converted(quantity.value, unit_of(quantity), Measure.MASS)
    except UnitError:
        return None
