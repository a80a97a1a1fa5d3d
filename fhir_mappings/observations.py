"""The sorting of Observations by concept, in one pass: main values and components alike, with time and status.

A blood pressure may be a component of a panel or an Observation of its own; a device may be a value, a code or a
component. All of them come out as `Observed`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal
from functools import partial

import msgspec

from fhir_mappings.codes.meanings import says_what
from fhir_mappings.codes.observed_sets import KIND_OF_SET
from fhir_mappings.codes.terminology import Terminology
from fhir_mappings.facts.coverage import FUTURE_DATED, Kind, SetAside
from fhir_mappings.facts.time_and_range import Moment
from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.fhir_time import BadTimeError, moment
from fhir_mappings.reading.resources import Resource, kinds_of
from fhir_mappings.reading.stated_values import stated_value

ACCEPTED = frozenset({"final", "amended", "corrected", "preliminary"})
NEVER = frozenset({"entered-in-error", "cancelled", "registered"})
# excluded as those are, but a value stands there: it is named, and leaves no hole
UNKNOWN = "unknown"


class Observed(msgspec.Struct, frozen=True, gc=False):
    """One coded value of an Observation, the main one or a component's."""

    reference: str
    at: Moment
    status: str
    codings: tuple[tuple[str | None, str | None], ...]
    sets: frozenset[str]
    quantity: fs.Quantity | None
    text: str | None
    concept: fs.CodeableConcept | None
    absent: bool
    denied: bool = False
    specimen: str | None = None
    interpretation: tuple[fs.CodeableConcept, ...] = ()
    upper_limits: tuple[fs.Quantity, ...] = ()

    @property
    def stated(self) -> str:
        """The value as charted."""
        return stated_value(self.quantity, self.text, self.concept)


@dataclass(frozen=True)
class Observations:
    """The usable Observations by value set, and those of interest that had to be set aside."""

    by_set: Mapping[str, tuple[Observed, ...]]
    set_aside: tuple[SetAside, ...]

    def of(self, *set_ids: str) -> tuple[Observed, ...]:
        return tuple(o for set_id in set_ids for o in self.by_set.get(set_id, ()))

    def sets_since(self, opens: datetime) -> frozenset[str]:
        """The ids of the value sets that hold something done from `opens` on."""
        return frozenset(s for s, observed in self.by_set.items() if any(o.at.latest >= opens for o in observed))


def sort_observations(
    resources: Iterable[Resource[fs.Observation]],
    terms: Terminology,
    zone: tzinfo,
    as_of: datetime,
    tolerance: timedelta,
    meanings: Meanings | None = None,
) -> Observations:
    """Every Observation of interest, with its status and time checked.

    One dated after `as_of` is set aside, and so is one that does not say what was measured: it may be any of the data
    that were searched for. `meanings` are those of earlier charts, where many are read one after the other.
    """
    by_set: dict[str, list[Observed]] = defaultdict(list)
    set_aside: list[SetAside] = []
    meanings = Meanings(terms) if meanings is None else meanings
    for resource in resources:
        if not resource.data.component and meanings[resource.data.code].is_foreign:
            continue  # two of three in any chart are foreign
        parts = _parts(resource.data, meanings)
        unsaid = _unsaid(resource.data, parts, meanings)
        if not (parts or unsaid) or resource.data.status in NEVER:
            continue
        sets = frozenset[str]().union(*(p[1] for p in parts))
        kinds = frozenset(KIND_OF_SET[s] for s in sets if s in KIND_OF_SET)
        asked = resource.kinds or kinds or kinds_of("Observation")
        known = frozenset[str]() if unsaid else sets
        refused = partial(_refused, resource, parts, known)
        try:
            at = time_observed(resource.data, zone)
        except BadTimeError as error:
            set_aside.append(refused(str(error), asked if unsaid else kinds))
            continue
        if unsaid and at.earliest <= as_of + tolerance:
            set_aside.append(refused(unsaid, asked, at))
        if resource.data.status == UNKNOWN:
            set_aside.append(refused("status is unknown", frozenset(), at))
        elif resource.data.status not in ACCEPTED:
            set_aside.append(refused("status is none of FHIR's", kinds, at))
        elif at.earliest > as_of + tolerance:
            set_aside.append(refused(FUTURE_DATED, kinds, at))
        else:
            for component, part_sets in parts:
                observed = _observed(resource, component, part_sets, at)
                for set_id in part_sets:
                    by_set[set_id].append(observed)
    return Observations({k: tuple(v) for k, v in by_set.items()}, tuple(set_aside))


@dataclass(frozen=True, slots=True)
class Meaning:
    """The meaning of one code: the value sets that hold it, and whether it names anything, known here or not."""

    sets: frozenset[str]
    named: bool

    @property
    def is_foreign(self) -> bool:
        """True for a code that names something that no value set holds."""
        return self.named and not self.sets


class Meanings(dict[fs.CodeableConcept, Meaning]):
    """The meaning of each code of a chart, looked up once because a chart holds few codes, each of them many times."""

    def __init__(self, terms: Terminology) -> None:
        super().__init__()
        self._terms = terms

    def __missing__(self, code: fs.CodeableConcept) -> Meaning:
        self[code] = meaning = Meaning(self._terms.sets_of(fs.codings_of(code)), says_what(code, self._terms))
        return meaning


def _parts(data: fs.Observation, meanings: Meanings) -> list[tuple[fs.Component | None, frozenset[str]]]:
    """The Observation itself and its components, as far as value sets hold them."""
    found: list[tuple[fs.Component | None, frozenset[str]]] = []
    for part in (None, *data.component):
        sets = meanings[data.code if part is None else part.code].sets
        if sets:
            found.append((part, sets))
    return found


def _refused(
    resource: Resource[fs.Observation],
    parts: list[tuple[fs.Component | None, frozenset[str]]],
    value_sets: frozenset[str],
    why: str,
    kinds: frozenset[Kind],
    at: Moment | None = None,
) -> SetAside:
    stated = _stated(resource.data, parts)
    return SetAside(resource.reference, why, kinds, at, value_sets=value_sets, stated=stated)


def _stated(data: fs.Observation, parts: list[tuple[fs.Component | None, frozenset[str]]]) -> str:
    """The first value of the parts, as charted."""
    valued = (part or data for part, _ in parts)
    found = (stated_value(one.value_quantity, one.value_string, one.value_codeable_concept) for one in valued)
    return next(filter(None, found), "")


def _unsaid(data: fs.Observation, parts: list[tuple[fs.Component | None, frozenset[str]]], meanings: Meanings) -> str:
    """The reason why nobody can tell what an Observation, or a part of it, measured; "" if that is clear."""
    if not parts and not any(meanings[code].named for code in (data.code, *(c.code for c in data.component))):
        return "code does not say what was measured"
    if parts and not all(meanings[c.code].named for c in data.component):
        return "code of a component does not say what was measured"
    if parts and all(sets == {"blood-pressure-panel"} for _, sets in parts) and data.data_absent_reason is None:
        return "panel without a systolic or mean pressure"
    return ""


def _observed(
    resource: Resource[fs.Observation], component: fs.Component | None, sets: frozenset[str], at: Moment
) -> Observed:
    data = resource.data
    source = component or data
    quantity = source.value_quantity
    if quantity is None and component is None and data.value_integer is not None:
        quantity = fs.Quantity(value=Decimal(data.value_integer))
    return Observed(
        reference=resource.reference,
        at=at,
        status=data.status,
        codings=fs.codings_of(component.code if component else data.code),
        sets=sets,
        quantity=quantity,
        text=source.value_string,
        concept=source.value_codeable_concept,
        absent=source.data_absent_reason is not None,
        denied=data.value_boolean is False,
        specimen=data.specimen.display if data.specimen else None,
        interpretation=data.interpretation if component is None else (),
        upper_limits=_upper_limits(data) if component is None and data.reference_range else (),
    )


def _upper_limits(data: fs.Observation) -> tuple[fs.Quantity, ...]:
    """The upper ends of normal ranges; a range of another type (critical, treatment) says nothing about normal."""
    normal = [r for r in data.reference_range if r.type is None or any(c.code == "normal" for c in r.type.coding)]
    return tuple(r.high for r in normal if r.high is not None)


def time_observed(data: fs.Observation, zone: tzinfo) -> Moment:
    """The time of an Observation. Raises BadTimeError."""
    text = text_of_time(data)
    if not text:
        raise BadTimeError("no effective time")
    return moment(text, zone)


def text_of_time(data: fs.Observation) -> str | None:
    """The time of an Observation as it is charted."""
    period_start = data.effective_period.start if data.effective_period else None
    return data.effective_date_time or data.effective_instant or period_start
