"""A patient's record: prefetch first, the FHIR server for the rest, side by side and inside one budget."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor, Future, wait
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from math import inf
from typing import ParamSpec, TypeVar

import requests

from cds_server.limits import CourseLookup, Limits
from cds_server.operations.metrics import Metrics
from cds_server.outgoing.backend_tokens import BackendTokens, OwnToken
from cds_server.outgoing.fhir_client import FhirServer, Found, Search
from cds_server.outgoing.fhir_errors import Fault, FhirError
from cds_server.problems import Problem
from cds_server.record.medication_memory import MedicationMemory
from cds_server.record.prefetch import FAILED_AT_CLIENT, KeyState, Supplied, coverage_of, read_prefetch
from cds_server.record.record_request import RecordRequest
from cds_server.record.scopes import permits
from cds_server.record.search_plan import Need, Plan
from cds_server.site_rules import SiteRules
from fhir_mappings.course_search import MappingContext, find_course
from fhir_mappings.facts.course import CourseSearch
from fhir_mappings.facts.coverage import Completeness, Coverage, Kind
from fhir_mappings.medications.draft_orders import check_draft_owner, draft_medications
from fhir_mappings.medications.products import MOST_HOPS, unread_medications
from fhir_mappings.reading.ownership import AnotherPatientError, check_owner, owner_of
from fhir_mappings.reading.resource_pool import PatientRecord, ResourcePool

P = ParamSpec("P")
R = TypeVar("R")
MAX_ROUNDS = 3
MEDICATIONS_AT_ONCE = 50
# searches end this much before we stop waiting for them: what one had read of its pages by then still counts
LAST_WORD_SECONDS = 0.03
# a search by code is asked beside the others of its round and may come a moment later; a course that it shows saves
# a round, so it is waited for by this part of the time that the others took
MOMENT_FOR_HINTS = 0.25
# what the next round depends on: the course, and signs, whose earlier part is asked for from where the recent one ends
_DECIDING = frozenset({Kind.ADMINISTRATIONS, Kind.PROCEDURES, Kind.VITALS, Kind.OXYGEN})
# no course is seen, and what would show one was not all read: a search by code may still find it
_NOT_SURE = frozenset({CourseSearch.UNREADABLE, CourseSearch.NONE_IN_PART_READ})


@dataclass(frozen=True)
class Sources:
    """What the process reads with: the pooled session, codes, numbers, zone, and threads for each server that may be
    called. A slow server can hold up no threads but its own; one without threads is not allowed."""

    session: requests.Session
    executors: Mapping[str, Executor]
    medications: MedicationMemory
    rules: SiteRules
    zone: tzinfo | None
    lookup: CourseLookup
    limits: Limits
    metrics: Metrics
    backend: BackendTokens


def read_patient_record(request: RecordRequest, sources: Sources, as_of: datetime, deadline: float) -> PatientRecord:
    """Prefetch, then the FHIR server for what it did not bring. Raises AnotherPatientError, and Problem
    `too-many-entries`."""
    pool = ResourcePool()
    states = read_prefetch(request.prefetch, pool)
    if pool.added > sources.limits.entries:
        raise Problem("too-many-entries", [("prefetch", f"holds more than {sources.limits.entries} resources")])
    coverage = coverage_of(states)
    reader = _Reader(request, sources, as_of, pool, coverage, deadline)
    try:
        reader.check_owner()
    except AnotherPatientError:
        # an id that the Patient replaces is known only once the Patient is read
        if not reader.read_patient_now():
            raise
        reader.check_owner()
    reader.read(states)
    return PatientRecord(pool, reader.coverage)


class _Reader:
    """The rounds of one call."""

    def __init__(
        self,
        request: RecordRequest,
        sources: Sources,
        as_of: datetime,
        pool: ResourcePool,
        coverage: dict[Kind, Coverage],
        deadline: float,
    ) -> None:
        self.coverage = coverage
        self._request = request
        self._sources = sources
        self._pool = pool
        self._deadline = deadline
        self._plan = Plan(request.patient_id, as_of, sources.rules.terms, sources.rules.thresholds, sources.lookup)
        self._how = MappingContext(
            sources.rules.terms,
            sources.rules.thresholds,
            sources.zone,
            request.patient_id,
            request.fhir_base,
            as_of,
        )
        self._server = self._allowed_server()
        self._code_searches: dict[str, FhirError | None] = {}
        self._under_way: dict[Future[Found], Need] = {}
        self._patient: Future[bytes | None] | None = None
        self._medications_asked: set[str] = set()
        self._dense = False

    def _allowed_server(self) -> FhirServer | None:
        base = self._request.fhir_base
        if base is None or base not in self._sources.executors or not self._request.may_call:
            return None
        return FhirServer(
            self._sources.session, base, self._token(base), self._deadline - LAST_WORD_SECONDS,
            max_pages=self._sources.limits.pages, metrics=self._sources.metrics, request_id=self._request.request_id,
        )  # fmt: skip

    def _token(self, base: str) -> str | OwnToken | None:
        """The call's own token; where it brings none, ours if its client may use it."""
        request, backend = self._request, self._sources.backend
        if request.token is None and request.may_use_our_token and base in backend.accesses:
            return OwnToken(backend, base)
        return request.token

    def _submit(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        return self._sources.executors[self._request.fhir_base or ""].submit(work, *args, **kwargs)

    def check_owner(self) -> None:
        owner = owner_of(self._request.patient_id, self._request.fhir_base, self._pool)
        check_owner(self._pool, owner)
        check_draft_owner(self._request.drafts, owner)

    def read(self, states: Mapping[str, KeyState]) -> None:
        """Rounds of searches until the course and all it asks for is read, or the budget ends.

        A round waits only for what shows the course or is graded; the rest is collected at the end. Hints are waited
        for only a moment, and longer only where the administrations failed to show whether there is a course.
        """
        if self._server is None:
            self._say_why_nothing_is_fetched()
            return
        self._start_patient()
        self._dense = states["recentAdministrations"].supplied is Supplied.FIRST_PAGE
        needs = self._plan.first_round(states)
        asked: set[Need] = set()
        search = CourseSearch.UNREADABLE
        for _ in range(1 + MAX_ROUNDS):
            self._start(needs)
            asked.update(needs)
            began = time.monotonic()
            self._collect(essential=True)
            search, needs = self._what_next(asked)
            if search is not CourseSearch.FOUND and self._hints_under_way() and not self._deciding_under_way():
                moment = (time.monotonic() - began) * MOMENT_FOR_HINTS
                self._collect(essential=True, hints=True, seconds=moment)
                search, needs = self._what_next(asked)
            if not needs and search in _NOT_SURE and self._hints_under_way():
                self._collect(essential=True, hints=True)
                search, needs = self._what_next(asked)
            if not needs and self._read_medications():
                search, needs = self._what_next(asked)
            if not needs and not self._deciding_under_way():
                break
        self._collect(essential=False, hints=search in _NOT_SURE)
        # what a late answer asks for is read in the time that is left, and late itself where there is none
        search, needs = self._what_next(asked)
        if needs:
            self._start(needs)
            self._collect(essential=False)
            search, _ = self._what_next(asked)
        self._take_patient()
        self._read_medications()
        self.check_owner()
        self._believe_codes(search, states)

    def _what_next(self, asked: set[Need]) -> tuple[CourseSearch, tuple[Need, ...]]:
        found = find_course(PatientRecord(self._pool, self.coverage), self._how)
        return found.search, self._plan.next_round(self.coverage, found.course, asked, dense=self._dense)

    def _say_why_nothing_is_fetched(self) -> None:
        why = "no FHIR server was named" if self._request.fhir_base is None else "the FHIR server is not allowed"
        for kind, coverage in self.coverage.items():
            if coverage.state is Completeness.UNREAD and coverage.why == "not supplied":
                self.coverage[kind] = replace(coverage, why=f"not supplied, and {why}")

    def _remaining(self) -> float:
        return max(0.0, self._deadline - time.monotonic())

    def _start(self, needs: Iterable[Need]) -> None:
        for need in needs:
            if self._server is not None and permits(self._request.scope, need.search.resource_type):
                self._under_way[self._submit(self._server.search, need.search)] = need
            elif not need.hint:
                self._merge(need, Found(error=FhirError(Fault.SCOPE, "not permitted by the granted scope")))

    def _deciding_under_way(self) -> bool:
        return any(self._decides(need) for need in self._under_way.values())

    def _hints_under_way(self) -> bool:
        return any(need.hint for need in self._under_way.values())

    def _collect(self, *, essential: bool, hints: bool = False, seconds: float = inf) -> None:
        """Wait for searches under way, at most so many seconds, and take what they brought; what is not there by the
        deadline is unread."""
        waited = {
            future: need
            for future, need in self._under_way.items()
            if self._decides(need) or (hints if need.hint else not essential)
        }
        # half of what is left: one search that hangs must not keep the next round from being asked
        wait(waited, timeout=min(seconds, self._remaining() / 2 if essential else self._remaining()))
        done = {f: n for f, n in self._under_way.items() if f.done() or not essential}
        # in the order of time, newest first: coverage grows back from now without a gap
        for future, need in sorted(done.items(), key=lambda f: f[1].until or self._plan.as_of, reverse=True):
            del self._under_way[future]
            found = future.result() if future.done() else Found(error=FhirError(Fault.LATE, "not read in time"))
            if future.cancel():  # one that never began counts nothing by itself
                self._sources.metrics.fhir_errors.labels(need.search.resource_type, Fault.LATE.value).inc()
            self._merge(need, found)

    def _decides(self, need: Need) -> bool:
        """Whether the next round depends on this search. A hint only does where codes alone are believed."""
        if need.hint:
            return self._plan.lookup is CourseLookup.CODES
        return bool(_DECIDING & set(need.kinds))

    def _start_patient(self) -> None:
        coverage = self.coverage[Kind.PATIENT]
        if self._server is None or coverage.state is Completeness.COMPLETE or coverage.why == FAILED_AT_CLIENT:
            return
        if not permits(self._request.scope, "Patient", search=False):
            self.coverage[Kind.PATIENT] = Coverage(Completeness.UNREAD, "not permitted by the granted scope")
            return
        self._patient = self._submit(self._server.read, "Patient", self._request.patient_id)

    def read_patient_now(self) -> bool:
        """Read the Patient before anything else; whether there was one to read."""
        self._start_patient()
        self._take_patient()
        return self._pool.patient(self._request.patient_id) is not None

    def _take_patient(self) -> None:
        if self._patient is None:
            return
        future, self._patient = self._patient, None
        wait([future], timeout=self._remaining())
        try:
            if not future.done():
                raise FhirError(Fault.LATE, "not read in time")
            raw = future.result()
        except FhirError as error:
            self.coverage[Kind.PATIENT] = Coverage(Completeness.UNREAD, error.why)
            return
        if raw is not None:
            self._pool.add(raw, "Patient from the FHIR server", kinds=frozenset({Kind.PATIENT}))
        self.coverage[Kind.PATIENT] = Coverage(Completeness.COMPLETE)

    def _merge(self, need: Need, found: Found) -> None:
        room = self._sources.limits.entries - self._pool.added
        if len(found.entries) > room:
            error = FhirError(Fault.ENTRIES, "there are more results than are read")
            found = Found(found.entries[: max(0, room)], found.pages, found.results, error)
        for index, raw in enumerate(found.entries):
            where = f"{need.search.resource_type} from the FHIR server, result {index}"
            self._pool.add(raw, where, kinds=frozenset(need.kinds))
        if need.hint:
            self._code_searches[need.search.params[1][0]] = found.error
            return
        if Kind.ADMINISTRATIONS in need.kinds and found.pages > 1:
            self._dense = True
        for kind in need.kinds:
            self.coverage[kind] = self._grown(self.coverage[kind], need, found)

    def _grown(self, before: Coverage, need: Need, found: Found) -> Coverage:
        """Coverage after one search: it reaches further back only where nothing between is missing."""
        if found.error is not None:
            failed = found.error.fault is not Fault.SCOPE
            if before.since is not None or found.results or before.state is Completeness.PART:
                return Coverage(Completeness.PART, found.error.why, before.since, failed)
            return Coverage(Completeness.UNREAD, found.error.why, failed=failed)
        if need.since is None:
            return Coverage(Completeness.COMPLETE)
        joins = need.until is None or (before.since is not None and before.since <= need.until)
        joins = joins or (need.until == self._plan.as_of)
        if not joins:
            return before
        reached = [s for s in (before.since, need.since) if s is not None]
        return Coverage(Completeness.COMPLETE, None, min(reached))

    def _read_medications(self) -> bool:
        """Read the distinct Medications behind references, and what those refer to, last and together; whether any were
        new. Their drugs may show a course after all, or a dose."""
        base, server = self._request.fhir_base, self._server
        found = False
        for _ in range(MOST_HOPS):
            if base is None or server is None or self._remaining() <= 0:
                break
            wanted = [*unread_medications(self._pool, base)]
            wanted += draft_medications(self._request.drafts, self._pool, base)
            new = [one for one in dict.fromkeys(wanted) if one not in self._medications_asked]
            if not new:
                break
            self._medications_asked.update(new)
            self._read_behind_references(server, base, new)
            found = found or any(self._pool.get(one) is not None for one in new)
        return found

    def _read_behind_references(self, server: FhirServer, base: str, references: list[str]) -> None:
        unknown: dict[str, list[str]] = {}
        for reference in references:
            remembered = self._sources.medications.get(base, reference)
            if remembered is not None:
                self._pool.add(remembered, "Medication remembered")
            else:
                resource_type, _, resource_id = reference.partition("/")
                unknown.setdefault(resource_type, []).append(resource_id)
        for resource_type, ids in unknown.items():
            if permits(self._request.scope, resource_type):
                self._fetch_by_id(server, base, resource_type, ids)

    def _fetch_by_id(self, server: FhirServer, base: str, resource_type: str, ids: list[str]) -> None:
        batches = [ids[i : i + MEDICATIONS_AT_ONCE] for i in range(0, len(ids), MEDICATIONS_AT_ONCE)]
        searches = [
            Search(resource_type, (("_id", ",".join(batch)), ("_count", str(MEDICATIONS_AT_ONCE)))) for batch in batches
        ]
        futures = [self._submit(server.search, search) for search in searches]
        wait(futures, timeout=self._remaining())
        for future in futures:
            room = self._sources.limits.entries - self._pool.added
            for raw in future.result().entries[: max(0, room)] if future.done() else []:
                # whatever else a server puts here is checked like any other answer
                self._pool.add(raw, f"{resource_type} from the FHIR server")
        for reference in (f"{resource_type}/{resource_id}" for resource_id in ids):
            found = self._pool.get(reference)
            if found is not None:
                self._sources.medications.put(base, reference, bytes(found.raw))

    def _codes_were_searched(self, states: Mapping[str, KeyState]) -> bool:
        """Whether every coded infusion would have been found: by code, and behind references where the server can."""
        refused = FhirError(Fault.SCOPE, "not asked")
        by_code = self._code_searches.get("code", refused) is None
        behind = self._code_searches.get("medication.code", refused)
        supplied = states["crsDrugs"].supplied is Supplied.COMPLETE
        return (by_code or supplied) and (behind is None or behind.status == 400)

    def _believe_codes(self, search: CourseSearch, states: Mapping[str, KeyState]) -> None:
        """At a site whose infusions are always coded, no coded infusion is no course."""
        if self._plan.lookup is not CourseLookup.CODES or search is CourseSearch.FOUND:
            return
        if self._codes_were_searched(states) and self.coverage[Kind.PROCEDURES].state is Completeness.COMPLETE:
            self.coverage[Kind.ADMINISTRATIONS] = Coverage(Completeness.COMPLETE, "by codes, as this site is set up")
