"""The one way out: what an answer of HTTP becomes, and which error tells why there is none."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from unittest.mock import patch

import pytest
import requests
import responses
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SpanExportResult

from cds_server.app import create_app
from cds_server.audit.audit_trail import AuditServer
from cds_server.operations.otlp import otlp_exporter
from cds_server.outgoing.backend_tokens import BackendTokens
from cds_server.outgoing.bounded_http import (
    Answer,
    FetchError,
    LateError,
    TooLargeError,
    UnreachableError,
    fetch,
    fresh_session,
    pooled_session,
    unread_session,
)

URL = "https://fhir.example/r4/Patient/p"
MOST = 10


def fetched(seconds: float = 5.0) -> Answer:
    with pooled_session(1) as session:
        return fetch(session, "GET", URL, seconds=seconds, most_bytes=MOST, headers={"Accept": "application/json"})


ANSWERS = [
    ({"body": b"0123456789"}, Answer(200, {}, b"0123456789"), "a body of just the most that is taken"),
    ({"body": b"0123456789", "status": 404}, Answer(404, {}), "the body of a refusal is not read"),
    ({"status": 302, "headers": {"Location": "/x"}}, Answer(302, {}), "a redirect is an answer, and not followed"),
    ({"body": b"", "status": 200}, Answer(200, {}), "an empty body"),
]


@pytest.mark.parametrize(("answer", "wanted", "because"), ANSWERS, ids=[row[2] for row in ANSWERS])
def test_what_an_answer_becomes(answer: dict[str, Any], wanted: Answer, because: str) -> None:
    with responses.RequestsMock() as wire:
        wire.get(URL, **answer)
        found = fetched()
    assert (found.status, found.body) == (wanted.status, wanted.body), because


ERRORS = [
    ({"body": b"01234567890"}, 5.0, TooLargeError, "one byte more than is taken"),
    ({"body": requests.ConnectTimeout()}, 5.0, LateError, "no connection in time"),
    ({"body": requests.ReadTimeout()}, 5.0, LateError, "no answer in time"),
    ({"body": requests.ConnectionError()}, 5.0, UnreachableError, "no connection"),
    ({"body": requests.exceptions.InvalidHeader()}, 5.0, UnreachableError, "something else than HTTP"),
    ({"body": b""}, 0.0, LateError, "no time is left to ask"),
]


@pytest.mark.parametrize(("answer", "seconds", "error", "because"), ERRORS, ids=[row[3] for row in ERRORS])
def test_why_there_is_no_answer(answer: dict[str, Any], seconds: float, error: type[FetchError], because: str) -> None:
    with responses.RequestsMock(assert_all_requests_are_fired=seconds > 0) as wire:
        wire.get(URL, **answer)
        with pytest.raises(FetchError) as caught:
            fetched(seconds)
    assert type(caught.value) is error, because


def test_a_fresh_session_leaves_the_network_as_the_other_does() -> None:
    with pooled_session() as shared:
        shared.verify, shared.cert, shared.proxies = "ca.pem", "client.pem", {"https": "http://proxy.example:3128"}
        with fresh_session(shared) as fresh:
            assert (fresh.verify, fresh.cert, fresh.proxies) == (shared.verify, shared.cert, shared.proxies)


@contextmanager
def endless_server() -> Iterator[tuple[str, list[int]]]:
    """A server that takes everything and answers without an end, with the bytes that it could send."""
    sent: list[int] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()
            with suppress(OSError):
                while sum(sent) < MOST_SENT:
                    sent.append(self.wfile.write(b"x" * 65_536))

        def log_message(self, *args: Any) -> None:
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", sent
        server.shutdown()


MOST_SENT, BUFFERS = 200 * 2**20, 20 * 2**20  # what the system holds of a body that nobody reads


def audited(base: str) -> None:
    AuditServer(base, unread_session(), BackendTokens({}, pooled_session(1))).keep(b"{}")


def exported(base: str) -> None:
    span = TracerProvider().get_tracer("").start_span("call")
    span.end()
    found = otlp_exporter(base, unread_session(), None, None).export([span])  # type: ignore[list-item]
    assert found is SpanExportResult.SUCCESS


@pytest.mark.parametrize("told", [audited, exported])
def test_an_answer_without_end_to_what_is_told_is_not_read(told: Callable[[str], None]) -> None:
    with endless_server() as (base, sent):
        told(base)
    assert sum(sent) < BUFFERS


def test_the_service_tells_others_by_sessions_that_read_nothing() -> None:
    settings = {"CRS_CDS_ENV": "development", "CRS_CDS_DATABASE_URL": "sqlite://", "CRS_CDS_ALLOW_HTTP": "1"}
    told = {"CRS_CDS_AUDIT_FHIR": "https://audit.example/r4", "CRS_CDS_OTLP": "http://127.0.0.1:1"}
    with patch("cds_server.app.unread_session", wraps=unread_session) as made:
        create_app(settings | told)
    assert made.call_count == 2
