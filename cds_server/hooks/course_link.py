"""The link from a card to the course of its patient."""

from __future__ import annotations

from collections.abc import Mapping

from cds_server.record.record_request import RecordRequest
from cds_server.running import Running

LABEL = "The course as a picture"


def course_link(here: Running, request: RecordRequest, decision_id: str) -> Mapping[str, str] | None:
    """The link of the cards that show evidence; None if the app is not set up for the call's FHIR server."""
    if here.smart is None or not request.may_call or request.fhir_base not in here.smart.servers:
        return None
    url = f"{here.settings.public_url}/smart/launch"
    return {"label": LABEL, "url": url, "type": "smart", "appContext": decision_id}
