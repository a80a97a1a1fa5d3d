"""The WSGI application as it runs, called without a socket: trust off, the decision log off or in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from typing import IO, Any, TypeVar

import msgspec
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import create_environ, run_wsgi_app

from benchmarks.patients import AS_OF
from cds_server.app import create_app
from cds_server.operations.warm_start import warm_start
from cds_server.running import RUNNING_KEY
from cds_server.storage.decision_log import DecisionLog
from cds_server.storage.decisions import Decision
from cds_server.storage.store import Store, StoreUnavailableError

R = TypeVar("R")
SETTINGS = {
    "CRS_CDS_ENV": "development", "CRS_CDS_TIMEZONE": "Asia/Shanghai", "CRS_CDS_DATABASE_URL": "sqlite://",
    # the largest patient is 70 MB, and a busy machine is no fault of the call
    "CRS_CDS_MAX_BODY_MIB": "1024", "CRS_CDS_BUDGET_SECONDS": "120", "CRS_CDS_LOG_MILLISECONDS": "5000",
}  # fmt: skip
CARDS = ("steroid-after-2-toci", "crs-grade")


class NoStore(Store):
    """A database that is off: no time is spent on it."""

    def run(self, work: Callable[[Session], R], seconds: float) -> R:  # noqa: ARG002
        raise StoreUnavailableError


class NoLog(DecisionLog):
    """A decision log that is off: nothing is remembered."""

    def record(self, decision: Decision, seconds: float) -> None:
        pass


class OurService:
    """One worker, as gunicorn runs it."""

    def __init__(self, *, log: bool = False, **environ: str) -> None:
        self.app = create_app(SETTINGS | environ, clock=lambda: AS_OF)
        running = self.app.extensions[RUNNING_KEY]
        if not log:
            off = object.__new__(NoStore)
            off.degraded = None
            self.app.extensions[RUNNING_KEY] = replace(running, store=off, decisions=NoLog(off, running.metrics))
        warm_start(running.sources.rules.terms)

    def answer(self, body: bytes, **headers: str) -> bytes:
        return self.answer_stream(BytesIO(body), len(body), **headers)

    def answer_stream(self, body: IO[bytes], length: int, **headers: str) -> bytes:
        """The answer, as bytes. Raises RuntimeError if the status is not 200."""
        return got(self.app, "/cds-services/crs-patient-view", method="POST", content_type="application/json",
                   input_stream=body, content_length=length, headers=headers)  # fmt: skip


def got(app: Flask, path: str, **request: Any) -> bytes:
    """The body that an application answers, without a socket. Raises RuntimeError if the status is not 200."""
    chunks, status, _ = run_wsgi_app(app, create_environ(path, **request))
    if not status.startswith("200"):
        raise RuntimeError(status)
    return b"".join(chunks)


def cards_of(answer: bytes) -> tuple[str, ...]:
    body: dict[str, Any] = msgspec.json.decode(answer)
    return tuple(card["source"]["topic"]["code"] for card in body["cards"])
