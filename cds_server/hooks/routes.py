"""The addresses of the service: discovery, calls, feedback, health, metrics. Nothing redirects: browsers refuse that
on a preflight."""

from __future__ import annotations

import hmac
import socket
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from flask import Blueprint, Response, g, jsonify, request
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from werkzeug.exceptions import HTTPException

from cds_server.hooks.call import answer_call
from cds_server.hooks.checked_caller import checked_caller
from cds_server.hooks.feedback import read_feedback
from cds_server.hooks.hook_request import read_hook_request
from cds_server.hooks.services import SERVICES, Service, discovery_json
from cds_server.operations.call_time import CallTime
from cds_server.operations.metrics import CONTENT_TYPE
from cds_server.problems import Problem
from cds_server.running import Running, running
from cds_server.settings.table import Environment
from cds_server.storage.feedback import Outcome, store_feedback
from cds_server.storage.store import StoreUnavailableError
from cds_server.trust.client_trust import Caller

cds = Blueprint("cds", __name__)
LEAVE_SECONDS = 0.5


@cds.get("/cds-services", strict_slashes=False)
def discover() -> Response:
    here = running()
    with here.slot():
        checked_caller(here, None, here.call_time())
    return Response(discovery_json(here.sources.rules.terms), mimetype="application/json")


@cds.post("/cds-services/<service_id>", strict_slashes=False)
@cds.post("/cds-services//<service_id>", strict_slashes=False)
def call(service_id: str) -> Response:
    here = running()
    call_time = here.call_time()
    service = _service(service_id)
    with here.slot():
        caller = checked_caller(here, service.id, call_time)
        sent = read_hook_request(_body(call_time), service.hook, here.settings.limits)
        return jsonify(answer_call(here, service, sent, caller, call_time))


@cds.post("/cds-services/<service_id>/feedback", strict_slashes=False)
@cds.post("/cds-services//<service_id>/feedback", strict_slashes=False)
def feedback(service_id: str) -> Response:
    """Each entry stands alone; what is acknowledged is committed."""
    here = running()
    # beside the token nothing but the log is to be waited for
    call_time, for_token = here.call_time(log_seconds=here.settings.budget_seconds), here.call_time()
    service = _service(service_id)
    with here.slot():
        caller = checked_caller(here, service.id, for_token)
        entries = read_feedback(_body(call_time), here.settings.limits)
        outcome = _stored(here, entries, caller, service, call_time)
    stored = len(entries) - len(outcome.unmatched) - len(outcome.refused)
    for what, number in (
        ("stored", stored),
        ("unmatched", len(outcome.unmatched)),
        ("refused", len(outcome.refused)),
    ):
        here.metrics.feedback.labels(what).inc(number)
    named = {"unmatched": list(outcome.unmatched), "refused": list(outcome.refused)}
    return jsonify({name: indexes for name, indexes in named.items() if indexes})


def _stored(
    here: Running, entries: Sequence[Mapping[str, Any]], caller: Caller, service: Service, call_time: CallTime
) -> Outcome:
    """What became of the entries, committed. Raises Problem `log-unavailable`."""
    now = here.clock()

    def store(session: Session) -> Outcome:
        return store_feedback(session, entries, caller, service.id, now)

    try:
        with call_time.waiting_for_the_log() as seconds:
            try:
                return here.store.run(store, seconds)
            except IntegrityError:  # the same entry at the same moment: it is there now
                return here.store.run(store, call_time.remaining())
    except (StoreUnavailableError, IntegrityError) as error:
        raise Problem("log-unavailable") from error


@cds.get("/health/live", strict_slashes=False)
def live() -> Response:
    return jsonify({"status": "live"})


@cds.get("/health/ready", strict_slashes=False)
def ready() -> Response:
    """Ready also with a degraded log: it never costs the user a card, and the answer says so. Of this worker."""
    here = running()
    here.store.answers(here.settings.log_seconds)
    parts = {"log": here.store.degraded, **(here.trust.keys_missing() if here.trust is not None else {})}
    missing = {part: why for part, why in parts.items() if why is not None}
    return jsonify({"status": "degraded" if missing else "ready", **missing, "decisionsLost": here.store.lost})


@cds.get("/metrics", strict_slashes=False)
def metrics() -> Response:
    """For Prometheus. In production with the bearer token of the settings only."""
    here = running()
    token, given = here.settings.metrics_token, request.headers.get("Authorization", "")
    if token is None and here.settings.environment is Environment.PRODUCTION:
        raise Problem("untrusted", [("Authorization", "metrics are off until CRS_CDS_METRICS_TOKEN is set")], "metrics")
    if token is not None and not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
        raise Problem("untrusted", [("Authorization", "the metrics need their own Bearer token")], "metrics")
    here.store.answers(here.settings.log_seconds)
    return Response(here.metrics.page(), content_type=CONTENT_TYPE)


def _service(service_id: str) -> Service:
    service = SERVICES.get(service_id)
    if service is None:
        raise Problem("unknown-service")
    return service


def _body(call_time: CallTime) -> bytes:
    """The body, as long as the call has time for it. Raises Problem."""
    if request.mimetype != "application/json":
        raise Problem("media-type", [("Content-Type", "must be application/json")])
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Problem("media-type", [("Content-Encoding", "compressed bodies are not taken")])
    connection = request.environ.get("gunicorn.socket")
    overdue = threading.Timer(call_time.remaining(), _stop_reading, [connection])
    overdue.start()
    try:
        body = request.get_data(cache=False)
        g.body_read = True
    except HTTPException:
        raise
    except Exception as error:  # what the server raises of a body that breaks off
        raise Problem("late-body" if call_time.remaining() <= 0 else "bad-request") from error
    finally:
        overdue.cancel()
    if call_time.remaining() <= 0:
        raise Problem("late-body")
    if request.content_length is None and len(body) >= running().settings.max_body_bytes:
        raise Problem("too-large")  # of a body in chunks no more than that is read
    return body


def leave_body() -> None:
    """What was refused without reading its body: its rest is awaited for a moment, so that the client reads our answer,
    and then no more, or a client that drips it would hold a thread."""
    connection = request.environ.get("gunicorn.socket")
    if connection is None or request.method not in ("POST", "PUT", "PATCH"):
        return
    overdue = threading.Timer(LEAVE_SECONDS, _stop_reading, [connection])
    overdue.start()
    try:
        request.get_data(cache=False)
    except Exception:  # too large, or broken off
        _stop_reading(connection)
    finally:
        overdue.cancel()


def _stop_reading(connection: socket.socket | None) -> None:
    """A client that drips its body, or sends no more of it, must not hold a thread; it is still answered."""
    if connection is not None:
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RD)
