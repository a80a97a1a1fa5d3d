"""The results of one analyte as a series of samples in one unit, censored values as intervals.

A result that no table can convert keeps its own unit: a ratio is then allowed only between samples of the
same unit and LOINC code.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from msgspec.structs import replace

from fhir_mappings.facts.analytes import Analyte
from fhir_mappings.facts.coverage import Kind, SetAside
from fhir_mappings.facts.labs import Sample, Series
from fhir_mappings.facts.measures import Measure
from fhir_mappings.facts.time_and_range import Interval
from fhir_mappings.observations import Observed
from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.units import UnitError, conversions_in, number_in, own_unit, unit_of
from fhir_mappings.vital_signs import stated_quantity

# unconfirmed but for English and German
_CSF = re.compile(
    r"(?i)\bcsf\b|cerebrospinal|spinal fluid|\bl[ií]quor\b|\blikvor|ликвор|\blcr\b|c[ée]phalo-?rachidien|cefalorrachid|"
    r"cefalorraqu|cefalorachid|m[óo]zgowo-rdzeniow|hersenvocht|ruggenmergvocht|ryggv[äa]tska|спинномозгов|\bbos\b|"
    r"脑脊液|腦脊髓液|腦脊液|髄液|뇌척수액"
)
_COMPARATORS = (None, "", "<", "<=", ">", ">=")


@dataclass(frozen=True)
class _Read:
    observed: Observed
    quantity: fs.Quantity
    number: Decimal
    text: str


def lab_series(observed: Iterable[Observed], analyte: Analyte) -> Series:
    """Results → samples. Same code, time, value and unit from two feeds are one; see `_one_per_time`."""
    kinds = frozenset({analyte.kind})
    reads: list[_Read] = []
    unusable: list[SetAside] = []
    for o in observed:
        try:
            read = _read(o)
        except UnitError as error:
            unusable.append(_unusable(o, error, kinds))
            continue
        if read is not None:
            reads.append(read)
    units_by_code: dict[str, dict[object, fs.Quantity]] = defaultdict(dict)
    for read in reads:
        if unit_of(read.quantity):
            units_by_code[_loinc(read.observed)][_unit_key(read.quantity, analyte.measure)] = read.quantity
    samples: list[Sample] = []
    for read in reads:
        shared = list(units_by_code[_loinc(read.observed)].values())
        # a text like "<1.5" has no unit of its own: it takes the one that all its neighbours share
        takes = not unit_of(read.quantity) and len(shared) == 1 and read.observed.quantity is None
        try:
            samples.append(_sample(read, shared[0] if takes else read.quantity, analyte.measure))
        except UnitError as error:
            unusable.append(_unusable(read.observed, error, kinds))
    return Series(_one_per_time(samples), tuple(unusable))


def _unusable(o: Observed, error: UnitError, kinds: frozenset[Kind]) -> SetAside:
    return SetAside(o.reference, error.why, kinds, o.at, value_sets=o.sets, stated=o.stated)


def _unit_key(quantity: fs.Quantity, measure: Measure) -> object:
    """The same for all spellings of one unit."""
    return conversions_in(quantity, measure) or own_unit(quantity, measure) or unit_of(quantity)


def _loinc(o: Observed) -> str:
    return next((code for system, code in o.codings if code and "loinc" in (system or "")), "")


def _read(o: Observed) -> _Read | None:
    """The number, comparator and unit of a result; None where the record says that it is absent."""
    if o.specimen and _CSF.search(o.specimen):
        raise UnitError("specimen is cerebrospinal fluid")
    if o.name and _CSF.search(o.name):  # a laboratory that has one code for both
        raise UnitError("its name says cerebrospinal fluid")
    has_value = o.quantity is not None and o.quantity.value is not None
    quantity = stated_quantity(o if has_value else replace(o, quantity=None))
    if quantity is None or quantity.value is None:
        if o.absent:
            return None
        raise UnitError("no value")
    if quantity.comparator not in _COMPARATORS:
        raise UnitError("comparator is none of <, <=, >, >=")
    text = f"{quantity.comparator or ''}{quantity.value:f} {unit_of(quantity) or ''}".strip()
    return _Read(o, quantity, quantity.value, text if has_value else o.stated.strip())


def _sample(read: _Read, stated: fs.Quantity, measure: Measure) -> Sample:
    """The sample of a result, in the unit that `stated` has."""
    o = read.observed
    # A negative result is no value, baseline or not; the specification takes a negative baseline for a zero one. Both
    # leave the verdict unknown unless another sample can be the baseline, and a small rise is barred then.
    if read.number < 0:
        raise UnitError("value is negative")
    own = own_unit(stated, measure)
    number = read.number if own else number_in(replace(stated, value=read.number), measure)
    return Sample(
        reference=o.reference,
        at=o.at,
        value=_interval(number, read.quantity.comparator or None),
        text=read.text,
        unit=own or measure.unit,
        loinc=_loinc(o) if own else "",
        preliminary=o.status == "preliminary",
        amended=o.status in ("amended", "corrected"),
    )


def _interval(number: Decimal, comparator: str | None) -> Interval:
    zero = Decimal(0)
    match comparator:
        case "<":
            return Interval(zero, number, low_open=True, high_open=True)
        case "<=":
            return Interval(zero, number, low_open=True)
        case ">":
            return Interval(number, None, low_open=True)
        case ">=":
            return Interval(number, None)
    return Interval(number, number)


def _one_per_time(samples: Iterable[Sample]) -> tuple[Sample, ...]:
    """One sample for each time: corrected or amended beats final; else the pair becomes its interval.

    Preliminary results stay beside the others; fold_change decides what they may do.
    """
    groups: dict[tuple[object, ...], list[Sample]] = defaultdict(list)
    for s in samples:
        groups[(s.at.earliest, s.at.latest, s.unit, s.loinc, s.preliminary)].append(s)
    result = []
    for group in groups.values():
        best = [s for s in group if s.amended] or group
        best.sort(key=lambda s: s.reference)
        result.append(best[0] if len({s.value for s in best}) == 1 else _joined(best))
    return tuple(sorted(result, key=lambda s: (s.at.earliest, s.reference)))


def _joined(group: list[Sample]) -> Sample:
    low = min(group, key=lambda s: (s.value.low, s.value.low_open)).value
    open_ended = [s for s in group if s.value.high is None]
    tops = open_ended or sorted(group, key=lambda s: (s.value.high or 0, not s.value.high_open))
    high = tops[-1].value
    text = " or ".join(dict.fromkeys(s.text for s in group))
    first = group[0]
    return Sample(
        first.reference, first.at, Interval(low.low, high.high, low.low_open, high.high_open), text,
        first.unit, first.loinc, first.preliminary, first.amended, two_results=True,
    )  # fmt: skip
