"""The SMART app: launched by an EHR or standalone, it shows the course of the one patient that its token is for.

A browser is known by a random cookie, a launch by its state, a session by a handle in its address: two tabs with two
patients keep to their own. The token stays in the database.
"""

from __future__ import annotations

import logging
from urllib.parse import urlencode

from flask import Blueprint, Response, g, request

from cds_server.course_page.page_values import FhirAccess
from cds_server.course_page.routes import course_response
from cds_server.operations.log_lines import log_line, request_id, where_it_failed
from cds_server.outgoing.endpoints import Endpoints
from cds_server.pages import let_frame, page
from cds_server.problems import MOST_ISSUES, Problem, ProblemId
from cds_server.running import note_problem, running
from cds_server.smart_app.authorization import Asked, authorization_url
from cds_server.smart_app.browser import sent_around_with_cookie, sent_to
from cds_server.smart_app.code_for_token import redeemed
from cds_server.smart_app.discovery import discovered
from cds_server.smart_app.ehr_requests import LaunchError
from cds_server.smart_app.launch_parameters import code_from, decision_named, named_server
from cds_server.smart_app.launched_decision import launched_decision
from cds_server.smart_app.places import Places
from cds_server.smart_app.step import Step, bounded
from cds_server.storage.smart_sessions import MOST_ROWS, OpenSession, PendingLaunch, new_secret
from cds_server.trust.smart_registration import SmartServer

log = logging.getLogger("cds_server")
smart = Blueprint("smart", __name__, url_prefix="/smart", template_folder="templates")
PENDING_SECONDS = 600.0  # to sign in at the EHR
_AHEAD = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")  # where browsers say that nobody has followed the link yet


@smart.before_request
def _by_someone_who_looks() -> None:
    """Refuse a request that no user made, because a launch and its answer count once. Neither a HEAD, which Flask would
    treat as a GET, nor a browser that fetches ahead may use them up. Raises Problem."""
    if request.method == "HEAD":
        raise Problem(ProblemId.METHOD)
    if any("prefetch" in request.headers.get(name, "").lower() for name in _AHEAD):
        raise Problem(ProblemId.AHEAD_OF_USER)


@smart.get("/launch")
@bounded(Places.LAUNCH)
def launch(step: Step) -> Response:
    """Send the browser to the EHR that called, or standalone, once it is seen to keep our cookie."""
    iss, server = named_server(step.app.servers)
    if step.browser is None:
        return sent_around_with_cookie(step.here.settings.public_url)
    asked = Asked(new_secret(), new_secret(), iss, request.args.get("launch") or None, step.redirect_uri)
    try:
        endpoints = known_endpoints(step, server)
        there = authorization_url(server, endpoints, asked)
    except LaunchError as error:
        raise Problem(ProblemId.LAUNCH_FAILED, [("", error.why)], error.step) from error
    context = decision_named(request.args.get("appContext"))
    pending = PendingLaunch(
        server.fhir_base, endpoints.token, endpoints.issuer, endpoints.names_itself, asked.verifier, context
    )
    if not step.keep(asked.state, pending, PENDING_SECONDS, MOST_ROWS):
        raise Problem(ProblemId.BUSY, [], "launches")
    return sent_to(there)


def known_endpoints(step: Step, server: SmartServer) -> Endpoints:
    """The endpoints of an EHR, asked for every few minutes. Raises LaunchError."""

    def fetch() -> Endpoints:
        return discovered(server.fhir_base, step.app.outside, step.ehr_ends)

    return step.app.endpoints.get(server.fhir_base, fetch, LaunchError)


@smart.get("/callback")
@bounded(Places.CALLBACK)
def callback(step: Step) -> Response:
    """Take the browser back from the EHR: the code becomes a token, and the token a session."""
    begun = step.take(PendingLaunch, request.args.get("state", ""))
    pending, server = step.with_server(begun, ProblemId.LAUNCH_NOT_BEGUN)
    code = code_from(pending)
    try:
        granted = redeemed(server, pending, code, step.redirect_uri, step.app.outside, step.ehr_ends)
    except LaunchError as error:
        raise Problem(ProblemId.LAUNCH_FAILED, [("", error.why)], error.step) from error
    context = decision_named(granted.app_context) or pending.app_context
    opened = OpenSession(server.fhir_base, granted.patient, granted.token, granted.scope, context)
    handle = new_secret()
    step.keep(handle, opened, granted.seconds)
    return sent_to(f"course?{urlencode({'session': handle})}")


@smart.get("/course")
@bounded(Places.COURSE)
def course(step: Step) -> Response:
    """Show the course of the session's patient."""
    handle = request.args.get("session", "")
    opened, server = step.with_server(step.find(OpenSession, handle), ProblemId.SESSION_ENDED)
    g.smart_session = handle
    decision = launched_decision(step.here, server, opened, step.call_time)
    log_line().update(decision=decision.id if decision is not None else None)
    access = FhirAccess(opened.fhir_base, opened.token, opened.scope)
    return course_response(step.here, opened.patient, access, step.here.call_time(), decision)


@smart.post("/leave")
@bounded(Places.COURSE)
def leave(step: Step) -> Response:
    """End the session and forget its token."""
    step.take(OpenSession, request.args.get("session", ""))
    return page("smart_left.html", {})


@smart.after_request
def _in_a_frame(response: Response) -> Response:
    let_frame(response, running().settings.frame_ancestors)
    return response


@smart.errorhandler(Problem)
def _problem_page(problem: Problem) -> Response:
    note_problem(problem)
    details = [f"{field}: {says}" if field else says for field, says in problem.details[:MOST_ISSUES]]
    values = {"text": problem.kind.text, "details": details, "request_id": request_id()}
    response = page("smart_problem.html", values)
    response.status_code = problem.kind.status
    if problem.kind.status == 503:
        response.headers["Retry-After"] = "1"
    if problem.kind.status == 405:
        response.headers["Allow"] = "GET, OPTIONS"
    return response


@smart.errorhandler(Exception)
def _failure_page(error: Exception) -> Response:
    log.error("a page failed", extra={"failed": where_it_failed(error)})
    return _problem_page(Problem(ProblemId.INTERNAL))
