"""The name of what a resource holds, as it is charted: the code that says most, and the first text."""

from __future__ import annotations

from collections.abc import Iterator

from cds_server.inventory.tally import Named
from fhir_mappings.codes.code_systems import FORMS, LOINC, canonical_system, says_nothing
from fhir_mappings.codes.site_concepts import loinc_check_digit
from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.units import unit_of

MOST_CHARS, MOST_CODINGS = 200, 10  # of a text, and of a concept, that is kept


def named(concept: fs.CodeableConcept | None, *more_texts: str | None) -> Named:
    """A concept by one code, of a common system where it has one, and its first text."""
    if concept is None:
        return Named(text=_cut(next((t for t in more_texts if t and t.strip()), "")))
    coded = [c for c in concept.coding if c.system and c.code and not says_nothing(c.system)]
    coded.sort(key=lambda c: not _is_common(c))
    code = coded[0] if coded else next((c for c in concept.coding if c.code), fs.Coding())
    text = next((t for t in (*texts_in(concept), *more_texts) if t and t.strip()), "")
    return Named(_cut(code.system or ""), _cut(code.code or ""), _cut(text))


def _is_common(coding: fs.Coding) -> bool:
    """Tell whether a coding is a code as it should be of a system that our codes have."""
    system, code = canonical_system(coding.system or ""), coding.code or ""
    form = FORMS.get(system)
    well_formed = form is not None and form.fullmatch(code) is not None
    return well_formed and (system != LOINC or code.startswith("LA") or loinc_check_digit(code))


def texts_in(concept: fs.CodeableConcept | None) -> Iterator[str]:
    """The texts of a concept: its own, then the displays."""
    if concept is not None:
        written = (concept.text, *(c.display for c in concept.coding if not says_nothing(c.system)))
        yield from (text for text in written if text and text.strip())


def unit_in(quantity: fs.Quantity | None) -> str | None:
    """The unit of a number, "" where it has none; None where no number stands."""
    if quantity is None or quantity.value is None:
        return None
    return _cut(unit_of(quantity) or "")


def shape(text: str | None) -> str:
    """A time or a result as it is written, with 9 for each digit: one row for all that are written alike."""
    return _cut("".join("9" if c.isdigit() else c for c in (text or "")[: MOST_CHARS + 1]))


def cut(concept: fs.CodeableConcept) -> fs.CodeableConcept:
    """A concept as it can be kept: of more codings and longer texts than any real one has, the first."""
    coding = tuple(fs.Coding(*(_cut(part) if part else part for part in (c.system, c.code, c.display)))
                   for c in concept.coding[:MOST_CODINGS])  # fmt: skip
    return fs.CodeableConcept(coding, _cut(concept.text) if concept.text else None)


def _cut(text: str) -> str:
    return text if len(text) <= MOST_CHARS else f"{text[:MOST_CHARS]}…"
