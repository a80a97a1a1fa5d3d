"""The addresses of the service: discovery, calls, feedback, health. Nothing redirects: browsers refuse that on a
preflight."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Blueprint, Response, jsonify, request
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from cds_server.answering import answered, checked_caller
from cds_server.catalogue import SERVICES, Service, discovery
from cds_server.decision_log import LogUnavailableError
from cds_server.feedback import Outcome, read_feedback, store_feedback
from cds_server.hook_request import read_hook_request
from cds_server.problems import Problem
from cds_server.running import Running, running

cds = Blueprint("cds", __name__)
FEEDBACK_SECONDS = 5.0


@cds.get("/cds-services", strict_slashes=False)
def discover() -> Response:
    here = running()
    checked_caller(here, None, _deadline(here))
    return jsonify(discovery(here.sources.rules.terms))


@cds.post("/cds-services/<service_id>", strict_slashes=False)
@cds.post("/cds-services//<service_id>", strict_slashes=False)
def call(service_id: str) -> Response:
    started = time.monotonic()
    here = running()
    service = _service(service_id)
    with _slot(here):
        caller = checked_caller(here, service.id, _deadline(here, started))
        hook_request = read_hook_request(_body(), service.hook)
        return jsonify(answered(here, service, hook_request, caller, started))


@cds.post("/cds-services/<service_id>/feedback", strict_slashes=False)
@cds.post("/cds-services//<service_id>/feedback", strict_slashes=False)
def feedback(service_id: str) -> Response:
    """Each entry stands alone; what is acknowledged is committed."""
    here = running()
    service = _service(service_id)
    caller = checked_caller(here, service.id, _deadline(here))
    entries = read_feedback(_body())
    now = here.clock()

    def store(session: Session) -> Outcome:
        return store_feedback(session, entries, caller, service.id, now)

    try:
        try:
            outcome = here.log.run(store, FEEDBACK_SECONDS)
        except IntegrityError:  # the same entry at the same moment: it is there now
            outcome = here.log.run(store, FEEDBACK_SECONDS)
    except (LogUnavailableError, IntegrityError) as error:
        raise Problem("log-unavailable") from error
    named = {"unmatched": list(outcome.unmatched), "refused": list(outcome.refused)}
    return jsonify({name: indexes for name, indexes in named.items() if indexes})


@cds.get("/health/live", strict_slashes=False)
def live() -> Response:
    return jsonify({"status": "live"})


@cds.get("/health/ready", strict_slashes=False)
def ready() -> tuple[Response, int]:
    """Ready also with a degraded log: it never costs the user a card, and the answer says so."""
    kept = running().log
    status = {"status": "degraded", "log": kept.degraded} if kept.degraded else {"status": "ready"}
    return jsonify({**status, "decisionsLost": kept.lost}), 200


def _service(service_id: str) -> Service:
    service = SERVICES.get(service_id)
    if service is None:
        raise Problem("unknown-service")
    return service


def _deadline(here: Running, started: float | None = None) -> float:
    return (time.monotonic() if started is None else started) + here.settings.budget_seconds


@contextmanager
def _slot(here: Running) -> Iterator[None]:
    """One of the calls at once. Raises Problem `busy` beyond their number: waiting would cost every call its time."""
    if not here.slots.acquire(blocking=False):
        raise Problem("busy")
    try:
        yield
    finally:
        here.slots.release()


def _body() -> bytes:
    if request.mimetype != "application/json":
        raise Problem("media-type", [("Content-Type", "must be application/json")])
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Problem("media-type", [("Content-Encoding", "compressed bodies are not taken")])
    return request.get_data(cache=False)
