"""The values that the page of a course shows, from the record as the hooks read it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from cards.choose import Advice
from cards.deciding.situation import Verdicts
from cards.deciding.when_to_show import Showing
from cards.pages.decision_page import unconfirmed_numbers, value_words
from cards.pages.explanation import not_used, plain
from cards.pages.rows_in_words import rows_that_fired
from cards.pages.treatment_lines import caution
from cards.sentences.numbers_and_times import when
from cds_server.course_page.patient_banner import patient_banner
from cds_server.course_page.picture import period, picture, time_of
from cds_server.course_page.reasons import earlier
from cds_server.course_page.summary import tiles
from cds_server.course_page.timeline import not_drawn, timeline
from cds_server.operations.call_time import CallTime
from cds_server.operations.log_lines import call_span, ids_for_others
from cds_server.operations.spans import phase
from cds_server.patient_advice import (
    Occasion,
    advice_on,
    facts_of,
    mapping_context,
    read_record,
    refuse_unreadable,
    unread_data,
)
from cds_server.problems import Problem, ProblemId
from cds_server.record.record_request import RecordRequest
from cds_server.running import Running
from cds_server.site_rules import SiteRules
from cds_server.storage.database import DecisionRow
from fhir_mappings.course_history import CourseHistory, course_history
from fhir_mappings.course_search import MappingContext
from fhir_mappings.facts.course import Course
from fhir_mappings.facts.flags import Flag
from fhir_mappings.facts.grade import CrsGrade
from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.reading.resource_pool import OutOfTimeError, PatientRecord


@dataclass(frozen=True)
class FhirAccess:
    """The FHIR server to read from, and with what: the token of a launch and its scope, or none."""

    base: str
    token: str | None = None
    scope: str | None = None


@dataclass(frozen=True)
class _Worked:
    """The record of a patient, and what is worked out of it as for a chart that is opened."""

    record: PatientRecord
    context: MappingContext
    facts: PatientFacts
    found: Advice


@dataclass(frozen=True)
class _Graded:
    """A course that is graded: its grade now, the verdicts on its laboratory values, and its history."""

    course: Course
    grade: CrsGrade
    verdicts: Verdicts
    history: CourseHistory


def page_values(
    here: Running, patient_id: str, access: FhirAccess, call_time: CallTime, decision: DecisionRow | None
) -> tuple[str, dict[str, Any]]:
    """The template, and what it shows. Raises Problem."""
    worked = _worked(here, patient_id, access, call_time)
    graded = _graded(worked, call_time.is_left)
    if graded is None:
        return "course_none.html", {**_of_any_page(worked), "facts": worked.facts}
    rules = here.sources.rules
    reasons = {"earlier": earlier(decision, worked.facts, rules) if decision is not None else None}
    return "course.html", {**_of_any_page(worked), **_of_a_course(worked, graded, rules), **reasons}


def _worked(here: Running, patient_id: str, access: FhirAccess, call_time: CallTime) -> _Worked:
    as_of, sources = here.clock(), here.sources
    request = RecordRequest(
        patient_id, access.base, access.token, access.scope,
        ids=ids_for_others(), held=here.held_bytes(), span=call_span(),
    )  # fmt: skip
    context = mapping_context(patient_id, access.base, sources.rules, sources.zone, as_of)
    with phase(request.span, "read record") as span:
        record = read_record(replace(request, span=span), sources, as_of, call_time)
    with phase(request.span, "facts"):
        facts = facts_of(record, context, call_time.is_left)
    with phase(request.span, "advice"):
        found = advice_on(Occasion(Showing.STATE), facts, record, context, sources.rules)
    refuse_unreadable(found, facts)
    return _Worked(record, context, facts, found)


def _graded(worked: _Worked, in_time: Callable[[], bool]) -> _Graded | None:
    """None where there is no course, or nothing of it is graded. Raises Problem `out-of-time`."""
    facts, verdicts = worked.facts, worked.found.verdicts
    if facts.course is None or facts.grade is None or verdicts is None:
        return None
    try:
        history = course_history(worked.record, worked.context, facts, facts.course, facts.grade, in_time)
    except OutOfTimeError as error:
        raise Problem(ProblemId.OUT_OF_TIME) from error
    return _Graded(facts.course, facts.grade, verdicts, history)


def _of_any_page(worked: _Worked) -> dict[str, Any]:
    facts = worked.facts
    return {
        "who": patient_banner(worked.record, worked.context.patient_id),
        "now": when(facts.local(facts.as_of)),
        "zone": str(facts.zone),
        "zone_assumed": Flag.TIMEZONE_ASSUMED in facts.flags,
        "unread": list(unread_data(facts)),
        "not_used": _plain(not_used(facts)),
        "cards": worked.found.cards,
        "silence": worked.found.silence,
    }


def _of_a_course(worked: _Worked, graded: _Graded, rules: SiteRules) -> dict[str, Any]:
    facts, t = worked.facts, rules.thresholds
    shown = timeline(facts, graded.course, graded.history, t)
    with_history = replace(facts, set_aside=(*facts.set_aside, *graded.history.set_aside))
    return {
        "not_used": _plain(not_used(with_history)),
        "day": graded.course.day,
        "tiles": tiles(facts, graded.course, graded.grade, graded.verdicts, shown, t),
        "picture": picture(shown, graded.course, facts.zone),
        "shown": shown,
        "not_drawn": not_drawn(shown, facts),
        "time_of": lambda mark: time_of(mark, facts.zone),
        "period": lambda span: period(span.start, span.end, facts.zone),
        "rows": _plain(rows_that_fired(worked.found, t)),
        "caution": _plain(caution(facts, t)),
        "unconfirmed": _unconfirmed(t),
    }


def _unconfirmed(t: Thresholds) -> list[str]:
    return [f"{n.meaning} {value_words(n, t)} ({n.source})" for n in unconfirmed_numbers(t)]


def _plain(lines: Iterable[str]) -> list[str]:
    return [plain(line) for line in lines]
