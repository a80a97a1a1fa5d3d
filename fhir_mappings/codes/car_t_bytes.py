"""The words of a CAR-T infusion in the bytes of a resource that cannot be read.

Such a resource has no fields, so each JSON string in it is read as the texts of an infusion are.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from fhir_mappings.codes.car_t_words import CarT, car_t_reading
from fhir_mappings.codes.folding import MOST_CHARS
from fhir_mappings.codes.terminology import Terminology
from fhir_mappings.facts.treatment import DrugClass

_MOST_STRINGS = 500  # of one resource; one with more is no administration
# a string of ASCII letters without one of these names no CAR-T cells and no product of them, not even misspelt
_HINTS = ("car", "antig", "cel", "leu", "gene", "kym", "yesc", "brey", "abec", "auca")
_string = msgspec.json.Decoder(str)


def name_cells(raw: bytes, terms: Terminology) -> bool:
    """Tell whether bytes may be those of an infusion: by a code or a product anywhere, or by the words of a string."""
    if terms.infusion_marks.search(raw) is not None:
        return True
    return any(_says_cells(text, terms) for text in _strings(bytes(raw)))


def _says_cells(text: str, terms: Terminology) -> bool:
    if len(text) > MOST_CHARS or (text.isascii() and not any(hint in text.lower() for hint in _HINTS)):
        return False
    reading = terms.read(text)
    named = {*reading.ingredients, *(meant.ingredient for meant in reading.may_mean if meant.ingredient)}
    product = any(terms.drug_named(ingredient).drug_class is DrugClass.CAR_T for ingredient in named)
    return car_t_reading(text, product=product) in (CarT.INFUSION, CarT.DOUBT)


def _strings(raw: bytes) -> Iterator[str]:
    """The JSON strings in some bytes, each once, whatever is between them."""
    seen: set[bytes] = set()
    start = raw.find(b'"')
    while start >= 0 and len(seen) < _MOST_STRINGS:
        end = _end_of_string(raw, start)
        if end < 0:
            return
        found = raw[start : end + 1]
        if found not in seen:
            seen.add(found)
            try:
                yield _string.decode(found)
            except (msgspec.MsgspecError, UnicodeDecodeError):
                yield found[1:-1].decode("utf-8", errors="replace")
        start = raw.find(b'"', end + 1)


def _end_of_string(raw: bytes, start: int) -> int:
    """The place of the quotation mark that ends the string; -1 where none does."""
    end = raw.find(b'"', start + 1)
    while end >= 0:
        before = end
        while raw[before - 1 : before] == b"\\":
            before -= 1
        if (end - before) % 2 == 0:
            return end
        end = raw.find(b'"', end + 1)
    return -1
