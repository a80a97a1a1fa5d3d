"""The way of AuditEvents to the hospital: a bounded queue, and one thread that empties it into a server or a file.

No call waits for it and none fails because of it. What does not fit into the queue is counted as lost.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import msgspec
import requests

from cds_server.audit.audit_event import RecordRead, audit_event
from cds_server.operations.log_lines import where_it_failed
from cds_server.operations.metrics import Metrics
from cds_server.outgoing.backend_tokens import BackendTokens

log = logging.getLogger("cds_server")
MOST_WAITING = 1000
SEND_SECONDS = 5.0
_REFUSALS = frozenset({400, 413, 422})  # of what was sent; any other may be the server's, or our token's
PAUSES = (1.0, 2.0, 5.0, 10.0, 30.0)  # after a failure; the event stays the next one


class EventRefusedError(Exception):
    """An AuditEvent that its receiver will never keep, because of what it holds."""


class Receiver(Protocol):
    """A place where an AuditEvent is kept. Raises EventRefusedError, or any other error if it may be kept later."""

    def keep(self, event: bytes) -> None: ...


class AuditFile:
    """A file of NDJSON, to which whoever rotates it may do so at any time."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def keep(self, event: bytes) -> None:
        with self._path.open("ab") as file:
            file.write(event + b"\n")


class AuditServer:
    """A FHIR server, asked with our own token if it has one for us."""

    def __init__(self, base: str, session: requests.Session, tokens: BackendTokens) -> None:
        self._base = base
        self._session = session
        self._tokens = tokens

    def keep(self, event: bytes) -> None:
        headers = {"Content-Type": "application/fhir+json", "Accept": "application/fhir+json"}
        if self._base in self._tokens.accesses:
            token = self._tokens.token(self._base, time.monotonic() + SEND_SECONDS)
            headers["Authorization"] = f"Bearer {token}"
        # the body of the answer is not read: it has no end that we know
        with self._session.post(
            f"{self._base}/AuditEvent", data=event, headers=headers, timeout=SEND_SECONDS, allow_redirects=False,
            stream=True,
        ) as answer:  # fmt: skip
            pass
        if answer.status_code in _REFUSALS:
            raise EventRefusedError(f"status {answer.status_code}")
        if not 200 <= answer.status_code < 300:
            raise requests.HTTPError(f"status {answer.status_code}")


class AuditTrail:
    """The trail of one worker; without a receiver nothing is kept."""

    def __init__(
        self, receiver: Receiver | None, metrics: Metrics, sleep: Callable[[float], object] = time.sleep
    ) -> None:
        self.degraded: str | None = None
        self._receiver = receiver
        self._metrics = metrics
        self._sleep = sleep
        self._waiting: queue.Queue[RecordRead] = queue.Queue(MOST_WAITING)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def add(self, read: RecordRead) -> None:
        """Take a reading of a record, without waiting."""
        if self._receiver is None:
            return
        try:
            self._waiting.put_nowait(read)
        except queue.Full:
            self.degraded = "AuditEvents are lost: too many wait"
            self._metrics.audit_losses.inc()
            return
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._empty, args=(self._receiver,), name="audit", daemon=True)
                self._thread.start()

    def wait(self) -> None:
        """Wait until every event that was taken is kept."""
        self._waiting.join()

    def _empty(self, receiver: Receiver) -> None:
        while True:
            read = self._waiting.get()
            try:
                self._keep(receiver, msgspec.json.encode(audit_event(read)))
                self.degraded = None
            except Exception as error:  # one that is refused, or cannot be written, must not hold up those behind it
                self._say("AuditEvents are lost: they are refused", error)
                self._metrics.audit_losses.inc()
            self._waiting.task_done()

    def _keep(self, receiver: Receiver, event: bytes) -> None:
        """Try to keep an event until it is kept. Raises EventRefusedError."""
        failures = 0
        while not self._is_kept(receiver, event):
            self._sleep(PAUSES[min(failures, len(PAUSES) - 1)])
            failures += 1

    def _is_kept(self, receiver: Receiver, event: bytes) -> bool:
        try:
            receiver.keep(event)
        except EventRefusedError:
            raise
        except Exception as error:  # whatever it is, the event is tried again
            self._say("AuditEvents wait: they cannot be kept now", error)
            return False
        return True

    def _say(self, why: str, error: Exception) -> None:
        if self.degraded is None:
            log.error("an AuditEvent could not be kept", extra={"failed": where_it_failed(error)})
        self.degraded = why
