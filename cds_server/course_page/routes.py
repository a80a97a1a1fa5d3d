"""The page of a course: the record as the hooks read it, and the grade now and at each change, in picture and table."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from flask import Blueprint, Response

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
from cds_server.operations.log_lines import request_id
from cds_server.pages import page
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
from cds_server.record.record_request import PATIENT_ID, RecordRequest
from cds_server.running import Running, note_problem, running
from cds_server.storage.database import DecisionRow
from fhir_mappings.course_history import course_history
from fhir_mappings.facts.flags import Flag
from fhir_mappings.settled_facts import OutOfTimeError

# the templates and files of the page, wherever it is shown
course_page = Blueprint(
    "course", __name__, template_folder="templates", static_folder="static", static_url_path="/static/course"
)
demo_course = Blueprint("demo_course", __name__)


@dataclass(frozen=True)
class FhirAccess:
    """The FHIR server to read from, with the token of a launch and its scope, or neither."""

    base: str
    token: str | None = None
    scope: str | None = None


@demo_course.get("/demo/course/<patient_id>")
def demo(patient_id: str) -> Response:
    """The page of a patient of the first FHIR server in the settings, without a token. It exists in development
    only."""
    if PATIENT_ID.fullmatch(patient_id) is None:
        raise Problem(ProblemId.NOT_FOUND)
    here = running()
    access = FhirAccess(next(iter(here.settings.fhir_servers), ""))
    with here.slot():
        return course_response(here, patient_id, access, here.call_time())


def course_response(
    here: Running,
    patient_id: str,
    access: FhirAccess,
    call_time: CallTime,
    decision: DecisionRow | None = None,
) -> Response:
    """The page. `decision` is of this patient: its reasons are shown beside the present ones.

    If something cannot be read, the page says so and has the status of the problem; it never shows a picture that looks
    well. The caller bounds how many pages are made at once.
    """
    try:
        values = _values(here, patient_id, access, call_time, decision)
    except Problem as problem:
        note_problem(problem)
        response = page("course_unread.html", {"problem": problem})
        response.status_code = problem.kind.status
        return response
    return page(values["template"], values)


def _values(
    here: Running, patient_id: str, access: FhirAccess, call_time: CallTime, decision: DecisionRow | None
) -> dict[str, Any]:
    """The values that the template shows. Raises Problem."""
    as_of, sources = here.clock(), here.sources
    request = RecordRequest(patient_id, access.base, access.token, access.scope, request_id=request_id())
    how, t = mapping_context(patient_id, access.base, sources.rules, sources.zone, as_of), sources.rules.thresholds
    record = read_record(request, sources, as_of, call_time)
    facts = facts_of(record, how, call_time.is_left)
    found = advice_on(Occasion(Showing.STATE), facts, record, how, sources.rules)
    refuse_unreadable(found, facts)
    values: dict[str, Any] = {
        "template": "course_none.html",
        "who": patient_banner(record, patient_id),
        "now": when(facts.local(facts.as_of)),
        "zone": str(facts.zone),
        "zone_assumed": Flag.TIMEZONE_ASSUMED in facts.flags,
        "unread": list(unread_data(facts)),
        "not_used": [plain(line) for line in not_used(facts)],
        "cards": found.cards,
        "silence": found.silence,
    }
    if facts.course is None or facts.grade is None or found.verdicts is None:
        return {**values, "facts": facts}
    try:
        history = course_history(record, how, facts, facts.course, facts.grade, call_time.is_left)
    except OutOfTimeError as error:
        raise Problem(ProblemId.OUT_OF_TIME) from error
    shown = timeline(facts, facts.course, history, t)
    return {
        **values,
        "template": "course.html",
        "not_used": [
            plain(line) for line in not_used(replace(facts, set_aside=(*facts.set_aside, *history.set_aside)))
        ],
        "day": facts.course.day,
        "tiles": tiles(facts, facts.course, facts.grade, found.verdicts, shown, t),
        "picture": picture(shown, facts.course, facts.zone),
        "shown": shown,
        "not_drawn": not_drawn(shown),
        "time_of": lambda mark: time_of(mark, facts.zone),
        "period": lambda span: period(span.start, span.end, facts.zone),
        "rows": [plain(line) for line in rows_that_fired(found, t)],
        "caution": [plain(line) for line in caution(facts)],
        "unconfirmed": [f"{n.meaning} {value_words(n, t)} ({n.source})" for n in unconfirmed_numbers(t)],
        "earlier": earlier(decision, facts, sources.rules) if decision is not None else None,
    }
