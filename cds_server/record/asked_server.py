"""The FHIR server that one call may ask, with threads that serve this server alone."""

from __future__ import annotations

import time
from concurrent.futures import Executor, Future
from dataclasses import dataclass

from cds_server.outgoing.fhir_client import FhirServer
from cds_server.outgoing.read_outcome import ReadOutcome
from cds_server.outgoing.search_requests import Search
from cds_server.record.scopes import permits


@dataclass(frozen=True)
class AskedServer:
    """The server of one call. `scope` is what the call's token was granted; after `deadline` nothing is waited for."""

    server: FhirServer
    executor: Executor
    scope: str | None
    deadline: float

    def permits(self, resource_type: str, *, search: bool = True) -> bool:
        return permits(self.scope, resource_type, search=search)

    def search(self, search: Search) -> Future[ReadOutcome]:
        return self.executor.submit(self.server.search, search)

    def read(self, resource_type: str, resource_id: str) -> Future[ReadOutcome]:
        return self.executor.submit(self.server.read, resource_type, resource_id)

    def remaining(self) -> float:
        """Seconds until the deadline."""
        return max(0.0, self.deadline - time.monotonic())
