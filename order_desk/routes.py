"""The addresses of the desk: its page, the stories, and the two writes to the FHIR server that the demo started.

It writes to the FHIR server that make demo started and to no other (CRS_CDS_DEMO_FHIR), and only to patients
crs-cds-example-desk-… of its own: those that are seeded for other clients keep their moment.

Both writes are PUT. Our CORS answers do not allow that method, so no page of another origin can send them. They are
taken at our own name only, because the browser would count a page as ours if its name had been made to mean this
machine.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from typing import Any
from urllib.parse import urlsplit

import requests
from flask import Blueprint, Response, g, jsonify, request

from cds_server.outgoing.base_url import LOOPBACK
from cds_server.pages import page
from cds_server.problems import Problem, ProblemId
from cds_server.running import running
from example_patients.client.http_calls import NoAnswerError, session_with
from example_patients.stories.stories import STORIES, Story
from order_desk.shown import SHOWN, order_templates
from order_desk.story_clock import Moment, desk_patient, is_in, last_day, moments, record_at
from order_desk.story_patient import ORDERS, signed, write_anew, write_orders

desk = Blueprint("order_desk", __name__, template_folder="templates", static_folder="static",
                 static_url_path="/demo/static")  # fmt: skip
MOST_ORDERS = 50


@desk.before_request
def _at_our_own_name() -> None:
    """Refuse a write that was addressed to another name. Raises Problem."""
    ours = {*LOOPBACK, urlsplit(running().settings.public_url).hostname}
    if request.method == "PUT" and urlsplit(f"//{request.host}").hostname not in ours:
        raise Problem(ProblemId.DESK_REQUEST, [("Host", "must be this machine, or the host of CRS_CDS_PUBLIC_URL")])


@desk.get("/demo", strict_slashes=False)
def open_desk() -> Response:
    """The page. If the demo runs no FHIR server, it says how to start one."""
    base = running().settings.demo_fhir
    parts = urlsplit(base or "")
    return page("order_desk.html", {"fhir": base}, connect=[f"{parts.scheme}://{parts.netloc}"] if base else [])


@desk.get("/demo/stories")
def stories() -> Response:
    """The data of the page: the FHIR server, the zone, and each story with its moments and orders."""
    return jsonify({"fhirServer": _demo_fhir(), "zone": str(_zone()), "stories": [_told(story) for story in STORIES]})


@desk.put("/demo/stories/<story_id>/clock")
def move_clock(story_id: str) -> Response:
    """Write the patient anew so that the moment `{"day": 5, "clock": "10:00"}` is now."""
    story, asked = _story(story_id), _asked()
    moment: Moment = (asked.get("day", 0), asked.get("clock", ""))
    if not isinstance(moment[0], int) or not isinstance(moment[1], str) or not is_in(story, moment):
        raise Problem(ProblemId.DESK_REQUEST, [("day, clock", f"day 1 to {last_day(story)}, and a time such as 09:30")])
    now = _now()
    record = record_at(story, moment, now.replace(second=0, microsecond=0), _zone())
    _write(lambda base, session: write_anew(base, session, record))
    return jsonify({"patientId": desk_patient(story), "now": now.isoformat()})


@desk.put("/demo/stories/<story_id>/orders")
def sign(story_id: str) -> Response:
    """Make the drafts of `{"orders": [draft, …]}` active orders of the desk's patient."""
    story, drafts = _story(story_id), _asked().get("orders")
    if not isinstance(drafts, list) or not 0 < len(drafts) <= MOST_ORDERS:
        raise Problem(ProblemId.DESK_REQUEST, [("orders", f"must be a list of 1 to {MOST_ORDERS} drafts")])
    if not all(isinstance(draft, dict) and str(draft.get("resourceType")) in ORDERS for draft in drafts):
        raise Problem(ProblemId.DESK_REQUEST, [("orders", f"each must be one of {', '.join(sorted(ORDERS))}")])
    orders = [signed(draft, desk_patient(story), _now()) for draft in drafts]
    _write(lambda base, session: write_orders(base, session, orders))
    return jsonify({"signed": len(orders)})


def _told(story: Story) -> dict[str, Any]:
    shown = SHOWN[story.id]
    return {
        "id": story.id,
        "title": story.title,
        "line": shown.line,
        "patientId": desk_patient(story),
        "scenes": [_as_json(scene.call) for scene in story.scenes],
        "moments": [_as_json(moment) for moment in moments(story)],
        "lastDay": last_day(story),
        "orders": [
            {"label": label, "draft": draft}
            for label, draft in order_templates(desk_patient(story), shown.tocilizumab_mg).items()
        ],
    }


def _as_json(moment: Moment) -> dict[str, Any]:
    return {"day": moment[0], "clock": moment[1]}


def _story(story_id: str) -> Story:
    found = next((story for story in STORIES if story.id == story_id), None)
    if found is None:
        raise Problem(ProblemId.NOT_FOUND)
    return found


def _asked() -> dict[str, Any]:
    found = request.get_json(silent=True)
    g.body_read = True
    if not isinstance(found, dict):
        raise Problem(ProblemId.DESK_REQUEST, [("body", "must be a JSON object")])
    return found


def _demo_fhir() -> str:
    base = running().settings.demo_fhir
    if base is None:
        raise Problem(ProblemId.NO_DEMO)
    return base


def _write(what: Callable[[str, requests.Session], None]) -> None:
    base = _demo_fhir()
    try:
        with session_with(lambda _: None) as session:
            what(base, session)
    except NoAnswerError as error:
        raise Problem(ProblemId.DEMO_FHIR) from error


def _now() -> datetime:
    return running().clock()


def _zone() -> tzinfo:
    return running().settings.zone or UTC
