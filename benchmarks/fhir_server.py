"""A FHIR server on loopback that waits before each answer: `python -m benchmarks.fhir_server PORT`.

A base names the chart and the wait in milliseconds, `http://127.0.0.1:PORT/{chart}/{milliseconds}`. The server answers
as HAPI does (`tests.support.fhir_wire`). It answers a repeated address from memory, so that the benchmark measures the
wait and the service, not this server. `GET /counts` returns the requests since the last `GET /counts`.
"""

from __future__ import annotations

import json
import os
import re
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from tempfile import TemporaryDirectory

import requests

from benchmarks.patients import OPENS, YEARS_BEFORE, chart
from example_patients.programs.demo import HOST, free_port, server
from tests.support.fhir_wire import BASE, FhirWire, as_get

# Observations, from when on they were charted, and administrations of the stay
CHARTS = {
    "200": (200, OPENS, 0), "10000": (10_000, OPENS, 0), "50000": (50_000, OPENS, 0),
    "50000-years": (50_000, YEARS_BEFORE, 0), "200-given": (200, OPENS, 20_000), "5000-at-50": (5_000, OPENS, 1_000),
}  # fmt: skip
PAGE = 1_000
PAGES = {"5000-at-50": 50}
_PATH = re.compile(r"/(?P<chart>[^/?]+)/(?P<milliseconds>\d+)(?P<rest>.*)")


@cache
def wire(name: str) -> FhirWire:
    observations, opens, administrations = CHARTS[name]
    return FhirWire(chart(observations, opens, administrations), PAGES.get(name, PAGE))


class _Server(ThreadingTCPServer):
    request_queue_size = 256
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port: int) -> None:
        super().__init__((HOST, port), _Handler)
        self.lock = threading.Lock()
        self.connections = 0
        self.sent = 0
        self.addresses: list[str] = []
        self._said: dict[str, bytes] = {}

    def answer(self, address: str) -> tuple[int, bytes]:
        """The wait in milliseconds and the whole answer."""
        match = _PATH.fullmatch(address)
        if match is None:
            return 0, _http(self._counts() if address == "/counts" else "{}")
        with self.lock:
            self.addresses.append(address)
            if address not in self._said:
                _, _, body = wire(match["chart"]).answer(f"{BASE}{match['rest']}")
                here = f"http://{HOST}:{self.server_address[1]}/{match['chart']}/{match['milliseconds']}"
                self._said[address] = _http(body.replace(BASE, here))
            said = self._said[address]
            self.sent += len(said)
        return int(match["milliseconds"]), said

    def _counts(self) -> str:
        with self.lock:
            # the question itself came by a connection of its own
            told = json.dumps({"connections": self.connections - 1, "bytes": self.sent, "addresses": self.addresses})
            self.connections, self.sent, self.addresses = 0, 0, []
        return told


def _http(body: str) -> bytes:
    content = body.encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\nContent-Length: {len(content)}\r\n\r\n"
    return head.encode() + content


class _Handler(StreamRequestHandler):
    server: _Server
    disable_nagle_algorithm = True

    def handle(self) -> None:
        """Answer the requests on one connection while it stays open."""
        with self.server.lock:
            self.server.connections += 1
        with suppress(OSError):
            while request := self.rfile.readline().split():
                lines = [line.lower() for line in iter(self.rfile.readline, b"\r\n")]
                length = next((int(line.split()[1]) for line in lines if line.startswith(b"content-length:")), 0)
                address = as_get(request[1].decode(), self.rfile.read(length))
                milliseconds, said = self.server.answer(address)
                time.sleep(milliseconds / 1000)
                self.wfile.write(said)


@contextmanager
def fhir_server() -> Iterator[str]:
    """Run the server in a process of its own; yields its root."""
    root = f"http://{HOST}:{(port := free_port(0))}"
    with TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.fhir_server", str(port)]
        with server(command, f"{root}/counts", dict(os.environ), Path(folder) / "fhir.log"):
            yield root


@dataclass(frozen=True)
class Counts:
    """The requests that the server got: new connections, bytes sent, and the addresses in their order."""

    connections: int
    bytes: int
    addresses: tuple[str, ...]


def counts(root: str) -> Counts:
    """The requests that the server got since the last question for them."""
    found = requests.get(f"{root}/counts", timeout=60).json()
    return Counts(found["connections"], found["bytes"], tuple(found["addresses"]))


if __name__ == "__main__":
    with _Server(int(sys.argv[1])) as running:
        running.serve_forever()
