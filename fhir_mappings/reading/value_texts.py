"""A result as text, such as "38,9 °C", "< 1.5 pg/mL" or "５０００", read as a quantity where it is one plain number.

A number whose only point or comma stands before three digits may be thousands or a decimal, and is not read.
"""

from __future__ import annotations

import re
from decimal import Decimal

from fhir_mappings.reading.fhir_structs import Quantity
from fhir_mappings.reading.units import UnitError, quoted

MOST_CHARS = 80
_UNIT = r"[^\s\d.,:;<>/-].*|/[^\s\d].*|10[*^eExX\u00b2\u00b3\u2070-\u2079].*"
_TEXT = re.compile(rf"(<=|>=|=<|=>|<|>|≤|≥)?\s*([+-]?\d{{1,12}}(?:[.,]\d{{1,9}})?)\s*({_UNIT})?", re.ASCII)
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}[.,]\d{3}", re.ASCII)
_SIGNS = {"≤": "<=", "≥": ">=", "=<": "<=", "=>": ">="}
# Marks of a result above or below its reference range, which say nothing about its value. A letter counts only in
# brackets: "2 L" is a flow.
_FLAGS = ("*", "↑", "↓", "(H)", "(HH)", "(L)", "(LL)", "[H]", "[HH]", "[L]", "[LL]", "(+)", "(high)", "(low)")
_ESCAPED = (("&lt;", "<"), ("&gt;", ">"))
_WIDE = {0xFF00 + low: chr(low + 0x20) for low in range(1, 0x5F)} | {0x3000: " "}  # "３８．９"


def quantity_in(text: str) -> Quantity:
    """The number, comparator and unit of a text. Raises UnitError for a text that is not one plain number."""
    plain = text[: MOST_CHARS + 1].translate(_WIDE).strip()
    for escaped, sign in _ESCAPED:
        plain = plain.replace(escaped, sign)
    plain = _without_flags(plain)
    match = _TEXT.fullmatch(plain) if len(plain) <= MOST_CHARS else None
    if match is None:
        raise UnitError(f"text {quoted(text)} cannot be read as a number")
    comparator, number, unit = match.groups()
    if _THOUSANDS.fullmatch(number):
        raise UnitError(f"text {quoted(text)} may hold thousands or a decimal")
    comparator = _SIGNS.get(comparator, comparator) if comparator else None
    return Quantity(Decimal(number.replace(",", ".")), comparator, (unit or "").strip() or None)


def _without_flags(plain: str) -> str:
    """The text before the marks that a laboratory writes at its end, such as "46.5 (H)" or "46.5 pg/mL ↑"."""
    if not plain.endswith(("*", "↑", "↓", ")", "]")):
        return plain
    for flag in _FLAGS:
        if plain.casefold().endswith(flag.casefold()):
            return _without_flags(plain[: -len(flag)].rstrip())
    return plain


def systolic_in(text: str) -> Quantity | None:
    """The first pressure of a text such as "82/45 mmHg", in the unit of the second; None for any other text."""
    systolic, slash, rest = text.partition("/")
    try:
        unit = quantity_in(rest).unit
        return quantity_in(f"{systolic} {unit or ''}") if slash and systolic.strip().isdecimal() else None
    except UnitError:
        return None
