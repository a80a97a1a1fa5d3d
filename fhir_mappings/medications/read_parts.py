"""The parts of a medication as they are read: codes first, then each text, and what stands beside the names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from fhir_mappings.codes.car_t_words import CarT, car_t_reading
from fhir_mappings.codes.code_systems import says_nothing
from fhir_mappings.codes.drug_texts import Mark, TextReading
from fhir_mappings.codes.terminology import Terminology
from fhir_mappings.facts.treatment import BLOCKERS, PRESSORS, Drug, DrugClass, Route
from fhir_mappings.medications.products import Part
from fhir_mappings.reading import fhir_structs as fs

OF_COLDS = frozenset({"phenylephrine", "ephedrine"})


@dataclass(frozen=True)
class ReadPart:
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


def read_part(part: Part, terms: Terminology) -> ReadPart:
    spoken = [c for c in part.concept.coding if not says_nothing(c.system)]
    coded = terms.drug_coded((c.system, c.code) for c in spoken)
    written = (part.concept.text, *(c.display for c in spoken), part.display)
    texts = tuple(dict.fromkeys(text for text in written if text and text.strip()))
    readings = tuple(terms.read(text) for text in texts)
    product = any(terms.drug_named(i).drug_class is DrugClass.CAR_T for r in readings for i in r.ingredients)
    car_t = CarT.NOTHING if coded else car_t_reading(" / ".join(texts), product=product)
    return ReadPart(part, coded, texts, readings, car_t)


@dataclass(frozen=True)
class Beside:
    """The meaning of the texts of a medication, taken together, beside the names."""

    marks: frozenset[Mark]
    percent: frozenset[str]
    route: Route
    antipyretic: bool = False

    @staticmethod
    def of(parts: Iterable[ReadPart], route: Route) -> Beside:
        readings = [reading for p in parts for reading in p.readings]
        marks = frozenset[Mark]().union(*(reading.marks for reading in readings))
        return Beside(marks, frozenset[str]().union(*(reading.percent for reading in readings)), route)

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


def is_cells(ingredient: str, terms: Terminology) -> bool:
    return terms.drug_named(ingredient).drug_class is DrugClass.CAR_T


def in_doubt(drug: Drug, reading: TextReading) -> bool:
    """Tell whether a word of an assay or a receptor stands beside the name. An IL-6 or IL-1 blocker is called receptor
    antagonist or inhibitor itself."""
    if drug.drug_class is DrugClass.OTHER:
        return False
    receptor = Mark.RECEPTOR in reading.marks and drug.drug_class not in BLOCKERS
    return Mark.ASSAY in reading.marks or receptor
