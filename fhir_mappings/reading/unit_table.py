"""The units that are read, by measure: each spelling with the UCUM code it stands for, and the conversion of that code.

`unit_names.json` holds the spellings, `unit_factors.json` the factors; the second is made from the first by ucumvert
(`make docs`), which no worker loads.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

from fhir_mappings.facts.measures import Measure
from fhir_mappings.reading.unit_spelling import folded_unit

_ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class Conversion:
    """The way from a unit to the measure's own: (value - less) × times ÷ over, which keeps 1/60 exact."""

    times: Decimal = _ONE
    over: Decimal = _ONE
    less: Decimal = Decimal(0)

    def of(self, value: Decimal) -> Decimal:
        return (value - self.less) * self.times / self.over


@dataclass(frozen=True)
class Spellings:
    """The spellings of some units, each with the UCUM code that it stands for.

    `whole` are folded spellings of whole units. `composed` are units made of words ("IU/L"); `parts` says for units of
    so many parts which folded word stands for which part at each place, `exact` which last part counts only as written.
    """

    whole: Mapping[str, str]
    composed: Mapping[str, str]
    parts: Mapping[int, tuple[Mapping[str, str], ...]]
    exact: Mapping[str, str]

    def code_of(self, text: str) -> str | None:
        """The code that a text stands for, as it is written or folded; None for a text that is in no table."""
        known = self.composed.get(text)
        if known is not None:
            return known
        before, _, last = text.strip().rpartition("/")
        if before and last in self.exact:
            return self._composed_of([*fold(before).split("/"), ""], self.exact[last])
        folded = fold(text)
        return self.whole.get(folded) or self._composed_of(folded.split("/"))

    def _composed_of(self, words: list[str], last: str | None = None) -> str | None:
        places = self.parts.get(len(words))
        if places is None:
            return None
        found = [known.get(word) for known, word in zip(places, words, strict=True)]
        found[-1] = last or found[-1]
        return self.composed.get("/".join(part for part in found if part is not None)) if None not in found else None


@cache
def unit_names() -> Mapping[str, Any]:
    """The file: words, measures, units of their own."""
    return _file("unit_names.json")


def _file(name: str) -> Mapping[str, Any]:
    content: Mapping[str, Any] = json.loads((files("fhir_mappings.reading") / name).read_text(encoding="utf-8"))
    return content


def codes_of(measure: Measure) -> tuple[str, ...]:
    """The UCUM codes that are read for a measure."""
    return tuple(unit_names()["measures"][measure.name])


@cache
def conversions_of(measure: Measure) -> Mapping[str, Conversion]:
    """The conversion of each UCUM code of a measure."""
    return {
        code: Conversion(**{name: Decimal(number) for name, number in numbers.items()})
        for code, numbers in _file("unit_factors.json")[measure.name].items()
    }


@cache
def spellings(measure: Measure) -> Spellings:
    return spellings_of(unit_names()["measures"][measure.name])


@cache
def own_spellings() -> Spellings:
    """The spellings of units that results keep, because nothing converts them."""
    return spellings_of(unit_names()["own"])


def fold(text: str) -> str:
    return folded_unit(text, _per(), _words_alone())


@cache
def _per() -> frozenset[str]:
    return frozenset(word for words in unit_names()["per"].values() for word in words)


@cache
def _words_alone() -> frozenset[str]:
    """The words that are units by themselves, so that "mg/{kg}" is no milligram."""
    names = unit_names()
    written = {word for spelled in names["words"].values() for words in spelled.values() for word in words}
    whole = {word for units in names["measures"].values() for words in units.values() for word in words}
    return frozenset(folded_unit(word, _per(), ()) for word in written | whole)


def spellings_of(units: Mapping[str, Iterable[str]]) -> Spellings:
    """The spellings of some units. Raises ValueError where one spelling has two readings."""
    whole: dict[str, str] = {}
    composed: dict[str, str] = {}
    parts: dict[int, tuple[dict[str, str], ...]] = {}
    exact: dict[str, str] = {}
    words = unit_names()["words"]
    for code, more in units.items():
        for name in (code, *more):
            places = name.split("/")
            if not all(place in words or (place == "" and len(places) > 1) for place in places):
                _add(whole, fold(name), code)
                continue
            _add(composed, name, code)
            for known, place in zip(parts.setdefault(len(places), tuple({} for _ in places)), places, strict=True):
                for way in _ways(place, words.get(place, {})):
                    _add(known, fold(way), place)
            exact |= dict.fromkeys(words.get(places[-1], {}).get("exact", ()), places[-1])
    found = Spellings(whole, composed, parts, exact)
    for spelled, code in whole.items():
        _add({spelled: found._composed_of(spelled.split("/")) or code}, spelled, code)
    return found


def _add(known: dict[str, str], spelled: str, code: str) -> None:
    if known.setdefault(spelled, code) != code:
        raise ValueError(f"{spelled} stands for {known[spelled]} and {code}")


def _ways(part: str, spelled: Mapping[str, Iterable[str]]) -> Iterator[str]:
    """The ways to write one part: a word; a power of ten also with × before it, and a count with what is counted."""
    ways = [word for language, words in spelled.items() if language != "exact" for word in words]
    if part and not part.startswith("10*"):
        yield from ways
        return
    powers = [*ways, *(f"x{way}" for way in ways)] if part else ["", "1"]
    for counted in ("", *(word for words in unit_names()["counted"].values() for word in words)):
        yield from (f"{power} {counted}" for power in powers)
        yield from (f"{counted} {power}" for power in powers if part and counted)
