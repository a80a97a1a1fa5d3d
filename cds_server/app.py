"""create_app: settings, sources, routes, and what a client sees when something goes wrong."""

from __future__ import annotations

import logging
import os
import threading
import traceback
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from flask import Flask, Response, jsonify
from flask_cors import CORS
from werkzeug.exceptions import HTTPException

from cds_server.catalogue import SERVICES
from cds_server.client_trust import ClientTrust
from cds_server.clients import clients_from
from cds_server.database import engine_for
from cds_server.decision_log import DecisionLog, Pseudonyms
from cds_server.fhir_client import Network, pooled_session
from cds_server.key_sets import KeySets, check_key_files
from cds_server.medication_memory import MedicationMemory
from cds_server.patient_record import Sources
from cds_server.problems import Problem, operation_outcome
from cds_server.routes import cds
from cds_server.running import EXTENSION_KEY, Running
from cds_server.settings import Settings, settings_from
from cds_server.site_rules import site_rules

log = logging.getLogger("cds_server")
SEARCHES_AT_ONCE = 48  # under way to one server

_HTTP_PROBLEMS: Mapping[int, str] = {404: "not-found", 405: "method", 413: "too-large", 415: "media-type"}


def create_app(
    environ: Mapping[str, str] | None = None, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> Flask:
    """The WSGI application. Raises SettingsError when a setting cannot be used."""
    settings = settings_from(os.environ if environ is None else environ)
    app = Flask("cds_server", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.url_map.merge_slashes = False
    sources = Sources(
        session=pooled_session(SEARCHES_AT_ONCE, _network(settings)),
        executors={
            base: ThreadPoolExecutor(SEARCHES_AT_ONCE, thread_name_prefix="fhir") for base in settings.fhir_servers
        },
        medications=MedicationMemory(),
        rules=site_rules(settings.thresholds_file, settings.value_sets_folder),
        zone=settings.zone,
        lookup=settings.course_lookup,
    )
    # urllib3 logs the whole address, with the patient's id, when a server's headers are malformed
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    decision_log = DecisionLog(engine_for(settings.database_url), settings.log_seconds)
    pseudonyms, slots = Pseudonyms(settings.pseudonym_key), threading.BoundedSemaphore(settings.max_calls)
    app.extensions[EXTENSION_KEY] = Running(settings, sources, clock, _trust(settings), decision_log, pseudonyms, slots)
    app.register_blueprint(cds)
    app.register_error_handler(Problem, _problem)
    app.register_error_handler(HTTPException, _http_problem)
    app.register_error_handler(Exception, _failure)
    app.after_request(_never_stored)
    CORS(app, origins=list(settings.cors_origins), methods=["GET", "POST", "OPTIONS"],
         allow_headers=["Authorization", "Content-Type"], max_age=600, vary_header=True)  # fmt: skip
    return app


def _trust(settings: Settings) -> ClientTrust | None:
    if settings.clients_file is None:
        return None
    clients = clients_from(settings.clients_file, SERVICES, allow_http=settings.allow_http)
    check_key_files(clients)
    return ClientTrust(clients, KeySets(pooled_session(4, _network(settings))))


def _network(settings: Settings) -> Network:
    return Network(settings.ca_bundle, settings.https_proxy, settings.client_cert)


def _never_stored(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response


def _problem(problem: Problem) -> Response:
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
    """Where it failed goes to the log: types and lines, never a message, which may hold patient data."""
    frames = traceback.extract_tb(error.__traceback__)
    where = " < ".join(f"{f.name} ({f.filename.rsplit('/', 1)[-1]}:{f.lineno})" for f in reversed(frames[-6:]))
    log.error("a call failed: %s at %s", type(error).__name__, where)
    return _problem(Problem("internal"))
