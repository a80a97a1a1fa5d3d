"""create_app: settings, sources, routes, and what a client sees when something goes wrong."""

from __future__ import annotations

import logging
import os
import traceback
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from flask import Flask, Response, jsonify
from flask_cors import CORS
from werkzeug.exceptions import HTTPException

from cds_server.fhir_client import pooled_session
from cds_server.medication_memory import MedicationMemory
from cds_server.patient_record import Sources
from cds_server.problems import Problem, operation_outcome
from cds_server.routes import EXTENSION_KEY, Running, cds
from cds_server.settings import settings_from
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
        session=pooled_session(SEARCHES_AT_ONCE),
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
    app.extensions[EXTENSION_KEY] = Running(settings, sources, clock)
    app.register_blueprint(cds)
    app.register_error_handler(Problem, _problem)
    app.register_error_handler(HTTPException, _http_problem)
    app.register_error_handler(Exception, _failure)
    app.after_request(_never_stored)
    CORS(app, origins=list(settings.cors_origins), methods=["GET", "POST", "OPTIONS"],
         allow_headers=["Authorization", "Content-Type"], max_age=600, vary_header=True)  # fmt: skip
    return app


def _never_stored(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response


def _problem(problem: Problem) -> Response:
    response = jsonify(operation_outcome(problem))
    response.status_code = problem.kind.status
    response.mimetype = "application/fhir+json"
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
