"""The steps from a patient's record to advice, which the hooks, the course page and `explain` have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, tzinfo

from cards.choose import Advice, Choice, choice
from cards.deciding.dismissed import Dismissed
from cards.deciding.when_to_show import Call, Showing
from cds_server.operations.call_time import CallTime
from cds_server.problems import Problem, ProblemId
from cds_server.record.patient_record import Sources, read_patient_record
from cds_server.record.record_request import RecordRequest
from cds_server.site_rules import SiteRules
from fhir_mappings.course_search import MappingContext
from fhir_mappings.facts.course import CourseDoubt
from fhir_mappings.facts.coverage import NOT_SUPPLIED, Completeness, Kind
from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.medications.draft_fields import Draft
from fhir_mappings.medications.draft_orders import draft_orders
from fhir_mappings.reading.ownership import AnotherPatientError
from fhir_mappings.reading.resource_pool import OutOfTimeError, PatientRecord
from fhir_mappings.settled_facts import settled_facts


@dataclass(frozen=True)
class Occasion:
    """The user's situation: how much is shown in it, the drafted orders, and the selected ones among them."""

    showing: Showing
    drafts: tuple[Draft, ...] = ()
    selections: frozenset[str] = frozenset()


def read_record(request: RecordRequest, sources: Sources, as_of: datetime, call_time: CallTime) -> PatientRecord:
    """The record: prefetch first, then the FHIR server for the rest. Raises Problem, also if it is another
    patient's."""
    try:
        with _in_time():
            return read_patient_record(request, sources, as_of, call_time.reading_ends, call_time.may_work)
    except AnotherPatientError as error:
        whose = ProblemId.ANOTHER_PATIENT_SENT if error.from_client else ProblemId.ANOTHER_PATIENT_SERVED
        raise Problem(whose, [(error.where, "is not the patient of context.patientId")]) from error


def mapping_context(
    patient_id: str, fhir_base: str | None, rules: SiteRules, zone: tzinfo | None, as_of: datetime
) -> MappingContext:
    """The means of mapping a record: the rules of the site, the patient and the moment."""
    return MappingContext(rules.terms, rules.thresholds, zone, patient_id, fhir_base, as_of)


def facts_of(
    record: PatientRecord, context: MappingContext, in_time: Callable[[], bool] = lambda: True
) -> PatientFacts:
    """The facts from valid FHIR only. Raises Problem `out-of-time`."""
    with _in_time():
        return settled_facts(record, context, in_time)


@contextmanager
def _in_time() -> Iterator[None]:
    """Turn the end of the time into a Problem."""
    try:
        yield
    except OutOfTimeError as error:
        raise Problem(ProblemId.OUT_OF_TIME) from error


def advice_on(
    occasion: Occasion,
    facts: PatientFacts,
    record: PatientRecord,
    context: MappingContext,
    rules: SiteRules,
    dismissed: tuple[Dismissed, ...] = (),
) -> Advice:
    """The cards for what the user is about to do, or the reason why there are none. Raises Problem `out-of-time`."""
    return choice_on(occasion, facts, record, context, rules, dismissed).in_words


def choice_on(
    occasion: Occasion,
    facts: PatientFacts,
    record: PatientRecord,
    context: MappingContext,
    rules: SiteRules,
    dismissed: tuple[Dismissed, ...] = (),
) -> Choice:
    """The same cards before they have words."""
    with _in_time():
        drafts = draft_orders(
            occasion.drafts, occasion.selections, record.pool, rules.terms, context.fhir_base, rules.thresholds
        )
    call = Call(occasion.showing, context.patient_id, drafts)
    return choice(facts, call, rules.terms, rules.thresholds, rules.modes, dismissed, rules.protocol)


_SAID_OF_DOUBT: Mapping[CourseDoubt, str] = {
    CourseDoubt.DRUG_UNREAD: "a medication administration refers to a drug that could not be read",
    CourseDoubt.DRUG_UNNAMED: "a medication administration names no drug",
    CourseDoubt.UNUSABLE: "a resource that may be a CAR-T infusion could not be used",
}


def refuse_unreadable(found: Advice, facts: PatientFacts) -> None:
    """Raise Problem `unreadable-record` if nothing can be said because needed data could not be read."""
    doubt = found.unreadable
    if doubt is None or found.cards:
        return
    said = [_SAID_OF_DOUBT[doubt]] if doubt in _SAID_OF_DOUBT else []
    details = [("", says) for says in (*said, *unread_data(facts))]
    raise Problem(ProblemId.UNREADABLE_RECORD, details, doubt.value)


def unread_data(facts: PatientFacts) -> tuple[str, ...]:
    """The kinds of data that could not all be read, each with the reason. Nothing is lost with what is found by code
    where all administrations were read."""
    given = facts.coverage.get(Kind.ADMINISTRATIONS, NOT_SUPPLIED)
    moot = {Kind.CRS_DRUGS} if given.state is Completeness.COMPLETE else frozenset[Kind]()
    return tuple(
        f"{kind.value}: {coverage.why or 'not read'}"
        for kind, coverage in facts.coverage.items()
        if coverage.state is not Completeness.COMPLETE and kind not in moot
    )
