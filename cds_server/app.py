"""create_app: settings, sources, routes, and what a client sees when something goes wrong."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests
from flask import Flask, Response, g, jsonify, request
from flask_cors import CORS
from werkzeug.exceptions import HTTPException

from cds_server.course_page.routes import course_page, demo_course
from cds_server.hooks.client_profile import order_codings
from cds_server.hooks.log_entry import VERSION
from cds_server.hooks.routes import cds, leave_body
from cds_server.hooks.services import SERVICES
from cds_server.limits import SettingsError
from cds_server.operations.log_lines import REQUEST_ID, log_line, request_id, where_it_failed
from cds_server.operations.metrics import Metrics
from cds_server.outgoing.backend_tokens import BackendTokens
from cds_server.outgoing.bounded_http import Network, pooled_session
from cds_server.pages import kept, pages
from cds_server.problems import Problem, operation_outcome
from cds_server.record.medication_memory import MedicationMemory
from cds_server.record.patient_record import Sources
from cds_server.root_page import root
from cds_server.running import EXTENSION_KEY, Running, Smart, note_problem, running
from cds_server.settings.reading import settings_from
from cds_server.settings.table import Environment, Settings
from cds_server.site_rules import site_rules
from cds_server.smart_app.routes import smart as smart_app
from cds_server.storage.database import engine_for
from cds_server.storage.pseudonyms import Pseudonyms
from cds_server.storage.smart_sessions import SmartSessions
from cds_server.storage.store import Store
from cds_server.storage.used_tokens import UsedTokens
from cds_server.trust.client_trust import ClientTrust
from cds_server.trust.clients import Trusted, trusted_from
from cds_server.trust.jwk_set import check_key_files
from cds_server.trust.key_sets import KeySets
from cds_server.trust.smart_registration import smart_servers

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

log = logging.getLogger("cds_server")
SEARCHES_AT_ONCE = 48  # under way to one server
SMART_PAGES_AT_ONCE = 4  # of the threads that gunicorn has beside those of calls: pages cost no one a card

_FILES = frozenset(f"{blueprint.name}.static" for blueprint in (pages, course_page))  # the endpoints of what pages load
_QUIET = frozenset({"live", "ready", "metrics", *_FILES})  # asked all day long
_HTTP_PROBLEMS: Mapping[int, str] = {404: "not-found", 405: "method", 413: "too-large", 415: "media-type"}


def create_app(
    environ: Mapping[str, str] | None = None, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> Flask:
    """The WSGI application. Raises SettingsError when a setting cannot be used."""
    settings = settings_from(os.environ if environ is None else environ)
    check_services(settings)
    app = Flask("cds_server", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.url_map.merge_slashes = False
    rules = site_rules(settings.thresholds_file, settings.value_sets_folder)
    metrics, network = Metrics(VERSION, rules.hash, tuple(SERVICES)), _network(settings)
    trusted, outside = _trusted(settings), pooled_session(4, network)
    sources = Sources(
        session=pooled_session(SEARCHES_AT_ONCE, network),
        executors={
            base: ThreadPoolExecutor(SEARCHES_AT_ONCE, thread_name_prefix="fhir") for base in settings.fhir_servers
        },
        medications=MedicationMemory(),
        rules=rules,
        zone=settings.zone,
        lookup=settings.course_lookup,
        limits=settings.limits,
        metrics=metrics,
        backend=BackendTokens(trusted.backends if trusted is not None else {}, outside),
    )
    trust = ClientTrust(trusted.clients, KeySets(outside)) if trusted is not None else None
    store = Store(engine_for(settings.database_url), metrics)
    # urllib3 logs the whole address, with the patient's id, when a server's headers are malformed
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    app.extensions[EXTENSION_KEY] = Running(
        settings, sources, clock, trust, store, UsedTokens(store, metrics), Pseudonyms(settings.pseudonym_key),
        threading.BoundedSemaphore(settings.max_calls), metrics, order_codings(settings.orders_file, rules.terms),
        _smart(settings, trusted, store, outside),
    )  # fmt: skip
    app.wsgi_app = _below(urlsplit(settings.public_url).path, app.wsgi_app)  # type: ignore[assignment,method-assign]
    app.before_request(_begin)
    app.register_blueprint(cds)
    app.register_blueprint(pages)
    app.register_blueprint(course_page)
    app.register_blueprint(root)
    if settings.environment is Environment.DEVELOPMENT:
        app.register_blueprint(demo_course)
    if settings.smart_file is not None:
        app.register_blueprint(smart_app)
    app.register_error_handler(Problem, _problem)
    app.register_error_handler(HTTPException, _http_problem)
    app.register_error_handler(Exception, _failure)
    app.after_request(_finish)
    CORS(app, resources=r"/cds-services.*", origins=list(settings.cors_origins), methods=["GET", "POST", "OPTIONS"],
         allow_headers=["Authorization", "Content-Type"], max_age=600, vary_header=True)  # fmt: skip
    return app


def _below(path: str, app: WSGIApplication) -> WSGIApplication:
    """The application at a path of the public address, which the proxy takes away: the links of pages need it."""

    def called(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return app({**environ, "SCRIPT_NAME": path}, start_response)

    return called if path else app


def check_services(settings: Settings) -> None:
    """Raises SettingsError where a service is named that there is not."""
    unknown = min(settings.shadow_services - set(SERVICES), default=None)
    if unknown is not None:
        raise SettingsError(f"CRS_CDS_SHADOW_SERVICES: {unknown} is no service of this server.")


def _trusted(settings: Settings) -> Trusted | None:
    if settings.clients_file is None:
        return None
    trusted = trusted_from(settings.clients_file, SERVICES, allow_http=settings.allow_http)
    check_key_files(trusted.clients)
    return trusted


def _smart(settings: Settings, trusted: Trusted | None, store: Store, outside: requests.Session) -> Smart | None:
    if settings.smart_file is None:
        return None
    servers = smart_servers(settings, trusted.clients if trusted is not None else None)
    sessions = SmartSessions(store, settings.session_keys)
    return Smart(servers, sessions, outside, threading.BoundedSemaphore(SMART_PAGES_AT_ONCE))


def _network(settings: Settings) -> Network:
    return Network(settings.ca_bundle, settings.https_proxy, settings.client_cert)


def _begin() -> None:
    g.began = time.monotonic()


def _finish(response: Response) -> Response:
    """Headers of every answer, and what is counted and logged of it."""
    is_file = request.endpoint in _FILES and response.status_code in (200, 206, 304)
    response.headers["Cache-Control"] = kept((request.view_args or {})["filename"]) if is_file else "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers[REQUEST_ID] = request_id()
    if not g.get("body_read"):
        leave_body()
    address = (request.endpoint or "none").removeprefix("cds.")
    service = (request.view_args or {}).get("service_id")
    if service is not None:
        address += f" {service}" if service in SERVICES else " unknown"
    seconds = time.monotonic() - g.began
    metrics = running().metrics
    metrics.calls.labels(address, str(response.status_code)).inc()
    metrics.seconds.labels(address).observe(seconds)
    line = {"address": address, "status": response.status_code, "milliseconds": int(seconds * 1000), **log_line()}
    level = logging.DEBUG if address in _QUIET and response.status_code == 200 else logging.INFO
    log.log(level, "answered", extra=line)
    return response


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
    response = _problem(Problem(_HTTP_PROBLEMS.get(error.code or 500, "bad-request")))
    response.status_code = error.code or 500
    if error.code == 405:
        allowed = getattr(error, "valid_methods", None)
        if allowed:
            response.headers["Allow"] = ", ".join(allowed)
    return response


def _failure(error: Exception) -> Response:
    log.error("a call failed", extra={"failed": where_it_failed(error)})
    return _problem(Problem("internal"))
