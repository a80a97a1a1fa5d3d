"""The page of a course: the record as the hooks read it, and the grade now and at each change, in picture and table."""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, Response

from cds_server.audit.audit_event import RecordRead
from cds_server.course_page.page_values import FhirAccess, page_values
from cds_server.operations.call_time import CallTime
from cds_server.operations.log_lines import request_id
from cds_server.pages import page
from cds_server.problems import Problem, ProblemId
from cds_server.running import Running, note_problem, running
from cds_server.storage.database import DecisionRow
from fhir_mappings.reading.references import is_addressable

# the templates and files of the page, wherever it is shown
course_page = Blueprint(
    "course", __name__, template_folder="templates", static_folder="static", static_url_path="/static/course"
)
demo_course = Blueprint("demo_course", __name__)


@demo_course.get("/demo/course/<patient_id>")
def demo(patient_id: str) -> Response:
    """The page of a patient of the first FHIR server in the settings, without a token. It exists in development
    only."""
    if not is_addressable(patient_id):
        raise Problem(ProblemId.NOT_FOUND)
    here = running()
    access = FhirAccess(next(iter(here.settings.fhir_servers), ""))
    with here.places.of_client(""):
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
    read = RecordRead(
        at=here.clock(), patient_id=patient_id, fhir_base=access.base, user=None, client=access.base,
        server=here.settings.public_url, request_id=request_id(), succeeded=False,
    )  # fmt: skip
    try:
        template, values = page_values(here, patient_id, access, call_time, decision)
    except Problem as problem:
        here.audit.add(read)
        note_problem(problem)
        response = page("course_unread.html", {"problem": problem})
        response.status_code = problem.kind.status
        return response
    here.audit.add(replace(read, succeeded=True))
    return page(template, values)
