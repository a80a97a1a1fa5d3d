"""One line of JSON for each call, with a request id that the answer and our searches carry too.

A line holds names that this service gave, checked ids, and numbers: nothing of a body, a token, an address or a record.
"""

from __future__ import annotations

import logging
import sys
import traceback
import uuid
from typing import IO, Any

from flask import g, has_request_context, request
from pythonjsonlogger.json import JsonFormatter

from cds_server.operations.spans import TRACE_PARENT, Span, Spans, UnkeptSpans, trace_of

REQUEST_ID = "X-Request-Id"
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


def call_span() -> Span:
    """The span of the present call."""
    if "span" not in g:
        g.span = UnkeptSpans().begin("", trace_of(request.headers.get(TRACE_PARENT, "")))
    span: Span = g.span
    return span


def begin_span(spans: Spans, name: str) -> None:
    """Begin the span of the present call, in the trace of its caller if it names one."""
    g.span = spans.begin(name, trace_of(request.headers.get(TRACE_PARENT, "")))


def ids_for_others() -> dict[str, str]:
    """The headers by which another server's log can be joined to ours."""
    return {REQUEST_ID: request_id(), TRACE_PARENT: str(call_span().trace)}


def log_line() -> dict[str, Any]:
    """The log line of the present call, to which fields may be added."""
    if "log_line" not in g:
        g.log_line = {}
    line: dict[str, Any] = g.log_line
    return line


def _with_request_id(record: logging.LogRecord) -> bool:
    if has_request_context():
        record.requestId = request_id()
        record.traceId = f"{call_span().trace.trace:032x}"
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
