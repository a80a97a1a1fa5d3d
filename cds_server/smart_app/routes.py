"""The SMART app: launched by an EHR or standalone, it shows the course of the one patient that its token is for.

A browser is known by a random cookie, a launch by its state, a session by a handle in its address: two tabs with two
patients keep to their own. The token stays in the database.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec
from urllib.parse import urlencode

from flask import Blueprint, Response, g, make_response, redirect, request

from cds_server.course_page.routes import FhirAccess, course_response
from cds_server.limits import UnusableError
from cds_server.operations.call_time import CallTime
from cds_server.operations.log_lines import log_line, request_id, where_it_failed
from cds_server.outgoing.base_url import normalised_base
from cds_server.pages import let_frame, page
from cds_server.problems import MOST_ISSUES, Problem, ProblemId
from cds_server.running import Running, Smart, note_problem, running
from cds_server.smart_app.launch import Asked, LaunchError, authorization_url, discovered, redeemed
from cds_server.smart_app.launched_decision import MOST_CONTEXT, launched_decision
from cds_server.storage.smart_sessions import MOST_ROWS, OpenSession, PendingLaunch, new_secret
from cds_server.storage.store import StoreUnavailableError
from cds_server.trust.smart_registration import SmartServer

log = logging.getLogger("cds_server")
smart = Blueprint("smart", __name__, url_prefix="/smart", template_folder="templates")
P = ParamSpec("P")
SHOWS_AS = "crs-patient-view"  # the page says what this service says of an opened chart
PENDING_SECONDS = 600.0  # to sign in at the EHR
EHR_PART = 0.8  # this part of a call's time is for the EHR, the rest for the database
_SECRET = re.compile(r"[A-Za-z0-9_\-]{43}")
_AHEAD = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")  # by these browsers say that nobody has followed the link yet
# the errors that an authorization server may name, in our words; its own description is shown to nobody
_DENIED = {
    "access_denied": "the user or the EHR refused it",
    "unauthorized_client": "the EHR does not know this app, or not this way of asking",
    "invalid_scope": "the EHR does not give this app what it asks for",
    "invalid_request": "the EHR did not understand the request",
    "server_error": "the EHR failed",
    "temporarily_unavailable": "the EHR is busy",
}


def _app(here: Running) -> Smart:
    """The means of the app. Raises Problem in shadow, where nothing is shown, even if it is asked for."""
    if here.smart is None:
        raise Problem(ProblemId.NOT_FOUND)
    if here.settings.in_shadow(SHOWS_AS):
        raise Problem(ProblemId.IN_TRIAL)
    return here.smart


def _bounded(view: Callable[P, Response]) -> Callable[P, Response]:
    """A view that takes one of the pages at once. Raises Problem."""

    @wraps(view)
    def bounded(*args: P.args, **kwargs: P.kwargs) -> Response:
        slots = _app(running()).slots
        if not slots.acquire(blocking=False):
            raise Problem(ProblemId.BUSY)
        try:
            return view(*args, **kwargs)
        except StoreUnavailableError as error:
            raise Problem(ProblemId.SESSION_UNAVAILABLE) from error
        finally:
            slots.release()

    return bounded


@smart.before_request
def _by_someone_who_looks() -> None:
    """Refuse a request that no user made, because a launch and its answer count once. Neither a HEAD, which Flask would
    treat as a GET, nor a browser that fetches ahead may use them up. Raises Problem."""
    if request.method == "HEAD":
        raise Problem(ProblemId.METHOD)
    if "prefetch" in " ".join(request.headers.get(name, "").lower() for name in _AHEAD):
        raise Problem(ProblemId.AHEAD_OF_USER)


@smart.get("/launch")
@_bounded
def launch() -> Response:
    """Send the browser to the EHR that called, or to the only one if standalone, once it is known to keep our
    cookie."""
    here = running()
    app, call_time = _app(here), _call_time(here)
    iss, server = _server(app)
    browser = _browser(here)
    if browser is None:
        return _with_cookie(here)
    asked = Asked(new_secret(), new_secret(), iss, request.args.get("launch") or None, _redirect_uri(here))
    try:
        endpoints = discovered(server.fhir_base, app.outside, _ehr_ends(here, call_time))
        there = authorization_url(server, endpoints, asked)
    except LaunchError as error:
        raise Problem(ProblemId.LAUNCH_FAILED, [("", error.why)], error.reason) from error
    context = _decision_named(request.args.get("appContext"))
    pending = PendingLaunch(
        server.fhir_base, endpoints.token, endpoints.issuer, endpoints.names_itself, asked.verifier, context
    )
    with call_time.waiting_for_the_log() as wait:
        if not app.sessions.keep(asked.state, browser, pending, PENDING_SECONDS, wait, MOST_ROWS):
            raise Problem(ProblemId.BUSY, [], "launches")
    return _sent_to(there)


@smart.get("/callback")
@_bounded
def callback() -> Response:
    """Take the browser back from the EHR: the code becomes a token, and the token a session."""
    here = running()
    app, call_time = _app(here), _call_time(here)
    pending, server = _begun(here, app, call_time)
    if "error" in request.args:
        said = request.args["error"]
        raise Problem(
            ProblemId.LAUNCH_DENIED, [("", _DENIED.get(said, "it did not say why"))], said if said in _DENIED else ""
        )
    if not _is_of_whom_was_asked(pending):
        raise Problem(ProblemId.LAUNCH_DENIED, [("", "another authorization server answered than was asked")], "issuer")
    code = request.args.get("code")
    if not code:
        raise Problem(ProblemId.LAUNCH_INCOMPLETE, [("code", "is missing")])
    try:
        granted = redeemed(
            server, pending.token_url, code, pending.verifier, _redirect_uri(here), app.outside,
            _ehr_ends(here, call_time),
        )  # fmt: skip
    except LaunchError as error:
        raise Problem(ProblemId.LAUNCH_FAILED, [("", error.why)], error.reason) from error
    context = _decision_named(granted.app_context) or pending.app_context
    opened = OpenSession(server.fhir_base, granted.patient, granted.token, granted.scope, context)
    handle = new_secret()
    with call_time.waiting_for_the_log() as wait:
        app.sessions.keep(handle, _browser(here) or "", opened, granted.seconds, wait)
    return _sent_to(f"course?{urlencode({'session': handle})}")


@smart.get("/course")
@_bounded
def course() -> Response:
    here = running()
    app, call_time = _app(here), _call_time(here)
    handle, browser = request.args.get("session", ""), _browser(here) or ""
    with call_time.waiting_for_the_log() as wait:
        opened = app.sessions.find(OpenSession, handle, browser, wait)
    server = app.servers.get(opened.fhir_base) if opened is not None else None
    if opened is None or server is None:
        raise Problem(ProblemId.SESSION_ENDED)
    g.smart_session = handle
    decision = launched_decision(here, server, opened, call_time)
    log_line().update(decision=decision.id if decision is not None else None)
    access = FhirAccess(opened.fhir_base, opened.token, opened.scope)
    return course_response(here, opened.patient, access, here.call_time(), decision)


@smart.post("/leave")
@_bounded
def leave() -> Response:
    """End the session and forget its token."""
    # in a shared browser this ends our session only: a browser still signed in to the EHR can open another one
    here = running()
    call_time = _call_time(here)
    with call_time.waiting_for_the_log() as wait:
        _app(here).sessions.take(OpenSession, request.args.get("session", ""), _browser(here) or "", wait)
    return page("smart_left.html", {})


def _decision_named(context: str | None) -> str | None:
    """The name of a decision, if it is short enough to be one."""
    return context if context and len(context) <= MOST_CONTEXT else None


def _call_time(here: Running) -> CallTime:
    """The time of a step of a launch: apart from the EHR only the database is waited for."""
    return here.call_time(log_seconds=here.settings.budget_seconds)


def _ehr_ends(here: Running, call_time: CallTime) -> float:
    """The moment by which the EHR must have answered: its answer must still be stored, because it comes only once."""
    return call_time.started + EHR_PART * here.settings.budget_seconds


def _redirect_uri(here: Running) -> str:
    return f"{here.settings.public_url}/smart/callback"


def _server(app: Smart) -> tuple[str, SmartServer]:
    """The FHIR server of a launch as it was named, and our registration there. Raises Problem."""
    iss = request.args.get("iss", "").strip()
    if not iss:
        if len(app.servers) != 1 or request.args.get("launch"):
            raise Problem(ProblemId.LAUNCH_INCOMPLETE, [("iss", "is missing")])
        return next(iter(app.servers.items()))
    if not (iss.isascii() and iss.isprintable()):  # a line break in it would be lost later
        raise Problem(ProblemId.LAUNCH_INCOMPLETE, [("iss", "must be a URL")])
    try:
        base = normalised_base(iss)
    except UnusableError as error:
        raise Problem(ProblemId.LAUNCH_INCOMPLETE, [("iss", str(error))]) from error
    if base not in app.servers:
        raise Problem(ProblemId.LAUNCH_ELSEWHERE)
    return iss, app.servers[base]


def _begun(here: Running, app: Smart, call_time: CallTime) -> tuple[PendingLaunch, SmartServer]:
    """The launch that this browser began, which can be taken only once. Raises Problem."""
    # An answer in another browser leaves the row for the right one. Token endpoint and verifier are those of the
    # launch, so the answer of another EHR (mix-up) has no use.
    state, browser = request.args.get("state", ""), _browser(here) or ""
    with call_time.waiting_for_the_log() as wait:
        pending = app.sessions.take(PendingLaunch, state, browser, wait)
    server = app.servers.get(pending.fhir_base) if pending is not None else None
    if pending is None or server is None:
        raise Problem(ProblemId.LAUNCH_NOT_BEGUN)
    return pending, server


def _is_of_whom_was_asked(pending: PendingLaunch) -> bool:
    """Tell whether the EHR that was asked has answered (RFC 9207): no EHR may make us send it the code of another."""
    given = request.args.get("iss")
    if given is None:
        return not pending.must_name_it
    return pending.issuer in (None, given)


def _cookie(here: Running) -> str:
    """The name of our cookie. `__Host-` keeps neighbours of our domain from setting it; browsers accept that with https
    only."""
    return ("__Host-" if here.settings.public_url.startswith("https:") else "") + "crs-cds"


def _browser(here: Running) -> str | None:
    found = request.cookies.get(_cookie(here), "")
    return found if _SECRET.fullmatch(found) else None


def _with_cookie(here: Running) -> Response:
    """Send the browser round once with a cookie. If it keeps none, as in a frame of another site, offer it a window."""
    # The cookie is tried before the EHR is asked, because the EHR's launch handle may count once. A browser that keeps
    # no cookie in a frame is offered a window, and the handle is not used up.
    again = {name: value for name, value in request.args.items() if name in ("iss", "launch", "appContext")}
    if "cookie" in request.args:
        return page("smart_window.html", {"address": f"launch?{urlencode(again)}"})
    response = _sent_to(f"launch?{urlencode({**again, 'cookie': '1'})}")
    # browsers treat a loopback address as secure, so the same attributes hold in development
    response.set_cookie(
        _cookie(here), new_secret(), path="/", secure=True, httponly=True, samesite="None", partitioned=True
    )
    return response


def _sent_to(address: str) -> Response:
    response = make_response(redirect(address, 303))
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


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
