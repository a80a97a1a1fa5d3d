"""The table of every problem that a client can meet, with its status and FHIR OperationOutcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple


class ProblemId(StrEnum):
    """Every problem that a client can meet, by its word in metrics, in the log and in the decision log."""

    NOT_JSON = "not-json"
    INVALID_REQUEST = "invalid-request"
    INVALID_FEEDBACK = "invalid-feedback"
    UNTRUSTED = "untrusted"
    BUSY = "busy"
    LATE_BODY = "late-body"
    TOO_MANY_ENTRIES = "too-many-entries"
    OUT_OF_TIME = "out-of-time"
    LOG_UNAVAILABLE = "log-unavailable"
    ANOTHER_PATIENT_SENT = "another-patient-sent"
    NOT_FOUND = "not-found"
    UNKNOWN_SERVICE = "unknown-service"
    METHOD = "method"
    UNREADABLE_RECORD = "unreadable-record"
    ANOTHER_PATIENT_SERVED = "another-patient-served"
    TOO_LARGE = "too-large"
    MEDIA_TYPE = "media-type"
    BAD_REQUEST = "bad-request"
    NO_DEMO = "no-demo"
    DESK_REQUEST = "desk-request"
    DEMO_FHIR = "demo-fhir"
    AHEAD_OF_USER = "ahead-of-user"
    LAUNCH_INCOMPLETE = "launch-incomplete"
    LAUNCH_ELSEWHERE = "launch-elsewhere"
    LAUNCH_NOT_BEGUN = "launch-not-begun"
    LAUNCH_DENIED = "launch-denied"
    LAUNCH_FAILED = "launch-failed"
    IN_TRIAL = "in-trial"
    SESSION_ENDED = "session-ended"
    SESSION_UNAVAILABLE = "session-unavailable"
    INTERNAL = "internal"


class ProblemKind(NamedTuple):
    """The form in which a client is told of a problem: the HTTP status, the code of FHIR's issue types, and one
    sentence."""

    status: int
    code: str
    text: str


MOST_ISSUES = 50
PROBLEMS: Mapping[ProblemId, ProblemKind] = {
    ProblemId.NOT_JSON: ProblemKind(400, "structure", "The body is not JSON that can be read"),
    ProblemId.INVALID_REQUEST: ProblemKind(400, "invalid", "The CDS Hooks request is not valid"),
    ProblemId.INVALID_FEEDBACK: ProblemKind(400, "invalid", "The feedback is not valid"),
    ProblemId.UNTRUSTED: ProblemKind(401, "login", "The caller is not trusted"),
    ProblemId.BUSY: ProblemKind(503, "throttled", "Too many calls at once; try again"),
    ProblemId.LATE_BODY: ProblemKind(408, "timeout", "The body did not arrive in time"),
    ProblemId.TOO_MANY_ENTRIES: ProblemKind(
        413, "too-long", "The request holds more resources than this service takes"
    ),
    ProblemId.OUT_OF_TIME: ProblemKind(
        503, "transient", "The record is too large to be worked out in the time of a call"
    ),
    ProblemId.LOG_UNAVAILABLE: ProblemKind(503, "transient", "The feedback could not be stored; send it again"),
    ProblemId.ANOTHER_PATIENT_SENT: ProblemKind(400, "invalid", "The request holds data of another patient"),
    ProblemId.NOT_FOUND: ProblemKind(404, "not-found", "There is nothing at this address"),
    ProblemId.UNKNOWN_SERVICE: ProblemKind(404, "not-found", "There is no such service"),
    ProblemId.METHOD: ProblemKind(405, "not-supported", "This address does not take that method"),
    ProblemId.UNREADABLE_RECORD: ProblemKind(
        412, "incomplete", "Data that the service cannot do without could not be read"
    ),
    ProblemId.ANOTHER_PATIENT_SERVED: ProblemKind(412, "processing", "The FHIR server sent data of another patient"),
    ProblemId.TOO_LARGE: ProblemKind(413, "too-long", "The body is larger than this service takes"),
    ProblemId.MEDIA_TYPE: ProblemKind(415, "not-supported", "The body must be plain application/json"),
    ProblemId.BAD_REQUEST: ProblemKind(400, "structure", "The request could not be read"),
    ProblemId.NO_DEMO: ProblemKind(404, "not-found", "There is no FHIR server of a demo here: `make demo` starts one"),
    ProblemId.DESK_REQUEST: ProblemKind(400, "invalid", "The order desk cannot do that"),
    ProblemId.DEMO_FHIR: ProblemKind(
        502, "transient", "The FHIR server of the demo did not take it; nothing was written"
    ),
    ProblemId.AHEAD_OF_USER: ProblemKind(503, "transient", "The page is made when someone opens it, not before"),
    ProblemId.LAUNCH_INCOMPLETE: ProblemKind(400, "invalid", "The address does not say what the EHR should have said"),
    ProblemId.LAUNCH_ELSEWHERE: ProblemKind(403, "forbidden", "The course is not opened from this FHIR server"),
    ProblemId.LAUNCH_NOT_BEGUN: ProblemKind(
        400, "expired", "This was not begun in this browser, took too long, or was used before"
    ),
    ProblemId.LAUNCH_DENIED: ProblemKind(403, "forbidden", "The EHR did not allow access to the record"),
    ProblemId.LAUNCH_FAILED: ProblemKind(502, "transient", "The EHR could not be asked for access to the record"),
    ProblemId.IN_TRIAL: ProblemKind(403, "suppressed", "This installation is in trial: it shows nothing yet"),
    ProblemId.SESSION_ENDED: ProblemKind(
        403, "expired", "Access to the record has ended, or was never given in this browser"
    ),
    ProblemId.SESSION_UNAVAILABLE: ProblemKind(503, "transient", "Access to the record could not be looked up or kept"),
    ProblemId.INTERNAL: ProblemKind(500, "exception", "The service failed; nothing was assessed"),
}


class Problem(Exception):  # noqa: N818 - the name of what a client is told
    """A problem of the table, with the fields that it concerns: (field, what is wrong). It holds no value from the
    request."""

    def __init__(self, problem: ProblemId, details: Sequence[tuple[str, str]] = (), reason: str = "") -> None:
        """`reason` is a word of ours for the metrics."""
        super().__init__(problem)
        self.id = problem
        self.kind = PROBLEMS[problem]
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
