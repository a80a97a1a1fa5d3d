"""The root page: what this is, the services, and the address that a client is given; the API description.

In production it holds nothing that is not in the published source: no address, version, setting, FHIR server or client
of the installation, and no prefetch template, because discovery requires a token there. The visitor has the public
address already, ours may be internal. /health/ready is linked because it is open anyway.
"""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Response, current_app

from cards.pages.decision_page import decision_page
from cds_server.hooks.services import SERVICES
from cds_server.pages import page
from cds_server.problems import Problem, ProblemId
from cds_server.running import running
from cds_server.settings.table import Environment

root = Blueprint("root", __name__)
API_DESCRIPTION = Path(__file__).with_name("openapi.json").read_bytes()
DESK = "order_desk.open_desk"  # the endpoint, where development has joined it


@root.get("/")
def show() -> Response:
    development = _in_development()
    values = {
        "services": SERVICES.values(),
        "development": development,
        "discovery": f"{running().settings.public_url}/cds-services" if development else "/cds-services",
        "desk": DESK if DESK in current_app.view_functions else None,
    }
    return page("root.html", values)


@root.get("/openapi.json")
def openapi() -> Response:
    """The description of every address, the same for every installation (OpenAPI 3.1)."""
    return Response(API_DESCRIPTION, mimetype="application/json")


@root.get("/decision-table")
def decision_table() -> Response:
    """The page that a physician signs, with the rules in force. It exists in development only, because a site's numbers
    are its own."""
    if not _in_development():
        raise Problem(ProblemId.NOT_FOUND)
    rules = running().sources.rules
    return page(
        "decision_table.html",
        {"text": decision_page(rules.thresholds, rules.terms, rules.modes, rules.hash, rules.protocol)},
    )


def _in_development() -> bool:
    return running().settings.environment is Environment.DEVELOPMENT
