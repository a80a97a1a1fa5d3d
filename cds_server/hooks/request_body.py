"""The body of a request, read only while there is time for it, so that a slow client cannot hold a thread.

The time of a call begins with its headers; the server before us bounds how long those take.
"""

from __future__ import annotations

from flask import g, request
from werkzeug.exceptions import HTTPException

from cds_server.hooks.overdue import Overdue, stop_reading
from cds_server.operations.call_time import CallTime
from cds_server.problems import Problem, ProblemId
from cds_server.running import running

LEAVE_SECONDS = 0.5
LARGE = "large calls"  # what had no room, in the counts of calls that were refused
_overdue = Overdue()


def read_body(call_time: CallTime) -> bytes:
    """The body, read while the call has time for it. Raises Problem."""
    if request.mimetype != "application/json":
        raise Problem(ProblemId.MEDIA_TYPE, [("Content-Type", "must be application/json")])
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Problem(ProblemId.MEDIA_TYPE, [("Content-Encoding", "must be identity: compressed bodies are not taken")])
    body = _received(call_time)
    if call_time.remaining() <= 0:
        raise Problem(ProblemId.LATE_BODY)
    _hold(body, call_time)
    if request.content_length is None and len(body) >= running().settings.max_body_bytes:
        raise Problem(ProblemId.TOO_LARGE)  # no more than that is read of a body in chunks
    return body


def _hold(body: bytes, call_time: CallTime) -> None:
    """Count the body among what all calls of the worker hold. Raises Problem `busy` if they leave no room in time."""
    here = running()
    if not here.held_bytes().take(len(body), call_time.reading_ends):
        here.metrics.busy.labels("", LARGE).inc()
        raise Problem(ProblemId.BUSY, [], LARGE)


def _received(call_time: CallTime) -> bytes:
    """Everything that the client sends. Raises Problem if it is late or breaks off."""
    connection = request.environ.get("gunicorn.socket")
    try:
        with _overdue.after(call_time.remaining(), connection):
            body = request.get_data(cache=False)
    except HTTPException:
        raise
    except Exception as error:  # whatever the server raises when a body breaks off
        raise Problem(ProblemId.LATE_BODY if call_time.remaining() <= 0 else ProblemId.BAD_REQUEST) from error
    g.body_read = True
    return body


def leave_body() -> None:
    """Drain an unread request body for at most LEAVE_SECONDS so the client sees our response, then stop reading so a
    slow client cannot hold the thread."""
    connection = request.environ.get("gunicorn.socket")
    if connection is None or g.get("body_read") or request.method not in ("POST", "PUT", "PATCH"):
        return
    try:
        with _overdue.after(LEAVE_SECONDS, connection):
            request.get_data(cache=False)
    except Exception:  # too large, or broken off
        stop_reading(connection)
