"""The drugs that a medication may hold where nothing in it is certain, and the words that quote it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fhir_mappings.codes.car_t_words import CarT
from fhir_mappings.codes.drug_texts import Doubt, MayMean
from fhir_mappings.codes.terminology import Terminology
from fhir_mappings.facts.treatment import OURS, Drug, DrugClass
from fhir_mappings.medications.read_parts import Beside, ReadPart, in_doubt, is_cells

UNNAMED_PRODUCT = "CAR-T cells"
_MOST_QUOTED = 60


def doubtful(parts: Iterable[ReadPart], beside: Beside, terms: Terminology) -> Drug | None:
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


def _meant_by(p: ReadPart, terms: Terminology) -> Iterator[tuple[str, MayMean]]:
    if p.coded is not None:
        return
    if p.car_t is CarT.DOUBT and all(is_cells(i, terms) for reading in p.readings for i in reading.ingredients):
        yield " / ".join(p.texts), MayMean(Doubt.AROUND_CELLS, UNNAMED_PRODUCT)
    for text, reading in zip(p.texts, p.readings, strict=True):
        for drug in map(terms.drug_named, reading.ingredients):
            if drug.drug_class is not DrugClass.CAR_T and in_doubt(drug, reading):
                yield text, MayMean(Doubt.BESIDE_ASSAY, drug.ingredient)
        for meant in reading.may_mean:
            yield text, meant


def around_cells(parts: Iterable[ReadPart]) -> Drug | None:
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
