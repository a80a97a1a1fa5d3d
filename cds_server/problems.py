"""Every problem that a client can meet → its status and FHIR OperationOutcome. One table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple


class Kind(NamedTuple):
    status: int
    code: str
    text: str


MOST_ISSUES = 50
PROBLEMS: Mapping[str, Kind] = {
    "not-json": Kind(400, "structure", "The body is not JSON that can be read"),
    "invalid-request": Kind(400, "invalid", "The CDS Hooks request is not valid"),
    "invalid-feedback": Kind(400, "invalid", "The feedback is not valid"),
    "untrusted": Kind(401, "login", "The caller is not trusted"),
    "busy": Kind(503, "throttled", "Too many calls at once; try again"),
    "late-body": Kind(408, "timeout", "The body did not arrive in time"),
    "too-many-entries": Kind(413, "too-long", "The request holds more resources than this service takes"),
    "out-of-time": Kind(503, "transient", "The record is too large to be worked out in the time of a call"),
    "log-unavailable": Kind(503, "transient", "The feedback could not be stored; send it again"),
    "another-patient-sent": Kind(400, "invalid", "The request holds data of another patient"),
    "not-found": Kind(404, "not-found", "There is nothing at this address"),
    "unknown-service": Kind(404, "not-found", "There is no such service"),
    "method": Kind(405, "not-supported", "This address does not take that method"),
    "unreadable-record": Kind(412, "incomplete", "Data that the service cannot do without could not be read"),
    "another-patient-served": Kind(412, "processing", "The FHIR server sent data of another patient"),
    "too-large": Kind(413, "too-long", "The body is larger than this service takes"),
    "media-type": Kind(415, "not-supported", "The body must be plain application/json"),
    "bad-request": Kind(400, "structure", "The request could not be read"),
    "no-demo": Kind(404, "not-found", "There is no FHIR server of a demo here: `make demo` starts one"),
    "desk-request": Kind(400, "invalid", "The order desk cannot do that"),
    "demo-fhir": Kind(502, "transient", "The FHIR server of the demo did not take it; nothing was written"),
    "ahead-of-user": Kind(503, "transient", "The page is made when someone opens it, not before"),
    "launch-incomplete": Kind(400, "invalid", "The address does not say what the EHR should have said"),
    "launch-elsewhere": Kind(403, "forbidden", "The course is not opened from this FHIR server"),
    "launch-not-begun": Kind(400, "expired", "This was not begun in this browser, took too long, or was used before"),
    "launch-denied": Kind(403, "forbidden", "The EHR did not allow access to the record"),
    "launch-failed": Kind(502, "transient", "The EHR could not be asked for access to the record"),
    "in-trial": Kind(403, "suppressed", "This installation is in trial: it shows nothing yet"),
    "session-ended": Kind(403, "expired", "Access to the record has ended, or was never given in this browser"),
    "session-unavailable": Kind(503, "transient", "Access to the record could not be looked up or kept"),
    "internal": Kind(500, "exception", "The service failed; nothing was assessed"),
}


class Problem(Exception):  # noqa: N818 - the name of what a client is told
    """A problem of the table, with the fields it concerns: (field, what is wrong). No value from the request."""

    def __init__(self, name: str, details: Sequence[tuple[str, str]] = (), reason: str = "") -> None:
        """`reason` is a word of ours for the metrics."""
        super().__init__(name)
        self.name = name
        self.kind = PROBLEMS[name]
        self.details = tuple(details)
        self.reason = reason


def operation_outcome(problem: Problem) -> dict[str, Any]:
    """One issue for each field; `diagnostics` names the field and what is wrong with it."""
    kind, details = problem.kind, problem.details[:MOST_ISSUES]
    issue = {"severity": "error", "code": kind.code, "details": {"text": kind.text}}
    issues = [
        {**issue, "diagnostics": f"{field}: {wrong}" if field else wrong, **({"expression": [field]} if field else {})}
        for field, wrong in details
    ]
    return {"resourceType": "OperationOutcome", "issue": issues or [{**issue, "diagnostics": kind.text}]}
