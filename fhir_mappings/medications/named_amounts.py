"""The amounts that stand in words: "20 MG/ML", "1000 mg in NaCl 0.9 % 250 mL", "2 mg/tablet", "2 錠"."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from fhir_mappings.facts.measures import Measure
from fhir_mappings.reading.units import conversion

MOST_CHARS = 300
_TOKENS = re.compile(r"\d+(?:[.,]\d+)?|[^\W\d_]+|\S")
# a comma or point before three digits may be thousands or a decimal
_THOUSANDS = re.compile(r"[1-9]\d{0,2}[.,]\d{3}")
_STROKES = frozenset({"/", "per", "pro", "je"})
_IN = frozenset({"in", "auf", "dans", "en", "i"})
# in a millilitre of these a strength stands, but no container of so many millilitres
_ORAL = ("oral", "syrup", "sirup", "sirop", "saft", "tropfen", "drops", "buvable", "内服")


# these say that a text is an order, whose mass is a dose and not the strength of a product
_ORDERED = frozenset({"iv", "ivpb", "po", "im", "sc", "sq", "subq", "daily", "once", "every", "over", "bid", "tid"})
_FORMS = (
    "tab", "caps", "kaps", "kapsel", "pill", "comprim", "compress", "gélule", "inj", "vial", "amp", "syringe", "solut",
    "solución", "lösung", "powder", "pulver", "konzentrat", "concentrate", "oral", "錠", "注", "정", "片",
)  # fmt: skip


def is_order(text: str) -> bool:
    """Tell whether a text is an order, "tocilizumab 560 mg IV", and not the name of a product."""
    plain = unicodedata.normalize("NFKC", text[:MOST_CHARS]).casefold()
    return not _ORDERED.isdisjoint(_TOKENS.findall(plain.replace("i.v.", "iv"))) and not any(f in plain for f in _FORMS)


@dataclass(frozen=True, slots=True)
class NamedAmount:
    """One amount: a mass or a volume, and what it stands in: millilitres or dose forms. `is_container`: the millilitres
    are those of one dose form. `is_unclear`: it is an amount for each kilogram, or hour, or its number can be read in
    two ways."""

    mg: Decimal | None = None
    ml: Decimal | None = None
    items: Decimal | None = None
    per_ml: Decimal | None = None
    per_items: Decimal | None = None
    is_container: bool = False
    is_unclear: bool = False


def named_amounts(text: str) -> Iterator[NamedAmount]:
    """The amounts of a text, in their order. Beyond the first characters it is not read."""
    plain = unicodedata.normalize("NFKC", text[:MOST_CHARS]).casefold()
    tokens = _TOKENS.findall(plain)
    is_oral = any(word in plain for word in _ORAL)
    place = 0
    while place + 1 < len(tokens):
        mass = _number_of(tokens, place, Measure.MASS)
        if mass is not None:
            found, place = _of_mass(mass, tokens, place + 2, is_oral=is_oral)
            yield found
            continue
        volume, items = _number_of(tokens, place, Measure.VOLUME), _number_of(tokens, place, Measure.ITEM)
        if volume is not None or items is not None:
            yield NamedAmount(ml=volume, items=items)
            place += 1
        place += 1


def _of_mass(mg: Decimal, tokens: Sequence[str], place: int, *, is_oral: bool) -> tuple[NamedAmount, int]:
    """A mass with what it stands in, and the place after both. `place` is that after the mass."""
    if mg.is_nan():
        return NamedAmount(is_unclear=True), place
    stroke = tokens[place] if place < len(tokens) else ""
    if stroke in _IN:
        volume = _carrier(tokens, place + 1)
        return (NamedAmount(mg, per_ml=volume, is_container=True) if volume else NamedAmount(mg)), place + 1
    if stroke not in _STROKES or place + 1 >= len(tokens):
        return NamedAmount(mg), place
    counted = tokens[place + 1][0].isdigit()
    after = place + 1 + counted
    below = tokens[place + 1 : after] or ["1"]
    word = tokens[after] if after < len(tokens) else ""
    for measure in (Measure.VOLUME, Measure.ITEM):
        number = _number_of([*below, word], 0, measure)
        if number is not None and number > 0:
            is_volume = measure is Measure.VOLUME
            per_ml, per_items = (number, None) if is_volume else (None, number)
            container = is_volume and counted and not is_oral
            return NamedAmount(mg, per_ml=per_ml, per_items=per_items, is_container=container), after + 1
    is_next = counted and conversion(word, Measure.MASS) is not None  # "5 mg/325 mg": the next drug's
    return NamedAmount(mg, is_unclear=not is_next and (counted or _is_rate(word))), place + 1


def _carrier(tokens: Sequence[str], place: int) -> Decimal | None:
    """The volume of what a mass is dissolved in: "in 250 mL", "in sodium chloride 0.9 % 250 mL"."""
    volumes = [_number_of(tokens, at, Measure.VOLUME) for at in range(place, len(tokens) - 1)]
    found = [volume for volume in volumes if volume is not None]
    return found[0] if len(found) == 1 and found[0] > 0 else None


def _is_rate(word: str) -> bool:
    """Tell whether a mass is one for each kilogram, square metre or hour, or one of a spray."""
    return word in _RATE_OF or conversion(word, Measure.TIME) is not None


_RATE_OF = frozenset({"kg", "kilo", "kilogram", "m", "qm", "actuat", "actuation", "puff", "spray", "hub", "dose"})


def _number_of(tokens: Sequence[str], place: int, measure: Measure) -> Decimal | None:
    """The amount at a place, in the measure's unit; None where none stands, NaN for a number with two readings."""
    number, word = tokens[place], tokens[place + 1]
    if not number[0].isdigit() or not (known := conversion(word, measure)):
        return None
    if _THOUSANDS.fullmatch(number):
        return Decimal("NaN")
    return known.of(Decimal(number.replace(",", ".")))
