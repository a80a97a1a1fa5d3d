"""The end of every answer: its headers, its count, its log line; a problem becomes an OperationOutcome."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping

from flask import Flask, Response, g, jsonify, request
from werkzeug.exceptions import HTTPException

from cds_server.course_page.routes import course_page
from cds_server.hooks.request_body import leave_body
from cds_server.hooks.services import SERVICES
from cds_server.operations.log_lines import REQUEST_ID, begin_span, call_span, log_line, request_id, where_it_failed
from cds_server.pages import kept, pages
from cds_server.problems import Problem, ProblemId, operation_outcome
from cds_server.running import let_go, note_problem, running

log = logging.getLogger("cds_server")
_FILES = frozenset(f"{blueprint.name}.static" for blueprint in (pages, course_page))  # the endpoints of what pages load
_QUIET = frozenset({"live", "ready", "metrics", *_FILES})  # asked all day long
# the fields of a log line that the span of a call has too: no id, and nothing that says how the patient is
_TOLD: Mapping[str, str] = {
    "address": "crs_cds.address",
    "status": "http.response.status_code",
    "problem": "crs_cds.problem",
    "reason": "crs_cds.reason",
    "silence": "crs_cds.silence",
    "cards": "crs_cds.cards",
}
_HTTP_PROBLEMS: Mapping[int, ProblemId] = {
    404: ProblemId.NOT_FOUND,
    405: ProblemId.METHOD,
    413: ProblemId.TOO_LARGE,
    415: ProblemId.MEDIA_TYPE,
}


def finish_every_answer(app: Flask) -> None:
    """Give every answer of an application its headers, turn problems into answers, count and log."""
    app.before_request(_begin)
    app.register_error_handler(Problem, _problem)
    app.register_error_handler(HTTPException, _http_problem)
    app.register_error_handler(Exception, _failure)
    app.after_request(_finish)
    app.teardown_request(let_go)


def _begin() -> None:
    g.began = time.monotonic()
    address = _address()
    if address not in _QUIET:
        begin_span(running().spans, address)


def _finish(response: Response) -> Response:
    is_file = request.endpoint in _FILES and response.status_code in (200, 206, 304)
    response.headers["Cache-Control"] = kept((request.view_args or {})["filename"]) if is_file else "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers[REQUEST_ID] = request_id()
    leave_body()
    seconds = time.monotonic() - g.began
    address = _address()
    metrics = running().metrics
    metrics.calls.labels(address, str(response.status_code)).inc()
    metrics.seconds.labels(address).observe(seconds)
    line = {"address": address, "status": response.status_code, "milliseconds": int(seconds * 1000), **log_line()}
    level = logging.DEBUG if address in _QUIET and response.status_code == 200 else logging.INFO
    log.log(level, "answered", extra=line)
    if address not in _QUIET:
        facts = {name: line[field] for field, name in _TOLD.items() if isinstance(line.get(field), str | int)}
        call_span().end(facts, failed=response.status_code >= 500)
    return response


def _address() -> str:
    """The address that was called, by the name of its route and service, never as the client wrote it."""
    address = (request.endpoint or "none").removeprefix("cds.")
    service = (request.view_args or {}).get("service_id")
    if service is None:
        return address
    return f"{address} {service}" if service in SERVICES else f"{address} unknown"


def _problem(problem: Problem) -> Response:
    note_problem(problem)
    response = jsonify(operation_outcome(problem))
    response.status_code = problem.kind.status
    response.mimetype = "application/fhir+json"
    if problem.kind.status == 503:
        response.headers["Retry-After"] = "1"
    if problem.kind.status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _http_problem(error: HTTPException) -> Response:
    response = _problem(Problem(_HTTP_PROBLEMS.get(error.code or 500, ProblemId.BAD_REQUEST)))
    response.status_code = error.code or 500
    if error.code == 405:
        allowed = getattr(error, "valid_methods", None)
        if allowed:
            response.headers["Allow"] = ", ".join(allowed)
    return response


def _failure(error: Exception) -> Response:
    log.error("a call failed", extra={"failed": where_it_failed(error)})
    return _problem(Problem(ProblemId.INTERNAL))
