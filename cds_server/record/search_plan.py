"""The searches that are still needed, from what is covered and what the course asks for. No I/O.

Round 1 is everything that shows a course, beside patient, laboratory results, signs, orders and the last 48 h of
administrations. Round 2 is the rest of signs and administrations. The number of searches depends on the window,
never on the chart.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from math import ceil

from cds_server.data_keys import DATA_KEYS, DataKey, asked_keys, code_list
from cds_server.limits import CourseLookup
from cds_server.outgoing.search_requests import Search
from cds_server.record.patient_forms import PatientForm
from cds_server.record.prefetch import KeyState, Supplied
from fhir_mappings.codes.terminology import Terminology
from fhir_mappings.facts import analytes
from fhir_mappings.facts.course import Course
from fhir_mappings.facts.coverage import Completeness, Coverage, Gap, Kind
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.medications.treatments import history_opens

# round 1 reads two days of signs: a patient without a course, which is nearly every call, costs no more
RECENT = timedelta(hours=48)
DAYS_BEFORE = timedelta(days=4)  # for the baselines of a course
# Earlier signs and administrations are one search each. Only if the last 48 h alone fill more than a page are they read
# in slices of time side by side: such a chart is dense, or its server sends few results at a time. A stay is cut into
# slices of about two pages each, at most so many, because the last page of each is partly empty; the time before it, in
# which less is charted, into longer ones.
MOST_SLICES = 8
PAGES_OF_A_SLICE = 2
BEFORE_A_STAY = timedelta(days=14)
PAGE = "1000"
# What is read over a whole course. The weights, a few dozen at most, go with the analytes that decide.
_OF_A_COURSE = tuple((k, Kind.WEIGHT) if k is Kind.IL6_CRP else (k,) for k in analytes.KINDS)
_DECIDE = frozenset({"MedicationAdministration", "Procedure"})
_BY_CODE = next(key for key in DATA_KEYS if key.key == "crsDrugs")


class Hint(StrEnum):
    """A search by code. It only helps to find the course early, and its failure costs nothing. The value is the
    parameter that holds the codes."""

    BY_CODE = "code"
    BEHIND_REFERENCES = "medication.code"


@dataclass(frozen=True)
class Need:
    """One search and the kinds of data it covers, from `since` to `until` (None: now)."""

    search: Search
    kinds: tuple[Kind, ...]
    since: datetime | None = None
    until: datetime | None = None
    hint: Hint | None = None

    @property
    def patient(self) -> str:
        """The patient as the search names them."""
        return dict(self.search.params)["patient"]


@dataclass(frozen=True)
class Plan:
    """The reading that one call needs: the patient and the form of searches for them, the moment, codes and numbers."""

    patient_id: str
    form: PatientForm
    as_of: datetime
    terms: Terminology
    t: Thresholds
    lookup: CourseLookup

    def first_round(self, states: Mapping[str, KeyState]) -> tuple[Need, ...]:
        """Everything that prefetch did not bring, except the earlier signs and administrations."""
        asked = asked_keys(self.terms)
        missing = {k.kind: k for k in asked if _asks_again(states[k.key])}
        labs = (Kind.SAFETY_LABS, Kind.MICROBIOLOGY, Kind.NEURO)
        needs = [
            *(n for kinds in _OF_A_COURSE for n in self._observations(missing, kinds, self._course_back())),
            *self._observations(missing, labs, self._labs_back()),
            *self._observations(missing, (Kind.VITALS, Kind.OXYGEN), RECENT),
            *self._procedures(missing),
            *self._by_codes(missing, (Kind.CONDITIONS, Kind.LASTING_INFECTIONS)),
        ]
        plain = (Kind.ALLERGIES, Kind.MEDICATION_ORDERS, Kind.SERVICE_ORDERS)
        needs += [self._plain(missing[kind], (kind,)) for kind in plain if kind in missing]
        # A first page, newest first, is continued from its oldest start. Administrations that the client could not read
        # are asked for in slices, which is another query.
        recent = states["recentAdministrations"]
        if recent.supplied is not Supplied.COMPLETE:
            needs += self._first_administrations(states, has_page=recent.since is not None)
        return tuple(needs)

    def _labs_back(self) -> timedelta:
        return max(self.t.infection_age, self.t.safety_labs_age, self.t.icans_window)

    def _course_back(self) -> timedelta:
        """From the baselines of the earliest course; weights are compared over about as long."""
        return max(self.t.course_days + DAYS_BEFORE, self.t.weight_lookback)

    def _first_administrations(self, states: Mapping[str, KeyState], *, has_page: bool) -> list[Need]:
        needs = [] if has_page else [self._administrations(self.as_of - RECENT, None)]
        if _asks_again(states["runningAdministrations"]):
            status = (("status", "in-progress,on-hold"),)
            needs.append(Need(self._search("MedicationAdministration", status), (Kind.RUNNING,)))
        codes = code_list(self.terms, *_BY_CODE.value_sets)
        # what the client searched by code is not searched again; it cannot have found drugs behind references
        hints = tuple(Hint) if _asks_again(states["crsDrugs"]) else (Hint.BEHIND_REFERENCES,)
        for hint in hints:
            search = self._search("MedicationAdministration", ((hint.value, codes),))
            needs.append(Need(search, (Kind.CRS_DRUGS,), hint=hint))
        return needs

    def next_round(
        self, coverage: Mapping[Kind, Coverage], course: Course | None, asked: set[Need], pages: Mapping[Kind, int]
    ) -> tuple[Need, ...]:
        """The earlier signs and administrations, as far back as the course (or its absence) asks for.

        `pages` are those that the last 48 h of a kind filled. If they are more than one, the earlier time is read in
        slices side by side, otherwise in one search.
        """
        if course is not None and course.days_since_last > self.t.course_days.days:
            return ()
        needs: list[Need] = []
        if course is not None:
            needs += self._earlier_signs(coverage, course, pages)
            since = min(history_opens(course, self.as_of, self.t), course.start - self.t.blockers_named)
        elif self.lookup is CourseLookup.CODES:
            return ()
        else:
            since = self.as_of - self.t.course_days
        start = since if course is None else course.start
        needs += self._earlier_administrations(coverage.get(Kind.ADMINISTRATIONS), since, start, pages)
        return tuple(need for need in needs if need not in asked)

    def _earlier_signs(
        self, coverage: Mapping[Kind, Coverage], course: Course, pages: Mapping[Kind, int]
    ) -> list[Need]:
        since = course.start - self.t.signs_before_infusion
        kinds = [k for k in (Kind.VITALS, Kind.OXYGEN) if _is_short(coverage.get(k), since)]
        if not kinds:
            return []
        until = min(self.as_of, max(coverage[k].since or self.as_of for k in kinds))
        keys = {k.kind: k for k in DATA_KEYS if k.kind in kinds}
        sets = self._value_sets(keys, kinds)
        codes = code_list(self.terms, *sets)
        return [
            Need(self._observed(codes, begins, ends), tuple(kinds), begins, ends)
            for begins, ends in _slices(since, until, max(pages.get(kind, 1) for kind in kinds))
        ]

    def _observed(self, codes: str, since: datetime, until: datetime) -> Search:
        params = (("code", codes), ("date", f"ge{_text(since)}"), ("date", f"lt{_text(until)}"))
        return self._search("Observation", params, sort="-date")

    def _earlier_administrations(
        self, coverage: Coverage | None, since: datetime, start: datetime, pages: Mapping[Kind, int]
    ) -> list[Need]:
        """The administrations since `since`, of a course that began at `start`."""
        if coverage is None or not _is_short(coverage, since):
            return []
        until, filled = min(coverage.since or self.as_of, self.as_of), pages.get(Kind.ADMINISTRATIONS, 1)
        if filled == 1:
            return [self._administrations(since, until)]
        stay = max(since, min(start, until))
        slices = (*_slices(stay, until, filled), *_cut(since, stay, BEFORE_A_STAY))
        return [self._administrations(begins, ends) for begins, ends in slices]

    def _administrations(self, since: datetime, until: datetime | None) -> Need:
        params = [("effective-time", f"ge{_text(since)}")]
        if until is not None:
            params.append(("effective-time", f"lt{_text(until)}"))
        search = self._search("MedicationAdministration", tuple(params), sort="-effective-time")
        return Need(search, (Kind.ADMINISTRATIONS,), since, until)

    def _observations(self, missing: Mapping[Kind, DataKey], kinds: tuple[Kind, ...], back: timedelta) -> list[Need]:
        # kinds of one resource type and window share one search; if it fails, each of its kinds counts as unread
        wanted = [k for k in kinds if k in missing]
        if not wanted:
            return []
        since = self.as_of - back
        codes = code_list(self.terms, *self._value_sets(missing, wanted))
        search = self._search("Observation", (("code", codes), ("date", f"ge{_text(since)}")), sort="-date")
        return [Need(replace(search, decides=Kind.IL6_CRP in wanted), tuple(wanted), since)]

    def _procedures(self, missing: Mapping[Kind, DataKey]) -> list[Need]:
        """The procedures with our codes; and those in progress with any code, because a site's own code or a text may
        be of respiratory support. What ended is found by code alone."""
        wanted = [k for k in (Kind.PROCEDURES, Kind.SUPPORT_PROCEDURES) if k in missing]
        needs = []
        if Kind.PROCEDURES in wanted:
            codes = code_list(self.terms, *self._value_sets(missing, wanted))
            needs.append(Need(self._search("Procedure", (("code", codes),)), (Kind.PROCEDURES,)))
        if Kind.SUPPORT_PROCEDURES in wanted:
            running = self._search("Procedure", missing[Kind.SUPPORT_PROCEDURES].fixed)
            needs.append(Need(running, (Kind.SUPPORT_PROCEDURES,)))
        return needs

    def _by_codes(self, missing: Mapping[Kind, DataKey], kinds: tuple[Kind, ...]) -> list[Need]:
        """One search for the kinds of one resource type, by all their codes."""
        wanted = [k for k in kinds if k in missing]
        if not wanted:
            return []
        codes = code_list(self.terms, *self._value_sets(missing, wanted))
        return [Need(self._search(missing[wanted[0]].resource_type, (("code", codes),)), tuple(wanted))]

    @staticmethod
    def _value_sets(keys: Mapping[Kind, DataKey], kinds: Iterable[Kind]) -> tuple[str, ...]:
        return tuple(value_set for kind in kinds for value_set in keys[kind].value_sets)

    def _plain(self, key: DataKey, kinds: tuple[Kind, ...]) -> Need:
        return Need(self._search(key.resource_type, key.params(self.terms)), kinds)

    def _search(self, resource_type: str, params: tuple[tuple[str, str], ...], sort: str | None = None) -> Search:
        optional = (("_sort", sort),) if sort else ()
        named = (("patient", self.form.of(self.patient_id)), *params, ("_count", PAGE))
        return Search(resource_type, named, optional, decides=resource_type in _DECIDE)


def _asks_again(state: KeyState) -> bool:
    """Tell whether a key is asked for again: if it is absent, broken or a first page. A search that the client tried
    and failed is not run again."""
    return state.supplied in (Supplied.ABSENT, Supplied.FIRST_PAGE, Supplied.BROKEN)


def _is_short(coverage: Coverage | None, since: datetime) -> bool:
    """Tell whether a kind was read, but not back to `since`. What the client tried in vain is not tried again."""
    if coverage is None or coverage.covers(since) or coverage.gap is Gap.FAILED_AT_CLIENT:
        return False
    return coverage.since is not None or coverage.state is not Completeness.UNREAD


def _slices(since: datetime, until: datetime, pages: int) -> list[tuple[datetime, datetime]]:
    """Equal parts of a time in which 48 h fill so many pages, newest first."""
    window = until - since
    number = min(MOST_SLICES, ceil(pages * (window / RECENT) / PAGES_OF_A_SLICE)) if pages > 1 else 1
    return _cut(since, until, window / max(1, number))


def _cut(since: datetime, until: datetime, length: timedelta) -> list[tuple[datetime, datetime]]:
    """The parts of a time, newest first. They meet at whole seconds, which is what a search names."""
    found = []
    while until > since:
        begins = max((until - length).replace(microsecond=0), since)
        found.append((begins, until))
        until = begins
    return found


def _text(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
