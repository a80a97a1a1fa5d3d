"""The addresses of the service: discovery and calls. Nothing redirects: browsers refuse that on a preflight."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, Response, current_app, jsonify, request

from cds_server.advise import advise
from cds_server.catalogue import SERVICES, discovery
from cds_server.hook_request import read_hook_request
from cds_server.patient_record import Sources
from cds_server.problems import Problem
from cds_server.settings import Settings

cds = Blueprint("cds", __name__)
EXTENSION_KEY = "crs-cds"


@dataclass(frozen=True)
class Running:
    """What the routes need: settings, sources of data, and the clock that says what "now" is."""

    settings: Settings
    sources: Sources
    clock: Callable[[], datetime]


def running() -> Running:
    found = current_app.extensions[EXTENSION_KEY]
    if not isinstance(found, Running):
        raise TypeError("the app was not made by create_app")
    return found


@cds.get("/cds-services", strict_slashes=False)
def discover() -> Response:
    return jsonify(discovery(running().sources.rules.terms))


@cds.post("/cds-services/<service_id>", strict_slashes=False)
@cds.post("/cds-services//<service_id>", strict_slashes=False)
def call(service_id: str) -> Response:
    started = time.monotonic()
    here = running()
    service = SERVICES.get(service_id)
    if service is None:
        raise Problem("unknown-service")
    hook_request = read_hook_request(_body(), service.hook)
    deadline = started + here.settings.budget_seconds
    answer = advise(hook_request, here.sources, here.clock(), deadline, here.settings.public_url)
    return jsonify(answer)


def _body() -> bytes:
    if request.mimetype != "application/json":
        raise Problem("media-type", [("Content-Type", "must be application/json")])
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Problem("media-type", [("Content-Encoding", "compressed bodies are not taken")])
    return request.get_data(cache=False)
