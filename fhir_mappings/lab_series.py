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

from fhir_mappings.facts.analytes import Analyte
from fhir_mappings.facts.coverage import SetAside
from fhir_mappings.facts.labs import Sample, Series
from fhir_mappings.facts.measures import Measure
from fhir_mappings.facts.time_and_range import Interval
from fhir_mappings.observations import Observed
from fhir_mappings.reading.units import UnitError, converted, unit_of

_TEXT = re.compile(r"(<=|>=|<|>|≤|≥)?\s*(\d{1,12}(?:[.,]\d{1,9})?)\s*([^\s\d].*)?", re.ASCII)
_CSF = re.compile(r"(?i)\bcsf\b|cerebrospinal|spinal fluid")
_SAME = {"≤": "<=", "≥": ">="}
_COMPARATORS = (None, "", "<", "<=", ">", ">=")
# units that are understood but convert only by an assay's own factor
_OWN_UNITS = frozenset({"nmol/L", "[arb'U]/mL", "[IU]/mL", "U/mL", "IU/mL"})


@dataclass(frozen=True)
class _Read:
    observed: Observed
    number: Decimal
    comparator: str | None
    unit: str | None
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
            unusable.append(SetAside(o.reference, error.why, kinds, o.at))
            continue
        if read is not None:
            reads.append(read)
    units_by_code: dict[str, set[str]] = defaultdict(set)
    for read in reads:
        if read.unit:
            units_by_code[_loinc(read.observed)].add(read.unit)
    samples: list[Sample] = []
    for read in reads:
        shared = units_by_code[_loinc(read.observed)]
        # a text like "<1.5" has no unit of its own: it takes the one that all its neighbours share
        unit = read.unit or (next(iter(shared)) if len(shared) == 1 and read.observed.text else None)
        try:
            samples.append(_sample(read, unit, analyte.measure))
        except UnitError as error:
            unusable.append(SetAside(read.observed.reference, error.why, kinds, read.observed.at))
    return Series(_one_per_time(samples), tuple(unusable))


def _loinc(o: Observed) -> str:
    return next((code for system, code in o.codings if code and "loinc" in (system or "")), "")


def _read(o: Observed) -> _Read | None:
    """The number, comparator and unit of a result; None where the record says that it is absent."""
    if o.specimen and _CSF.search(o.specimen):
        raise UnitError("specimen is cerebrospinal fluid")
    if o.quantity is not None and o.quantity.value is not None:
        if o.quantity.comparator not in _COMPARATORS:
            raise UnitError("comparator is none of <, <=, >=, >")
        unit = unit_of(o.quantity)
        text = f"{o.quantity.comparator or ''}{o.quantity.value:f} {unit or ''}".strip()
        return _Read(o, o.quantity.value, o.quantity.comparator or None, unit, text)
    if o.text:
        match = _TEXT.fullmatch(o.text.strip())
        if match is None or re.fullmatch(r"\d+,\d{3}", match.group(2)):  # "1,234" may be either
            raise UnitError("text result cannot be read as a number")
        comparator, number, unit = match.groups()
        comparator = _SAME.get(comparator, comparator) if comparator else None
        return _Read(o, Decimal(number.replace(",", ".")), comparator, unit, o.text.strip())
    if o.absent:
        return None
    raise UnitError("no value")


def _sample(read: _Read, unit: str | None, measure: Measure) -> Sample:
    o = read.observed
    if unit is None:
        raise UnitError("unit is missing")
    # A negative result is no value, baseline or not; the specification takes a negative baseline for a zero one. Both
    # leave the verdict unknown unless another sample can be the baseline, and a small rise is barred then.
    if read.number < 0:
        raise UnitError("value is negative")
    if unit in _OWN_UNITS:
        number, own = read.number, unit
    else:
        number, own = converted(read.number, unit, measure), measure.unit
    return Sample(
        reference=o.reference,
        at=o.at,
        value=_interval(number, read.comparator),
        text=read.text,
        unit=own,
        loinc=_loinc(o) if own != measure.unit else "",
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
