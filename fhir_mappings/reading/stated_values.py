"""The value of a result as it is charted, for a card to quote where it could not be used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec

from fhir_mappings.reading import fhir_structs as fs

MOST_CHARS = 40


def stated_value(quantity: fs.Quantity | None, text: str | None, concept: fs.CodeableConcept | None) -> str:
    """`82 st`, `<7.5 PG/ML`, `trace`: in one line, cut where it is long; "" where nothing is stated."""
    if quantity is not None and quantity.value is not None:
        parts = (f"{quantity.comparator or ''}{_plain(quantity.value)}", quantity.unit or quantity.code or "")
        return one_line(" ".join(filter(None, parts)))
    displays = [c.display or c.code for c in concept.coding] if concept is not None else []
    texts = (text, concept.text if concept is not None else None, *displays)
    return next((one_line(one) for one in texts if one and one.strip()), "")


def _plain(value: Decimal) -> str:
    """A number in digits, unless they are too many for a line."""
    return f"{value:f}" if abs(value.adjusted()) < MOST_CHARS else str(value)


def one_line(text: str) -> str:
    plain = " ".join("".join(c if c.isprintable() else " " for c in text[: MOST_CHARS * 4]).split())
    return f"{plain[:MOST_CHARS]}…" if len(plain) > MOST_CHARS else plain


@dataclass(frozen=True)
class StatedInBroken:
    """The codings and the value that can be read of a resource that is broken elsewhere."""

    codings: tuple[tuple[str, str], ...] = ()
    value: str = ""


def stated_in_broken(raw: bytes) -> StatedInBroken:
    """As much of a broken Observation as can be read: the codings of it and its components, and its value."""
    try:
        data = msgspec.json.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return StatedInBroken()
    if not isinstance(data, dict) or data.get("resourceType") != "Observation":
        return StatedInBroken()
    components = data.get("component")
    parts = [data, *(c for c in components if isinstance(c, dict))] if isinstance(components, list) else [data]
    codings = tuple(coding for part in parts for coding in _codings(part.get("code")))
    return StatedInBroken(codings, next(filter(None, map(_value, parts)), ""))


def _codings(concept: Any) -> Iterator[tuple[str, str]]:
    codings = concept.get("coding") if isinstance(concept, dict) else None
    for coding in codings if isinstance(codings, list) else ():
        system, code = (coding.get("system"), coding.get("code")) if isinstance(coding, dict) else (None, None)
        if isinstance(system, str) and isinstance(code, str):
            yield system, code


def _value(part: Mapping[str, Any]) -> str:
    quantity = part.get("valueQuantity")
    if isinstance(quantity, dict):
        unit = next((quantity[name] for name in ("unit", "code") if isinstance(quantity.get(name), str)), "")
        value = quantity.get("value")
        # an integer of thousands of digits cannot be written out
        fits = isinstance(value, str) or (isinstance(value, int | float) and abs(value) < 10**MOST_CHARS)
        return one_line(f"{value} {unit}") if fits else ""
    text = part.get("valueString")
    return one_line(text) if isinstance(text, str) else ""
