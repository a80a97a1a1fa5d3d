"""The addresses of the service: discovery, calls, feedback, health, metrics. None redirects, because browsers refuse a
redirect on a preflight."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, Response, jsonify, request
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from cds_server.hooks.audited import audited
from cds_server.hooks.call import answer_call
from cds_server.hooks.checked_caller import checked_caller
from cds_server.hooks.feedback import read_feedback
from cds_server.hooks.hook_request import HookRequest, read_hook_request
from cds_server.hooks.request_body import read_body
from cds_server.hooks.services import SERVICES, Service, discovery_json
from cds_server.operations.call_time import CallTime
from cds_server.operations.metrics import CONTENT_TYPE
from cds_server.problems import Problem, ProblemId
from cds_server.running import Running, running
from cds_server.settings.table import Environment
from cds_server.storage.feedback import FeedbackOutcome, store_feedback
from cds_server.storage.store import StoreUnavailableError
from cds_server.trust.client_trust import Caller

cds = Blueprint("cds", __name__)


@cds.get("/cds-services", strict_slashes=False)
def discover() -> Response:
    here = running()
    with here.places.door():
        checked_caller(here, None, here.call_time())
    return Response(discovery_json(here.sources.rules.terms), mimetype="application/json")


@cds.post("/cds-services/<service_id>", strict_slashes=False)
@cds.post("/cds-services//<service_id>", strict_slashes=False)
def call(service_id: str) -> Response:
    here = running()
    # The time of a call begins when its headers are there. The proxy must bound how long those take; the body is
    # bounded here.
    call_time = here.call_time()
    service = _service(service_id)
    with here.places.door():
        caller = checked_caller(here, service.id, call_time)
    with here.places.of_client(caller.issuer):
        sent = read_hook_request(read_body(call_time), service, here.settings.limits)
        with here.places.of_server(_asked_base(here, sent), caller.issuer), audited(here, sent, caller):
            return jsonify(answer_call(here, service, sent, caller, call_time))


@cds.post("/cds-services/<service_id>/feedback", strict_slashes=False)
@cds.post("/cds-services//<service_id>/feedback", strict_slashes=False)
def feedback(service_id: str) -> Response:
    """Take feedback: each entry stands alone, and every entry that is acknowledged is committed. The answer names by
    index those that were not simply stored."""
    here = running()
    # apart from the token only the log is waited for
    call_time, for_token = here.call_time(log_seconds=here.settings.budget_seconds), here.call_time()
    service = _service(service_id)
    with here.places.door():
        caller = checked_caller(here, service.id, for_token)
    with here.places.of_client(caller.issuer):
        sent = read_feedback(read_body(call_time), here.settings.limits)
        outcome = _stored(here, [*sent.good.values()], caller, service, call_time)
    indexes = tuple(sent.good)
    named = {
        "unmatched": [indexes[n] for n in outcome.unmatched],
        "refused": [indexes[n] for n in outcome.refused],
        "malformed": list(sent.malformed),
    }
    here.metrics.feedback.labels("stored").inc(len(indexes) - len(outcome.unmatched) - len(outcome.refused))
    for what, those in named.items():
        here.metrics.feedback.labels(what).inc(len(those))
    return jsonify({what: those for what, those in named.items() if those})


def _stored(
    here: Running, entries: Sequence[Mapping[str, Any]], caller: Caller, service: Service, call_time: CallTime
) -> FeedbackOutcome:
    """Commit the entries, and return what became of each. Raises Problem `log-unavailable`, also for a card whose
    decision waits in the spool: it is not lost, only not there yet."""
    now = here.clock()
    if here.decisions.is_waiting([entry["card"].lower() for entry in entries]):
        raise Problem(ProblemId.LOG_UNAVAILABLE)

    def store(session: Session) -> FeedbackOutcome:
        return store_feedback(session, entries, caller, service.id, now)

    try:
        with call_time.waiting_for_the_log() as seconds:
            try:
                return here.store.run(store, seconds)
            except IntegrityError:  # the same entry at the same moment: it is there now
                return here.store.run(store, call_time.remaining())
    except (StoreUnavailableError, IntegrityError) as error:
        raise Problem(ProblemId.LOG_UNAVAILABLE) from error


@cds.get("/health/live", strict_slashes=False)
def live() -> Response:
    return jsonify({"status": "live"})


@cds.get("/health/ready", strict_slashes=False)
def ready() -> Response:
    """Ready or degraded, of this worker, and always 200: removing the worker from the load balancer would lose cards
    that it can still serve."""
    here = running()
    here.store.can_write(here.settings.log_seconds)
    keys = here.trust.keys_missing() if here.trust is not None else {}
    parts = {
        "log": here.store.degraded,
        "spool": here.decisions.spool_state(),
        "audit": here.audit.degraded,
        "rules": here.sign_off.state if here.sign_off.shadow_only else None,
        **keys,
    }
    missing = {part: why for part, why in parts.items() if why is not None}
    return jsonify({"status": "degraded" if missing else "ready", **missing, "decisionsLost": here.decisions.lost})


@cds.get("/metrics", strict_slashes=False)
def metrics() -> Response:
    """The page for Prometheus. In production only a caller with the bearer token of the settings sees it."""
    here = running()
    token, given = here.settings.metrics_token, request.headers.get("Authorization", "")
    if token is None and here.settings.environment is Environment.PRODUCTION:
        raise Problem(
            ProblemId.UNTRUSTED, [("Authorization", "metrics are off until CRS_CDS_METRICS_TOKEN is set")], "metrics"
        )
    if token is not None and not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
        raise Problem(ProblemId.UNTRUSTED, [("Authorization", "the metrics need their own Bearer token")], "metrics")
    here.store.can_write(here.settings.log_seconds)
    here.decisions.spool_state()
    return Response(here.metrics.page(), content_type=CONTENT_TYPE)


def _asked_base(here: Running, sent: HookRequest) -> str | None:
    """The FHIR server that a call may ask, by the name that the settings give it."""
    return sent.fhir_server if sent.fhir_server in here.settings.fhir_servers else None


def _service(service_id: str) -> Service:
    service = SERVICES.get(service_id)
    if service is None:
        raise Problem(ProblemId.UNKNOWN_SERVICE)
    return service
