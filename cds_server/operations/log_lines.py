"""One line of JSON for each call, with a request id that the answer and our searches carry too.

A line holds names that this service gave, checked ids, and numbers: nothing of a body, a token, an address or a record.
"""

from __future__ import annotations

import logging
import re
import secrets
import sys
import traceback
import uuid
from typing import IO, Any

from flask import g, has_request_context, request
from pythonjsonlogger.json import JsonFormatter

REQUEST_ID = "X-Request-Id"
TRACE_PARENT = "traceparent"
# an id of zeros alone is none
_TRACE_PARENT = re.compile(r"00-(?!0{32})(?P<trace>[0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-(?P<flags>[0-9a-f]{2})")
_OURS = ("cds_server", "gunicorn.error")


def configure_logging(stream: IO[str] | None = None) -> None:
    """Write our lines, and those of gunicorn, as JSON on standard error."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        JsonFormatter(
            "{asctime}{levelname}{name}{message}", style="{",
            rename_fields={"asctime": "at", "levelname": "level", "name": "logger", "message": "event"},
            datefmt="%Y-%m-%dT%H:%M:%S%z",
        )
    )  # fmt: skip
    handler.addFilter(_with_request_id)
    handler.addFilter(_without_quotations)
    for name in _OURS:
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.setLevel(logging.INFO)
        logger.propagate = False


def request_id() -> str:
    """The id of the present call: the caller's if it is a UUID, otherwise one of ours."""
    # any text that is not a UUID could be a patient's
    if "request_id" not in g:
        try:
            g.request_id = str(uuid.UUID(request.headers.get(REQUEST_ID, "")))
        except ValueError:
            g.request_id = str(uuid.uuid4())
    return str(g.request_id)


def trace_parent() -> str:
    """The `traceparent` (W3C Trace Context) of what this call asks of others: the trace of the caller, or one of ours,
    and a span of ours in it."""
    if "trace_parent" not in g:
        theirs = _TRACE_PARENT.fullmatch(request.headers.get(TRACE_PARENT, ""))
        trace = theirs["trace"] if theirs is not None else secrets.token_hex(16)
        is_sampled = theirs is not None and int(theirs["flags"], 16) & 1
        g.trace_parent = f"00-{trace}-{secrets.token_hex(8)}-{'01' if is_sampled else '00'}"
    return str(g.trace_parent)


def ids_for_others() -> dict[str, str]:
    """The headers by which another server's log can be joined to ours."""
    return {REQUEST_ID: request_id(), TRACE_PARENT: trace_parent()}


def log_line() -> dict[str, Any]:
    """The log line of the present call, to which fields may be added."""
    if "log_line" not in g:
        g.log_line = {}
    line: dict[str, Any] = g.log_line
    return line


def _with_request_id(record: logging.LogRecord) -> bool:
    if has_request_context():
        record.requestId = request_id()
        record.traceId = trace_parent().split("-")[1]
    return True


def where_it_failed(error: BaseException) -> str:
    """The type and lines of a failure, innermost first; never its message, which may hold patient data."""
    frames = traceback.extract_tb(error.__traceback__)
    where = " < ".join(f"{f.name} ({f.filename.rsplit('/', 1)[-1]}:{f.lineno})" for f in reversed(frames[-6:]))
    return f"{type(error).__name__} at {where}"


def _without_quotations(record: logging.LogRecord) -> bool:
    """Strip the quotations of a record: gunicorn quotes the line or header that it could not read, and a traceback
    quotes values."""
    if record.name == "gunicorn.error":
        for begins in ("Invalid request", "Error handling request"):
            if record.getMessage().startswith(begins):
                record.msg, record.args = begins, ()
    if record.exc_info and record.exc_info[1] is not None:
        record.failed = where_it_failed(record.exc_info[1])
    record.exc_info = record.exc_text = record.stack_info = None
    return True
