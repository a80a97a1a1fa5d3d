"""The units of the page that a physician signs: for each measure what is read, by which factor, in which range."""

from __future__ import annotations

from cards.sentences.numbers_and_times import number
from fhir_mappings.facts.measures import Measure
from fhir_mappings.reading.plausible_ranges import PLAUSIBLE
from fhir_mappings.reading.unit_table import SAME, Conversion, conversions_of, unit_names

_INTRODUCTION = """\
## Units

A unit is read by its UCUM code or its text, in any case and with blanks, dots and plurals. Every spelling stands in
`fhir_mappings/reading/unit_names.json`. A unit that is in no table is never guessed: the value is set aside, and its
unit is quoted. Capital M, P, G and N in a mass or a volume are milli, pico, gram and nano. A value outside the range is
set aside too.
"""


def units_section() -> list[tuple[str, str, str, str]]:
    """The rows: measure, the unit it is kept in, the units read, the range."""
    return [(measure.value[0], f"`{measure.unit}`", _units(measure), _range(measure)) for measure in Measure]


def introduction() -> str:
    return _INTRODUCTION


def results_kept() -> str:
    """The sentence on results whose unit nothing converts."""
    own = ", ".join(f"`{unit}`" for unit in unit_names()["own"])
    return (
        f"A laboratory result in {own} keeps its unit, and is compared with results in the same unit and code only.\n"
    )


def _units(measure: Measure) -> str:
    return ", ".join(f"`{code}`{_factor(found)}" for code, found in conversions_of(measure).items())


def _factor(found: Conversion) -> str:
    if found == SAME:
        return ""
    less = f"(value − {number(found.less)}) " if found.less else ""
    over = f" ÷ {found.over:f}" if found.over != 1 else ""
    times = f"× {found.times:f}" if found.times != 1 else ""
    return f" {less}{times}{over}".replace("  ", " ")


def _range(measure: Measure) -> str:
    low, high = PLAUSIBLE[measure]
    return f"{low:f} to {high:f}"
