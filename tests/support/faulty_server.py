"""A FHIR server on loopback with one fault at a time, over real sockets.

A base address names chart, reads, fault and try, `http://127.0.0.1:…/{chart}/{reads}/{fault}/{try}`: every cell of the
fault matrix has a server of its own. A request of those reads meets the fault, any other is answered in full, as
`FhirWire` does.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from socketserver import StreamRequestHandler, ThreadingTCPServer
from urllib.parse import parse_qs, urlsplit

from tests.support.faults import FAULTS, LATER, ONLY_SEARCHES, Asked, http
from tests.support.fhir_wire import BASE, FhirWire, Resource, as_get
from tests.support.planned_reads import planned_reads, read_of

# the columns of the fault matrix: each read that is planned, and some together
READS = tuple(planned_reads().values())
TOGETHER: Mapping[str, frozenset[str]] = {
    "given": frozenset(name for (kind, _), name in planned_reads().items() if kind == "MedicationAdministration"),
    "all": frozenset(READS),
}


def reads_of(column: str) -> frozenset[str]:
    return TOGETHER.get(column, frozenset({column}))


@cache  # reading an address of thousands of signs took as long as answering it
def read_at(search: str) -> str:
    return read_of(search)


@dataclass(frozen=True)
class Request:
    """One request that came: the first page of its search, which page of it, when (`time.monotonic`), and whether by
    POST."""

    search: str
    page: int
    at: float
    posted: bool = False


@dataclass
class FaultyServer:
    """What the handlers share: patient and chart by name, what was asked of each base, what came under a name of the
    host that nobody was given (`strays`), and how many answers are under way (`busy`)."""

    root: str
    charts: Mapping[str, tuple[str, FhirWire]]
    stopped: threading.Event = field(default_factory=threading.Event)
    requests: dict[str, list[Request]] = field(default_factory=lambda: defaultdict(list))
    strays: list[str] = field(default_factory=list)
    busy: int = 0
    _bases: int = 0
    _said: dict[tuple[str, str], tuple[int, str]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Count the answers under way."""
        with self._lock:
            self.busy += 1
        try:
            yield
        finally:
            with self._lock:
                self.busy -= 1

    def base(self, chart: str, column: str, fault: str) -> str:
        """A base that nobody has asked yet."""
        with self._lock:
            self._bases += 1
            return f"{self.root}/{chart}/{column}/{fault}/{self._bases}"

    def answer(self, host: str, address: str, *, posted: bool = False) -> tuple[Iterator[bytes], bool]:
        """What is sent to a GET, or to the search by POST that is the same, and whether the connection stays open."""
        base, search, page = self._located(address)
        chart, column, fault, _ = base.removeprefix(f"{self.root}/").split("/")
        with self._lock:
            if not self.root.endswith(f"//{host}"):
                self.strays.append(base)
            self.requests[base].append(Request(search, page, time.monotonic(), posted))
            times = sum(1 for request in self.requests[base] if (request.search, request.page) == (search, 1))
        status, body = self._whole(chart, search)
        meets = fault != "none" and read_at(search) in reads_of(column)
        if not meets or status != 200 or (fault in ONLY_SEARCHES and search.startswith("/Patient/")):
            return iter([http(status, body)]), True
        patient = self.charts[chart][0]
        asked = Asked(base, search, page, times, json.loads(body), patient, self.stopped)
        return {**FAULTS, **LATER}[fault](asked), False

    def _located(self, address: str) -> tuple[str, str, int]:
        """The base of an address, the first page of its search, and the number of its page."""
        match = re.fullmatch(r"((?:/[^/?]+){4})(.*)", address)
        assert match is not None, "the service asks under its base only"
        query = parse_qs(urlsplit(match[2]).query)
        search = query["_of"][0] if "_of" in query else match[2]
        return f"{self.root}{match[1]}", search, int(query.get("_page", ["1"])[0])

    def _whole(self, chart: str, search: str) -> tuple[int, str]:
        if (chart, search) not in self._said:
            status, _, body = self.charts[chart][1].answer(f"{BASE}{search}")
            self._said[chart, search] = status, body
        return self._said[chart, search]


class _Handler(StreamRequestHandler):
    server: _Server
    disable_nagle_algorithm = True

    def handle(self) -> None:
        """Requests on one connection, as long as it stays open."""
        faulty, stays = self.server.faulty, True
        with suppress(OSError):
            while stays and (request := self.rfile.readline().split()):
                lines = iter(self.rfile.readline, b"\r\n")
                headers = dict(line.decode().strip().lower().split(": ", 1) for line in lines)
                form = self.rfile.read(int(headers.get("content-length", "0")))
                address = as_get(request[1].decode(), form)
                parts, stays = faulty.answer(headers["host"], address, posted=bool(form))
                with faulty.at_work():
                    for part in parts:
                        self.wfile.write(part)


class _Server(ThreadingTCPServer):
    request_queue_size = 128
    daemon_threads = True
    faulty: FaultyServer


@contextmanager
def faulty_server(charts: Mapping[str, tuple[str, Iterable[Resource]]]) -> Iterator[FaultyServer]:
    """The server, up; `charts` are patient and resources by name."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        wires = {name: (patient, FhirWire(chart)) for name, (patient, chart) in charts.items()}
        server.faulty = FaultyServer(f"http://127.0.0.1:{server.server_address[1]}", wires)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server.faulty
        finally:
            server.faulty.stopped.set()
            server.shutdown()
            thread.join()
