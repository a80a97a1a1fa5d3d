"""What a text is read as, in the words of the tables: a drug, an infusion of CAR-T cells, an oxygen device."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

from fhir_mappings.codes.devices.device_texts import DeviceText, device_text
from fhir_mappings.codes.devices.device_vocabulary import device_words
from fhir_mappings.codes.terminology import packaged_terminology
from fhir_mappings.facts.signs import ROW_OF, Device
from fhir_mappings.facts.treatment import OURS, Drug, DrugClass, Route
from fhir_mappings.infusions.infusion_procedures import procedure_reading
from fhir_mappings.medications.identified import contents
from fhir_mappings.medications.products import Part, Product
from fhir_mappings.reading import fhir_structs as fs
from tests.support.tables import rows

TERMS = packaged_terminology()
WORDS = device_words(TERMS)
SPEC = Path(__file__).parents[1] / "spec"


def table(name: str) -> list[dict[str, str]]:
    """The rows of a table of texts beside the tests that read it."""
    return rows((SPEC / name).read_text(encoding="utf-8"))


def drugs_of(product: Product, route: Route = Route.NOT_STATED) -> list[Drug]:
    return [content.drug for content in contents(product, TERMS, route)]


def medication_read_as(product: Product, route: Route = Route.NOT_STATED) -> str:
    """The ingredient, or several; `other`; `?class`: not identified, and it resembles this class; `?any`: all."""
    drugs = drugs_of(product, route)
    if drugs[0].drug_class is DrugClass.UNIDENTIFIED:
        return "?any" if drugs[0].resembles == OURS else f"?{'+'.join(sorted(drugs[0].resembles))}"
    return "other" if drugs[0].drug_class is DrugClass.OTHER else " + ".join(d.ingredient for d in drugs)


def read_as(text: str, coding: fs.Coding | None = None) -> str:
    return medication_read_as(Product((Part(fs.CodeableConcept((coding,) if coding else (), text)),)))


def cells_of_procedure(text: str) -> str:
    """`infusion`, `around`, `doubt` or `nothing`, as the code of a procedure."""
    return procedure_reading(fs.Procedure(code=fs.CodeableConcept((), text)), TERMS).says.name.lower()


def cells_of_administration(text: str) -> str:
    """The same, as the medication of an administration."""
    drugs = drugs_of(Product((Part(fs.CodeableConcept((), text)),)))
    if drugs[0].drug_class is DrugClass.CAR_T:
        return "infusion"
    if drugs[0].resembles == {DrugClass.CAR_T}:
        return "doubt" if drugs[0].drug_class is DrugClass.UNIDENTIFIED else "around"
    return "nothing" if all(d.drug_class is not DrugClass.CAR_T and not d.resembles for d in drugs) else "any"


def shown_row(found: DeviceText) -> str:
    """The row of a device, `home` for one of the home, nothing without a device."""
    if found.device is Device.HOME_CPAP:
        return "home"
    return "" if found.device is None else str(ROW_OF[found.device])


def device_read(text: str) -> tuple[str, Decimal | None, Decimal | None]:
    """Row, flow and FiO2."""
    found = device_text(text, WORDS)
    return shown_row(found), found.flow, found.fio2


def device_wanted(row: Mapping[str, str]) -> tuple[str, Decimal | None, Decimal | None]:
    flow, fio2 = (Decimal(row[column]) if row[column] else None for column in ("flow", "FiO2"))
    return row["row"], flow, fio2
