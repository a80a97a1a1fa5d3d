"""A record that can be taken back to any moment: the one function by which the replay sees what a call would have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from fhir_mappings.codes.meanings import Meanings
from fhir_mappings.codes.terminology import Terminology
from fhir_mappings.facts.coverage import ALWAYS
from fhir_mappings.infusions.facility_zone import facility_zone
from fhir_mappings.known_at.delays import Delays, KnownBy
from fhir_mappings.known_at.orders import next_orders
from fhir_mappings.known_at.rules import RULES, Change, Clock, Rule
from fhir_mappings.known_at.stated_times import earliest_known, stated_times
from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.chart_memory import ChartMemory
from fhir_mappings.reading.resource_pool import PatientRecord
from fhir_mappings.reading.resources import Resource

EVERY_RULE = frozenset(Rule)
_NEVER = datetime.max.replace(tzinfo=ALWAYS.tzinfo)


@dataclass(frozen=True, slots=True)
class _State:
    """A resource as it was until a moment."""

    until: datetime
    resource: Resource[Any]


@dataclass(frozen=True, slots=True)
class _Life:
    """A resource from the moment on at which it was known. `states` are its earlier ones, the earliest first."""

    known: datetime
    now: Resource[Any]
    states: tuple[_State, ...]

    def at(self, moment: datetime) -> Resource[Any]:
        return next((state.resource for state in self.states if moment < state.until), self.now)


def _is_foreign(resource: Resource[Any], meanings: Meanings) -> bool:
    """Tell whether a resource is an Observation that no rule asks for: two of three in any chart are."""
    data = resource.data
    return isinstance(data, fs.Observation) and not data.component and meanings[data.code].is_foreign


class Timeline:
    """The record of one patient by time, from the chart as it stands now, without Observations that nothing asks for.

    `final` is the chart as it stands now. `known_by` counts how the times were found. `rules` are those that are
    applied: all of them, except in the test that shows what each is for.
    """

    def __init__(
        self,
        record: PatientRecord,
        terms: Terminology,
        zone: Any,
        fhir_base: str | None,
        delays: Delays,
        rules: Iterable[Rule] = EVERY_RULE,
    ) -> None:
        self._record, self.delays = record, delays
        self._memory = ChartMemory()
        found, _ = facility_zone(zone, record.pool, terms, fhir_base)
        clock = Clock(found, Meanings(terms), delays, next_orders(record.pool, terms, found, fhir_base))
        self.known_by: Counter[tuple[str, KnownBy]] = Counter()
        applied = [(types, apply) for rule, (types, apply) in RULES.items() if rule in frozenset(rules)]
        self._by_type = {
            name: [apply for types, apply in applied if name in types] for types, _ in applied for name in types
        }
        asked = [resource for resource in record.pool if not _is_foreign(resource, clock.meanings)]
        self.final = PatientRecord(record.pool.narrowed(asked, record.pool.broken), record.coverage)
        self._lives = [self._life(resource, clock) for resource in asked]
        self._known: dict[str, datetime] | None = None
        self._broken = {
            reference: earliest_known(broken.raws, found) or ALWAYS for reference, broken in record.pool.broken.items()
        }

    def at(self, moment: datetime) -> PatientRecord:
        """The record as it was known at a moment."""
        known = [life.at(moment) if life.states else life.now for life in self._lives if life.known <= moment]
        broken = [reference for reference, at in self._broken.items() if at <= moment]
        return PatientRecord(self._record.pool.narrowed(known, broken, self._memory), self._record.coverage)

    def known_since(self, reference: str) -> datetime | None:
        """The moment from which a resource was known; None for one that never is, or that the record does not hold."""
        if self._known is None:
            self._known = {life.now.reference: life.known for life in self._lives}
        at = self._known.get(reference)
        return at if at != _NEVER else None

    def _life(self, resource: Resource[Any], clock: Clock) -> _Life:
        rules = self._by_type.get(resource.type, ())
        times = stated_times(resource.raw) if rules else None
        known, now, states = ALWAYS, resource, list[_State]()
        for change in (apply(resource, times, clock) for apply in rules if times is not None):
            if change is None:
                continue
            self._count(resource, change)
            at = change.at or _NEVER
            if change.before is None:
                known = max(known, at)
            else:
                states.append(_State(at, replace(resource, data=change.before)))
            if change.after is not None:
                now = replace(now, data=change.after)
        return _Life(known, now, tuple(sorted(states, key=lambda state: state.until)))

    def _count(self, resource: Resource[Any], change: Change) -> None:
        if change.known_by is not None:
            self.known_by[resource.type, change.known_by] += 1
