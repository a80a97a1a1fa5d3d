"""A patient's record: prefetch first, then the FHIR server for the rest, with searches side by side in one time
budget."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo

import requests

from cds_server.limits import CourseLookup, Limits
from cds_server.operations.metrics import Metrics
from cds_server.outgoing.backend_tokens import BackendTokens, OwnToken
from cds_server.outgoing.circuit import Circuit
from cds_server.outgoing.fhir_client import FhirServer
from cds_server.outgoing.search_methods import SearchMethods
from cds_server.prefetch_room import Room, TooManyError
from cds_server.problems import Problem, ProblemId
from cds_server.record.asked_server import AskedServer
from cds_server.record.code_lookup import believe_codes
from cds_server.record.medication_memory import MedicationMemory
from cds_server.record.patient_forms import PatientForm, PatientForms
from cds_server.record.patient_read import PatientRead, doubt_the_searches
from cds_server.record.prefetch import KeyState, Supplied, coverage_of, read_prefetch
from cds_server.record.record_request import RecordRequest
from cds_server.record.record_so_far import RecordSoFar
from cds_server.record.referred_medications import ReferredMedications
from cds_server.record.search_plan import Plan
from cds_server.record.search_rounds import SearchRounds
from cds_server.record.searches_under_way import SearchesUnderWay
from cds_server.site_rules import SiteRules
from fhir_mappings.course_search import MappingContext
from fhir_mappings.facts.coverage import Completeness, Coverage, Gap, Kind
from fhir_mappings.medications.draft_orders import check_draft_owner
from fhir_mappings.medications.products import referred_medications
from fhir_mappings.reading.ownership import AnotherPatientError, check_owner, owner_of
from fhir_mappings.reading.resource_pool import PatientRecord, ResourcePool

# searches end this much before we stop waiting for them, so that the pages one had read by then still count
LAST_WORD_SECONDS = 0.03


@dataclass(frozen=True)
class Sources:
    """The means by which the process reads records: the pooled session, codes, numbers, zone, and threads for each
    server that may be called. A slow server can hold up only its own threads; a server without threads is not
    allowed."""

    session: requests.Session
    executors: Mapping[str, Executor]
    medications: MedicationMemory
    forms: PatientForms
    rules: SiteRules
    zone: tzinfo | None
    lookup: CourseLookup
    limits: Limits
    metrics: Metrics
    backend: BackendTokens
    circuits: Mapping[str, Circuit]
    methods: SearchMethods


def read_patient_record(
    request: RecordRequest,
    sources: Sources,
    as_of: datetime,
    deadline: float,
    in_time: Callable[[], bool],
) -> PatientRecord:
    """The record from prefetch, then from the FHIR server for what prefetch did not bring. Raises AnotherPatientError,
    Problem `too-many-entries`, and OutOfTimeError once `in_time` says that no time is left."""
    pool = ResourcePool(in_time)
    most = sources.limits.entries
    try:
        states = read_prefetch(request.prefetch, pool, Room(most, in_time))
        if pool.added > most:
            raise TooManyError
    except TooManyError as error:
        raise Problem(ProblemId.TOO_MANY_ENTRIES, [("prefetch", f"holds more than {most} resources")]) from error
    so_far = RecordSoFar(pool, coverage_of(states), sources.limits.entries)
    asked = _asked_server(request, sources, deadline)
    if asked is None:
        _check_owner(request, pool)
        _say_why_nothing_is_fetched(request, so_far)
        if referred_medications(pool, request.fhir_base).unfollowed:
            so_far.coverage[Kind.MEDICATIONS] = Coverage(Completeness.PART, "not supplied", gap=Gap.NOT_SUPPLIED)
    else:
        try:
            _read_from_server(request, sources, as_of, so_far, states, asked)
        finally:
            asked.server.end()
    return so_far.record()


def _read_from_server(
    request: RecordRequest,
    sources: Sources,
    as_of: datetime,
    so_far: RecordSoFar,
    states: Mapping[str, KeyState],
    asked: AskedServer,
) -> None:
    """Read the Patient beside the rounds of searches, then the Medications; last, check that all of it is of one
    patient."""
    patient = PatientRead(asked, request.patient_id, so_far)
    try:
        _check_owner(request, so_far.pool)
    except AnotherPatientError:
        # an id that the Patient replaces is known only once the Patient is read
        if not patient.is_read_now():
            raise
        _check_owner(request, so_far.pool)
    patient.start()
    rules = sources.rules
    form = sources.forms.known(asked.server.base)
    plan = Plan(request.patient_id, form or PatientForm.ID, as_of, rules.terms, rules.thresholds, sources.lookup)
    context = MappingContext(rules.terms, rules.thresholds, sources.zone, request.patient_id, request.fhir_base, as_of)
    dense = states["recentAdministrations"].supplied is Supplied.FIRST_PAGE
    searches = SearchesUnderWay(asked, so_far, as_of, sources.metrics, dense=dense)
    medications = ReferredMedications(asked, request.drafts, so_far, sources.medications, rules.terms)
    rounds = SearchRounds(searches, medications, plan, context, so_far)
    search = rounds.read(states, patient if form is None else None)
    if form is None and rounds.matched is not None:
        sources.forms.settle(asked.server.base, rounds.matched)
    patient.take()
    medications.read()
    _check_owner(request, so_far.pool)
    doubt_the_searches(so_far, searches, coverage_of(states))
    if sources.lookup is CourseLookup.CODES:
        believe_codes(search, searches.hints, states, so_far.coverage)


def _asked_server(request: RecordRequest, sources: Sources, deadline: float) -> AskedServer | None:
    """The server that this call may ask; None if it names none, or one that is not allowed."""
    base = request.fhir_base
    if base is None or base not in sources.executors or not request.may_call:
        return None
    server = FhirServer(
        sources.session, base, _token(request, sources, base), deadline - LAST_WORD_SECONDS,
        limits=sources.limits, metrics=sources.metrics, ids=request.ids,
    )  # fmt: skip
    server.through(sources.circuits[base], sources.methods)
    server.tell(request.span)
    if request.held is not None:
        server.hold(request.held)
    return AskedServer(server, sources.executors[base], request.scope, deadline)


def _token(request: RecordRequest, sources: Sources, base: str) -> str | OwnToken | None:
    """The call's own token; if it brings none, ours if its client may use it."""
    if request.token is None and request.may_use_our_token and base in sources.backend.accesses:
        return OwnToken(sources.backend, base)
    return request.token


def _check_owner(request: RecordRequest, pool: ResourcePool) -> None:
    owner = owner_of(request.patient_id, request.fhir_base, pool)
    check_owner(pool, owner)
    check_draft_owner(request.drafts, owner)


def _say_why_nothing_is_fetched(request: RecordRequest, so_far: RecordSoFar) -> None:
    why = "no FHIR server was named" if request.fhir_base is None else "the FHIR server is not allowed"
    for kind, coverage in so_far.coverage.items():
        if coverage.state is Completeness.UNREAD and coverage.gap is Gap.NOT_SUPPLIED:
            so_far.coverage[kind] = replace(coverage, why=f"{coverage.why}, and {why}")
