"""The drugs that a medication holds: the rules by which its codes and texts are read.

1. A code of ours decides for what it stands beside; else the texts are read.
2. What is positively something else is no drug of ours: a vasopressor beside a local anaesthetic, a corticosteroid or
   vasopressor of local effect, phenylephrine or ephedrine of a cold remedy, a CAR-T product beside another drug.
3. What is in doubt is UNIDENTIFIED and resembles the class that it may be of.
4. What names nothing of ours is another drug; what names nothing at all may be any.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache

from fhir_mappings.codes.car_t_words import CarT
from fhir_mappings.codes.terminology import Terminology
from fhir_mappings.facts.treatment import OURS, Drug, DrugClass, Route
from fhir_mappings.medications.amounts import Content
from fhir_mappings.medications.doubts import UNNAMED_PRODUCT, around_cells, doubtful
from fhir_mappings.medications.products import Product
from fhir_mappings.medications.read_parts import Beside, ReadPart, in_doubt, is_cells, read_part
from fhir_mappings.medications.strengths import Strength, named_strength, stated_strength

ANOTHER = Drug(DrugClass.OTHER, "other")
UNNAMED = Drug(DrugClass.UNIDENTIFIED, "drug not identified", resembles=OURS)
REMEMBERED = 4096  # medications: a chart has few, each of them many times


@lru_cache(maxsize=REMEMBERED)
def contents(product: Product, terms: Terminology, route: Route = Route.NOT_STATED) -> tuple[Content, ...]:
    """The drugs of a medication, OTHER where it is none of ours, UNNAMED where nothing says what it is."""
    parts = tuple(read_part(part, terms) for part in product.parts)
    beside = Beside.of(parts, route)
    certain = _certain(parts, beside, terms)
    ours = [c for c in certain if c.drug.drug_class is not DrugClass.OTHER]
    if ours:
        several = len(ours) > 1
        return tuple(replace(c, shared=several) for c in ours)
    meant = doubtful(parts, beside, terms)
    if meant is not None:
        return (Content(meant),)
    if product.unread:
        return (Content(UNNAMED),)
    if certain:
        return certain
    if any(p.says or terms.name_another(p.codings) for p in parts):
        return (Content(around_cells(parts) or ANOTHER),)
    return (Content(UNNAMED),)


def _certain(parts: tuple[ReadPart, ...], beside: Beside, terms: Terminology) -> tuple[Content, ...]:
    """The drugs that codes and texts name without a doubt, each once."""
    found: dict[str, Content] = {}
    for p in parts:
        for drug in _named_by(p, terms):
            known, strength = found.get(drug.ingredient), stated_strength(p.part.strength)
            if known is None:
                found[drug.ingredient] = Content(drug, strength, dissolved=p.part.is_ingredient)
            else:
                found[drug.ingredient] = replace(known, strength=known.strength.or_else(strength))
    if len(found) == 1:
        found = {name: replace(c, strength=c.strength.or_else(_named(parts))) for name, c in found.items()}
    beside = replace(beside, antipyretic=any(c.drug.drug_class is DrugClass.ANTIPYRETIC for c in found.values()))
    coded = {p.coded.ingredient for p in parts if p.coded is not None}
    return tuple(
        replace(c, drug=Drug(DrugClass.OTHER, f"{c.drug.ingredient}, local")) if beside.makes_other(c.drug) else c
        for c in _without_cells_beside_a_drug(found.values(), coded)
    )


def _named(parts: Iterable[ReadPart]) -> Strength:
    """The strength that the names of a product of one drug state. Of a mixture they may state that of a part."""
    names = [text for p in parts if not p.part.is_ingredient for text in p.texts]
    is_mixture = sum(p.part.is_ingredient for p in parts) > 1
    return Strength() if is_mixture else named_strength(tuple(names))


def _without_cells_beside_a_drug(found: Iterable[Content], coded: set[str]) -> list[Content]:
    """ "Kymriah fever protocol: acetaminophen" is acetaminophen, and no infusion."""
    all_found = list(found)
    others = [c for c in all_found if c.drug.drug_class is not DrugClass.CAR_T]
    return [c for c in all_found if c in others or not others or c.drug.ingredient in coded]


def _named_by(p: ReadPart, terms: Terminology) -> Iterator[Drug]:
    if p.coded is not None:
        yield p.coded
        return
    cells = [terms.drug_named(i) for r in p.readings for i in r.ingredients if is_cells(i, terms)]
    if p.car_t is CarT.INFUSION:
        yield cells[0] if cells else Drug(DrugClass.CAR_T, UNNAMED_PRODUCT)
    for reading in p.readings:
        for drug in map(terms.drug_named, reading.ingredients):
            if drug.drug_class is not DrugClass.CAR_T and not in_doubt(drug, reading):
                yield drug
