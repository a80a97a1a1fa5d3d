"""The sorting of Observations by concept, in one pass: main values and components alike, with time and status.

A blood pressure may be a component of a panel or an Observation of its own; a device may be a value, a code or a
component. All of them come out as `Observed`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal
from functools import partial

import msgspec

from fhir_mappings.codes.code_systems import LOINC
from fhir_mappings.codes.meanings import Meaning, Meanings
from fhir_mappings.codes.observed_sets import KIND_OF_SET
from fhir_mappings.codes.terminology import Terminology
from fhir_mappings.facts.coverage import FUTURE_DATED, Kind, SetAside
from fhir_mappings.facts.time_and_range import Moment
from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.chart_memory import ChartMemory, each
from fhir_mappings.reading.fhir_time import BadTimeError, moment
from fhir_mappings.reading.resources import Resource, kinds_of
from fhir_mappings.reading.stated_values import stated_value
from fhir_mappings.reading.value_texts import systolic_in

ACCEPTED = frozenset({"final", "amended", "corrected", "preliminary"})
NEVER = frozenset({"entered-in-error", "cancelled", "registered"})
# excluded as those are, but a value stands there: it is named, and leaves no hole
UNKNOWN = "unknown"
_SYSTOLIC = fs.CodeableConcept((fs.Coding(system=LOINC, code="8480-6"),))


Parts = list[tuple[fs.Component | None, Meaning]]
"""The Observation itself (None) and its components, as far as value sets hold them."""


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
    name: str | None = None
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
    memory: ChartMemory | None = None

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
    memory: ChartMemory | None = None,
) -> Observations:
    """Every Observation of interest, with its status and time checked.

    One dated after `as_of` is set aside, and so is one that does not say what was measured: it may be any of the data
    that were searched for. `meanings` are those of earlier charts, where many are read one after the other, and
    `memory` is that of other moments of this one.
    """
    by_set: dict[str, list[Observed]] = defaultdict(list)
    set_aside: list[SetAside] = []
    meanings = Meanings(terms) if meanings is None else meanings
    latest = as_of + tolerance
    for one in each(memory, ("observation", terms, zone), resources, lambda r: _read(r, zone, meanings)):
        if one is None:
            continue
        if one.unsaid is not None and one.at is not None and one.at.earliest <= latest:
            set_aside.append(one.unsaid)
        if one.unusable is not None:
            set_aside.append(one.unusable)
        elif one.at is None or one.at.earliest > latest:
            set_aside.append(one.refused(FUTURE_DATED, one.at, kinds=_kinds_of(one.parts)))
        else:
            for set_id, observed in one.observed:
                by_set[set_id].append(observed)
    return Observations({k: tuple(v) for k, v in by_set.items()}, tuple(set_aside), memory)


class _Read(msgspec.Struct, gc=False):
    """An Observation of interest, read for any moment. `unusable` holds at every one, `unsaid` from its time on;
    `refused` makes what is set aside."""

    parts: Parts
    refused: Callable[..., SetAside]
    at: Moment | None = None
    unusable: SetAside | None = None
    unsaid: SetAside | None = None
    observed: list[tuple[str, Observed]] = []  # msgspec gives each struct a list of its own


def _read(resource: Resource[fs.Observation], zone: tzinfo, meanings: Meanings) -> _Read | None:
    """The reading of an Observation; None where it is none of interest."""
    data = resource.data
    own = meanings[data.code]
    if (own.is_foreign and not data.component) or data.status in NEVER:
        return None  # two of three in any chart are foreign
    parts = _parts(data, own, meanings)
    unsaid = _unsaid(data, own, parts, meanings)
    if not (parts or unsaid):
        return None
    found = _Read(parts, partial(_refused, resource, parts, unsaid))
    try:
        at = found.at = time_observed(data, zone)
    except BadTimeError as error:
        found.unusable = found.refused(str(error))
        return found
    if unsaid:
        found.unsaid = found.refused(unsaid, at)
    if data.status == UNKNOWN:
        found.unusable = found.refused("status is unknown", at, kinds=frozenset())
    elif data.status not in ACCEPTED:
        found.unusable = found.refused("status is none of FHIR's", at, kinds=_kinds_of(parts))
    else:
        for component, meaning in parts:
            observed = _observed(resource, component, meaning, at)
            found.observed += [(set_id, observed) for set_id in meaning.sets]
    return found


def _parts(data: fs.Observation, own: Meaning, meanings: Meanings) -> Parts:
    found: Parts = [(None, own)] if own.sets else []
    for component in data.component or _pressure_in_text(data, own):
        meaning = meanings[component.code]
        if meaning.sets:
            found.append((component, meaning))
    return found


def _pressure_in_text(data: fs.Observation, own: Meaning) -> tuple[fs.Component, ...]:
    """The systolic pressure of a panel that is one text, "82/45 mmHg"."""
    systolic = systolic_in(data.value_string) if own.is_panel and data.value_string else None
    return (fs.Component(code=_SYSTOLIC, value_quantity=systolic),) if systolic is not None else ()


def _refused(
    resource: Resource[fs.Observation],
    parts: Parts,
    unsaid: str,
    why: str,
    at: Moment | None = None,
    *,
    kinds: frozenset[Kind] | None = None,
) -> SetAside:
    """An Observation that could not be used. One that does not say what it measured may be of any kind that was asked
    for."""
    known = _kinds_of(parts)
    if kinds is None:
        kinds = (resource.kinds or known or kinds_of("Observation")) if unsaid else known
    sets = frozenset[str]() if unsaid else frozenset[str]().union(*(meaning.sets for _, meaning in parts))
    return SetAside(resource.reference, why, kinds, at, value_sets=sets, stated=_stated(resource.data, parts))


def _kinds_of(parts: Parts) -> frozenset[Kind]:
    return frozenset(KIND_OF_SET[s] for _, meaning in parts for s in meaning.sets if s in KIND_OF_SET)


def _stated(data: fs.Observation, parts: Parts) -> str:
    """The first value of the parts, as charted."""
    valued = (part or data for part, _ in parts)
    found = (stated_value(one.value_quantity, one.value_string, one.value_codeable_concept) for one in valued)
    return next(filter(None, found), "")


def _unsaid(data: fs.Observation, own: Meaning, parts: Parts, meanings: Meanings) -> str:
    """The reason why nobody can tell what an Observation, or a part of it, measured; "" if that is clear."""
    if own.named and not own.is_panel and not data.component:
        return ""  # nearly all
    named = [meanings[c.code].named for c in data.component]
    if not (parts or own.named or any(named)):
        return "code does not say what was measured"
    if parts and not all(named):
        return "code of a component does not say what was measured"
    if parts and parts[-1][1].is_panel and data.data_absent_reason is None and all(one.is_panel for _, one in parts):
        return "panel without a systolic or mean pressure"
    return ""


def _observed(
    resource: Resource[fs.Observation], component: fs.Component | None, meaning: Meaning, at: Moment
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
        codings=meaning.codings,
        sets=meaning.sets,
        quantity=quantity,
        text=source.value_string,
        concept=source.value_codeable_concept,
        absent=source.data_absent_reason is not None,
        denied=data.value_boolean is False,
        specimen=data.specimen.display if data.specimen else None,
        name=(component or data).code.text,
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
